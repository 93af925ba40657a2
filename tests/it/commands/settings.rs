use clap::CommandFactory;
use signet::commands::Arguments;

use super::Place;
use crate::crypto::doors::Certificate;

#[test]
fn the_command_line_is_well_formed() {
    Arguments::command().debug_assert();
}

#[test]
fn settings_that_are_wrong_are_said_in_one_line_each_and_end_with_2() {
    let place = Place::with("lisen = \"127.0.0.1:9000\"\n");
    for command in
        [&["check-config"][..], &["serve"], &[], &["users", "show", "anna"], &["migrate", "status", "--json"]]
    {
        let line = place.run(command).refused(2);
        assert!(line.starts_with("error: "), "{line}");
        assert!(line.contains("signet.toml:1: lisen: "), "{line}");
        assert!(line.ends_with("did you mean listen?"), "the remedy: {line}");
    }
    assert!(!place.path("data").exists(), "nothing was made");
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let ended = Place::with("listen = \"here\"\nissuer = \"there\"\n").run(&["check-config"]);
    assert_eq!((ended.code, ended.err.lines().count()), (2, 2), "{}", ended.err);
}

#[test]
fn a_flag_counts_more_than_a_variable_and_that_more_than_the_file() {
    let place = Place::with("listen = \"127.0.0.1:1001\"\nissuer = \"http://localhost:1\"\n");
    let variables = [("SIGNET_LISTEN", "127.0.0.1:1002"), ("SIGNET_ISSUER", "http://localhost:2")];
    let ended = place.run_with(&["check-config", "--json", "--listen", "127.0.0.1:1003"], &variables);
    let settings: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let of =
        |key: &str| settings["settings"].as_array().unwrap().iter().find(|entry| entry["key"] == key).unwrap().clone();
    assert_eq!(of("listen"), serde_json::json!({ "key": "listen", "value": "127.0.0.1:1003", "source": "--listen" }));
    assert_eq!(of("issuer")["source"], "SIGNET_ISSUER");
    assert_eq!(
        (ended.code, &*ended.err),
        (0, "warning: SIGNET_ISSUER: issuer: plain http: for development on this machine only\n")
    );
}

#[test]
fn no_command_prints_a_secret_of_the_settings() {
    let place = Place::new();
    let variables = [
        ("SIGNET_DATABASE_URL", "postgres://signet:canary-1@127.0.0.1:1/signet"),
        ("SIGNET_ISSUER", "https://id.example.com"),
    ];
    for command in [&["check-config"][..], &["check-config", "--json"], &["users", "show", "anna"], &["serve"]] {
        let ended = place.run_with(command, &variables);
        let all = ended.out + &ended.err;
        assert!(!all.contains("canary-1"), "{all}");
        assert!(all.contains("127.0.0.1:1/signet"), "which database: {all}");
    }
}

#[test]
fn a_database_that_is_away_is_named_in_one_line() {
    let variables = [("SIGNET_DATABASE_URL", "postgres://signet:very-long@127.0.0.1:1/signet")];
    let line = Place::new().run_with(&["clients", "list", "--json"], &variables).refused(1);
    assert!(line.contains("127.0.0.1:1/signet does not answer") && line.contains("check database.url"), "{line}");
}

#[test]
fn a_key_of_another_certificate_is_found_before_the_start() {
    let (one, other) = (Certificate::new(), Certificate::new());
    let tls = |certificate: &Certificate, key: &Certificate| {
        format!("[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n", certificate.certificate().display(), key.key().display())
    };
    let ended = Place::with(&tls(&one, &one)).run(&["check-config"]);
    assert!(ended.code == 0 && ended.out.contains("https://localhost:8080"), "{}{}", ended.out, ended.err);
    let place = Place::with(&tls(&one, &other));
    for command in ["check-config", "serve"] {
        let line = place.run_with(&[command], &[("SIGNET_LOG_LEVEL", "error")]).refused(2);
        assert!(line.contains("signet.toml:2: tls.certificate") && line.contains("is not the key of"), "{line}");
    }
    assert!(!place.path("data").exists(), "nothing was made");
}

#[test]
fn secrets_are_no_flags() {
    for command in [
        &["--database-url", "postgres://a:b@c/d", "check-config"][..],
        &["users", "create", "--email", "a@example.com", "--password", "correct horse battery staple"],
        &["users", "set-password", "anna", "correct horse battery staple"],
        &["clients", "create", "--name", "A", "--kind", "machine", "--client-secret", "correct horse battery staple"],
    ] {
        let ended = Place::new().run(command);
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.starts_with("error: unexpected argument"), "{}", ended.err);
    }
}

#[test]
fn openapi_needs_no_settings_and_no_database() {
    let place = Place::with("this is no TOML");
    let contract = place.run(&["openapi"]).succeeded();
    assert!(contract.starts_with("openapi: 3") && contract.contains("/oauth2/token"), "{contract}");
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 1, "nothing was made");
}
