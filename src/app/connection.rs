//! Connections that nobody waits for in vain. A network that swallows everything says nothing, and neither the drivers
//! nor the pool of connections limit the time of a statement or of giving a connection back: a few lost packets would
//! take all connections until the operating system gives up, a quarter of an hour later.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use sqlx::{
    Connection,
    pool::{PoolConnectionMetadata, PoolOptions},
};
use tokio::time::timeout;

/// For a statement or a transaction, with the waiting for its connection.
const LONGEST: Duration = Duration::from_secs(6);
/// A connection that does not answer a mere greeting within this time is given up.
const GREETING: Duration = Duration::from_secs(1);
/// One that lay idle so long is greeted before it is used: the server may have closed it.
const IDLE: Duration = Duration::from_secs(5);
/// So long after a statement was given up, every connection is greeted.
const SUSPICION: Duration = Duration::from_secs(30);

/// The connections of one database.
#[derive(Clone)]
pub struct Db {
    connections: DatabaseConnection,
    watch: Watch,
}

/// Remembers when a statement was last given up, also by its caller.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Option<Instant>>>);

impl Watch {
    fn gave_up(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_suspicious(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|last| last.elapsed() < SUSPICION)
    }

    /// # Errors
    /// The work's, or as for a pool that has no connection left.
    pub async fn over<T>(&self, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let mut going = Going { watch: self, is_over: false };
        let result = timeout(LONGEST, work).await;
        going.is_over = result.is_ok();
        result.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }

    /// Greets connections where that is due: before they are used, and when they are given back.
    pub fn guard<DB>(&self, options: PoolOptions<DB>) -> PoolOptions<DB>
    where
        DB: sqlx::Database,
    {
        let (before, after) = (self.clone(), self.clone());
        options
            .before_acquire(move |connection, about: PoolConnectionMetadata| {
                greet(connection, about.idle_for >= IDLE || before.is_suspicious())
            })
            .after_release(move |connection, _| greet(connection, after.is_suspicious()))
    }
}

/// Whether the connection is to be kept.
fn greet<C: Connection>(connection: &mut C, due: bool) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    Box::pin(async move {
        match due {
            true => Ok(timeout(GREETING, connection.ping()).await.is_ok_and(|answer| answer.is_ok())),
            false => Ok(true),
        }
    })
}

/// A statement on its way; dropped before it is over, its connection may never answer.
struct Going<'a> {
    watch: &'a Watch,
    is_over: bool,
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.watch.gave_up();
        }
    }
}

impl Db {
    pub fn new(connections: DatabaseConnection, watch: Watch) -> Self {
        Db { connections, watch }
    }

    /// For migrations and transactions, which take their own time.
    pub fn unlimited(&self) -> &DatabaseConnection {
        &self.connections
    }

    /// # Errors
    /// As the work's.
    pub async fn limited<T>(&self, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        self.watch.over(work).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        self.connections.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.watch.over(self.connections.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.watch.over(self.connections.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.watch.over(self.connections.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.watch.over(self.connections.query_all_raw(statement)).await
    }

    fn support_returning(&self) -> bool {
        self.connections.support_returning()
    }
}
