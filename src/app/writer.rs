//! The one door that writes go through.
//!
//! On PostgreSQL and MySQL a write is a transaction of its own. SQLite has one writer at a time and pays for
//! each durable commit, so there one task gathers the waiting writes into one IMMEDIATE transaction and commits
//! them together; each is undone alone when it fails. Nobody is answered before the commit.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use super::connection::Db;
use crate::store::is_away;

/// At most so many writes in one commit: enough to share its cost, few enough not to wait long.
const BATCH: usize = 64;
/// Writes that may wait; more are refused as overload (503).
const QUEUE: usize = 4096;

/// Statements of one write, over owned values.
pub type Work<T> = Box<dyn for<'t> FnOnce(&'t DatabaseExecutor<'t>) -> BoxFuture<'t, Result<T, DbErr>> + Send>;

/// Tells one waiting caller how its write ended: with the commit's error, or as the write itself said.
type Answer = Box<dyn FnOnce(Result<(), DbErr>) + Send>;
type Job = Box<dyn for<'t> FnOnce(&'t DatabaseExecutor<'t>) -> BoxFuture<'t, (Ended, Answer)> + Send>;

/// How one write of a batch ended, before the commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Kept,
    Undone,
    /// The database itself failed. SQLite may have undone the whole transaction (full disk, no memory), and
    /// statements after that would each be kept alone.
    Broken,
}

pub struct Queued {
    job: Job,
    /// A single statement undoes itself when it fails and needs no savepoint.
    single: bool,
}

pub enum Writer {
    /// PostgreSQL, MySQL.
    Each(Db),
    /// SQLite.
    Gathered { queue: mpsc::Sender<Queued>, healthy: Arc<AtomicBool> },
}

impl Writer {
    pub fn each(db: Db) -> Self {
        Writer::Each(db)
    }

    /// Starts the gathering task on a connection of its own.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub async fn gathered(options: ConnectOptions) -> Result<Self, DbErr> {
        let connection = Database::connect(options.clone()).await?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let healthy = Arc::new(AtomicBool::new(true));
        tokio::spawn(gather(connection, options, waiting, healthy.clone()));
        Ok(Writer::Gathered { queue, healthy })
    }

    /// Several statements that stand or fall together.
    ///
    /// # Errors
    /// The statement's or the commit's; then nothing of it was kept.
    pub async fn write<T: Send + 'static>(&self, work: Work<T>) -> Result<T, DbErr> {
        match self {
            Writer::Each(db) => {
                let transaction = async {
                    let transaction = db.unlimited().begin().await?;
                    let result = work(&DatabaseExecutor::Transaction(&transaction)).await;
                    match result {
                        Ok(_) => transaction.commit().await?,
                        // A transaction that cannot even be undone is undone with its connection.
                        Err(_) => drop(transaction.rollback().await),
                    }
                    result
                };
                db.limited(transaction).await
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
            Writer::Each(db) => db.limited(work(&DatabaseExecutor::Connection(db.unlimited()))).await,
            Writer::Gathered { queue, .. } => enqueue(queue, work, true).await,
        }
    }

    /// False after the database refused a commit, until one goes well; for readiness.
    pub fn is_healthy(&self) -> bool {
        match self {
            Writer::Each(_) => true,
            Writer::Gathered { queue, healthy } => healthy.load(Ordering::Relaxed) && !queue.is_closed(),
        }
    }
}

async fn enqueue<T: Send + 'static>(queue: &mpsc::Sender<Queued>, work: Work<T>, single: bool) -> Result<T, DbErr> {
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move |db| {
        async move {
            // A panic in one write must not take the others with it.
            let result = AssertUnwindSafe(async { work(db).await }).catch_unwind().await;
            let result = result.unwrap_or_else(|_| Err(DbErr::Custom("a write panicked".to_owned())));
            let ended = match &result {
                Ok(_) => Ended::Kept,
                Err(error) if is_away(error) => Ended::Broken,
                Err(_) => Ended::Undone,
            };
            let tell: Answer = Box::new(move |committed| {
                // Whoever asked may have gone away meanwhile.
                let _ = answer.send(committed.and(result));
            });
            (ended, tell)
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
    mut connection: DatabaseConnection,
    options: ConnectOptions,
    mut waiting: mpsc::Receiver<Queued>,
    healthy: Arc<AtomicBool>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let result = match begin(&connection).await {
            Ok(transaction) => commit(transaction, &mut batch).await,
            Err(error) => {
                // Those who came meanwhile have waited for the same; nobody waits twice.
                while waiting.try_recv().is_ok() {}
                Err(error)
            }
        };
        healthy.store(result.is_ok(), Ordering::Relaxed);
        if let Err(error) = result {
            tracing::error!(%error, "a batch of writes was undone");
            // Those that were not run; their callers see a closed channel and answer 503.
            batch.clear();
            // A connection that failed may be left in the middle of something.
            if let Ok(fresh) = Database::connect(options.clone()).await {
                connection = fresh;
            }
        }
    }
}

async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    connection.begin_with_options(options).await
}

/// Runs the batch in one transaction and tells everybody who was run.
async fn commit(transaction: DatabaseTransaction, batch: &mut Vec<Queued>) -> Result<(), DbErr> {
    let mut answers = Vec::with_capacity(batch.len());
    let mut broken = false;
    for queued in batch.drain(..) {
        let (ended, answer) = run(&transaction, queued).await;
        answers.extend(answer);
        if ended == Ended::Broken {
            broken = true;
            break;
        }
    }
    let committed = match broken {
        false => transaction.commit().await,
        true => {
            // It may be undone already; if not, the connection's end undoes it.
            drop(transaction.rollback().await);
            Err(overloaded())
        }
    };
    for answer in answers {
        answer(committed.clone());
    }
    committed
}

/// A write that could not be run has nothing to say: its caller sees a closed channel.
async fn run(transaction: &DatabaseTransaction, queued: Queued) -> (Ended, Option<Answer>) {
    if queued.single {
        let (ended, answer) = (queued.job)(&DatabaseExecutor::Transaction(transaction)).await;
        return (ended, Some(answer));
    }
    let Ok(savepoint) = transaction.begin().await else { return (Ended::Broken, None) };
    let (ended, answer) = (queued.job)(&DatabaseExecutor::Transaction(&savepoint)).await;
    let released = match ended {
        Ended::Kept => savepoint.commit().await,
        Ended::Undone | Ended::Broken => savepoint.rollback().await,
    };
    (if released.is_ok() { ended } else { Ended::Broken }, Some(answer))
}
