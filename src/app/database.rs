//! Connecting to the three databases, each with what makes it durable and fast.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{ConnectOptions, Database, DbErr};
use sqlx::{
    Executor, MySqlConnection,
    sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use super::{
    connection::{Db, Watch},
    writer::Writer,
};
use crate::config::{self, DatabaseUrl, Synchronous};

/// Waiting longer than this for a connection is an answer too: 503.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections for reading, and the door for writing.
///
/// # Errors
/// When the database cannot be reached.
pub async fn connect(settings: &config::Database) -> Result<(Db, Writer), DbErr> {
    let watch = Watch::default();
    match &settings.url {
        DatabaseUrl::Sqlite(path) => {
            let url = format!("sqlite://{}?mode=rwc", path.display());
            // The writer creates the file and turns it to WAL, so it comes first.
            let writer = Writer::gathered(sqlite(&url, settings, 1, false)).await?;
            let reading = Database::connect(sqlite(&url, settings, settings.max_connections, true)).await?;
            Ok((Db::new(reading, watch), writer))
        }
        DatabaseUrl::Postgres(url) | DatabaseUrl::Mysql(url) => {
            let connections = Database::connect(server(url.reveal(), settings, &watch)).await?;
            let db = Db::new(connections, watch);
            Ok((db.clone(), Writer::each(db)))
        }
    }
}

fn sqlite(url: &str, settings: &config::Database, connections: u32, reading: bool) -> ConnectOptions {
    let synchronous = match settings.synchronous {
        Synchronous::Full => SqliteSynchronous::Full,
        Synchronous::Normal => SqliteSynchronous::Normal,
    };
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(synchronous)
                .busy_timeout(PATIENCE)
                .foreign_keys(true)
                // A few megabytes for all readers together keep the working set of a small site.
                .pragma("cache_size", if reading { "-512" } else { "-2048" })
                // A page that changes often is copied back to the file once in 16 MiB of log, not once in 4.
                .pragma("wal_autocheckpoint", "4000")
                .pragma("journal_size_limit", "33554432")
        });
    if reading {
        // An idle reader costs a thread and its cache.
        options.idle_timeout(Duration::from_secs(30));
    }
    options
}

fn server(url: &str, settings: &config::Database, watch: &Watch) -> ConnectOptions {
    let (postgres, mysql) = (watch.clone(), watch.clone());
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(settings.max_connections)
        .connect_timeout(PATIENCE)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .map_sqlx_postgres_pool_opts(move |options| postgres.guard(options))
        .map_sqlx_mysql_pool_opts(move |options| {
            mysql.guard(options).after_connect(|connection, _| read_committed(connection))
        })
        .idle_timeout(Duration::from_secs(300))
        .sqlx_logging(false);
    options
}

/// As PostgreSQL does by itself. MySQL and MariaDB would rather repeat reads, and for that lock the gaps between rows: two
/// people who get their first letter at the same moment would lock each other out.
fn read_committed(connection: &mut MySqlConnection) -> BoxFuture<'_, Result<(), sqlx::Error>> {
    Box::pin(
        async move { connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await.map(drop) },
    )
}
