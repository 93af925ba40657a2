//! WHAT THE OPERATOR SAYS. Every setting is declared once, in the file of its section; a file, the environment and flags
//! are read in `sources`, and what comes out is a [`Config`] in which every value is right.
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

pub mod accounts;
pub mod branding;
pub mod catalog;
pub mod clients;
pub mod database;
pub mod effective;
pub mod error;
pub mod events;
mod file;
pub mod issuer;
pub mod keys;
pub mod lifetimes;
pub mod log;
pub mod mail;
pub mod outbound;
pub mod parse;
pub mod passwords;
pub mod providers;
pub mod reader;
pub mod registration;
pub mod resources;
pub mod second_factor;
pub mod secret;
pub mod server;
pub mod setting;
pub mod sources;
mod suggest;
pub mod tls;

pub use accounts::{Accounts, Audience, SignUp, Usernames, Verification};
pub use branding::{Accent, Branding, Logo};
pub use clients::{AccessTokenFormat, Client, ClientKind, Consent, RefreshTokens};
pub use database::{Database, DatabaseUrl, Synchronous};
pub use error::{ConfigError, Problem, Warning};
pub use events::Events;
pub use issuer::{Issuer, Origin};
pub use keys::Keys;
pub use lifetimes::Lifetimes;
pub use log::{Log, LogFormat};
pub use mail::{Mail, MailTls, Sender};
pub use outbound::{HostName, Outbound, RootCertificates};
pub use parse::Seconds;
pub use passwords::Passwords;
pub use providers::{Provider, ProviderAuth, ProviderKind, ProviderLink};
pub use registration::{Registration, RegistrationMode};
pub use resources::{Resource, ResourceScope};
pub use second_factor::{SecondFactor, Verify, Whom};
pub use secret::{Hidden, RawKey};
pub use server::{Listen, Server};
pub use sources::Source;
pub use tls::Tls;

use self::{
    reader::{Effective, Reader},
    setting::Fault,
    sources::{Layers, Location},
    tls::TlsFiles,
};

/// All settings, each of them valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// The keys above the first table.
    pub server: Server,
    /// `[database]`
    pub database: Database,
    /// `[tls]`; `None` is plain http.
    pub tls: Option<Tls>,
    /// `[branding]`
    pub branding: Branding,
    /// `[lifetimes]`
    pub lifetimes: Lifetimes,
    /// `[passwords]`
    pub passwords: Passwords,
    /// `[accounts]`
    pub accounts: Accounts,
    /// `[second_factor]`
    pub second_factor: SecondFactor,
    /// `[log]`
    pub log: Log,
    /// `[events]`
    pub events: Events,
    /// `[keys]`
    pub keys: Keys,
    /// `[outbound]`
    pub outbound: Outbound,
    /// `[mail]`
    pub mail: Mail,
    /// `[registration]`
    pub registration: Registration,
    /// `[[clients]]`
    pub clients: Vec<Client>,
    /// `[[providers]]`
    pub providers: Vec<Provider>,
    /// `[[resources]]`
    pub resources: Vec<Resource>,
    /// What works and should still be known; to be logged at every start.
    pub warnings: Vec<Warning>,
    /// The settings file, if there is one.
    pub file: Option<PathBuf>,
    effective: Vec<Effective>,
    /// Where each entry of a list of tables begins.
    entries: BTreeMap<String, Source>,
}

/// What the command line says about settings.
#[derive(Debug, Clone, Default)]
pub struct LoadArgs {
    /// `--config`
    pub config_file: Option<PathBuf>,
    /// Settings that were given as flags, by their key: `("listen", "127.0.0.1:9000")`.
    pub flags: Vec<(String, String)>,
    /// Where relative paths of flags and variables start. Empty is the working folder.
    pub directory: PathBuf,
}

/// Reads the file, then the environment, then the flags; the later wins. Fails with everything that is wrong.
pub fn load<K: Into<OsString>, V: Into<OsString>>(
    args: &LoadArgs,
    variables: impl IntoIterator<Item = (K, V)>,
) -> Result<Config, ConfigError> {
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    let environment = sources::read_environment(variables, &args.directory, &mut problems, &mut warnings);
    let mut layers = Layers { directory: args.directory.clone(), ..Layers::default() };
    layers.flags = sources::read_flags(args, &mut problems);
    layers.environment = environment.layer.clone();
    match sources::locate(args, &environment, &layers) {
        Location::Named { path, named_by } => {
            file::read(&path, Some(named_by), &mut layers, &mut problems, &mut warnings);
        }
        Location::Here(path) => file::read(&path, None, &mut layers, &mut problems, &mut warnings),
        Location::InDataDir(path) => {
            file::read(&path, None, &mut layers, &mut problems, &mut warnings);
            refuse_moving(&layers, &mut problems);
        }
        Location::Nowhere => {}
    }
    let mut reader = Reader::new(&layers);
    reader.problems = problems;
    reader.warnings = warnings;
    read(&mut reader)
}

