//! Whether the server can do its work.

use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::lease;
use crate::{app::App, protocol::Result};

/// A dependency and whether it answers. What is wrong with it stands in the log, not on a public page.
#[derive(Debug)]
pub struct State {
    pub name: &'static str,
    pub up: bool,
}

/// A dependency that answers later than this does not help anybody who waits.
const PATIENCE: Duration = Duration::from_secs(2);

pub async fn check(app: &App) -> Vec<State> {
    let database = match tokio::time::timeout(PATIENCE, database(app)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not answer");
            false
        }
        Err(_) => {
            tracing::warn!("the database does not answer in time");
            false
        }
    };
    let keys = signer(app).is_ok();
    vec![State { name: "database", up: database }, State { name: "signing_key", up: keys }]
}

/// Reads; and after a write has failed, writes, for without traffic nothing else would find out that writes work again.
async fn database(app: &App) -> Result<()> {
    app.db.execute_unprepared("SELECT 1").await?;
    if !app.writer.is_healthy() {
        lease::take(app, "health", 0).await?;
    }
    Ok(())
}

fn signer(app: &App) -> Result<()> {
    app.keys.ring().signer(super::admin::keys::FIRST, app.now()).map(drop)
}
