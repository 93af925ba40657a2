//! From settings to a server that can answer: the data directory, the master key, the database, the keys.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::DbErr;

use super::reseal::{Change, secret_context};
use super::{
    App, Macs, Shared, cache::Cache, clock::Clock, connection::Db, database, decoys::Decoys, keys::Keys,
    mailer::Mailer, outbound::Outbound, places::Places, random::Random, readers::Readers, recorder, throttle::Throttle,
    writer::Writer,
};
use crate::{
    config::{Config, DatabaseUrl, Verify},
    crypto::{
        mac::MacKey,
        passkey::Passkeys,
        password::{Cost, HashPool},
        seal::{MasterKey, SealError},
    },
    store::{Sealed, installation, sealed_secret, signing_key},
};

/// Why the server cannot start: what, where, how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("{path}: {cause}; {remedy}")]
    File { path: PathBuf, cause: std::io::Error, remedy: &'static str },
    #[error(
        "{0} is not a master key (32 bytes in base64); put the right file back, or name it in keys.master_key_file"
    )]
    NotAMasterKey(PathBuf),
    #[error(
        "the data in {database} was sealed with another master key than {key}; \
         put the right key back (a new one would make the old data unreadable, so none was made)"
    )]
    WrongMasterKey { key: String, database: String },
    #[error(
        "there is no master key at {key}, but {database} has data that was sealed with one; \
         put the key back (a new one would make the old data unreadable, so none was made)"
    )]
    MissingMasterKey { key: PathBuf, database: String },
    #[error(
        "the issuer is {given}, but the data in {database} belongs to {known}: apps and tokens would break; \
         set issuer = \"{known}\", or run `signet change-issuer` if the change is meant"
    )]
    IssuerChanged { given: String, known: String, database: String },
    #[error("the database {database} does not answer: {cause}; check database.url and that the database runs")]
    Database { database: String, cause: DbErr },
    #[error(
        "the database {database} lacks {missing} migration(s); run `signet migrate up`, or start without --no-migrate"
    )]
    NotMigrated { database: String, missing: usize },
    #[error(
        "the database {database} was brought up to date by a newer release ({migration}); \
         start that release, or restore the backup from before it"
    )]
    NewerSchema { database: String, migration: String },
    #[error("{0}")]
    Other(String),
}

/// What tests choose and the server does not.
pub struct Surroundings {
    pub clock: Clock,
    pub random: Random,
    pub password_cost: Cost,
}

impl Surroundings {
    pub fn real(config: &Config) -> Self {
        let passwords = &config.passwords;
        let password_cost = Cost {
            memory_kib: passwords.memory_kib,
            iterations: passwords.iterations,
            parallelism: passwords.parallelism,
        };
        Surroundings { clock: Clock::System, random: Random::System, password_cost }
    }
}

/// A database that is connected and has its schema.
pub struct Connected {
    pub db: Db,
    pub writer: Writer,
}

/// The data directory, for this user alone.
///
/// # Errors
/// When it cannot be made.
pub fn data_dir(config: &Config) -> Result<(), Problem> {
    let path = &config.server.data_dir;
    let remedy = "choose another place with data_dir or SIGNET_DATA_DIR";
    let file = |cause| Problem::File { path: path.clone(), cause, remedy };
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(file)
}

/// # Errors
/// When the database does not answer.
pub async fn connect(config: &Config) -> Result<Connected, Problem> {
    let problem = |cause| Problem::Database { database: config.database.url.masked(), cause };
    let (db, writer) = database::connect(&config.database).await.map_err(problem)?;
    if let DatabaseUrl::Sqlite(path) = &config.database.url {
        private(path)?;
    }
    Ok(Connected { db, writer })
}

/// SQLite makes its files as the umask says; they are nobody else's business.
fn private(path: &Path) -> Result<(), Problem> {
    for suffix in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", path.display()));
        if file.exists() {
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).map_err(|cause| Problem::File {
                path: file.clone(),
                cause,
                remedy: "the database must belong to the user that runs the server",
            })?;
        }
    }
    Ok(())
}

