//! Who has fetched the published keys: noted as requests are answered, tied to clients and written a little later.

use std::{net::IpAddr, time::Duration};

use super::{client_auth, write};
use crate::{
    app::{
        App,
        readers::{Claimed, Fetch, News},
    },
    crypto::secret::{Secret, equal},
    protocol::Result,
    store::{
        client::{self, Client},
        key_fetch::{self, KeyFetch},
        token_caller::{self, TokenCaller},
    },
};

/// At most so often something is written.
const EVERY: Duration = Duration::from_secs(10);

/// The keys were fetched, or found unchanged. `authorization` may say by whom; wrong or not, the answer is the same.
pub fn fetched(app: &App, address: IpAddr, user_agent: &str, authorization: Option<&str>) {
    let fetch = Fetch { at: app.now(), newest: app.keys.ring().newest() };
    if let Some((client_id, secret)) = authorization.and_then(|header| client_auth::basic(header).ok()) {
        app.readers.claimed(Claimed { client_id, secret: Secret::presented(&secret).hash(), fetch });
    }
    app.readers.fetched(app.caller(address, user_agent), fetch);
}

/// A client got tokens from there.
pub fn used(app: &App, client: &Client, address: IpAddr, user_agent: &str) {
    app.readers.used(&client.client_id, app.caller(address, user_agent), app.now());
}

/// Tokens reached a client through somebody's browser, which says nothing of where the client is.
pub fn used_through_browser(app: &App, client: &Client) {
    app.readers.used(&client.client_id, app.caller_unseen(&client.client_id), app.now());
}

/// Writes what was noted, every few seconds, for as long as the server lives.
pub fn follow(app: &App) {
    let app = app.downgrade();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let Some(app) = App::upgrade(&app) else { return };
            if let Err(error) = flush(&app).await {
                tracing::warn!(%error, "who fetched the keys could not be written; it is tried again");
            }
        }
    });
}

/// Writes what was noted.
///
/// # Errors
/// When the database is away; nothing is lost then but who said who they are.
pub async fn flush(app: &App) -> Result<()> {
    let News { mut fetches, mut uses, claimed } = app.readers.news();
    for claimed in claimed {
        let client = client::find(&app.db, &claimed.client_id).await;
        let proven = client.is_ok_and(|client| client.is_some_and(|client| is_proof(&client, &claimed, app.now())));
        if proven {
            let (caller, Fetch { at, newest }) = (app.proven_caller(&claimed.client_id), claimed.fetch);
            fetches.push(KeyFetch { caller: caller.clone(), fetched_at: at, newest_key: newest });
            uses.push(TokenCaller { client_id: claimed.client_id, caller, used_at: at });
        }
    }
    if fetches.is_empty() && uses.is_empty() {
        return Ok(());
    }
    let written = write!(app, db => {
        key_fetch::note(db, once(fetches, |fetch| fetch.caller.clone())).await?;
        token_caller::note(db, once(uses, |used| (used.client_id.clone(), used.caller.clone()))).await
    });
    if let Err(error) = written.await {
        app.readers.write_again();
        return Err(error.into());
    }
    Ok(())
}

fn is_proof(client: &Client, claimed: &Claimed, now: i64) -> bool {
    client.is_enabled() && client.secrets(now).any(|known| equal(&known.0, &claimed.secret.0))
}

/// The last of each: one statement cannot write a row twice.
fn once<T, K: PartialEq + Ord>(rows: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let rows: std::collections::BTreeMap<K, T> = rows.into_iter().map(|row| (key(&row), row)).collect();
    rows.into_values().collect()
}
