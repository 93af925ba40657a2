//! A server for one test: its own database, a clock that the test turns, chance from a seed, the real listener and routes.
use std::{fs, sync::LazyLock, time::Duration};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use signet::{
    app::{
        App,
        keys::seal_context,
        open::{self, Surroundings},
        random::Random,
    },
    config::{self, LoadArgs},
    crypto::{jwk, password::Cost},
    flows::{admin::keys, start},
    http::{self, listener},
    store::{Sealed, signing_key},
};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{SemaphorePermit, oneshot},
};
use url::Url;

pub use signet::app::clock::Clock;

use super::{
    authority::AUTHORITY, browser::Browser, http::Site, process::Process, relying_party::RelyingParty, seed, smtp,
};

/// 2026-01-01T00:00:00Z: late enough that no test meets a negative time, and the same in every run.
const START: i64 = 1_767_225_600;

/// The APIs RS1 and RS2 of the security cases: resource servers come with the settings.
pub(super) const SETTINGS: &str = r#"
[[resources]]
identifier = "https://one.api.example/"
name = "Reports"
introspection_clients = ["rs1"]
scopes = [{ name = "reports.read", description = "Read your reports" }, { name = "reports.write" }]

[[resources]]
identifier = "https://two.api.example/"
name = "Orders"
introspection_clients = ["rs2"]
scopes = [{ name = "orders.read" }]
"#;

pub struct TestServer {
    pub app: App,
    pub site: Site,
    pub clock: Clock,
    pub(super) _running: Running,
    pub(super) _folder: TempDir,
    pub(super) _database: Option<OwnDatabase>,
}

/// Where the server runs; it ends with this.
pub(super) enum Running {
    Here {
        _stop: oneshot::Sender<()>,
    },
    /// The built program, and its place among the few that run at once.
    Program {
        _process: Process,
        _place: SemaphorePermit<'static>,
    },
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The guessing limits are off in tests, for one address does everything; here they are on.
    pub async fn with_limits() -> Self {
        Self::with(&[("limits", "on")]).await
    }

    /// Behind a proxy that ends TLS: the issuer is not where the server listens.
    pub async fn at(issuer: &str) -> Self {
        Self::with(&[("issuer", issuer)]).await
    }

    /// A deployment of somebody else's: it draws other secrets.
    pub async fn another() -> Self {
        Self::build(2, &[], "").await
    }

    /// With more in the settings' file: the declared things.
    pub async fn declaring(settings: &[(&str, &str)], more: &str) -> Self {
        Self::build(1, settings, more).await
    }

    /// With these settings, as flags would give them.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::build(1, settings, "").await
    }

    async fn build(seed: u64, settings: &[(&str, &str)], more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let database = OwnDatabase::create().await;
        let config = load(&folder, address.port(), database.as_ref(), (settings, more));
        let issuer = config.server.issuer.as_str().to_string();
        let clock = Clock::fixed(START);
        let around = Surroundings {
            clock: clock.clone(),
            random: Random::seeded(seed),
            password_cost: Cost { memory_kib: 8, iterations: 1, parallelism: 1 },
        };
        let app = open(config, around).await;
        let (stop, stopped) = oneshot::channel();
        let service = http::service(&app);
        tokio::spawn(listener::serve(tcp, service, None, listener::Limits::default(), async { drop(stopped.await) }));
        let site = Site { issuer, address, over_tls: false };
        TestServer { app, site, clock, _running: Running::Here { _stop: stop }, _folder: folder, _database: database }
    }

    /// Another node over the same data, with its own chance and with these settings; what they declare is no row yet.
    pub async fn beside(&self, seed: u64, settings: &[(&str, &str)], more: &str) -> App {
        let port = self.site.address.port();
        let config = load(&self._folder, port, self._database.as_ref(), (settings, more));
        let around = Surroundings {
            clock: self.clock.clone(),
            random: Random::seeded(seed),
            password_cost: Cost { memory_kib: 8, iterations: 1, parallelism: 1 },
        };
        let connected = open::connect(&config).await.unwrap();
        open::open(config, around, connected).await.unwrap()
    }

    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Time passes: where the clock is ours we turn it, and where it is not we wait.
    pub async fn wait(&self, seconds: u32) {
        match &self.clock {
            Clock::Fixed(_) => self.clock.advance(seconds.into()),
            Clock::System => {
                assert!(seconds <= 35, "nobody waits {seconds} s for a test");
                tokio::time::sleep(Duration::from_secs(seconds.into())).await;
            }
        }
    }

    /// Whether something happened at this time: exactly by a clock that stands still, nearly by one that goes.
    #[track_caller]
    pub fn was_at(&self, found: i64, expected: i64) {
        let slack = if matches!(self.clock, Clock::Fixed(_)) { 0 } else { 10 };
        assert!((expected - slack..=expected).contains(&found), "at {found}, not at {expected}");
    }

    /// Asks until there is an answer: what one process has written reaches another in a few seconds.
    pub async fn until<T>(&self, ask: impl AsyncFn() -> Option<T>) -> T {
        for _ in 0..100 {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("nothing came of it within ten seconds")
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.site)
    }

    pub async fn user(&self, person: seed::NewPerson) -> seed::Person {
        seed::user(&self.app, person).await
    }

    pub async fn client(&self, spec: seed::ClientSpec) -> RelyingParty {
        seed::client(self, spec).await
    }
}

