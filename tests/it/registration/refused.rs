//! What is not registered, and why: each wrong member is named.

use serde_json::{Value, json};
use signet::store::client;

use super::{CALLBACK, Open, REGISTER, least, register, with};
use crate::harness::{Answer, Call, TestServer, assert, jwt::CLIENTS_KEY};

/// How many clients there are by registration.
pub async fn registered(server: &TestServer) -> usize {
    let all = client::all(&server.app.db).await.unwrap();
    all.iter().filter(|client| client.origin == client::REGISTERED).count()
}

#[track_caller]
fn names(answer: &Answer, code: &str, members: &[&str]) {
    assert::json(answer, 400, code);
    let described = answer.json()["error_description"].as_str().unwrap().to_owned();
    for member in members {
        assert!(described.contains(&format!("{member}: ")), "{member} is not named: {described}");
    }
}

/// SEC-086, CVE-2026-22752: addresses that nobody should be sent to, for registration and for logout.
#[tokio::test]
async fn sec_086_an_address_is_not_registered_when() {
    let server = Open::start().await;
    for (reason, uri) in [
        ("it has a fragment", "https://rp.example/cb#x"),
        ("it is script", "javascript:alert(1)"),
        ("it is data", "data:text/html,x"),
        ("it is vbscript", "vbscript:x"),
        ("it is http to another host", "http://rp.example/cb"),
        ("its scheme has no dot", "myapp:/cb"),
        ("it is relative", "/cb"),
        ("it has a wildcard", "https://*.rp.example/cb"),
    ] {
        for kind in ["web", "native"] {
            let metadata = json!({ "redirect_uris": [uri], "application_type": kind });
            names(&register(&server.site, &metadata, None).await, "invalid_redirect_uri", &["redirect_uris"]);
            let metadata = with(json!({ "post_logout_redirect_uris": [uri], "application_type": kind }));
            let answer = register(&server.site, &metadata, None).await;
            names(&answer, "invalid_redirect_uri", &["post_logout_redirect_uris"]);
            assert_eq!(registered(&server).await, 0, "{reason}");
        }
    }
    for metadata in [json!({}), json!({ "redirect_uris": [] })] {
        names(&register(&server.site, &metadata, None).await, "invalid_redirect_uri", &["redirect_uris"]);
    }
    assert_eq!(registered(&server).await, 0);
}

/// SEC-087, and what RFC 7591 §2 says beside it.
#[tokio::test]
async fn sec_087_metadata_is_refused_when() {
    let server = Open::start().await;
    let key = &CLIENTS_KEY;
    let jwks = json!({ "keys": [key.jwk()] });
    let secret = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0".repeat(4) }] });
    let private = json!({ "keys": [{ "kty": "RSA", "n": key.jwk()["n"], "e": "AQAB", "d": "AQAB" }] });
    let by_key = |more: Value| {
        let mut said = json!({ "token_endpoint_auth_method": "private_key_jwt" });
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        said
    };
    for (reason, more, member) in [
        ("its key set has a private key", by_key(json!({ "jwks": private })), "jwks"),
        ("its key set has a shared key", by_key(json!({ "jwks": secret })), "jwks"),
        ("its keys are in two places", by_key(json!({ "jwks": jwks, "jwks_uri": "https://rp.example/jwks" })), "jwks"),
        ("it has no key to prove itself by", by_key(json!({})), "jwks"),
        ("grants do not fit", json!({ "grant_types": ["implicit"] }), "response_types"),
        ("a grant is of no use", json!({ "grant_types": ["authorization_code", "implicit"] }), "grant_types"),
        (
            "it would speak for itself",
            json!({ "grant_types": ["authorization_code", "client_credentials"] }),
            "grant_types",
        ),
        ("it would ask for passwords", json!({ "grant_types": ["authorization_code", "password"] }), "grant_types"),
        ("its response type is not open", json!({ "response_types": ["id_token"] }), "response_types"),
        ("there is no such response type", json!({ "response_types": ["everything"] }), "response_types"),
        ("it has no response type", json!({ "response_types": [] }), "response_types"),
        ("its scope is beyond the policy", json!({ "scope": "openid reports.read" }), "scope"),
        ("it would administer", json!({ "scope": "openid signet:admin" }), "scope"),
        (
            "there is no such method",
            json!({ "token_endpoint_auth_method": "tls_client_auth" }),
            "token_endpoint_auth_method",
        ),
        (
            "it initiates logins over http",
            json!({ "initiate_login_uri": "http://rp.example/login" }),
            "initiate_login_uri",
        ),
        (
            "tokens would not be signed",
            json!({ "id_token_signed_response_alg": "none" }),
            "id_token_signed_response_alg",
        ),
        ("its logo is a script", json!({ "logo_uri": "javascript:alert(1)" }), "logo_uri"),
        (
            "it hears of logouts elsewhere",
            json!({ "frontchannel_logout_uri": "https://other.example/" }),
            "frontchannel_logout_uri",
        ),
        ("its contacts are invisible", json!({ "contacts": ["a\u{0}b"] }), "contacts"),
        ("its software is invisible", json!({ "software_id": "\u{0}" }), "software_id"),
        ("its name is invisible", json!({ "client_name": "a\u{202e}b" }), "client_name"),
    ] {
        let answer = register(&server.site, &with(more), None).await;
        names(&answer, "invalid_client_metadata", &[member]);
        assert_eq!(registered(&server).await, 0, "{reason}");
    }
}

