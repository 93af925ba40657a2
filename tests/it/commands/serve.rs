use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
};

use serde_json::Value;

use super::{PASSWORD, Place};

#[test]
fn the_first_start_says_where_things_are_and_how_to_begin() {
    let place = Place::new();
    let server = place.serve(&[]);
    let folder = fs::canonicalize(place.path("data")).unwrap();
    assert_eq!(server.said("issuer"), "http://localhost:8080");
    assert_eq!(fs::canonicalize(server.said("data")).unwrap(), folder);
    assert!(server.said("database").starts_with("sqlite:") && server.said("database").ends_with("signet.db"));
    let token = server.link().unwrap().strip_prefix("http://localhost:8080/setup?token=").unwrap().to_owned();
    assert!(server.get(&format!("/setup?token={token}")).starts_with("HTTP/1.1 200"), "it opens");

    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    for file in ["data/master.key", "data/signet.db", "data/signet.db-wal", "data/signet.db-shm"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[test]
fn a_newer_link_makes_older_ones_void() {
    let place = Place::new();
    let server = place.serve(&[]);
    let path = |link: &str| link.trim_start_matches("http://localhost:8080").to_owned();
    let first = path(server.link().unwrap());
    let recovered = place.json(&["admin", "recover"]);
    let text = place.run(&["admin", "recover"]).succeeded();
    let last = path(text.lines().last().unwrap());
    assert!(recovered["expires_at"].as_str().unwrap().ends_with('Z'), "{recovered}");
    assert!(!server.get(&first).starts_with("HTTP/1.1 200"));
    assert!(!server.get(&path(recovered["link"].as_str().unwrap())).starts_with("HTTP/1.1 200"));
    assert!(server.get(&last).starts_with("HTTP/1.1 200"));
}

#[test]
fn no_link_is_printed_when_somebody_administers_the_server() {
    let place = Place::new();
    place
        .tell(&["users", "create", "--username", "anna", "--admin", "--password-stdin"], PASSWORD.as_bytes())
        .succeeded();
    assert_eq!(place.serve(&[]).link(), None);
}

#[test]
fn a_port_in_use_is_named_with_the_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new();
    let ended = place.run_with(&["--listen", &address], &[("SIGNET_LOG_LEVEL", "error")]);
    let line = ended.refused(1);
    assert!(
        line.contains(&format!("cannot listen on {address}: ")) && line.contains("--listen or SIGNET_LISTEN"),
        "{line}"
    );
}

/// SEC-177.
#[test]
fn warnings_come_at_every_start() {
    let place = Place::new();
    for _ in 0..2 {
        let (code, log) = place.serve(&[("SIGNET_LIMITS", "off")]).stop();
        assert_eq!(code, 0);
        assert!(log.contains("requests are not throttled") && log.contains("plain http"), "{log}");
    }
}

/// SEC-177.
#[test]
fn data_that_belong_to_another_issuer_or_key_are_not_touched() {
    let place = Place::new();
    place.run(&["keys", "list", "--issuer", "https://id.example.com"]).succeeded();
    let line = place.run(&["keys", "list", "--issuer", "https://other.example.com"]).refused(1);
    assert!(
        line.contains("the issuer is https://other.example.com") && line.contains("belongs to https://id.example.com"),
        "{line}"
    );
    fs::remove_file(place.path("data/master.key")).unwrap();
    let line = place.run(&["keys", "list", "--issuer", "https://id.example.com"]).refused(1);
    assert!(line.contains("there is no master key at ") && line.contains("put the key back"), "{line}");
    assert!(!place.path("data/master.key").exists());
}

/// SEC-168.
#[test]
fn every_line_of_the_log_is_one_object_for_machines() {
    let place = Place::new();
    let server = place.serve(&[("SIGNET_LOG_LEVEL", "trace")]);
    server.get("/nowhere");
    server.send("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: \x1b[2J\u{9b}2J\r\nConnection: close\r\n\r\n");
    let (_, log) = server.stop();
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["timestamp"].is_string() && event["message"].is_string()), "{log}");
    for message in ["listening", "answered", "stopped"] {
        assert!(events.iter().any(|event| event["message"] == message), "{message} in {log}");
    }
    assert!(log.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn a_request_in_flight_is_answered_before_the_end() {
    let place = Place::new();
    let mut server = place.serve(&[]);
    let mut request = server.half_a_request();
    server.signal("TERM");
    server.logs("stopping");
    request.write_all(b"grant_type=none").unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("invalid_client"), "{answer}");
    let (code, log) = server.ended();
    assert_eq!(code, 0);
    assert!(!log.contains("cut off") && log.trim_end().lines().last().unwrap().contains("stopped"), "{log}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    let mut server = place.serve(&[]);
    let _request = server.half_a_request();
    server.signal("INT");
    server.logs("stopping");
    server.signal("INT");
    let (code, log) = server.ended();
    assert_eq!(code, 0);
    assert!(log.contains("stopped at once"), "{log}");
}

#[test]
fn a_client_made_by_a_command_gets_a_token_of_the_running_server() {
    let place = Place::new();
    let server = place.serve(&[]);
    let made =
        place.json(&["clients", "create", "--name", "A", "--kind", "machine", "--auth-method", "client_secret_post"]);
    let of = |member: &str| made[member].as_str().unwrap().to_owned();
    let (id, secret) = (of("client_id"), of("client_secret"));
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let form = "Content-Type: application/x-www-form-urlencoded";
    let head = format!("POST /oauth2/token HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{form}\r\n");
    let answer = server.send(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("access_token"), "{answer}");
    let (_, log) = server.stop();
    assert!(!log.contains(&secret), "{log}");
}

#[test]
fn a_file_of_places_that_cannot_be_read_is_named_with_the_remedy() {
    let place = Place::new();
    let settings = [("SIGNET_LOG_LEVEL", "error"), ("SIGNET_ACCOUNTS_GEOIP", "/no/such/city.mmdb")];
    let line = place.run_with(&[], &settings).refused(1);
    assert!(line.contains("/no/such/city.mmdb: ") && line.contains("accounts.geoip names a file"), "{line}");
}
