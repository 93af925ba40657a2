//! Secrets: read from files, never printed, never taken from a manual. SEC-165, SEC-177.
use std::{fs, os::unix::fs::PermissionsExt};

use signet::config::DatabaseUrl;

use super::Place;

const KEY: &str = "Q6ajWxsLIqGWzJ2tFpkPhGYXjSXXVKp4RVQgJF0r3qw=";
const SECRET: &str = "3f7e0c5b9a1d4862e0b7c49d5a18f3e26d90";

fn client(secret: &str) -> String {
    format!("[[clients]]\nclient_id = 'a'\nname = 'A'\nkind = 'web'\n{secret}\n")
}

#[test]
fn a_secret_can_be_in_a_file_whose_last_line_break_is_cut() {
    let url = "postgres://u:hunter2@db/signet";
    for contents in [url.to_owned(), format!("{url}\n"), format!("{url}\r\n")] {
        let place = Place::with("[database]\nurl_file = 'secrets/url'\n");
        place.write("secrets/url", contents);
        let config = place.load(&[]).unwrap();
        let DatabaseUrl::Postgres(revealed) = &config.database.url else { panic!() };
        assert_eq!(revealed.reveal(), url);
        let source = config.source("database.url").to_string();
        assert!(source.contains("signet.toml:2 (") && source.ends_with("secrets/url)"), "{source}");
    }
    let place = Place::with(&client("client_secret_file = 'secret'"));
    place.write("secret", SECRET);
    let config = place.load(&[]).unwrap();
    assert_eq!(config.clients[0].client_secret.as_ref().unwrap().reveal(), SECRET);
}

#[test]
fn the_master_key_is_32_bytes_in_base64() {
    for key in [KEY, KEY.trim_end_matches('='), &KEY.replace('+', "-").replace('/', "_")] {
        let config = Place::empty().load(&[("SIGNET_KEYS_MASTER_KEY", key)]).unwrap();
        assert_eq!(config.keys.master_key.unwrap().bytes()[..2], [0x43, 0xa6]);
    }
    let place = Place::empty();
    place.write("key", format!("{KEY}\n"));
    assert!(place.load(&[("SIGNET_KEYS_MASTER_KEY_FILE", "key")]).unwrap().keys.master_key.is_some());
}

#[test]
fn sec_177_a_master_key_is_refused_when() {
    for (reason, key, says) in [
        ("empty", "", "the key has 0 bytes, not 32"),
        ("short", "AAECAwQ=", "the key has 5 bytes, not 32"),
        ("no base64", "hunter2!", "the key is not base64"),
        ("a word", "changeme", "the key has 6 bytes, not 32"),
        ("zeros", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "the key is a sample, not random"),
        ("repeating", "YWJjZGFiY2RhYmNkYWJjZGFiY2RhYmNkYWJjZGFiY2Q=", "the key is a sample, not random"),
    ] {
        let error = Place::empty().refusal(&[("SIGNET_KEYS_MASTER_KEY", key)]);
        assert_eq!(
            error,
            format!(
                "SIGNET_KEYS_MASTER_KEY: keys.master_key = (hidden): {says}; give 32 random bytes in base64, for example \
                 the output of `openssl rand -base64 32`"
            ),
            "{reason}"
        );
    }
}

#[test]
fn sec_177_a_clients_secret_is_refused_when() {
    for (reason, secret, says) in [
        ("empty", "", "the secret has 0 characters, fewer than 32"),
        ("short", "3f7e0c5b9a1d4862", "the secret has 16 characters, fewer than 32"),
        ("a sample", "changeme", "the secret is a sample, not random"),
        ("a longer sample", "secret-for-my-application-2026-05-01", "the secret is a sample, not random"),
        ("a sample in capitals", "CHANGEME-CHANGEME-CHANGEME-CHANGEME", "the secret is a sample, not random"),
        ("one character", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "the secret is a sample, not random"),
        ("repeating", "0123456789abcdef0123456789abcdef", "the secret is a sample, not random"),
        ("beyond ASCII", "ééééééééééééééééééééééééééééééééééé", "the secret has characters beyond printable ASCII"),
    ] {
        let error = Place::with(&client(&format!("client_secret = '{secret}'"))).refusal(&[]);
        let start =
            format!("signet.toml:5: clients[0].client_secret = (hidden): {says}; use at least 32 random characters");
        assert!(error.starts_with(&start), "{reason}: {error}");
    }
    let prefixed = format!("client_secret = 'secret_{SECRET}'");
    assert!(Place::with(&client(&prefixed)).load(&[]).is_ok(), "a prefix does not spoil what is random");
}

