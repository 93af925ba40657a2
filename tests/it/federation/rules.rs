//! The rules for what providers say, without a provider.

use serde_json::{Value, json};
use signet::protocol::{
    Params,
    upstream::{
        Settings,
        answer::{self, Outcome},
        id_token::{self, Expected},
        metadata,
        profile::{self, Profile},
    },
};

const NOW: i64 = 1_767_225_600;

#[test]
fn an_id_token_is_for_us_for_this_and_for_now() {
    let expected = Expected { issuer: "https://p.example", client_id: "us", nonce: "n", now: NOW };
    let good = json!({
        "iss": "https://p.example", "aud": "us", "exp": NOW + 1, "iat": NOW, "nonce": "n", "sub": "s",
    });
    for (why, more, fits) in [
        ("all is well", json!({}), true),
        ("a list of one", json!({ "aud": ["us"] }), true),
        ("the last second", json!({ "exp": NOW - 59 }), true),
        ("one too late", json!({ "exp": NOW - 60 }), false),
        ("five minutes old", json!({ "iat": NOW - 360 }), true),
        ("older", json!({ "iat": NOW - 361 }), false),
        ("a minute early", json!({ "iat": NOW + 60 }), true),
        ("earlier", json!({ "iat": NOW + 61 }), false),
        ("another case", json!({ "aud": "US" }), false),
        ("an empty list", json!({ "aud": [] }), false),
        ("a mixed list", json!({ "aud": ["us", 1] }), false),
        ("a nonce with more", json!({ "nonce": "nn" }), false),
        ("no nonce", json!({ "nonce": null }), false),
        ("a control character", json!({ "sub": "a\nb" }), false),
        ("the longest subject", json!({ "sub": "s".repeat(255) }), true),
    ] {
        let mut claims = good.as_object().unwrap().clone();
        claims.extend(more.as_object().unwrap().clone());
        assert_eq!(id_token::check(&claims, expected).is_ok(), fits, "{why}");
    }
}

#[test]
fn an_answer_is_read_when() {
    let state = "s".repeat(43);
    for (why, query, reads) in [
        ("a code", format!("state={state}&code=c"), true),
        ("an error", format!("state={state}&error=access_denied"), true),
        ("unknown parameters are passed over", format!("state={state}&code=c&scope=a&scope=b&hd=x"), true),
        ("no state", "code=c".to_owned(), false),
        ("two states", format!("state={state}&state={state}&code=c"), false),
        ("two codes", format!("state={state}&code=c&code=d"), false),
        ("neither", format!("state={state}"), false),
        ("both", format!("state={state}&code=c&error=e"), false),
        ("a giant code", format!("state={state}&code={}", "c".repeat(4097)), false),
    ] {
        assert_eq!(answer::read(&Params::parse(&query)).is_ok(), reads, "{why}");
    }
    let denied = answer::read(&Params::parse(&format!("state={state}&error=access_denied"))).unwrap();
    assert_eq!(denied.outcome, Outcome::Refused { error: "access_denied".to_owned(), by_person: true });
}

#[test]
fn a_document_is_of_its_issuer() {
    let issuer = "https://p.example/realms/x";
    assert_eq!(metadata::address(issuer), "https://p.example/realms/x/.well-known/openid-configuration");
    let document = json!({
        "issuer": issuer, "authorization_endpoint": "https://p.example/a", "token_endpoint": "https://p.example/t",
        "jwks_uri": "https://p.example/k",
    });
    let read = |document: &Value| metadata::read(document, issuer, |address| address.starts_with("https://"));
    assert!(read(&document).is_ok_and(|metadata| !metadata.names_itself && metadata.userinfo_endpoint.is_none()));
    for name in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let mut without = document.clone();
        without.as_object_mut().unwrap().remove(name);
        assert!(read(&without).is_err(), "{name}");
        without[name] = json!("http://p.example/x");
        assert!(read(&without).is_err(), "{name}");
    }
}

#[test]
fn what_is_said_of_a_person_is_mapped() {
    let mapped = |name: &str, path: &str| Settings {
        claims: [(name.to_owned(), path.to_owned())].into(),
        ..Settings::default()
    };
    let said = json!({
        "sub": "1", "name": "A", "email": "A@Example.COM", "email_verified": "true", "id": 7, "minus": -7,
        "user": { "shown": { "name": "Deep" } }, "https://p.example/name": "Odd", "bad": "a\u{202e}b", "list": ["x"],
    });
    let said = said.as_object().unwrap();
    for (path, name) in [
        ("name", Some("A")),
        ("user.shown.name", Some("Deep")),
        ("https://p.example/name", Some("Odd")),
        ("user.shown", None),
        ("user.nothing.name", None),
        ("bad", None),
        ("list", None),
    ] {
        assert_eq!(Profile::read(said, &mapped("name", path)).claims.name.as_deref(), name, "{path}");
    }
    let profile = Profile::read(said, &Settings::default());
    assert_eq!((profile.email.as_deref(), profile.email_verified), (Some("a@example.com"), true));
    for (path, subject) in [("sub", Some("1")), ("id", Some("7")), ("minus", None), ("user", None), ("nothing", None)] {
        assert_eq!(profile::subject(said, &mapped("sub", path)).as_deref(), subject, "{path}");
    }
    let nobody = json!({ "email": "no address", "email_verified": true });
    assert!(!Profile::read(nobody.as_object().unwrap(), &Settings::default()).email_verified);
}

/// What is written out that follows from the kind is no other provider.
#[test]
fn another_provider_is_one_that_names_other_people() {
    let of = |kind: &str, more: Value| -> Settings {
        let mut said = json!({ "kind": kind });
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(said).unwrap()
    };
    let ours = "https://git.example";
    for (kind, one, two, is_another) in [
        ("google", json!({}), json!({ "issuer": "https://accounts.google.com" }), false),
        ("github", json!({}), json!({ "issuer": "https://github.com/", "api_url": "https://api.github.com" }), false),
        ("github", json!({ "issuer": ours }), json!({ "issuer": ours, "api_url": format!("{ours}/api/v3/") }), false),
        ("github", json!({ "issuer": ours }), json!({ "issuer": ours, "api_url": "https://api.github.com" }), true),
        ("github", json!({}), json!({ "issuer": ours }), true),
        ("oidc", json!({ "issuer": ours }), json!({ "issuer": format!("{ours}/") }), true),
        ("oauth2", json!({ "userinfo_endpoint": ours }), json!({}), true),
        ("oauth2", json!({ "claims": { "sub": "id" } }), json!({ "claims": { "sub": "login" } }), true),
        ("oauth2", json!({ "claims": { "name": "n" } }), json!({}), false),
    ] {
        assert_eq!(of(kind, one.clone()).is_another(&of(kind, two.clone())), is_another, "{kind} {one} {two}");
    }
}
