//! A place where Signet lives (settings, data folder, database), and the processes that run there.
use std::{
    fs,
    io::Write,
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use sea_orm::DatabaseConnection;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{task::spawn_blocking, time::sleep};

use crate::harness::{
    Asked, Browser, Call, Proof, RelyingParty, Tokens, assert,
    http::Site,
    process::Process,
    relying_party::random,
    seed::Person,
    server::{Clock, OwnDatabase},
};

/// The name of the server, wherever its processes listen.
const ISSUER: &str = "http://localhost:9999";

/// Debug builds on a busy machine are slow; what is slower than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

const SETTINGS: &str = r#"
[passwords]
threads = 2
memory_kib = 19456
iterations = 2

[keys]
bits = 2048

[lifetimes]
refresh_grace = 60

[[clients]]
client_id = "shop"
name = "The shop"
kind = "web"
client_secret = "a-secret-of-forty-characters-at-the-least"
redirect_uris = ["https://rp.example/cb"]
first_party = true
consent = "skip"
refresh_tokens = "always"

[[resources]]
identifier = "https://one.api.example/"
name = "Reports"
introspection_clients = ["shop"]
scopes = [{ name = "reports.read", description = "Read your reports" }]
"#;

pub struct Place {
    folder: TempDir,
    database: Option<OwnDatabase>,
    /// Where the processes find the database, if not where it is.
    pub detour: Option<String>,
}

impl Place {
    /// With the database of the suite.
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// And with these settings of keys besides.
    pub async fn with(keys: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("signet.toml"), SETTINGS.replace("[keys]", &format!("[keys]\n{keys}"))).unwrap();
        Place { folder, database: OwnDatabase::create().await, detour: None }
    }

    /// And with these settings at the end.
    pub async fn and(settings: &str) -> Self {
        let place = Self::new().await;
        let file = place.folder.path().join("signet.toml");
        fs::write(&file, format!("{}{settings}", fs::read_to_string(&file).unwrap())).unwrap();
        place
    }

    pub fn is_on_sqlite(&self) -> bool {
        self.database.is_none()
    }

    /// As the drivers know it.
    pub fn database_url(&self) -> String {
        match &self.database {
            Some(database) => database.url.to_string(),
            None => format!("sqlite:{}", self.folder.path().join("signet.db").display()),
        }
    }

    /// A connection that the servers do not know of.
    pub async fn database(&self) -> DatabaseConnection {
        let mode = if self.is_on_sqlite() { "?mode=rwc" } else { "" };
        let mut options = sea_orm::ConnectOptions::new(format!("{}{mode}", self.database_url()));
        options.max_connections(1).sqlx_logging(false);
        sea_orm::Database::connect(options).await.unwrap()
    }

    /// A machine that gets tokens for itself: its id and secret.
    pub async fn machine(&self) -> (String, String) {
        let create = ["clients", "create", "--name", "A machine", "--kind", "machine", "--scope", "reports.read"];
        let made = self.run(&create, "").await;
        let text = |name: &str| made[name].as_str().unwrap().to_string();
        (text("client_id"), text("client_secret"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signet"));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_clear().env("RUST_BACKTRACE", "1").env("SIGNET_LIMITS", "off");
        command.env("SIGNET_DATA_DIR", self.folder.path().join("data"));
        command.env("SIGNET_CONFIG", self.folder.path().join("signet.toml"));
        command.env("SIGNET_LISTEN", "127.0.0.1:0").env("SIGNET_ISSUER", ISSUER);
        command.env("SIGNET_DATABASE_URL", self.detour.clone().unwrap_or(self.database_url()));
        command
    }

    /// Runs a command to its end and reads the JSON that it prints.
    pub async fn run(&self, arguments: &[&str], input: &str) -> Value {
        let mut command = self.command();
        command.args(arguments).arg("--json").stdin(Stdio::piped());
        let (input, line) = (input.to_string(), arguments.join(" "));
        let done = spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        });
        let done = done.await.unwrap();
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "signet {line}: {text}{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("signet {line}: {error}: {text}"))
    }

    /// Somebody who can sign in.
    pub async fn person(&self) -> Person {
        let (username, password) = ("ada", "many wet umbrellas");
        let arguments = ["users", "create", "--email", "ada@example.com", "--username", username, "--password-stdin"];
        let made = self.run(&arguments, password).await;
        let text = |name: &str| made[name].as_str().unwrap().to_string();
        Person { id: text("id"), email: text("email"), username: username.into(), password: password.into() }
    }

    /// A server that answers.
    pub async fn server(&self) -> Server {
        let server = self.begin();
        server.await_readiness().await
    }

    /// A server that has just been started.
    pub fn begin(&self) -> Starting {
        Starting { process: Process::start(self.command().arg("serve")), begun: Instant::now() }
    }
}

