//! Which of several servers does a job.

use super::write;
use crate::{app::App, protocol::Result, store::lease};

/// True for the one server that may do it during the next `seconds`.
///
/// # Errors
/// When the database is away.
pub async fn take(app: &App, name: &'static str, seconds: i64) -> Result<bool> {
    let (holder, now) = (app.nonce(), app.now());
    Ok(write!(app, db => lease::take(db, name, &holder, now, now + seconds).await).await?)
}