/// The server over a database that has its schema.
///
/// # Errors
/// When the master key or the issuer do not fit the data.
pub async fn open(config: Config, around: Surroundings, connected: Connected) -> Result<App, Problem> {
    let Connected { db, writer } = connected;
    let master_key = master_key(&config, &around.random, &db).await?;
    if let Some(previous) = &config.keys.previous_master_key {
        let previous = MasterKey::from_bytes(*previous.bytes());
        let change = Change { current: &master_key, previous: &previous, random: &around.random };
        let count = change.apply(&db, &writer).await.map_err(|cause| broken(&config, cause))?;
        tracing::info!(count, "sealed anew with the current master key; the previous one can be dropped");
    }
    let macs = macs(&config, &around, &db, &writer, &master_key).await?;
    check_issuer(&config, &db, &writer).await?;
    let keys = Keys::default();
    let rows = signing_key::all(&db).await.map_err(|cause| broken(&config, cause))?;
    keys.replace(rows, &master_key, around.clock.now())
        .map_err(|error| Problem::Other(format!("a signing key does not open: {error}")))?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = config.passwords.threads.map_or(processors.saturating_sub(1).max(1), |threads| threads as usize);
    let waiting = 2 * processors.max(threads);
    let hashing = HashPool::new(around.password_cost, threads, waiting, Duration::from_secs(2))
        .map_err(|error| Problem::Other(format!("no thread for hashing passwords can be started: {error}")))?;
    let hosts = config.outbound.allow_hosts.iter().map(|host| host.as_str().to_owned()).collect();
    let roots: Vec<_> = config.outbound.root_certificates.iter().map(|roots| roots.pem.clone()).collect();
    let outbound = Outbound::new(hosts, &roots)
        .map_err(|error| Problem::Other(format!("outbound requests cannot be made: {error}")))?;
    let places = places(&config, around.clock.now())?;
    let mailer = Mailer::new(&config).map_err(|error| Problem::Other(format!("mails cannot be sent: {error}")))?;
    let (recorder, inbox) = recorder::channel();
    let (attempts, tried) = recorder::channel();
    let app = App::from(Shared {
        clock: around.clock,
        random: around.random,
        throttle: Throttle::new(config.server.limits),
        db,
        writer,
        master_key,
        macs,
        keys,
        readers: Readers::default(),
        hashing,
        passkeys: passkeys(&config),
        decoys: Decoys::default(),
        outbound,
        mailer,
        cache: Cache::default(),
        places,
        recorder,
        attempts,
        config,
        logouts: std::sync::Arc::default(),
        mails: std::sync::Arc::default(),
    });
    tokio::spawn(inbox.run(app.downgrade()));
    tokio::spawn(tried.run(app.downgrade()));
    Ok(app)
}

fn passkeys(config: &Config) -> Option<Passkeys> {
    let verified = config.second_factor.verify_passkeys == Verify::Required;
    Passkeys::new(&config.server.issuer.origin(), &config.branding.name, verified)
}

fn places(config: &Config, now: i64) -> Result<Places, Problem> {
    let path = config.accounts.geoip.as_deref();
    let remedy = "accounts.geoip names a file in MaxMind's format, such as GeoLite2-City.mmdb";
    Places::open(path, now).map_err(|cause| Problem::File {
        path: path.map(Path::to_owned).unwrap_or_default(),
        cause,
        remedy,
    })
}

fn broken(config: &Config, cause: DbErr) -> Problem {
    Problem::Database { database: config.database.url.masked(), cause }
}

/// From the settings, or from its file; made once, before there is anything that it could fail to open.
async fn master_key(config: &Config, random: &Random, db: &Db) -> Result<MasterKey, Problem> {
    if let Some(key) = &config.keys.master_key {
        return Ok(MasterKey::from_bytes(*key.bytes()));
    }
    let path = config.server.data_dir.join("master.key");
    let file = |cause| Problem::File {
        path: path.clone(),
        cause,
        remedy: "the file must be readable by the user that runs the server; keys.master_key_file names another",
    };
    match fs::read_to_string(&path) {
        Ok(text) => MasterKey::parse(text.trim()).map_err(|_| Problem::NotAMasterKey(path)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            let sealed = sealed_secret::all(db).await.map_err(|cause| broken(config, cause))?;
            if sealed.is_empty() {
                return create(&path, random).map_err(file);
            }
            // A server that starts at this moment may have made the key, and sealed by it, since the file was looked for.
            match fs::read_to_string(&path) {
                Ok(text) => MasterKey::parse(text.trim()).map_err(|_| Problem::NotAMasterKey(path)),
                Err(_) => Err(Problem::MissingMasterKey { key: path, database: config.database.url.masked() }),
            }
        }
        Err(cause) => Err(file(cause)),
    }
}

