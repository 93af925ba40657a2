//! `[database]`: where the data is kept.
use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;
use url::Url;

use super::{
    parse::{under, whole, word},
    reader::{Reader, in_data_dir},
    secret::{HIDDEN, Hidden},
    setting::{Fallback, Fault, Given, Parsed, Secrecy, Shown, section, words},
};

section! {
    /// Where the data is kept.
    pub struct Database at "database." {
        /// `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/NAME` or `mysql://USER:PASSWORD@HOST/NAME` (also `postgresql:`
        /// and `mariadb:`). Default: the SQLite file `signet.db` in the data folder.
        url: DatabaseUrl = Fallback::Derived(default_url), database_url;
        /// The most connections at a time; with SQLite those that read. From 1 to 1000. Default: 10.
        max_connections: u32 = Fallback::Fixed("10"), whole(1..=1000);
        /// SQLite only: `full` loses nothing when the power fails; `normal` may lose the last moments, and is faster.
        /// Default: full.
        synchronous: Synchronous = Fallback::Fixed("full"), word;
    }
}

words! {
    /// What SQLite waits for before it says that a transaction is committed.
    pub enum Synchronous {
        /// For the disk.
        Full = "full",
        /// For the operating system.
        Normal = "normal",
    }
}

/// A database, by the system that keeps it.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A URL with the scheme `postgres`.
    Postgres(Hidden),
    /// A URL with the scheme `mysql`, which also stands for MariaDB.
    Mysql(Hidden),
}

impl DatabaseUrl {
    /// The URL without its password.
    pub fn masked(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) | Self::Mysql(url) => masked(url.reveal()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({})", self.masked())
    }
}

impl Shown for DatabaseUrl {
    const SECRECY: Secrecy = Secrecy::Url;

    fn show(&self) -> Value {
        self.masked().into()
    }
}

/// Drivers take passwords in the place for them, and as parameters.
fn masked(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return HIDDEN.to_owned() };
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if pairs.iter().any(|(name, _)| is_secret(name)) {
        let shown = pairs.iter().map(|(name, value)| (name, if is_secret(name) { HIDDEN } else { value }));
        url.query_pairs_mut().clear().extend_pairs(shown);
    }
    url.into()
}

fn is_secret(parameter: &str) -> bool {
    let parameter = parameter.to_lowercase();
    parameter.contains("pass") || parameter.contains("secret")
}

fn default_url(reader: &Reader<'_>) -> Option<String> {
    in_data_dir(reader, "signet.db").map(|path| format!("sqlite:{path}"))
}

fn database_url(given: &Given<'_>) -> Parsed<DatabaseUrl> {
    const KINDS: &str = "write sqlite:PATH, postgres://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME";
    let text = given.value.as_str().ok_or_else(|| Fault::new("the value is not a text", KINDS))?.trim();
    match text.split_once(':') {
        Some(("sqlite", path)) => sqlite(given.base, path),
        Some(("postgres" | "postgresql", rest)) => server(rest, "postgres").map(DatabaseUrl::Postgres),
        Some(("mysql" | "mariadb", rest)) => server(rest, "mysql").map(DatabaseUrl::Mysql),
        _ => Err(Fault::new("the value names no database that Signet knows", KINDS)),
    }
}

fn sqlite(base: &Path, rest: &str) -> Parsed<DatabaseUrl> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains('\0') {
        return Err(Fault::new("the URL names no file", "write sqlite:PATH"));
    }
    if path.contains(":memory:") || path.contains("mode=memory") {
        return Err(Fault::new("a database in memory forgets everybody at the next start", "name a file: sqlite:PATH"));
    }
    if path.contains('?') {
        return Err(Fault::new("a SQLite URL takes no parameters", "remove the ? and what follows"));
    }
    Ok(DatabaseUrl::Sqlite(under(base, path)))
}

fn server(rest: &str, scheme: &str) -> Parsed<Hidden> {
    let example = format!("write {scheme}://USER:PASSWORD@HOST/NAME, with special characters of the password as %XX");
    let text = format!("{scheme}:{rest}");
    let url = Url::parse(&text).map_err(|error| Fault::new(format!("the value is not a URL ({error})"), &*example))?;
    if !rest.starts_with("//") || url.path().trim_matches('/').is_empty() {
        return Err(Fault::new("the URL does not name a database", example));
    }
    let by_socket = url.query_pairs().any(|(name, _)| name == "host" || name == "socket");
    if url.host_str().is_none_or(str::is_empty) && !by_socket {
        return Err(Fault::new("the URL does not name a host", example));
    }
    if url.fragment().is_some() {
        return Err(Fault::new("the URL has a fragment", "write a # in a password as %23"));
    }
    Ok(Hidden::new(text))
}

fn has_sample_password(url: &str) -> bool {
    const SAMPLES: [&str; 9] =
        ["changeme", "change-me", "password", "secret", "postgres", "mysql", "root", "admin", "signet"];
    Url::parse(url).is_ok_and(|url| url.password().is_some_and(|password| SAMPLES.contains(&password)))
}

impl Database {
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if let DatabaseUrl::Postgres(url) | DatabaseUrl::Mysql(url) = &self.url
            && has_sample_password(url.reveal())
        {
            reader.warn("database.url", "the password is one that everybody tries first; choose a random one");
        }
        if let (DatabaseUrl::Sqlite(_), Synchronous::Normal) = (&self.url, self.synchronous) {
            reader.warn(
                "database.synchronous",
                "the last moments before a power failure can be lost, spent codes among them",
            );
        }
    }
}
