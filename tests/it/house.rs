//! The shape of the code, kept by tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Who may use whom. `http` reaches the database only through `flows`.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("protocol", &[]),
    ("crypto", &["protocol"]),
    ("config", &["protocol"]),
    ("store", &["protocol", "crypto"]),
    ("app", &["protocol", "crypto", "config", "store"]),
    ("flows", &["protocol", "crypto", "config", "store", "app", "migrations"]),
    ("http", &["protocol", "config", "app", "flows"]),
    ("jobs", &["protocol", "app", "flows"]),
    ("commands", &["protocol", "config", "app", "flows", "http", "jobs"]),
];

/// Crates that only one layer may name, so that each can be replaced in one place.
const HOME_OF: &[(&str, &[&str])] = &[
    ("josekit", &["src/crypto/"]),
    ("argon2", &["src/crypto/password/"]),
    ("bcrypt", &["src/crypto/password/foreign.rs"]),
    ("zxcvbn", &["src/crypto/strength.rs"]),
    ("csv", &["src/commands/"]),
    ("totp_rs", &["src/crypto/totp.rs"]),
    ("qrcodegen", &["src/crypto/totp.rs"]),
    ("png", &["src/crypto/totp.rs"]),
    ("webauthn_rs", &["src/crypto/passkey.rs"]),
    ("openssl", &["src/crypto/", "src/http/tls.rs", "src/http/listener.rs"]),
    ("moka", &["src/app/cache.rs", "src/app/throttle.rs"]),
    ("reqwest", &["src/app/outbound.rs"]),
    ("lettre", &["src/app/mailer.rs"]),
    ("oxide_auth", &["src/protocol/code_grant.rs", "src/protocol/scope.rs", "src/protocol/pkce.rs"]),
    ("phonenumber", &["src/protocol/phone.rs"]),
    ("unicode_security", &["src/protocol/text.rs"]),
    ("woothee", &["src/protocol/user_agent.rs"]),
    ("maxminddb", &["src/app/places.rs"]),
    ("clap", &["src/commands/", "src/commands.rs", "src/main.rs"]),
];

fn sources() -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    found.retain(|path| path.extension().is_some_and(|end| end == "rs"));
    assert!(found.len() > 100, "the sources are where this test looks");
    found
}

fn layer(file: &Path) -> Option<&'static str> {
    let first = file.components().nth(1)?.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
    MAY_USE.iter().map(|(layer, _)| *layer).find(|layer| *layer == first)
}

/// The code without its comments, and without white space.
fn compact(text: &str) -> String {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.chars().filter(|c| !c.is_whitespace())).collect()
}

/// The layers that a file names: `crate::x`, and `x::` inside `use crate::{…}`.
fn named(text: &str) -> Vec<&'static str> {
    let code = compact(text);
    let grouped: String = code.split("usecrate::{").skip(1).map(|rest| rest.split(';').next().unwrap()).collect();
    let names = |layer: &str| {
        let in_group = ["{", ","].iter().any(|before| format!("{{{grouped}").contains(&format!("{before}{layer}::")));
        ["::", ";", "}"].iter().any(|after| code.contains(&format!("crate::{layer}{after}"))) || in_group
    };
    let layers = MAY_USE.iter().map(|(layer, _)| *layer).chain(["migrations"]);
    layers.filter(|layer| names(layer)).collect()
}

#[test]
fn imports_point_one_way() {
    for file in sources() {
        let Some(here) = layer(&file) else { continue };
        let (_, allowed) = MAY_USE.iter().find(|(layer, _)| *layer == here).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(!compact(&text).contains("super::super"), "{}: super::super hides a direction", file.display());
        for used in named(&text) {
            assert!(used == here || allowed.contains(&used), "{} uses {used}", file.display());
        }
    }
}

