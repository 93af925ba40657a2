//! The built program over TLS, as a relying party meets it: a process of its own behind an https issuer, with the
//! system's clock and chance. What an operator does is done from here, in the same database.
use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
};

use signet::{
    app::{
        App,
        open::{self, Surroundings},
        random::Random,
    },
    config::{self, Config, LoadArgs},
    crypto::password::Cost,
};
use tempfile::TempDir;
use tokio::sync::{OnceCell, Semaphore};

use super::{
    authority::AUTHORITY,
    http::Site,
    process::Process,
    server::{self, Clock, Running, SETTINGS, TestServer},
};

/// More at once only wait for one another.
static PLACES: Semaphore = Semaphore::const_new(4);

/// Below the ports that systems hand out, so that no connection of anybody has taken one in between.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A data folder with its schema, keys and secrets: making one takes most of the time of a start.
static TEMPLATE: OnceCell<Vec<(String, Vec<u8>)>> = OnceCell::const_new();

impl TestServer {
    pub async fn built() -> Self {
        Self::built_with(&[]).await
    }

    /// With these settings, as the environment would give them.
    pub async fn built_with(settings: &[(&str, &str)]) -> Self {
        let place = PLACES.acquire().await.unwrap();
        let template = TEMPLATE.get_or_init(template).await;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = prepare(folder.path(), port, settings);
        fs::create_dir(folder.path().join("data")).unwrap();
        for (name, bytes) in template {
            fs::write(folder.path().join("data").join(name), bytes).unwrap();
        }
        let issuer = config.server.issuer.as_str().to_string();
        let connected = open::connect(&config).await.unwrap();
        let app = open::open(config, around(), connected).await.unwrap_or_else(|problem| panic!("{problem}"));
        let process = start(folder.path(), settings).await;
        let site = Site { issuer, address: (Ipv4Addr::LOCALHOST, port).into(), over_tls: true };
        let running = Running::Program { _process: process, _place: place };
        TestServer { app, site, clock: Clock::System, _running: running, _folder: folder, _database: None }
    }
}

fn around() -> Surroundings {
    let password_cost = Cost { memory_kib: 8, iterations: 1, parallelism: 1 };
    Surroundings { clock: Clock::System, random: Random::System, password_cost }
}

pub fn free_port() -> u16 {
    let first = 20_000 + (std::process::id() % 100) as u16 * 100;
    loop {
        let port = first + NEXT_PORT.fetch_add(1, Ordering::SeqCst) % (32_000 - first);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Writes the settings, and reads them as the program will.
fn prepare(folder: &Path, port: u16, settings: &[(&str, &str)]) -> Config {
    let text = format!(
        r#"
data_dir = "data"
listen = "127.0.0.1:{port}"
issuer = "https://localhost:{port}"
limits = "off"

[tls]
certificate = "server.pem"
key = "server.key"

[database]
synchronous = "normal"

[passwords]
memory_kib = 19456
iterations = 2

[keys]
bits = 2048
{SETTINGS}"#
    );
    let file = folder.join("signet.toml");
    fs::write(&file, text).unwrap();
    AUTHORITY.write_to(folder);
    let flags = settings.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let args = LoadArgs { config_file: Some(file), flags, directory: folder.to_owned() };
    config::load(&args, None::<(&str, &str)>).unwrap_or_else(|error| panic!("{error}"))
}

async fn template() -> Vec<(String, Vec<u8>)> {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let app: App = server::open(prepare(folder.path(), free_port(), &[]), around()).await;
    app.recorder.flush().await;
    let data = folder.path().join("data");
    // SQLite needs the log beside the file, and makes the index of the log anew.
    let files = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files = files.filter(|name| name == "master.key" || name == "signet.db" || name == "signet.db-wal");
    files.map(|name| (name.clone(), fs::read(data.join(&name)).unwrap())).collect()
}

async fn start(folder: &Path, settings: &[(&str, &str)]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signet"));
    command.arg("serve").current_dir(folder).env_clear().env("RUST_BACKTRACE", "1");
    command.env("SIGNET_CONFIG", folder.join("signet.toml"));
    for (key, value) in settings {
        command.env(format!("SIGNET_{}", key.to_uppercase().replace('.', "_")), value);
    }
    Process::listening(&mut command).await
}