#[test]
fn sec_177_a_secrets_file_is_refused_when() {
    let place = Place::with("[database]\nurl_file = 'url'\n");
    let refused = |says: &str| {
        let error = place.refusal(&[]);
        assert!(error.starts_with("signet.toml:2: database.url_file = \"url\": ") && error.contains(says), "{error}");
    };
    refused("the file url cannot be read (no such file or directory); name a file that exists");
    place.write("url", "");
    refused("the file url is empty; write the secret into it");
    place.write("url", "\n");
    refused("the file url is empty");
    place.write("url", b"\xff\xfe");
    refused("the file url cannot be read (stream did not contain valid utf-8)");
    place.write("url", "x".repeat(64 * 1024 + 1));
    refused("the file url is larger than 64 KiB");
    fs::remove_file(place.path("url")).unwrap();
    fs::create_dir(place.path("url")).unwrap();
    refused("the file url cannot be read (is a directory)");
}

#[test]
fn a_secret_in_a_file_that_is_wrong_is_not_printed() {
    let place = Place::with("[database]\nurl_file = 'url'\n");
    place.write("url", "hunter2");
    let error = place.refusal(&[]);
    assert!(error.starts_with("signet.toml:2 (url): database.url = (hidden): the value names no database"), "{error}");
}

#[test]
fn a_secret_is_given_once() {
    let place = Place::with("[database]\nurl = 'sqlite:a.db'\nurl_file = 'url'\n");
    assert_eq!(
        place.refusal(&[]),
        "signet.toml:2: database.url = (hidden): signet.toml:3 names a file for it too; keep one of the two"
    );
    // One from the environment wins over either in the file, as everything there does.
    place.write("signet.toml", "[database]\nurl = 'sqlite:a.db'\n");
    place.write("url", "sqlite:/b.db");
    let config = place.load(&[("SIGNET_DATABASE_URL_FILE", "url")]).unwrap();
    assert_eq!(config.database.url.masked(), "sqlite:/b.db");
}

#[test]
fn sec_165_secrets_that_everybody_can_read_are_warned_of() {
    let place =
        Place::with("issuer = 'https://a.example'\n[database]\nurl_file = 'url'\n[mail]\nhost = 'smtp.example'\n");
    place.write("url", "sqlite:/b.db");
    assert_eq!(place.load(&[]).unwrap().warnings, []);
    fs::set_permissions(place.path("url"), fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = place.load(&[]).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    let text = super::without(place.folder.path(), &warnings[0].to_string());
    assert_eq!(text, "signet.toml:3: database.url_file: every user of this machine can read url; run chmod 600 url");

    let place = Place::with(&format!(
        "issuer = 'https://a.example'\nmail.host = 'smtp.example'\n{}",
        client(&format!("client_secret = '{SECRET}'"))
    ));
    assert_eq!(place.load(&[]).unwrap().warnings, []);
    fs::set_permissions(place.path("signet.toml"), fs::Permissions::from_mode(0o604)).unwrap();
    let warnings = place.load(&[]).unwrap().warnings;
    assert_eq!(warnings[0].key, "clients[0].client_secret");
}

#[test]
fn secrets_are_in_no_printout() {
    let place = Place::with(&client(&format!("client_secret = '{SECRET}'")));
    let url = "postgres://u:hunter2@db/signet?sslpassword=hunter2&sslmode=require";
    let config = place.load(&[("SIGNET_DATABASE_URL", url), ("SIGNET_KEYS_MASTER_KEY", KEY)]).unwrap();
    let everything = format!("{config:?} {} {}", config.effective().text(), config.effective().json());
    for secret in ["hunter2", SECRET, KEY, "[67, 166"] {
        assert!(!everything.contains(secret), "{secret}");
    }
    assert!(everything.contains("postgres://u:(hidden)@db/signet?sslpassword=%28hidden%29&sslmode=require"));
}
