//! What we remember: one file per table, with the row, its behavior and its queries.
//! Times are seconds since 1970; ids are made by [`crate::app`]'s layer above, never by the database.

pub mod access_token;
pub mod assertion;
pub mod authorization;
pub mod client;
pub mod client_logo;
pub mod client_origin;
pub mod consent;
pub mod former_user;
pub mod grant;
pub mod installation;
pub mod invitation;
pub mod key_fetch;
pub mod lease;
pub mod login_attempt;
pub mod logout_delivery;
pub mod mail;
pub mod mail_link;
pub mod node;
pub mod passkey;
pub mod password;
pub mod password_history;
pub mod recovery_code;
pub mod registration_token;
pub mod resource;
pub mod revoked_token;
pub mod sealed_secret;
pub mod security_event;
pub mod session;
pub mod session_client;
pub mod setup_link;
pub mod sign_in;
pub mod signing_key;
pub mod token_caller;
pub mod totp;
pub mod trace_event;
pub mod trusted_device;
pub mod upstream;
pub mod upstream_identity;
pub mod upstream_link;
pub mod upstream_login;
pub mod upstream_logout;
pub mod upstream_session;
pub mod user;

use std::sync::OnceLock;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, DeriveValueType, EntityTrait, QueryFilter, QuerySelect, RuntimeErr,
    Statement, TryGetableMany, Value, sea_query::IntoCondition,
};

use crate::protocol;

/// The text of a statement that is asked all the time, made once per database; only values change.
pub(crate) struct Prepared([OnceLock<String>; 3]);

impl Prepared {
    pub(crate) const fn new() -> Self {
        Prepared([const { OnceLock::new() }; 3])
    }

    /// `make` has the same placeholders in the same order as `values`.
    pub(crate) fn with(
        &self,
        db: &impl ConnectionTrait,
        make: impl FnOnce(DbBackend) -> Statement,
        values: impl IntoIterator<Item = Value>,
    ) -> Statement {
        let backend = db.get_database_backend();
        let place = match backend {
            DbBackend::Sqlite => 0,
            DbBackend::Postgres => 1,
            _ => 2,
        };
        let sql = self.0[place].get_or_init(|| make(backend).sql);
        Statement::from_sql_and_values(backend, sql, values)
    }
}

/// A password's hash with its cost and salt, as a PHC string or as another program wrote it. Prints nothing of itself.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Phc(pub String);

/// Bytes that the master key opens. Prints nothing of itself.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Phc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phc(…)")
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl From<DbErr> for protocol::Error {
    fn from(error: DbErr) -> Self {
        // A database that is away comes back; seconds are those of readiness (case SEC-173). What was removed a
        // moment ago, another node may still have in its cache; whoever asks again in a moment learns what it was.
        if is_away(&error) || is_orphan(&error) {
            protocol::Error::unavailable(error, 5)
        } else {
            protocol::Error::internal(error)
        }
    }
}

/// True when the database could not be reached, or had no time or no room, rather than refused the statement.
pub fn is_away(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            match error.as_ref() {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                sqlx::Error::Database(error) => match error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
                    Some(mysql) => {
                        is_passing_mysql(mysql.number()) || error.code().is_some_and(|code| is_passing(&code))
                    }
                    None => error.code().is_some_and(|code| is_passing(&code)),
                },
                _ => false,
            }
        }
        _ => false,
    }
}

/// By SQLSTATE (PostgreSQL, MySQL) or SQLite's result code: states of the database that pass.
fn is_passing(code: &str) -> bool {
    if let (true, Ok(number)) = (code.len() < 5, code.parse::<u32>()) {
        // Busy, locked, no memory, read-only, interrupted, input or output failed, full, cannot be opened, locking.
        return matches!(number & 0xff, 5..=10 | 13..=15);
    }
    // Connection lost; rolled back (a deadlock, say); no resources; operator intervention; the system failed.
    ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
        // Read-only, as a standby is; a lock was not to be had; killed.
        || matches!(code, "25006" | "55P03" | "70100")
}

/// What MySQL and MariaDB have no SQLSTATE for: too many connections, shutting down, full, a lock was not to be had,
/// read-only.
fn is_passing_mysql(number: u16) -> bool {
    matches!(number, 1021 | 1040 | 1053 | 1114 | 1205 | 1290 | 1836)
}

/// Whether a row could not be written because what it belongs to is gone.
pub fn is_orphan(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(sea_orm::SqlErr::ForeignKeyConstraintViolation(_)))
}

/// Whether an insert failed because such a row is there already.
pub fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}

/// Rows in pieces of few sizes: the database keeps each statement that it has prepared.
fn pieces<T>(mut rows: Vec<T>) -> Vec<Vec<T>> {
    let mut pieces = Vec::new();
    while !rows.is_empty() {
        let size = [64, 16, 4, 1].into_iter().find(|size| *size <= rows.len()).unwrap_or(1);
        let rest = rows.split_off(size);
        pieces.push(rows);
        rows = rest;
    }
    pieces
}

/// So many rows go at once, so that nobody waits long behind them.
const AT_ONCE: u64 = 1000;

/// Removes some of the rows that are over; `key` tells rows apart. True when there may be more.
async fn forget<E, K>(db: &impl ConnectionTrait, key: E::Column, over: impl IntoCondition) -> Result<bool, DbErr>
where
    E: EntityTrait,
    K: TryGetableMany + Into<Value> + Clone,
{
    Ok(forget_some::<E, K>(db, key, over).await?.len() as u64 == AT_ONCE)
}

/// The same; the keys of the rows, at most [`AT_ONCE`].
async fn forget_some<E, K>(db: &impl ConnectionTrait, key: E::Column, over: impl IntoCondition) -> Result<Vec<K>, DbErr>
where
    E: EntityTrait,
    K: TryGetableMany + Into<Value> + Clone,
{
    let over = over.into_condition();
    let some = E::find().select_only().column(key).filter(over.clone()).limit(AT_ONCE).into_tuple::<K>();
    let some: Vec<K> = some.all(db).await?;
    if !some.is_empty() {
        E::delete_many().filter(key.is_in(some.clone())).filter(over).exec(db).await?;
    }
    Ok(some)
}
