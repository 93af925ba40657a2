//! What runs recorded, read back (scope AD10).

use crate::{app::App, protocol::Result, store::trace_event};

pub use crate::store::trace_event::TraceEvent;

/// The timeline of one trace, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn of(app: &App, trace_id: &str) -> Result<Vec<TraceEvent>> {
    Ok(trace_event::of(&app.db, trace_id).await?)
}

/// The latest refusals, newest first.
///
/// # Errors
/// When the database is away.
pub async fn refusals(app: &App, most: u64) -> Result<Vec<TraceEvent>> {
    Ok(trace_event::refusals(&app.db, most).await?)
}
