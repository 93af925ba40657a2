//! The modules of the Dynamic and 3rd-Party-Initiated Login plans that are about registration.

use reqwest::Method;
use serde_json::json;
use signet::store::client;

use super::{CALLBACK, Open, REGISTER, elsewhere, elsewhere::Elsewhere, least, register, with};
use crate::harness::{Call, Proof, assert, jwt::CLIENTS_KEY, relying_party::DISCOVERY};

/// What every module begins with: 201, everything that applies, a secret that says when it expires.
#[tokio::test]
async fn oidcc_dynamic_a_client_is_told_what_applies() {
    let server = Open::start().await;
    let metadata = json!({
        "client_name": "Harbor Books",
        "redirect_uris": [CALLBACK],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "contacts": ["certification@oidf.org"],
        "jwks": { "keys": [CLIENTS_KEY.jwk()] },
        "client_name#de": "Hafenbuchhandlung",
        "unknown_member": { "x": [1] },
        "client_secret": "chosen by the client",
        "client_id": "chosen-by-the-client",
    });
    let answer = register(&server.site, &metadata, None).await;
    assert_eq!((answer.status, answer.media_type()), (201, "application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let told = answer.json();
    for (name, value) in [
        ("client_name", json!("Harbor Books")),
        ("redirect_uris", json!([CALLBACK])),
        ("response_types", json!(["code"])),
        ("grant_types", json!(["authorization_code"])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("contacts", json!(["certification@oidf.org"])),
        ("application_type", json!("web")),
        ("id_token_signed_response_alg", json!("RS256")),
        ("subject_type", json!("public")),
        ("require_auth_time", json!(false)),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", json!(server.now())),
        ("scope", json!("address email offline_access openid phone profile")),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    for unknown in ["unknown_member", "client_name#de", "error"] {
        assert!(told.get(unknown).is_none(), "{unknown}");
    }
    let id = told["client_id"].as_str().unwrap();
    assert_ne!(id, "chosen-by-the-client");
    let (secret, token) = (&told["client_secret"], &told["registration_access_token"]);
    for secret in [secret, token] {
        assert!(secret.as_str().unwrap().len() >= 43, "256 bits");
    }
    assert_ne!(secret, "chosen by the client");
    assert_eq!(told["registration_client_uri"], format!("{}{REGISTER}/{id}", server.site.issuer));
    let row = client::find(&server.app.db, id).await.unwrap().unwrap();
    assert_eq!((&*row.origin, &*row.kind), ("registered", "web"));
    let stored = format!("{row:?}");
    assert!(!stored.contains(secret.as_str().unwrap()) && !stored.contains(token.as_str().unwrap()));
}

/// RFC 7591 §2, §2.1: what applies where nothing is said.
#[tokio::test]
async fn what_is_not_said_follows_from_what_is() {
    let open = [("registration.response_types", "code,id_token,code id_token")];
    let server = Open::with(&open).await;
    for (said, name, value) in [
        (json!({}), "grant_types", json!(["authorization_code"])),
        (json!({ "grant_types": null }), "grant_types", json!(["authorization_code"])),
        (json!({ "response_types": ["id_token"] }), "grant_types", json!(["implicit"])),
        (
            json!({ "response_types": ["id_token code", "code"] }),
            "grant_types",
            json!(["authorization_code", "implicit"]),
        ),
        (json!({ "response_types": ["id_token code"] }), "response_types", json!(["code id_token"])),
        (json!({}), "token_endpoint_auth_method", json!("client_secret_basic")),
        (json!({ "scope": "openid email" }), "scope", json!("email openid")),
        (json!({ "scope": null }), "scope", json!("address email offline_access openid phone profile")),
    ] {
        let told = server.registers(with(said.clone())).await;
        assert_eq!(told[name], value, "{said}");
    }
    for (said, kind) in [
        (json!({}), "web"),
        (json!({ "token_endpoint_auth_method": "none" }), "spa"),
        (json!({ "token_endpoint_auth_method": "none", "application_type": "native" }), "native"),
        (json!({ "application_type": "native" }), "native"),
    ] {
        let told = server.registers(with(said.clone())).await;
        let row = client::find(&server.app.db, told["client_id"].as_str().unwrap()).await.unwrap().unwrap();
        assert_eq!(row.kind, kind, "{said}");
    }
}

/// oidcc-redirect-uri-regfrag.
#[tokio::test]
async fn oidcc_redirect_uri_regfrag() {
    let server = Open::start().await;
    let answer = register(&server.site, &json!({ "redirect_uris": [format!("{CALLBACK}#foobar")] }), None).await;
    assert::json(&answer, 400, "invalid_redirect_uri");
}

/// oidcc-registration-policy-uri, oidcc-registration-tos-uri: the first page leads there.
#[tokio::test]
async fn oidcc_registration_policy_uri_and_tos_uri() {
    let server = Open::start().await;
    let links = json!({ "policy_uri": "https://rp.example/privacy", "tos_uri": "https://rp.example/terms" });
    let (app, told) = server.app(with(links)).await;
    let mut browser = server.browser();
    let html = browser.goto(&app.asks().url()).await.page().answer.text();
    for name in ["policy_uri", "tos_uri"] {
        assert!(html.contains(&format!("href=\"{}\"", told[name].as_str().unwrap())), "{name}");
    }
}

/// oidcc-registration-jwks-uri: its keys are fetched from where it said.
#[tokio::test]
async fn oidcc_registration_jwks_uri() {
    let server = Open::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    let jwks_uri = there.has("/jwks", "application/json", json!({ "keys": [CLIENTS_KEY.jwk()] }).to_string());
    let by_key = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": jwks_uri });
    let told = server.registers(with(by_key.clone())).await;
    assert_eq!((told.get("client_secret"), told.get("client_secret_expires_at")), (None, None));
    let mut app = server.app(least()).await.0;
    app.client_id = told["client_id"].as_str().unwrap().to_owned();
    app.proof = Proof::PrivateKeyJwt(CLIENTS_KEY.clone());
    let asked = app.asks();
    let mut browser = server.browser();
    browser.goto(&asked.url()).await.walk(&server.ada).await;
    app.tokens(&browser.landed().code(), &asked).await;
    assert_eq!(there.asked("/jwks"), 1);
}

/// oidcc-3rd_party-init-login: the address is told at registration and afterwards.
#[tokio::test]
async fn oidcc_3rd_party_init_login() {
    let server = Open::start().await;
    let told = server.registers(with(json!({ "initiate_login_uri": "https://rp.example/login" }))).await;
    assert_eq!(told["initiate_login_uri"], "https://rp.example/login");
    let uri = told["registration_client_uri"].as_str().unwrap();
    let token = told["registration_access_token"].as_str().unwrap();
    let read = server.site.send(Call::get(uri).bearer(token)).await;
    assert_eq!((read.status, read.media_type()), (200, "application/json"));
    assert_eq!(read.json()["initiate_login_uri"], "https://rp.example/login");
    assert_eq!(read.json()["registration_access_token"], token);
    let deleted = server.site.send(Call::new(Method::DELETE, uri).bearer(token)).await;
    assert_eq!(deleted.status, 204);
}

/// oidcc-3rd_party-init-login-nohttps.
#[tokio::test]
async fn oidcc_3rd_party_init_login_nohttps() {
    let server = Open::start().await;
    let answer = register(&server.site, &with(json!({ "initiate_login_uri": "http://rp.example/login" })), None).await;
    assert::json(&answer, 400, "invalid_client_metadata");
}

/// oidcc-discovery-endpoint-verification, the dynamic extras: what registration lets clients have counts as usable.
#[tokio::test]
async fn oidcc_discovery_endpoint_verification_dynamic() {
    let open = [("registration.response_types", "code,id_token,id_token token")];
    let server = Open::with(&open).await;
    let metadata = server.site.get(DISCOVERY).await.json();
    assert_eq!(metadata["registration_endpoint"], format!("{}{REGISTER}", server.site.issuer));
    assert_eq!(metadata["response_types_supported"], json!(["code", "id_token", "id_token token"]));
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert!(grants.contains(&json!("authorization_code")) && grants.contains(&json!("implicit")));
    let by_default = Open::start().await.site.get(DISCOVERY).await.json();
    assert_eq!(by_default["response_types_supported"], json!(["code"]));
}

/// "Decisions of ours": PKCE of everybody, unless the operator lets those with a secret go without.
#[tokio::test]
async fn pkce_is_required_unless_the_operator_says_otherwise() {
    for (require, method, is_needed) in [
        ("true", "client_secret_basic", true),
        ("true", "none", true),
        ("false", "client_secret_basic", false),
        ("false", "none", true),
    ] {
        let server = Open::with(&[("registration.require_pkce", require)]).await;
        let (app, _) = server.app(with(json!({ "token_endpoint_auth_method": method }))).await;
        let asked = app.asks().without_pkce();
        let mut browser = server.browser();
        browser.goto(&asked.url()).await;
        let refused = browser.has_left() && browser.landed().get("error") == Some("invalid_request");
        assert_eq!(refused, is_needed, "{require} {method}");
    }
}

/// Every member of the metadata can be registered, read and taken away: the list of members lacks none.
#[test]
fn every_member_is_known() {
    let source = include_str!("../../../src/protocol/client_metadata.rs");
    let fields = source.split("pub struct ClientMetadata {").nth(1).unwrap().split("\n}").next().unwrap();
    let fields: Vec<&str> =
        fields.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next()).collect();
    assert_eq!(fields, signet::protocol::register::MEMBERS);
}