pub struct Starting {
    process: Process,
    begun: Instant,
}

impl Starting {
    /// Waits until the server says where it listens, and that it is ready.
    pub async fn await_readiness(mut self) -> Server {
        let address = loop {
            let line = self.process.find("  address ");
            if let Some(address) = line.as_deref().and_then(|line| line.split_whitespace().last()?.parse().ok()) {
                break address;
            }
            let ended = self.process.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended with {ended:?}:\n{}", self.process.log());
            assert!(self.begun.elapsed() < PATIENCE, "the server does not listen:\n{}", self.process.log());
            sleep(Duration::from_millis(5)).await;
        };
        let server = Server { site: Site { issuer: ISSUER.into(), address, over_tls: false }, process: self.process };
        server.await_status("/health/ready", 200, PATIENCE).await;
        server
    }
}

/// A running server.
pub struct Server {
    pub site: Site,
    process: Process,
}

impl Server {
    /// Asks until this is the answer, and says how long that took.
    pub async fn await_status(&self, path: &str, status: u16, patience: Duration) -> Duration {
        let begun = Instant::now();
        loop {
            match self.site.try_send(Call::get(path)).await {
                Ok(answer) if answer.status == status => return begun.elapsed(),
                other => assert!(begun.elapsed() < patience, "{path}: {other:?}\n{}", self.process.log()),
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The set-up link that it printed.
    pub fn set_up_link(&self) -> Option<String> {
        self.process.find("/setup?token=")
    }

    /// SIGKILL: whatever it was doing, it does no more.
    pub fn kill(mut self) {
        self.process.child.kill().unwrap();
        self.process.child.wait().unwrap();
    }

    /// SIGTERM; the process may go on for a while.
    pub fn terminate(&self) {
        let pid = self.process.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// How it ended, and after how long.
    pub async fn end(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.child.try_wait().unwrap() {
                return (status, begun.elapsed());
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end:\n{}", self.process.log());
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The declared client, at this server.
    pub fn shop(&self) -> RelyingParty {
        RelyingParty {
            site: self.site.clone(),
            client_id: "shop".into(),
            proof: Proof::Basic("a-secret-of-forty-characters-at-the-least".into()),
            redirect_uri: "https://rp.example/cb".into(),
            scope: "openid profile email".into(),
            origin: None,
            clock: Clock::System,
        }
    }

    /// A machine, at this server.
    pub fn machine(&self, id: &str, secret: &str) -> RelyingParty {
        RelyingParty { client_id: id.into(), proof: Proof::Basic(secret.into()), ..self.shop() }
    }

    /// A browser with a session of this person.
    pub async fn signed_in(&self, person: &Person) -> Browser {
        let mut browser = Browser::new(&self.site);
        browser.goto(&self.shop().asks().url()).await.walk(person).await;
        browser
    }
}

/// An authorization that nothing has come of yet.
#[derive(Clone)]
pub struct Unspent {
    pub asked: Asked,
    pub code: String,
}

impl Unspent {
    /// A session is there and nobody is asked, so one request is enough.
    pub async fn get(client: &RelyingParty, browser: &Browser) -> Self {
        let asked = client.asks().with("state", &random(32));
        let mut browser = browser.led_to(&client.site);
        browser.goto(&asked.url()).await;
        let code = assert::granted(&browser, client, &asked);
        Unspent { asked, code }
    }

    pub async fn tokens(&self, client: &RelyingParty) -> Tokens {
        client.tokens(&self.code, &self.asked).await
    }
}