fn load(
    folder: &TempDir,
    port: u16,
    database: Option<&OwnDatabase>,
    (settings, more): (&[(&str, &str)], &str),
) -> config::Config {
    let file = folder.path().join("signet.toml");
    fs::write(&file, format!("{SETTINGS}{more}")).unwrap();
    AUTHORITY.write_to(folder.path());
    fs::write(folder.path().join("smtp-password"), smtp::PASSWORD).unwrap();
    let mut flags = vec![
        ("data_dir".to_string(), folder.path().join("data").display().to_string()),
        ("listen".into(), format!("127.0.0.1:{port}")),
        ("issuer".into(), format!("http://localhost:{port}")),
        ("limits".into(), "off".into()),
        // What a test finds room for is not for the machine to say.
        ("passwords.threads".into(), "2".into()),
        ("database.synchronous".into(), "normal".into()),
    ];
    for (key, value) in settings {
        flags.retain(|(known, _)| known != key);
        flags.push((key.to_string(), value.to_string()));
    }
    let args = LoadArgs { config_file: Some(file), flags, directory: folder.path().to_owned() };
    // A secret is no flag.
    let environment = database.map(|database| ("SIGNET_DATABASE_URL", database.url.as_str()));
    config::load(&args, environment).unwrap_or_else(|error| panic!("{error}"))
}

/// What `flows::start::open` does, with a signing key that is there already: making one takes half a second.
pub(super) async fn open(config: config::Config, around: Surroundings) -> App {
    open::data_dir(&config).unwrap();
    let connected = open::connect(&config).await.unwrap();
    start::migrate(&config, &connected).await.unwrap();
    let app = open::open(config, around, connected).await.unwrap();
    let public_jwk = jwk::public_jwk(&SIGNING_KEY, "RS256").unwrap();
    let kid = public_jwk["kid"].as_str().unwrap().to_string();
    let key = signing_key::SigningKey {
        algorithm: "RS256".into(),
        private_key: Sealed(app.master_key.seal(&seal_context(&kid), &SIGNING_KEY, app.random.bytes())),
        kid,
        public_jwk,
        created_at: app.now(),
        signs_from: app.now(),
        agreed_at: Some(app.now()),
        retired_at: None,
        removed_at: None,
    };
    signing_key::insert(&app.db, key).await.unwrap();
    keys::ensure(&app).await.unwrap();
    start::reconcile(&app).await.unwrap();
    app
}

static SIGNING_KEY: LazyLock<Vec<u8>> = LazyLock::new(|| jwk::generate_rsa(2048).unwrap().to_vec());

/// `SIGNET_TEST_DATABASE` names a database server; every test makes a database of its own there and drops it.
/// Without it each test has an SQLite file.
pub struct OwnDatabase {
    server: Url,
    pub url: Url,
    name: String,
}

impl OwnDatabase {
    pub async fn create() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "which database the tests use is not a setting of the server")]
        let server = std::env::var("SIGNET_TEST_DATABASE").ok()?;
        let server = Url::parse(&server).expect("SIGNET_TEST_DATABASE is a URL");
        let name = format!("signet_test_{}", super::relying_party::random(20).to_lowercase().replace(['-', '_'], "x"));
        let mut url = server.clone();
        url.set_path(&name);
        administer(&server).await.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        Some(OwnDatabase { server, url, name })
    }
}

async fn administer(server: &Url) -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(server.as_str());
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// Whatever the server under test was still doing there would be waited for, and it does no more: its runtime is ours.
async fn drop_database(server: &Url, name: &str) {
    let db = administer(server).await;
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        return;
    }
    let connected = format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'");
    for row in db.query_all_raw(Statement::from_string(DbBackend::MySql, connected)).await.unwrap() {
        // It may have ended by itself.
        let _ = db.execute_unprepared(&format!("KILL {}", row.try_get_by_index::<i64>(0).unwrap())).await;
    }
    db.execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test's own runtime is busy dropping this very value.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(drop_database(&server, &name));
        });
        assert!(dropping.join().is_ok() || std::thread::panicking(), "the database {} stays behind", self.name);
    }
}
