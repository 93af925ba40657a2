//! What the passwords of unknown names are checked against (case SEC-117).

use std::sync::Arc;

use crate::{
    app::App,
    protocol::Result,
    store::{
        Phc,
        password::{self, Unlike},
    },
};

/// A stored hash of another kind than today's, for as many unknown names as known ones have such; nothing means that
/// today's work is done for the name. Nobody is signed in by it.
///
/// # Errors
/// When the database is away.
pub async fn of(app: &App, name: &str) -> Result<Option<Phc>> {
    let sample = match app.decoys.look(app.now()) {
        (Some(sample), false) => sample,
        (Some(sample), true) => {
            // Nobody waits for it; the old one still tells much of the truth.
            let app = app.clone();
            tokio::spawn(async move { drop(take(&app).await) });
            sample
        }
        (None, _) => take(app).await?,
    };
    let tag = app.macs.browser.tag(&[b"decoy", name.as_bytes()]);
    let point = tag.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    Ok(sample.decoy(point).cloned())
}

async fn take(app: &App) -> Result<Arc<Unlike>> {
    let sample = password::unlike(&app.db, &app.hashing.prefix()).await?;
    Ok(app.decoys.keep(sample, app.now()))
}
