//! Writes what runs leave behind, in batches, off the request's path. The queues are bounded: under overload
//! rows are lost, never requests, and the loss is counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sea_orm::DbErr;
use tokio::sync::{mpsc, oneshot};

use super::App;
use crate::{
    protocol::trace::Trace,
    store::{
        is_orphan,
        login_attempt::{self, LoginAttempt},
        trace_event,
    },
};

const QUEUE: usize = 8_192;
const BATCH: usize = 256;
/// A batch waits this long for company, so that `signet trace` shows a run a moment after it ended.
const GATHER: Duration = Duration::from_millis(100);
/// Whoever wants to read what was just recorded waits no longer than this for those before.
const AT_MOST: Duration = Duration::from_millis(500);

/// Something that is written behind requests.
pub trait Kept: Send + Sized + 'static {
    /// For the log.
    const NAME: &'static str;

    fn insert(app: &App, batch: Vec<Self>) -> BoxFuture<'_, Result<(), DbErr>>;
}

/// What a run recorded of its checks, and when it ended.
pub struct Run(Box<Trace>, i64);

impl Run {
    pub fn new(trace: Trace, at: i64) -> Self {
        Run(Box::new(trace), at)
    }
}

impl Kept for Run {
    const NAME: &'static str = "trace events";

    fn insert(app: &App, batch: Vec<Self>) -> BoxFuture<'_, Result<(), DbErr>> {
        let rows: Vec<_> = batch.into_iter().map(|Run(trace, at)| trace_event::row(&trace, at)).collect();
        Box::pin(app.writer.write(Box::new(move |db| Box::pin(trace_event::insert(db, rows)))))
    }
}

/// In a queue of their own: whoever guesses passwords cannot hide it by other requests.
impl Kept for LoginAttempt {
    const NAME: &'static str = "tries to sign in";

    fn insert(app: &App, batch: Vec<Self>) -> BoxFuture<'_, Result<(), DbErr>> {
        Box::pin(async move {
            let rows = batch.clone();
            let written = app.writer.write(Box::new(move |db| Box::pin(login_attempt::insert(db, rows))));
            match written.await {
                // Somebody was deleted a moment ago; the others' are kept.
                Err(error) if is_orphan(&error) => each(app, batch).await,
                written => written,
            }
        })
    }
}

async fn each(app: &App, batch: Vec<LoginAttempt>) -> Result<(), DbErr> {
    for row in batch {
        let one = app.writer.write(Box::new(move |db| Box::pin(login_attempt::insert(db, vec![row]))));
        one.await.or_else(|error| if is_orphan(&error) { Ok(()) } else { Err(error) })?;
    }
    Ok(())
}

enum Message<T> {
    Kept(T),
    Flush(oneshot::Sender<()>),
}

pub struct Recorder<T> {
    queue: mpsc::Sender<Message<T>>,
    lost: Arc<AtomicU64>,
}

/// The other end, until [`Inbox::run`] takes it.
pub struct Inbox<T> {
    queue: mpsc::Receiver<Message<T>>,
    lost: Arc<AtomicU64>,
}

pub fn channel<T: Kept>() -> (Recorder<T>, Inbox<T>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let lost = Arc::new(AtomicU64::new(0));
    (Recorder { queue: sender, lost: lost.clone() }, Inbox { queue: receiver, lost })
}

impl<T: Kept> Recorder<T> {
    /// Never waits.
    pub fn record(&self, kept: T) {
        if self.queue.try_send(Message::Kept(kept)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything recorded so far is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            // An error means that the writer has stopped, so there is nothing left to wait for.
            let _ = written.await;
        }
    }

    /// The same for whoever reads next; a crowd before them is not waited for.
    pub async fn flush_briefly(&self) {
        // What comes too late is read the next time.
        let _ = tokio::time::timeout(AT_MOST, self.flush()).await;
    }

    /// How much was lost to overload since the start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl<T: Kept> Inbox<T> {
    /// Until the last recorder is gone.
    pub async fn run(mut self, app: std::sync::Weak<super::Shared>) {
        let mut messages = Vec::with_capacity(BATCH);
        let mut reported = 0;
        while self.queue.recv_many(&mut messages, BATCH).await > 0 {
            let hurry = messages.iter().any(|message| matches!(message, Message::Flush(_)));
            if messages.len() < BATCH && !hurry {
                tokio::time::sleep(GATHER).await;
                while messages.len() < BATCH
                    && let Ok(message) = self.queue.try_recv()
                {
                    messages.push(message);
                }
            }
            let Some(app) = app.upgrade().map(App) else { return };
            self.write(&app, &mut messages).await;
            let lost = self.lost.load(Ordering::Relaxed);
            if lost > reported {
                tracing::warn!(lost = lost - reported, "{} were lost to overload", T::NAME);
                reported = lost;
            }
        }
    }

    async fn write(&self, app: &App, messages: &mut Vec<Message<T>>) {
        let (mut batch, mut waiting) = (Vec::with_capacity(messages.len()), Vec::new());
        for message in messages.drain(..) {
            match message {
                Message::Kept(kept) => batch.push(kept),
                Message::Flush(done) => waiting.push(done),
            }
        }
        let count = batch.len() as u64;
        if count > 0
            && let Err(error) = T::insert(app, batch).await
        {
            self.lost.fetch_add(count, Ordering::Relaxed);
            tracing::warn!(%error, count, "{} could not be written", T::NAME);
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}

impl App {
    /// For tasks that must not keep the server alive.
    pub fn downgrade(&self) -> std::sync::Weak<super::Shared> {
        Arc::downgrade(&self.0)
    }

    pub fn upgrade(weak: &std::sync::Weak<super::Shared>) -> Option<App> {
        weak.upgrade().map(App)
    }
}
