//! Clients that registered themselves live as long as somebody uses them.

use super::{
    event::{self, Changed},
    write_one,
};
use crate::{
    app::App,
    protocol::Result,
    store::client::{self, Client},
};

/// How exactly the last use is known, in seconds.
const EVERY: i64 = 3600;

/// The client got tokens. Never waits: the write goes on beside the answer.
pub fn note(app: &App, client: &Client) {
    let now = app.now();
    let is_known = client.last_used_at.is_some_and(|at| at > now - EVERY);
    if !client.is_self_registered() || is_known || !app.cache.is_first_use(&client.client_id, now / EVERY) {
        return;
    }
    let (app, id) = (app.clone(), client.client_id.clone());
    tokio::spawn(async move {
        if let Err(error) = write_one!(app, db => client::used(db, &id, now, EVERY)).await {
            tracing::warn!(%error, "when a client was last used could not be noted");
        }
    });
}

/// Removes those that nobody uses, with everything that was granted to them.
///
/// # Errors
/// When the database is away; a later run does the rest.
pub async fn expire(app: &App) -> Result<()> {
    const AT_ONCE: u64 = 100;
    let since = app.now() - app.config.registration.unused_for.get();
    loop {
        let unused = client::unused_since(&app.db, since, AT_ONCE).await?;
        for id in &unused {
            let name = id.clone();
            if write_one!(app, db => client::delete_unused(db, &name, since)).await? {
                app.cache.forget_client(id).await;
                event::changed(Changed::Client(id), "expired");
            }
        }
        if (unused.len() as u64) < AT_ONCE {
            return Ok(());
        }
    }
}
