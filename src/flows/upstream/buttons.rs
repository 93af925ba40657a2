//! Whom people can sign in with, as pages offer it.

use std::time::Duration;

use super::{kind, title};
use crate::{app::App, protocol::Result, store::upstream::Upstream};

/// What a provider says of itself is asked for ahead of time this often, while it is not known.
const WARM: Duration = Duration::from_secs(6);

/// A button of the login page.
#[derive(Debug, Clone)]
pub struct Button {
    pub name: String,
    pub kind: String,
    pub title: String,
    /// Where its form leads to, for the page's policy: as far as anybody knows yet, to the issuer's own host.
    pub leads_to: Option<String>,
    /// Which picture it has, if the operator gave one.
    pub icon: Option<i64>,
}

/// What an app says of who comes (OpenID Connect Core §3.1.2.1), by which a hidden provider may be meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// `idp_hint`
    pub provider: Option<&'a str>,
    /// `login_hint`
    pub login: Option<&'a str>,
}

impl Hints<'_> {
    fn mean(self, upstream: &Upstream) -> bool {
        let domain = || self.login.and_then(|login| login.trim().rsplit_once('@')).map(|(_, domain)| domain);
        self.provider == Some(&*upstream.name) || domain().is_some_and(|domain| upstream.settings.expects(domain))
    }
}

/// The buttons of the login page. Nobody waits for a provider here: what is not known yet is asked for meanwhile.
///
/// # Errors
/// When the database is away.
pub async fn buttons(app: &App, hints: Hints<'_>) -> Result<Vec<Button>> {
    let mut buttons = Vec::new();
    for upstream in app.cache.upstreams(&app.db).await?.iter() {
        if upstream.settings.hidden && !hints.mean(upstream) {
            continue;
        }
        let Some(kind) = kind(&upstream.settings.kind) else { continue };
        let known = kind.known(app, upstream).await;
        // Once in a while: many who look at the page at once are no reason to ask many times.
        if known.is_none() && app.cache.may_refetch(&format!("upstream of {}", upstream.name), WARM).await {
            let (app, upstream) = (app.clone(), upstream.clone());
            tokio::spawn(async move { drop(kind.metadata(&app, &upstream).await) });
        }
        buttons.push(Button {
            name: upstream.name.clone(),
            kind: upstream.settings.kind.clone(),
            title: title(upstream),
            icon: upstream.settings.icon.is_some().then_some(upstream.updated_at),
            leads_to: match known {
                Some(metadata) => Some(metadata.authorization_endpoint.clone()),
                None => upstream.settings.issuer.clone(),
            },
        });
    }
    Ok(buttons)
}