/// Two servers that start at once must agree: the first to create the file decides.
fn create(path: &Path, random: &Random) -> std::io::Result<MasterKey> {
    let key = MasterKey::from_bytes(random.bytes());
    // Complete before it has its name, so that nobody reads half a key. Processes of two containers can have one id.
    let draft = path.with_extension(format!("{:016x}.tmp", u64::from_le_bytes(random.bytes())));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", &*key.to_text())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    if let Some(folder) = path.parent() {
        // The name outlives a power failure too, as the data that the key seals will.
        fs::File::open(folder)?.sync_all()?;
    }
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(path)?;
            MasterKey::parse(text.trim()).map_err(|error| std::io::Error::other(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

async fn macs(
    config: &Config,
    around: &Surroundings,
    db: &Db,
    writer: &Writer,
    master: &MasterKey,
) -> Result<Macs, Problem> {
    let refresh = mac(config, around, db, writer, master, "refresh").await?;
    let browser = mac(config, around, db, writer, master, "browser").await?;
    Ok(Macs {
        refresh,
        codes: MacKey::from_bytes(browser.tag(&[b"codes"])),
        browser,
        pairwise: mac(config, around, db, writer, master, "pairwise").await?,
    })
}

async fn mac(
    config: &Config,
    around: &Surroundings,
    db: &Db,
    writer: &Writer,
    master: &MasterKey,
    name: &'static str,
) -> Result<MacKey, Problem> {
    let context = secret_context(name);
    let database = |cause| broken(config, cause);
    if sealed_secret::find(db, name).await.map_err(database)?.is_none() {
        let sealed = Sealed(master.seal(&context, &around.random.bytes::<32>(), around.random.bytes()));
        let now = around.clock.now();
        let insert =
            writer.write_one(Box::new(move |db| Box::pin(sealed_secret::insert_if_absent(db, name, sealed, now))));
        insert.await.map_err(database)?;
    }
    let row = sealed_secret::find(db, name).await.map_err(database)?;
    let row = row.ok_or_else(|| Problem::Other(format!("the sealed secret {name} was not kept")))?;
    let opened = master.open(&context, &row.value.0).map_err(|error| match error {
        SealError::WrongKey { .. } => wrong_key(config),
        other => Problem::Other(format!("the sealed secret {name} does not open: {other}")),
    })?;
    let bytes = <[u8; 32]>::try_from(opened.as_slice());
    bytes.map(MacKey::from_bytes).map_err(|_| Problem::Other(format!("the sealed secret {name} has not 32 bytes")))
}

fn wrong_key(config: &Config) -> Problem {
    let key = match &config.keys.master_key {
        Some(_) => "keys.master_key".to_owned(),
        None => config.server.data_dir.join("master.key").display().to_string(),
    };
    Problem::WrongMasterKey { key, database: config.database.url.masked() }
}

/// Case SEC-177: every token, app and bookmark names the issuer, so it does not change by accident.
async fn check_issuer(config: &Config, db: &Db, writer: &Writer) -> Result<(), Problem> {
    let given = config.server.issuer.as_str().to_owned();
    let database = |cause| broken(config, cause);
    match installation::find(db, installation::ISSUER).await.map_err(database)? {
        Some(known) if known == given => Ok(()),
        // While developing the port moves about; nothing outside this machine knows the issuer.
        Some(known) if !(is_loopback(&known) && is_loopback(&given)) => {
            Err(Problem::IssuerChanged { given, known, database: config.database.url.masked() })
        }
        _ => {
            let set = writer.write_one(Box::new(move |db| {
                Box::pin(async move { installation::set(db, installation::ISSUER, &given).await })
            }));
            set.await.map_err(database)
        }
    }
}

fn is_loopback(issuer: &str) -> bool {
    url::Url::parse(issuer).is_ok_and(|url| crate::protocol::redirect_uri::is_loopback(&url))
}

/// Reads the keys again.
///
/// # Errors
/// When the database does not answer or a key does not open; the known keys stay.
pub async fn reload_keys(app: &App) -> crate::protocol::Result<()> {
    let rows = signing_key::all(&app.db).await?;
    app.keys.replace(rows, &app.master_key, app.now())
}
