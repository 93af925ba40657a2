//! CF: what an operator may have wrong, and what the world may reach.
use std::fs;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use serde_json::json;
use signet::http::{self, listener::Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, timeout},
};

use crate::{
    commands::Place,
    crypto::doors::{self, Certificate, Running},
    harness::{Call, TestServer, assert, fixtures},
};

/// SEC-177, ASVS 13.2.3, 13.4.2: one clear line, the exit code for settings, and nothing made.
#[test]
fn sec_177_a_server_does_not_start_when() {
    let client =
        "[[clients]]\nclient_id = 'shop'\nname = 'Shop'\nkind = 'web'\nredirect_uris = ['https://rp.example/cb']\n";
    let with = |line: &str| format!("{client}{line}");
    for (reason, settings, says) in [
        ("its issuer is plain http", "issuer = 'http://id.example.com'".into(), "the issuer must be https"),
        ("its issuer is no URL", "issuer = 'id.example.com'".into(), "the issuer is not a URL"),
        ("a key is misspelt", "isuer = 'https://id.example.com'".into(), "isuer"),
        ("a key is unknown", "[lifetimes]\nforever = true".into(), "forever"),
        ("a secret is empty", with("client_secret = ''"), "client_secret"),
        ("a secret is a sample", with("client_secret = 'changeme-changeme-changeme-changeme'"), "is a sample"),
        ("a secret is short", with("client_secret = 'kqjwhe81237'"), "fewer than 32"),
        ("a client has no secret", client.into(), "client_secret"),
        (
            "the master key is a sample",
            "[keys]\nmaster_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='".into(),
            "is a sample",
        ),
        ("a secret's file is missing", "[keys]\nmaster_key_file = 'gone'".into(), "gone cannot be read"),
        ("a secret's file is a folder", "[keys]\nmaster_key_file = '.'".into(), "cannot be read (is a directory)"),
        (
            "the certificate's key is missing",
            "[tls]\ncertificate = 'signet.toml'\nkey = 'gone'".into(),
            "cannot be read",
        ),
        ("the certificate is none", "[tls]\ncertificate = 'signet.toml'\nkey = 'signet.toml'".into(), "no PEM block"),
        ("the file is no TOML", "issuer = https".into(), "signet.toml"),
    ] {
        let place = Place::with(&settings);
        let ended = place.run(&["serve", "--listen", "127.0.0.1:9"]);
        let errors: Vec<&str> = ended.err.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!((ended.code, &*ended.out), (2, ""), "{reason}: {}", ended.err);
        assert!(!errors.is_empty() && errors.len() <= 2, "{reason}: {}", ended.err);
        assert!(errors.iter().any(|line| line.contains(says)), "{reason}: {}", ended.err);
        assert!(!ended.err.contains("changeme-") && !ended.err.contains("kqjwhe"), "{reason}: {}", ended.err);
        let made: Vec<_> = fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(made, ["signet.toml"], "{reason}");
    }
}

/// SEC-177: the issuer is in every token, so data of one do not serve another.
#[test]
fn sec_177_data_of_another_issuer_are_not_served() {
    let place = Place::with("log.level = 'error'");
    let create = |issuer: &str, name: &str| place.run(&["users", "create", "--username", name, "--issuer", issuer]);
    create("https://id.example.com", "ada").succeeded();
    for issuer in
        ["https://id.example.org", "https://id.example.com/", "https://id.example.com:8443", "http://localhost:9"]
    {
        let said = place.run(&["serve", "--listen", "127.0.0.1:0", "--issuer", issuer]).refused(1);
        assert!(said.contains(issuer) && said.contains("belongs to https://id.example.com:"), "{said}");
        assert!(create(issuer, "eve").refused(1).contains("belongs to"));
    }
    create("https://id.example.com", "bela").succeeded();
}

/// SEC-177: what is for development says so at every start.
#[test]
fn sec_177_development_is_warned_of_at_every_start() {
    let place = Place::with("limits = 'off'");
    for _ in 0..2 {
        let (code, log) = place.serve(&[]).stop();
        assert_eq!(code, 0, "{log}");
        let warns = |about: &str| log.lines().any(|line| line.contains("WARN") && line.contains(about));
        assert!(
            warns("plain http: for development on this machine only") && warns("requests are not throttled"),
            "{log}"
        );
    }
}

async fn over_tls() -> (TestServer, Certificate, Running) {
    let server = TestServer::at("https://localhost").await;
    let certificate = Certificate::new();
    let running = doors::start(http::service(&server.app), Some(certificate.tls()), Limits::default()).await;
    (server, certificate, running)
}

