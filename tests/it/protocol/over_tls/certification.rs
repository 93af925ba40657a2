//! `deploy/conformance`: the settings, the person and the plans that a certification runs with.
use std::{
    collections::HashMap,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    Browser, Proof, RelyingParty, Userinfo, assert, authority::AUTHORITY, built::free_port, front::about_the_person,
    http::Site, process::Process, seed::Person, server::Clock,
};

const FOLDER: &str = "deploy/conformance";

/// A copy of the folder, with the certificates that its README has made.
fn place() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["signet.toml", "create-user"] {
        fs::copy(Path::new(FOLDER).join(name), folder.path().join(name)).unwrap();
    }
    AUTHORITY.write_to(folder.path());
    fs::copy(folder.path().join("authority.pem"), folder.path().join("suite.pem")).unwrap();
    folder
}

fn program(name: &str, folder: &Path, port: u16) -> Command {
    let mut command = Command::new(name);
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("SIGNET", env!("CARGO_BIN_EXE_signet"));
    command.env("SIGNET_CONFIG", folder.join("signet.toml")).env("SIGNET_LISTEN", format!("127.0.0.1:{port}"));
    command.env("SIGNET_PASSWORDS_MEMORY_KIB", "19456").env("SIGNET_PASSWORDS_ITERATIONS", "2");
    command.env("SIGNET_ISSUER", format!("https://localhost:{port}"));
    command
}

fn runs(command: &mut Command) -> String {
    let ended = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{command:?}: {said}");
    String::from_utf8(ended.stdout).unwrap()
}

fn declared() -> Value {
    let text = fs::read_to_string(Path::new(FOLDER).join("signet.toml")).unwrap();
    serde_json::to_value(toml::from_str::<toml::Table>(&text).unwrap()).unwrap()
}

fn plans() -> Vec<(PathBuf, Value)> {
    let files = fs::read_dir(Path::new(FOLDER).join("plans")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.clone(), serde_json::from_slice(&fs::read(&file).unwrap()).unwrap())).collect()
}

/// What the plans say of a client is what the settings say of it.
#[test]
fn the_plans_name_the_clients_that_are_declared() {
    let declared = declared();
    let secrets: HashMap<&str, &str> = declared["clients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|client| (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap()))
        .collect();
    let mut used = Vec::new();
    for (file, plan) in plans() {
        let discovery = format!("{}/.well-known/openid-configuration", declared["issuer"].as_str().unwrap());
        assert_eq!(plan["server"]["discoveryUrl"], discovery.as_str(), "{}", file.display());
        for name in ["client", "client2", "client_secret_post"] {
            let Some(id) = plan[name]["client_id"].as_str() else { continue };
            assert_eq!(plan[name]["client_secret"].as_str(), secrets.get(id).copied(), "{id} of {}", file.display());
            used.push(id.to_string());
        }
    }
    assert_eq!(used.len(), secrets.len(), "every declared client is in one plan: {used:?}");
}

/// The settings load, the script makes the person, and each client has every response type that it is declared for.
#[tokio::test]
async fn the_set_up_for_a_certification_works() {
    let (folder, port) = (place(), free_port());
    let signet = env!("CARGO_BIN_EXE_signet");
    runs(program(signet, folder.path(), port).arg("check-config"));
    let made: Value = serde_json::from_str(&runs(program("./create-user", folder.path(), port).arg("--json"))).unwrap();
    let server = Process::listening(program(signet, folder.path(), port).arg("serve")).await;
    let issuer = format!("https://localhost:{port}");
    let site = Site { issuer, address: (Ipv4Addr::LOCALHOST, port).into(), over_tls: true };
    let person = Person {
        id: made["id"].as_str().unwrap().into(),
        email: "ada@example.com".into(),
        username: "ada".into(),
        password: "many wet umbrellas in autumn".into(),
    };
    let mut browser = Browser::new(&site);
    for client in declared()["clients"].as_array().unwrap() {
        let text = |name: &str| client[name].as_str().unwrap().to_string();
        let secret = text("client_secret");
        let post = text("token_endpoint_auth_method") == "client_secret_post";
        let party = RelyingParty {
            site: site.clone(),
            client_id: text("client_id"),
            proof: if post { Proof::Post(secret) } else { Proof::Basic(secret) },
            redirect_uri: client["redirect_uris"][0].as_str().unwrap().into(),
            scope: "openid profile email address phone".into(),
            origin: None,
            clock: Clock::System,
        };
        for kind in client["response_types"].as_array().unwrap() {
            let asked = party.asks().without_pkce().with("response_type", kind.as_str().unwrap());
            browser.goto(&asked.url()).await.walk(&person).await;
            let front = party.front(&browser, &asked).await;
            let access = match &front.code {
                Some(code) => Some(party.tokens(code, &asked).await.access),
                None => front.access.clone(),
            };
            let claims = match access {
                Some(access) => party.userinfo(&access, Userinfo::Get).await.json().as_object().unwrap().clone(),
                None => front.id_token().unwrap().0.claims,
            };
            assert::well_typed(&claims);
            assert_eq!(about_the_person(&claims).len(), 19, "every standard claim: {claims:?}");
            assert_eq!(claims["sub"], person.id.as_str());
        }
    }
    drop(server);
}