/// Everything that is wrong is named at once, also what is of another JSON type.
#[tokio::test]
async fn each_wrong_member_is_named() {
    let server = Open::start().await;
    let metadata = with(json!({
        "client_name": 5,
        "contacts": "me",
        "jwks": "keys",
        "default_max_age": "soon",
        "require_auth_time": "yes",
        "scope": ["openid"],
        "tos_uri": "http://rp.example/terms",
        "subject_type": "secret",
    }));
    let answer = register(&server.site, &metadata, None).await;
    let all =
        ["client_name", "contacts", "jwks", "default_max_age", "require_auth_time", "scope", "tos_uri", "subject_type"];
    names(&answer, "invalid_client_metadata", &all);
    let described = answer.json()["error_description"].as_str().unwrap().to_owned();
    assert!(!described.contains("redirect_uris"), "{described}");
    let metadata = json!({ "redirect_uris": "https://rp.example/cb", "client_name": {} });
    names(&register(&server.site, &metadata, None).await, "invalid_redirect_uri", &["redirect_uris", "client_name"]);
    let long = with(json!({ "token_endpoint_auth_method": "x".repeat(10_000) }));
    let answer = register(&server.site, &long, None).await;
    assert!(answer.body.len() < 1000, "{} bytes", answer.body.len());
}

/// RFC 7591 §2.3, §3.1 and decision D10.
#[tokio::test]
async fn a_body_is_refused_when() {
    let server = Open::start().await;
    let deep = format!("{{\"redirect_uris\": [\"{CALLBACK}\"], \"x\": {}{}}}", "[".repeat(40), "]".repeat(40));
    for (reason, kind, body, code) in [
        ("it is a form", "application/x-www-form-urlencoded", "redirect_uris=x".to_owned(), "invalid_client_metadata"),
        ("it is no JSON", "application/json", "{".to_owned(), "invalid_client_metadata"),
        ("it is empty", "application/json", String::new(), "invalid_client_metadata"),
        ("it is a list", "application/json", "[]".to_owned(), "invalid_client_metadata"),
        ("it is too deep", "application/json", deep, "invalid_client_metadata"),
        ("it is deeper still", "application/json", "[".repeat(100_000), "invalid_client_metadata"),
        (
            "somebody else vouches for it",
            "application/json",
            with(json!({ "software_statement": "e30.e30.x" })).to_string(),
            "invalid_software_statement",
        ),
    ] {
        let answer = server.site.send(Call::post(REGISTER).body(kind, body)).await;
        assert::json(&answer, 400, code);
        assert_eq!(registered(&server).await, 0, "{reason}");
    }
    let padded = |length: usize| with(json!({ "comment": "x".repeat(length) })).to_string();
    let fits = Call::post(REGISTER).body("application/json; charset=utf-8", padded(200 * 1024));
    assert_eq!(server.site.send(fits).await.status, 201);
    let large = Call::post(REGISTER).body("application/json", padded(256 * 1024));
    assert_eq!(server.site.send(large).await.status, 413);
}

