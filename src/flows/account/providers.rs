//! Accounts at providers that open this one: what there is, and an end to it.

use uuid::Uuid;

use super::{
    links,
    log::{self, Happened},
    me::Me,
    ways_in::{self, Way},
};
use crate::{
    app::App,
    flows::{
        Trouble,
        factors::Change,
        mail::{self, FactorChange},
        upstream,
    },
    protocol::{
        rule,
        trace::{Shown, Trace},
    },
    store::upstream_link,
};

/// An account at a provider, for its person. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    pub id: Uuid,
    /// The provider that it came by last.
    pub provider: String,
    /// What people call it.
    pub title: String,
    /// What the person recognizes the account there by.
    pub label: Option<String>,
    /// The provider is still one of those that people can sign in with.
    pub works: bool,
    pub created_at: i64,
    pub last_used_at: i64,
}

/// Somebody's, the oldest first.
///
/// # Errors
/// When the database is away.
pub async fn list(app: &App, person: Uuid) -> Result<Vec<Connected>, Trouble> {
    let providers = app.cache.upstreams(&app.db).await?;
    let connected = |row: upstream_link::UpstreamLink| {
        let provider = providers.iter().find(|provider| provider.name == row.upstream);
        Connected {
            id: row.id,
            title: provider.map_or_else(|| row.upstream.clone(), upstream::title),
            works: providers.iter().any(|provider| upstream::opens(provider, &row)),
            provider: row.upstream,
            label: row.label,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        }
    };
    Ok(upstream_link::of(&app.db, person).await?.into_iter().map(connected).collect())
}

/// Whether there is anything to see: a provider, or something that is connected.
///
/// # Errors
/// When the database is away.
pub async fn are_of_use(app: &App, person: Uuid) -> Result<bool, Trouble> {
    let offered = app.cache.upstreams(&app.db).await?.iter().any(|provider| !provider.settings.hidden);
    Ok(offered || !upstream_link::of(&app.db, person).await?.is_empty())
}

/// It opens the account no more. Who is signed in by it stays so.
///
/// # Errors
/// `insufficient_user_authentication`, that there is none such, or that nothing else would open the account (case SEC-140).
pub async fn remove(app: &App, me: &Me, id: Uuid) -> Result<(), Trouble> {
    let mut trace = me.trace(app);
    let removed = remove_traced(app, me, id, &mut trace).await;
    links::settle(app, trace, removed)
}

async fn remove_traced(app: &App, me: &Me, id: Uuid, trace: &mut Trace) -> Result<(), Trouble> {
    let (told, what) = (FactorChange::ProviderUnlinked, Happened::ProviderUnlinked);
    let change = Change::new(app, trace, &me.user, &me.device, what, told).of_no_factor();
    ways_in::close(app, me, Way::Provider(id), change).await?;
    trace.passed(&rule::ACCOUNT, Some(Shown::word("a provider was disconnected")));
    mail::send_soon(app);
    log::said(trace, what);
    Ok(())
}