/// The test above sees what it should see.
#[test]
fn an_import_is_seen_however_it_is_written() {
    for (text, layers) in [
        ("use crate::http::browser;", vec!["http"]),
        ("use crate::{\n    app::App,\n    store::{client, grant},\n};", vec!["store", "app"]),
        ("fn f() { crate::crypto::secret::equal(a, b) }", vec!["crypto"]),
        ("// crate::http is not used\nuse crate::{\n    protocol,\n    protocol::rule,\n};", vec!["protocol"]),
    ] {
        assert_eq!(named(text), layers, "{text}");
    }
}

/// The standards wait for nobody: no clock, no database, no network.
#[test]
fn the_protocol_is_pure() {
    for file in sources().iter().filter(|file| layer(file) == Some("protocol")) {
        let code = compact(&fs::read_to_string(file).unwrap());
        for impure in ["asyncfn", ".await", "poem::", "reqwest::", "tokio::", "std::fs", "std::env", "Instant::now"] {
            assert!(!code.contains(impure), "{} has {impure}", file.display());
        }
        if !file.ends_with("code_grant.rs") {
            assert!(!code.contains("chrono::"), "{} has chrono", file.display());
        }
    }
}

#[test]
fn each_crate_has_one_home() {
    for file in sources() {
        let code = compact(&fs::read_to_string(&file).unwrap());
        for (name, homes) in HOME_OF {
            let used = code.contains(&format!("{name}::")) || code.contains(&format!("use{name};"));
            let at_home = homes.iter().any(|home| file.starts_with(home) || file == Path::new(home));
            assert!(!used || at_home, "{} names {name}", file.display());
        }
    }
}

/// Every protocol file says which specification it follows, and every file what it is for.
#[test]
fn every_file_begins_with_what_it_is_for() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        if file != Path::new("src/main.rs") {
            assert!(text.starts_with("//!"), "{} does not say what it is for", file.display());
        }
    }
}

/// Every rule can be found by the name that events keep, and says how to mend what it refused.
#[test]
fn every_rule_has_a_source_and_a_remedy() {
    for rule in signet::protocol::rule::RULES {
        assert_eq!(signet::protocol::rule::named(rule.name), Some(*rule), "two rules are named {}", rule.name);
        assert!(rule.source.contains('§') && rule.remedy.len() > 20, "{}", rule.name);
    }
}

/// Every path of the table of methods is a route, and says the truth about itself.
#[tokio::test]
async fn a_refused_method_names_the_allowed_ones() {
    let server = crate::harness::TestServer::start().await;
    let client = reqwest::Client::builder().build().unwrap();
    for (path, allowed) in [
        ("/oauth2/token", "POST"),
        ("/oauth2/introspect", "POST"),
        ("/oauth2/revoke", "POST"),
        ("/oauth2/userinfo", "GET, HEAD, POST"),
        ("/oauth2/jwks", "GET, HEAD"),
        ("/authorize", "GET, HEAD, POST"),
        ("/logout", "GET, HEAD, POST"),
        ("/account", "GET, HEAD"),
        ("/account/sign-out", "POST"),
        ("/setup", "GET, HEAD, POST"),
        ("/try", "GET, HEAD, POST"),
        ("/.well-known/openid-configuration", "GET, HEAD"),
    ] {
        let url = format!("http://{}{path}", server.site.address);
        let answer = client.delete(url).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        assert_eq!(answer.headers()["allow"], allowed, "{path}");
    }
}

/// Written by `signet openapi`; `make contract` writes it anew.
#[test]
fn the_published_contract_is_the_one_that_is_served() {
    let published = fs::read_to_string("openapi/signet.yaml").unwrap_or_default();
    let served = signet::http::contract();
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the tests, not a setting")]
    let bless = std::env::var_os("BLESS").is_some();
    if bless {
        return fs::write("openapi/signet.yaml", served).unwrap();
    }
    assert!(published == served, "openapi/signet.yaml is out of date: run `make contract` and read the diff");
}