/// G1: whatever fits into the limits is registered or refused, on every database.
#[tokio::test]
async fn nothing_breaks_the_server() {
    let server = Open::start().await;
    let long = format!("https://{}.example/cb", "a.".repeat(400));
    let key = json!({ "kty": "RSA", "kid": "\u{0}", "n": CLIENTS_KEY.jwk()["n"], "e": "AQAB" });
    for more in [
        json!({ "redirect_uris": [long], "token_endpoint_auth_method": "none" }),
        json!({ "jwks": { "keys": [key] } }),
        json!({ "contacts": ["x".repeat(100_000)] }),
        json!({ "scope": "\u{0}" }),
        json!({ "default_max_age": i64::MAX }),
        json!({ "default_max_age": 1e300 }),
        json!({ "id_token_signed_response_alg": "\u{1f600}" }),
        json!({ "response_types": vec!["code"; 1000] }),
        json!({ "grant_types": vec!["authorization_code"; 1000] }),
        json!({ "redirect_uris": vec![CALLBACK; 1000] }),
    ] {
        let answer = register(&server.site, &with(more.clone()), None).await;
        let shown: String = more.to_string().chars().take(80).collect();
        assert!([201, 400].contains(&answer.status), "{shown}: {}", answer.status);
    }
}

/// D16: while it is off, there is no such endpoint and nobody is told of one.
#[tokio::test]
async fn what_is_not_offered_is_not_there() {
    let server = TestServer::start().await;
    assert_eq!(register(&server.site, &least(), None).await.status, 404);
    assert_eq!(server.site.get(REGISTER).await.status, 404);
    for method in [reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::DELETE] {
        let call = Call::new(method, &format!("{REGISTER}/web-1")).bearer("x").body("application/json", "{}");
        let answer = server.site.send(call).await;
        assert_eq!((answer.status, answer.media_type()), (404, "application/json"));
    }
    let metadata = server.site.get("/.well-known/openid-configuration").await.json();
    assert!(metadata.get("registration_endpoint").is_none());
}

#[tokio::test]
async fn a_method_that_is_not_there_names_the_others() {
    let server = Open::start().await;
    for (method, path, allowed) in [
        ("GET", REGISTER, "POST"),
        ("DELETE", REGISTER, "POST"),
        ("POST", "/oauth2/register/web-1", "GET, HEAD, PUT, DELETE"),
        ("PUT", super::TOKENS, "GET, HEAD, POST"),
        ("GET", "/api/registration-tokens/1", "DELETE"),
        ("POST", "/clients/shop/logo", "GET, HEAD"),
    ] {
        let answer = server.site.send(Call::new(method.parse().unwrap(), path)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{method} {path}");
    }
}

/// D13: open registration is not free of charge for one address.
#[tokio::test]
async fn one_address_cannot_fill_the_database() {
    let server = Open::with(&[("limits", "on")]).await;
    let mut count = 0;
    let refused = loop {
        let answer = register(&server.site, &least(), None).await;
        if answer.status != 201 {
            break answer;
        }
        count += 1;
        assert!(count < 100, "nobody stops it");
    };
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(registered(&server).await, count);
    let elsewhere = Call::post(REGISTER).body("application/json", least().to_string()).from([127, 0, 0, 9]);
    assert_eq!(server.site.send(elsewhere).await.status, 201);
    server.clock.advance(3600);
    assert_eq!(register(&server.site, &least(), None).await.status, 201);
}