/// SEC-178, ASVS 12.1.1: TLS 1.2 and 1.3 with ciphers that are good today.
#[tokio::test(flavor = "multi_thread")]
async fn sec_178_old_tls_and_weak_ciphers_are_refused() {
    let (_server, _certificate, running) = over_tls().await;
    let handshake = |version: SslVersion, ciphers: &str| {
        let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
        connector.set_min_proto_version(Some(version)).unwrap();
        connector.set_max_proto_version(Some(version)).unwrap();
        // Else this side would not even offer what is refused.
        connector.set_security_level(0);
        connector.set_cipher_list(ciphers).map_err(|_| "not compiled in".to_owned())?;
        connector.set_verify(SslVerifyMode::NONE);
        let tcp = std::net::TcpStream::connect(running.address).unwrap();
        connector.build().connect("localhost", tcp).map(drop).map_err(|error| error.to_string())
    };
    for (version, ciphers, accepted) in [
        (SslVersion::TLS1, "ALL:@SECLEVEL=0", false),
        (SslVersion::TLS1_1, "ALL:@SECLEVEL=0", false),
        (SslVersion::TLS1_2, "ALL", true),
        (SslVersion::TLS1_3, "ALL", true),
        (SslVersion::TLS1_2, "ECDHE-ECDSA-AES128-GCM-SHA256", true),
        (SslVersion::TLS1_2, "ECDHE-ECDSA-CHACHA20-POLY1305", true),
        (SslVersion::TLS1_2, "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", false),
        (SslVersion::TLS1_2, "AES128-SHA:AES256-SHA:@SECLEVEL=0", false),
        (SslVersion::TLS1_2, "AES128-GCM-SHA256:@SECLEVEL=0", false),
        (SslVersion::TLS1_2, "NULL:eNULL:@SECLEVEL=0", false),
        (SslVersion::TLS1_2, "aNULL:ADH:AECDH:@SECLEVEL=0", false),
        (SslVersion::TLS1_2, "3DES:RC4:IDEA:SEED:CAMELLIA:@SECLEVEL=0", false),
    ] {
        let done = handshake(version, ciphers);
        assert_eq!(done.is_ok(), accepted, "{version:?} {ciphers}: {done:?}");
    }
}

/// SEC-178, CVE-2024-23656: plain http gets no answer where TLS is spoken: nothing that a client could mistake for one.
#[tokio::test(flavor = "multi_thread")]
async fn sec_178_plain_http_is_not_answered_on_the_tls_port() {
    let (_server, certificate, running) = over_tls().await;
    for request in [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut tcp = TcpStream::connect(running.address).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(5), tcp.read_to_end(&mut answer)).await.expect("the connection is closed");
        assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
    }
    let root = reqwest::Certificate::from_pem(&certificate.x509.to_pem().unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_certs_merge([root]).build().unwrap();
    let url = format!("https://localhost:{}/try", running.address.port());
    let answer = client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));
}

/// SEC-179, ASVS 13.4.5, CVE-2026-55106: nothing but what is meant to be there answers.
#[tokio::test]
async fn sec_179_nothing_else_is_reachable() {
    let f = fixtures().await;
    for path in [
        "/metrics",
        "/debug",
        "/debug/pprof",
        "/debug/vars",
        "/actuator",
        "/actuator/env",
        "/status",
        "/server-status",
        "/info",
        "/version",
        "/config",
        "/admin",
        "/api",
        "/api/users",
        "/test",
        "/health",
        "/health/debug",
        "/healthz",
        "/trace",
        "/trace/0123456789abcdef",
        "/static",
        "/static/",
        "/static/..%2f..%2fsignet.toml",
        "/static/../signet.toml",
        "/templates/layout.html",
        "/.git/config",
        "/.env",
        "/signet.toml",
        "/signet.db",
        "/master.key",
        "/data/master.key",
        "/swagger",
        "/swagger.json",
        "/openapi.json",
        "/graphql",
        "/.well-known/",
        "/.well-known/nothing",
        "/oauth2/",
        "/oauth2/register",
        "/oauth2/keys",
    ] {
        let answer = f.site.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        let for_apps = ["/oauth2", "/.well-known", "/api", "/health/"].iter().any(|start| path.starts_with(start));
        let kind = match path {
            path if path.starts_with("/api/") => "application/problem+json",
            path if for_apps || path == "/health" => "application/json",
            _ => "text/html",
        };
        assert_eq!(answer.media_type(), kind, "{path}");
        assert::not_stored(&answer);
        let traced = f.site.send(Call::new(reqwest::Method::TRACE, path).header("x-echo", "marker-of-a-trace")).await;
        assert!(traced.status >= 400 && !traced.text().contains("marker-of-a-trace"), "{path}: {}", traced.text());
    }
}

/// SEC-179: what everybody may ask tells of nobody.
#[tokio::test]
async fn sec_179_health_tells_nothing_of_people_and_machines() {
    let f = fixtures().await;
    f.visit(&f.c1).await;
    assert_eq!(f.site.get("/health/live").await.json(), json!({ "status": "up" }));
    let ready = json!({
        "status": "up",
        "checks": [{ "name": "database", "status": "up" }, { "name": "signing_key", "status": "up" }],
    });
    assert_eq!(f.site.get("/health/ready").await.json(), ready);
    crate::harness::seed::lose_storage(&f.app).await;
    assert_eq!(f.site.get("/health/live").await.json(), json!({ "status": "up" }));
    let answer = f.site.get("/health/ready").await;
    let down = json!({
        "status": "down",
        "checks": [{ "name": "database", "status": "down" }, { "name": "signing_key", "status": "up" }],
    });
    assert_eq!((answer.status, answer.json()), (503, down));
}

/// SEC-179: the program carries no key and no switch that only tests may use.
#[test]
fn sec_179_the_program_has_no_door_for_tests() {
    let program = fs::read(env!("CARGO_BIN_EXE_signet")).unwrap();
    for found in ["BEGIN PRIVATE KEY-----\n", "BEGIN RSA PRIVATE KEY-----\n", "wet umbrellas"] {
        let there = program.windows(found.len()).any(|window| window == found.as_bytes());
        assert!(!there, "the program has {found:?} in it");
    }
}
