//! Apps with access: what each may see, since when, and an end to it.

use std::collections::BTreeMap;

use super::{
    links,
    log::{self, Happened, Line},
    me::Me,
};
use crate::{
    app::App,
    flows::{Trouble, visitor::Visitor, write},
    protocol::{Scope, trace::Trace},
    store::{
        client::{self, BUILT_IN, Client},
        consent, grant,
    },
};

/// What an app has of a person. Times are seconds since 1970.
#[derive(Debug, Clone)]
pub struct Access {
    pub client: Client,
    /// What it may do without asking again, or can do now.
    pub scope: Scope,
    pub since: i64,
    /// To the hour where the person is signed in, to the second where the app renews its tokens by itself.
    pub last_used_at: Option<i64>,
    /// It can come back while the person is away.
    pub is_offline: bool,
}

/// What the rows about one app add up to.
#[derive(Default)]
struct Sum {
    scope: Scope,
    since: Option<i64>,
    last_used_at: Option<i64>,
    is_offline: bool,
}

impl Sum {
    fn add(&mut self, scope: &Scope, since: i64, used: Option<i64>) {
        self.scope = self.scope.with(scope);
        self.since = Some(self.since.map_or(since, |before| before.min(since)));
        self.last_used_at = self.last_used_at.max(used);
    }
}

/// Apps that the person has agreed to, or that hold something of theirs; those used last come first. The server's own
/// are not among them.
///
/// # Errors
/// When the database is away.
pub async fn list(app: &App, me: &Me) -> Result<Vec<Access>, Trouble> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for row in consent::of(&app.db, me.user.id).await? {
        sums.entry(row.client_id).or_default().add(&row.scope, row.granted_at, row.last_used_at);
    }
    for row in grant::held_of(&app.db, &me.user, app.now()).await? {
        let sum = sums.entry(row.client_id).or_default();
        sum.add(&row.scope, row.created_at, Some(row.rotated_at));
        sum.is_offline |= row.refreshable && row.offline;
    }
    let ids: Vec<&str> = sums.keys().map(String::as_str).collect();
    let clients = client::named(&app.db, &ids).await?.into_iter().filter(|client| client.origin != BUILT_IN);
    let mut list: Vec<_> = clients.filter_map(|client| Some((sums.remove(&client.client_id)?, client))).collect();
    list.sort_by_key(|(sum, _)| std::cmp::Reverse(sum.last_used_at.max(sum.since)));
    let access = |(sum, client): (Sum, Client)| Access {
        client,
        scope: sum.scope,
        since: sum.since.unwrap_or_default(),
        last_used_at: sum.last_used_at,
        is_offline: sum.is_offline,
    };
    Ok(list.into_iter().map(access).collect())
}

/// Withdraws what an app was allowed; all its tokens end with it. It can ask again.
///
/// # Errors
/// When it has nothing of this person.
pub async fn revoke(app: &App, visitor: &Visitor, me: &Me, client_id: &str) -> Result<(), Trouble> {
    let trace = Trace { client_id: Some(client_id.to_owned()), ..links::trace_of(app, visitor, me) };
    let revoked = revoke_traced(app, me, client_id, &trace).await;
    links::settle(app, trace, revoked)
}

async fn revoke_traced(app: &App, me: &Me, client_id: &str, trace: &Trace) -> Result<(), Trouble> {
    // Programs of the person's own end among the sessions.
    let client = client::find(&app.db, client_id).await?.filter(|client| client.origin != BUILT_IN);
    let client = client.ok_or(Trouble::NotFound("app"))?;
    let (person, id, now) = (me.user.id, client.client_id, app.now());
    let line = Line::new(app, trace, person, Happened::AppRevoked, &me.device).about(&id);
    let found = write!(app, db => {
        let agreed = consent::withdraw(db, person, &id).await?;
        let held = grant::revoke_of_user_at(db, person, &id, now).await?;
        if !agreed && held == 0 {
            return Ok(false);
        }
        line.insert(db).await?;
        Ok(true)
    });
    if !found.await? {
        return Err(Trouble::NotFound("app"));
    }
    log::said(trace, Happened::AppRevoked);
    Ok(())
}
