//! Writes what runs recorded, in batches, off the request's path. The queue is bounded: under overload
//! events are lost, never requests, and the loss is counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::DbErr;
use tokio::sync::{mpsc, oneshot};

use super::App;
use crate::{protocol::trace::Trace, store::trace_event};

const QUEUE: usize = 8_192;
const BATCH: usize = 256;
/// A batch waits this long for company, so that `signet trace` shows a run a moment after it ended.
const GATHER: Duration = Duration::from_millis(100);

enum Message {
    Run(Box<Trace>, i64),
    Flush(oneshot::Sender<()>),
}

#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Message>,
    lost: Arc<AtomicU64>,
}

/// The other end, until [`Inbox::run`] takes it.
pub struct Inbox {
    queue: mpsc::Receiver<Message>,
    lost: Arc<AtomicU64>,
}

pub fn channel() -> (Recorder, Inbox) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let lost = Arc::new(AtomicU64::new(0));
    (Recorder { queue: sender, lost: lost.clone() }, Inbox { queue: receiver, lost })
}

impl Recorder {
    /// Never waits.
    pub fn record(&self, trace: Trace, at: i64) {
        if self.queue.try_send(Message::Run(Box::new(trace), at)).is_err() {
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

    /// Events lost to overload since the start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Inbox {
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
                tracing::warn!(lost = lost - reported, "trace events were lost to overload");
                reported = lost;
            }
        }
    }

    async fn write(&self, app: &App, messages: &mut Vec<Message>) {
        let (mut rows, mut waiting) = (Vec::with_capacity(messages.len()), Vec::new());
        for message in messages.drain(..) {
            match message {
                Message::Run(trace, at) => rows.push(trace_event::row(&trace, at)),
                Message::Flush(done) => waiting.push(done),
            }
        }
        let count = rows.len() as u64;
        if count > 0
            && let Err(error) = insert(app, rows).await
        {
            self.lost.fetch_add(count, Ordering::Relaxed);
            tracing::warn!(%error, count, "trace events could not be written");
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}

async fn insert(app: &App, rows: Vec<trace_event::ActiveModel>) -> Result<(), DbErr> {
    app.writer.write(Box::new(move |db| Box::pin(trace_event::insert(db, rows)))).await
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
