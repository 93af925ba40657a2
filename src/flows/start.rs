//! What a start does before the first request: the schema, the keys, the declared clients.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, EntityTrait, Statement};
use sea_orm_migration::MigratorTrait;

use super::{Trouble, admin, declared, upstream};
use crate::{
    app::{
        App,
        connection::Db,
        open::{self, Connected, Problem, Surroundings},
    },
    config::{Config, DatabaseUrl},
    migrations::Migrator,
};

/// What a start may do to the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// Bring it up to date: the server.
    Update,
    /// Make it where there is none, and leave that of a database in use to the server: commands.
    Create,
    /// Nothing: `serve --no-migrate`.
    Leave,
}

/// The server over the database of the settings.
///
/// # Errors
/// What is wrong, where, and how to mend it.
pub async fn open(config: Config, around: Surroundings, schema: Schema) -> Result<App, Problem> {
    open::data_dir(&config)?;
    let connected = open::connect(&config).await?;
    let database = config.database.url.masked();
    if schema != Schema::Leave {
        bring_up(&config, &connected, schema).await?;
    }
    if let Some(migration) = newer(&connected.db).await {
        return Err(Problem::NewerSchema { database, migration });
    }
    let missing = pending(&connected.db).await;
    let missing = missing.map_err(|cause| Problem::Database { database: database.clone(), cause })?;
    if !missing.is_empty() {
        return Err(Problem::NotMigrated { database, missing: missing.len() });
    }
    let app = open::open(config, around, connected).await?;
    admin::keys::ensure(&app).await.map_err(|error| Problem::Other(format!("no signing key can be made: {error}")))?;
    Ok(app)
}

/// Rows for what the settings declare. Only the server does this; commands leave declarations to it.
///
/// # Errors
/// What is wrong with a declaration, and where.
pub async fn reconcile(app: &App) -> Result<(), Problem> {
    let problem = |what: &str, trouble| match trouble {
        Trouble::Broken(error) => Problem::Other(format!("the declared {what} could not be written: {error:?}")),
        other => Problem::Other(other.to_string()),
    };
    declared::reconcile(app).await.map_err(|trouble| problem("clients", trouble))?;
    upstream::declared::reconcile(app).await.map_err(|trouble| problem("providers", trouble))
}

/// The names of the migrations that the database lacks.
///
/// # Errors
/// When the database does not answer.
pub async fn pending(db: &Db) -> Result<Vec<String>, DbErr> {
    Ok(Migrator::get_pending_migrations_read_only(db)
        .await?
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect())
}

/// The names of the migrations that the database has.
///
/// # Errors
/// When the database does not answer.
pub async fn applied(db: &Db) -> Result<Vec<String>, DbErr> {
    Ok(Migrator::get_applied_migrations_read_only(db)
        .await?
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect())
}

/// Brings the schema up to date. Of several nodes that start at once one does it and the others wait.
///
/// # Errors
/// When the database does not answer, or a migration fails.
pub async fn migrate(config: &Config, connected: &Connected) -> Result<(), Problem> {
    bring_up(config, connected, Schema::Update).await
}

async fn bring_up(config: &Config, connected: &Connected, schema: Schema) -> Result<(), Problem> {
    let database = || config.database.url.masked();
    let problem = |cause| Problem::Database { database: database(), cause };
    if let Ok(missing) = pending(&connected.db).await
        && missing.is_empty()
    {
        return Ok(());
    }
    if let Some(migration) = newer(&connected.db).await {
        return Err(Problem::NewerSchema { database: database(), migration });
    }
    match &config.database.url {
        DatabaseUrl::Sqlite(path) => {
            let lock = path.with_extension("migrating");
            let held = tokio::task::spawn_blocking(move || file_lock(&lock)).await;
            let file =
                |cause| Problem::Other(format!("the migration lock beside {} cannot be taken: {cause}", database()));
            let _held = held.map_err(|error| file(std::io::Error::other(error)))?.map_err(file)?;
            up(&connected.db, schema).await.map_err(problem)
        }
        DatabaseUrl::Postgres(url) | DatabaseUrl::Mysql(url) => {
            // Both kinds of lock belong to a connection, and end with it when the process dies.
            let mut options = sea_orm::ConnectOptions::new(url.reveal());
            options.max_connections(1).sqlx_logging(false).idle_timeout(Duration::from_secs(3600));
            let lock = sea_orm::Database::connect(options).await.map_err(problem)?;
            advisory(&lock, true).await.map_err(problem)?;
            let done = up(&connected.db, schema).await.map_err(problem);
            advisory(&lock, false).await.map_err(problem)?;
            done
        }
    }
}

/// Under the lock, so that a schema that another process is making is not taken for an old one.
async fn up(db: &Db, schema: Schema) -> Result<(), DbErr> {
    if schema == Schema::Create && !applied(db).await?.is_empty() {
        return Ok(());
    }
    Migrator::up(db.unlimited(), None).await
}

/// A migration that the database has and this release does not know.
async fn newer(db: &Db) -> Option<String> {
    // An empty database has no table of migrations; that is no news.
    let rows = sea_orm_migration::seaql_migrations::Entity::find().all(db).await.ok()?;
    let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    rows.into_iter().map(|row| row.version).find(|version| !known.contains(version))
}

fn file_lock(path: &std::path::Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    file.lock()?;
    Ok(file)
}

/// Neither database has a portable statement for this.
async fn advisory(lock: &DatabaseConnection, take: bool) -> Result<(), DbErr> {
    let backend = lock.get_database_backend();
    let sql = match (backend, take) {
        (DatabaseBackend::MySql, true) => "SELECT GET_LOCK('signet.migrate', 120)",
        (DatabaseBackend::MySql, false) => "SELECT RELEASE_LOCK('signet.migrate')",
        (_, true) => "SELECT pg_advisory_lock(7364689241)",
        (_, false) => "SELECT pg_advisory_unlock(7364689241)",
    };
    let row = lock.query_one_raw(Statement::from_string(backend, sql)).await?;
    // MySQL gives up and says so in a row.
    let refused = backend == DatabaseBackend::MySql
        && row.is_none_or(|row| row.try_get_by_index::<Option<i64>>(0).ok().flatten() != Some(1));
    match refused && take {
        true => Err(DbErr::Custom("another node has been migrating for two minutes; look what it is doing".to_owned())),
        false => Ok(()),
    }
}
