//! Which errors of a database pass by themselves (503, come back) and which are ours to mend (500).
use std::{borrow::Cow, error::Error, fmt};

use sea_orm::{DbErr, RuntimeErr};
use signet::{protocol, store::is_away};
use sqlx::error::{DatabaseError, ErrorKind};

/// What a driver says.
#[derive(Debug)]
struct Said(&'static str);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Said {}

impl DatabaseError for Said {
    fn message(&self) -> &str {
        self.0
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.0.into())
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

#[test]
fn an_error_passes_when() {
    for (what, code, passes) in [
        ("SQLite is busy", "5", true),
        ("SQLite is busy with a snapshot", "517", true),
        ("SQLite's disk is full", "13", true),
        ("SQLite cannot write", "778", true),
        ("SQLite cannot open the file", "14", true),
        ("SQLite does not know the table", "1", false),
        ("SQLite's file is damaged", "11", false),
        ("SQLite refuses a second row", "2067", false),
        ("PostgreSQL shuts down", "57P01", true),
        ("PostgreSQL starts", "57P03", true),
        ("PostgreSQL has no connection left", "53300", true),
        ("PostgreSQL's disk is full", "53100", true),
        ("PostgreSQL broke a deadlock", "40P01", true),
        ("PostgreSQL cannot serialize", "40001", true),
        ("PostgreSQL is a standby", "25006", true),
        ("PostgreSQL refuses a second row", "23505", false),
        ("PostgreSQL refuses a NUL", "22021", false),
        ("PostgreSQL does not know the table", "42P01", false),
        ("MariaDB broke a deadlock", "40001", true),
        ("MariaDB killed the connection", "70100", true),
        ("MariaDB lost the connection", "08S01", true),
        ("MariaDB refuses a second row", "23000", false),
    ] {
        let error = || DbErr::Exec(RuntimeErr::SqlxError(sqlx::Error::Database(Box::new(Said(code))).into()));
        assert_eq!(is_away(&error()), passes, "{what} ({code})");
        let told = protocol::Error::from(error());
        assert_eq!(
            (told.code.status(), told.retry_after.is_some()),
            (if passes { 503 } else { 500 }, passes),
            "{what}"
        );
    }
}