/// A file that was found in the data folder cannot say that the data folder is elsewhere.
fn refuse_moving(layers: &Layers, problems: &mut Vec<Problem>) {
    if let Some(found) = layers.file.get("data_dir") {
        problems.push(Problem {
            source: Some(found.source.clone()),
            key: "data_dir".to_owned(),
            value: Some(error::quoted(&found.value)),
            problem: "this file was found in the data folder, which it cannot move".to_owned(),
            remedy: "set SIGNET_DATA_DIR, or name the file with --config".to_owned(),
        });
    }
}

fn read(reader: &mut Reader<'_>) -> Result<Config, ConfigError> {
    let server = Server::read(reader);
    let database = Database::read(reader);
    let tls = TlsFiles::read(reader);
    let branding = Branding::read(reader);
    let lifetimes = Lifetimes::read(reader);
    let passwords = Passwords::read(reader);
    let accounts = Accounts::read(reader);
    let second_factor = SecondFactor::read(reader);
    let log = Log::read(reader);
    let events = Events::read(reader);
    let keys = Keys::read(reader);
    let outbound = Outbound::read(reader);
    let mail = Mail::read(reader);
    let registration = Registration::read(reader);
    let clients = Client::read_all(reader);
    let providers = Provider::read_all(reader);
    let resources = Resource::read_all(reader);
    let config = (|| {
        Some(Config {
            server: server?,
            database: database?,
            tls: tls?.pair(reader),
            branding: branding?,
            lifetimes: lifetimes?,
            passwords: passwords?,
            accounts: accounts?,
            second_factor: second_factor?,
            log: log?,
            events: events?,
            keys: keys?,
            outbound: outbound?,
            mail: mail?,
            registration: registration?,
            clients,
            providers,
            resources,
            warnings: Vec::new(),
            file: None,
            effective: Vec::new(),
            entries: BTreeMap::new(),
        })
    })();
    match config {
        Some(config) => config.checked(reader),
        None => Err(std::mem::take(&mut reader.problems).into()),
    }
}

impl Config {
    /// What each setting allows by itself can still not go together.
    fn checked(mut self, reader: &mut Reader<'_>) -> Result<Self, ConfigError> {
        self.server.check(reader, self.tls.is_some());
        self.database.check(reader);
        self.lifetimes.check(reader);
        self.passwords.check(reader);
        self.accounts.check(reader);
        self.keys.check(reader);
        self.mail.check(reader, self.is_local());
        if !reader.problems.is_empty() {
            return Err(std::mem::take(&mut reader.problems).into());
        }
        self.warnings = std::mem::take(&mut reader.warnings);
        self.effective = std::mem::take(&mut reader.effective);
        (self.file, self.entries) = reader.provenance();
        Ok(self)
    }

    /// Plain http is for the machine itself: whoever runs the server is also the only one who uses it.
    pub fn is_local(&self) -> bool {
        !self.server.issuer.is_https()
    }

    /// The file of the key that seals secrets, which is made at the first start unless `keys.master_key` is set.
    pub fn master_key_file(&self) -> PathBuf {
        self.server.data_dir.join("master.key")
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.server.data_dir
    }

    /// Who said what a key says: `clients[0].redirect_uris`.
    pub fn source(&self, key: &str) -> Source {
        let known = self.effective.iter().find(|entry| entry.key == key).map(|entry| &entry.source);
        known.or_else(|| self.entries.get(key)).unwrap_or(&Source::Default).clone()
    }

    /// A problem with a setting that only others can see, such as the protocol's rules for redirect URIs; it names file
    /// and line like every other. `key` is a full key: `clients[0].redirect_uris`.
    pub fn problem(&self, key: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Problem {
        reader::problem_with(&self.effective, &self.entries, key, Fault::new(problem, remedy))
    }
}
