//! The one door that writes go through.
//!
//! On PostgreSQL and MySQL a write is a transaction of its own. SQLite has one writer at a time and pays for
//! each durable commit, so there one task gathers the waiting writes into one IMMEDIATE transaction and commits
//! them together; each is undone alone when it fails. Nobody is answered before the commit.

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

/// At most so many writes in one commit: enough to share its cost, few enough not to wait long.
const BATCH: usize = 64;
/// Writes that may wait; more are refused as overload (503).
const QUEUE: usize = 4096;

/// Statements of one write, over owned values.
pub type Work<T> = Box<dyn for<'t> FnOnce(&'t DatabaseExecutor<'t>) -> BoxFuture<'t, Result<T, DbErr>> + Send>;

/// Tells one waiting caller how its write ended: with the commit's error, or as the write itself said.
type Answer = Box<dyn FnOnce(Result<(), DbErr>) + Send>;
type Job = Box<dyn for<'t> FnOnce(&'t DatabaseExecutor<'t>) -> BoxFuture<'t, (bool, Answer)> + Send>;

pub struct Queued {
    job: Job,
    /// A single statement undoes itself when it fails and needs no savepoint.
    single: bool,
}

pub enum Writer {
    /// PostgreSQL, MySQL.
    Each(DatabaseConnection),
    /// SQLite.
    Gathered { queue: mpsc::Sender<Queued>, healthy: std::sync::Arc<AtomicBool> },
}

impl Writer {
    pub fn each(db: DatabaseConnection) -> Self {
        Writer::Each(db)
    }

    /// Starts the gathering task on a connection that nothing else uses.
    pub fn gathered(connection: DatabaseConnection) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let healthy = std::sync::Arc::new(AtomicBool::new(true));
        tokio::spawn(gather(connection, waiting, healthy.clone()));
        Writer::Gathered { queue, healthy }
    }

    /// Several statements that stand or fall together.
    ///
    /// # Errors
    /// The statement's or the commit's; then nothing of it was kept.
    pub async fn write<T: Send + 'static>(&self, work: Work<T>) -> Result<T, DbErr> {
        match self {
            Writer::Each(db) => {
                let transaction = db.begin().await?;
                let value = work(&DatabaseExecutor::Transaction(&transaction)).await?;
                transaction.commit().await?;
                Ok(value)
            }
            Writer::Gathered { queue, .. } => enqueue(queue, work, false).await,
        }
    }

    /// One statement.
    ///
    /// # Errors
    /// The statement's or the commit's; then nothing of it was kept.
    pub async fn write_one<T: Send + 'static>(&self, work: Work<T>) -> Result<T, DbErr> {
        match self {
            Writer::Each(db) => work(&DatabaseExecutor::Connection(db)).await,
            Writer::Gathered { queue, .. } => enqueue(queue, work, true).await,
        }
    }

    /// False while commits fail, for readiness.
    pub fn is_healthy(&self) -> bool {
        match self {
            Writer::Each(_) => true,
            Writer::Gathered { healthy, .. } => healthy.load(Ordering::Relaxed),
        }
    }
}

async fn enqueue<T: Send + 'static>(queue: &mpsc::Sender<Queued>, work: Work<T>, single: bool) -> Result<T, DbErr> {
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move |db| {
        async move {
            // A panic in one write must not take the others with it.
            let result = AssertUnwindSafe(work(db)).catch_unwind().await;
            let result = result.unwrap_or_else(|_| Err(DbErr::Custom("a write panicked".to_owned())));
            let keep = result.is_ok();
            let tell: Answer = Box::new(move |committed| {
                // Whoever asked may have gone away meanwhile.
                let _ = answer.send(committed.and(result));
            });
            (keep, tell)
        }
        .boxed()
    });
    queue.try_send(Queued { job, single }).map_err(|_| overloaded())?;
    answered.await.unwrap_or_else(|_| Err(overloaded()))
}

fn overloaded() -> DbErr {
    DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout)
}

async fn gather(
    connection: DatabaseConnection,
    mut waiting: mpsc::Receiver<Queued>,
    healthy: std::sync::Arc<AtomicBool>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let committed = commit(&connection, &mut batch).await;
        healthy.store(committed, Ordering::Relaxed);
    }
}

/// Runs the batch in one transaction and tells everybody. True when the commit went well.
async fn commit(connection: &DatabaseConnection, batch: &mut Vec<Queued>) -> bool {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = match connection.begin_with_options(options).await {
        Ok(transaction) => transaction,
        Err(error) => {
            tracing::error!(%error, "no transaction can be begun; writes fail until this ends");
            // The jobs are dropped; their callers see a closed channel and answer 503.
            batch.clear();
            return false;
        }
    };
    let mut answers = Vec::with_capacity(batch.len());
    for queued in batch.drain(..) {
        answers.push(run(&transaction, queued).await);
    }
    let committed = transaction.commit().await;
    if let Err(error) = &committed {
        tracing::error!(%error, "a commit failed");
    }
    for answer in answers {
        answer(committed.clone());
    }
    committed.is_ok()
}

async fn run(transaction: &DatabaseTransaction, queued: Queued) -> Answer {
    if queued.single {
        let (_, answer) = (queued.job)(&DatabaseExecutor::Transaction(transaction)).await;
        return answer;
    }
    let savepoint = match transaction.begin().await {
        Ok(savepoint) => savepoint,
        Err(error) => return refuse(queued, error).await,
    };
    let (keep, answer) = (queued.job)(&DatabaseExecutor::Transaction(&savepoint)).await;
    let released = if keep { savepoint.commit().await } else { savepoint.rollback().await };
    match released {
        Ok(()) => answer,
        Err(error) => Box::new(move |_| answer(Err(error))),
    }
}

/// Without a savepoint the write must not run at all.
async fn refuse(queued: Queued, error: DbErr) -> Answer {
    drop(queued);
    tracing::error!(%error, "no savepoint can be made");
    Box::new(|_| {})
}
