//! Several servers on one database agree on keys. Each says every few seconds that it is there and which keys it has
//! read. Once all of them have read a key, whoever sees it first writes that down, with the moment from which the key
//! signs and the one before it is retired; all others follow the row. So nobody counts servers for a token.

use std::time::Duration;

use super::{
    admin::key_life::{self, GONE_AFTER},
    event::{self, Changed},
    write, write_one,
};
use crate::{
    app::{App, open::reload_keys},
    protocol::Result,
    store::{
        node::{self, Node},
        signing_key,
    },
};

/// Decision D9: what one server knows, the others do within five seconds.
const EVERY: Duration = Duration::from_secs(4);
/// Servers whose clocks differ by more would change over at different times.
const CLOCKS: i64 = 10;

/// From now on this process is one of the servers, under a name that nobody else has.
///
/// # Errors
/// When the database is away.
pub async fn join(app: &App) -> Result<()> {
    app.keys.join(app.nonce());
    // Announced before it reads: whoever makes a key from now on waits for this server, and older keys it reads now.
    beat(app).await?;
    refresh(app).await
}

/// Reads the keys, says so, and takes the keys as far as the servers agree.
///
/// # Errors
/// When the database is away; the known keys stay.
pub async fn refresh(app: &App) -> Result<()> {
    reload_keys(app).await?;
    beat(app).await?;
    if settle(app).await? {
        reload_keys(app).await?;
    }
    Ok(())
}

/// Does so every few seconds, for as long as the server lives.
pub fn follow(app: &App) {
    let app = app.downgrade();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let Some(app) = App::upgrade(&app) else { return };
            if let Err(error) = refresh(&app).await {
                tracing::warn!(%error, "the signing keys could not be read; the known ones stay");
            }
        }
    });
}

/// It stops: the others need not wait for it.
///
/// # Errors
/// When the database is away; then they wait a little.
pub async fn leave(app: &App) -> Result<()> {
    let Some(id) = app.keys.node().map(str::to_owned) else { return Ok(()) };
    Ok(write_one!(app, db => node::leave(db, &id)).await?)
}

/// The servers that are there.
///
/// # Errors
/// When the database is away.
pub async fn present(app: &App) -> Result<Vec<Node>> {
    Ok(node::seen(&app.db, app.now() - GONE_AFTER).await?)
}

/// Commands are no servers and say nothing.
async fn beat(app: &App) -> Result<()> {
    let Some(id) = app.keys.node().map(str::to_owned) else { return Ok(()) };
    let kids: Vec<String> = app.keys.ring().rows().map(|row| row.kid.clone()).collect();
    let node = Node { id, seen_at: app.now(), kids: kids.join(" ") };
    Ok(write_one!(app, db => node::beat(db, node)).await?)
}

/// True when something was changed. Every server may do it; the row decides who does.
async fn settle(app: &App) -> Result<bool> {
    let (ring, now) = (app.keys.ring(), app.now());
    let nodes = present(app).await?;
    for node in nodes.iter().filter(|node| node.seen_at > now + CLOCKS) {
        let seconds = node.seen_at - now;
        tracing::warn!(node = node.id, seconds, "the clock of another server is ahead of this one's; set both right");
    }
    let rows: Vec<_> = ring.rows().cloned().collect();
    let is_everywhere = |key: &signing_key::SigningKey| nodes.iter().all(|node| node.knows(&key.kid));
    let changes = key_life::changes(&rows, &app.config.keys, is_everywhere, now);
    let changes: Vec<_> = changes.into_iter().map(|(old, new)| (old.clone(), new)).collect();
    if changes.is_empty() {
        return Ok(false);
    }
    let agreed: Vec<String> =
        changes.iter().filter(|(old, new)| old.agreed_at != new.agreed_at).map(|(old, _)| old.kid.clone()).collect();
    write!(app, db => {
        for (old, new) in changes {
            signing_key::change(db, &old, &new).await?;
        }
        Ok(())
    })
    .await?;
    for kid in &agreed {
        event::by_itself(Changed::SigningKey(kid), "agreed");
    }
    Ok(true)
}
