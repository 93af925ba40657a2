//! Rows that are tried when their time has come, each by whoever claims it, on whichever node: deliveries of logouts, mails.
//! At least once, and never twice at a time.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use tokio::sync::Semaphore;

use crate::{app::App, protocol::Result};

/// A node looks this often for what others have left.
const LOOK: Duration = Duration::from_secs(5);

/// One such row.
#[async_trait]
pub trait Due: Send + Sync + Sized + 'static {
    /// What the log calls them.
    const NAME: &'static str;
    /// How many one node tries at once.
    const AT_ONCE: usize;

    /// When it is to be tried.
    fn next_at(&self) -> Option<i64>;

    /// The most urgent rows.
    async fn soonest(app: &App, most: u64) -> Result<Vec<Self>>;

    /// True for the one caller, of all nodes, who may try it now.
    async fn claim(&self, app: &App) -> Result<bool>;

    /// Tries it, and notes what came of it.
    async fn attempt(self, app: &App);
}

/// Tries what is due, and waits for the end of it.
///
/// # Errors
/// When the database is away.
pub async fn run<T: Due>(app: &App) -> Result<()> {
    let (due, _) = look::<T>(app).await?;
    each(app, due).await;
    Ok(())
}

/// Tries these, and waits for the end of it.
pub async fn each<T: Due>(app: &App, rows: Vec<T>) {
    let attempts = stream::iter(rows).for_each_concurrent(T::AT_ONCE, |row| async move {
        match row.claim(app).await {
            Ok(true) => row.attempt(app).await,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "{} cannot be claimed; they stay queued", T::NAME),
        }
    });
    attempts.await;
}

/// The slots of a node that tries them for as long as it lives.
pub fn slots<T: Due>() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(T::AT_ONCE))
}

/// Begins what is due, and says how long there is nothing to do.
pub async fn begin<T: Due>(app: &App, slots: &Arc<Semaphore>) -> Duration {
    let (due, pause) = match look::<T>(app).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "{} cannot be read; they stay queued", T::NAME);
            return LOOK;
        }
    };
    for row in due {
        // Waits for a free slot: what is not claimed is for other nodes to take.
        let Ok(slot) = slots.clone().acquire_owned().await else { return LOOK };
        match row.claim(app).await {
            Ok(true) => {
                let app = app.clone();
                tokio::spawn(async move {
                    row.attempt(&app).await;
                    drop(slot);
                });
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "{} cannot be claimed; they stay queued", T::NAME);
                return LOOK;
            }
        }
    }
    pause
}

/// What is due, and how long until more will be. One query.
async fn look<T: Due>(app: &App) -> Result<(Vec<T>, Duration)> {
    let most = T::AT_ONCE as u64;
    let now = app.now();
    let mut rows = T::soonest(app, most).await?;
    let is_due = |row: &T| row.next_at().is_some_and(|at| at <= now);
    let next = rows.iter().find(|row| !is_due(row)).and_then(T::next_at);
    rows.retain(is_due);
    let pause = match next {
        Some(at) => Duration::from_secs(u64::try_from(at - now).unwrap_or_default()).min(LOOK),
        None if rows.len() as u64 == most => Duration::ZERO,
        None => LOOK,
    };
    Ok((rows, pause))
}
