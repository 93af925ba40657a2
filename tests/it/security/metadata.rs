//! MD: metadata and keys say what is true, to everybody the same.
use std::collections::HashSet;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use serde_json::{Value, json};

use crate::harness::{
    Call, Parameters, Sink, TestServer, assert, fixtures,
    jwt::Token,
    relying_party::{DISCOVERY, JWKS, METADATA},
    seed::{rotate_keys, run_jobs},
};

/// SEC-059, OpenID Connect Discovery §4.3: the address line does not decide who we are.
#[tokio::test]
async fn sec_059_metadata_is_the_same_under_any_name() {
    let server = TestServer::at("https://id.example").await;
    for document in [DISCOVERY, METADATA] {
        let normal = server.site.get(document).await;
        assert_eq!((normal.status, normal.media_type()), (200, "application/json"));
        assert_eq!(normal.json()["issuer"], "https://id.example");
        for (name, value) in [
            ("host", "evil.test"),
            ("x-forwarded-host", "evil.test"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-prefix", "/evil"),
            ("forwarded", "host=evil.test;proto=http"),
            ("x-original-url", "/evil"),
        ] {
            let odd = server.site.send(Call::get(document).header(name, value)).await;
            assert_eq!((odd.status, odd.body), (200, normal.body.clone()), "{name}: {value}");
        }
    }
}

/// SEC-059: one issuer in metadata, redirects and tokens, and the cookies of https.
#[tokio::test]
async fn sec_059_the_issuer_is_one_everywhere() {
    let f = TestServer::at("https://id.example").await.fixtures().await;
    let visit = f.visit(&f.c1).await;
    assert_eq!(visit.browser.landed().get("iss"), Some("https://id.example"));
    assert_eq!(visit.tokens.claims()["iss"], "https://id.example");
    assert_eq!(Token::read(&visit.tokens.access).claims["iss"], "https://id.example");
    assert!(!visit.browser.cookies().is_empty());
    // The state is for scripts of ours in apps' frames: case SEC-104.
    for cookie in visit.browser.cookies().iter().filter(|cookie| cookie.name != "__Host-signet-state") {
        assert!(cookie.name.starts_with("__Host-"), "{cookie:?}");
        assert!(cookie.has("secure") && cookie.has("httponly") && !cookie.has("domain"), "{cookie:?}");
        let rule = cookie.attribute("samesite").map(str::to_ascii_lowercase);
        assert!(matches!(rule.as_deref(), Some("lax" | "strict")), "{cookie:?}");
    }
}

/// SEC-059, RFC 8414 §3.1: an issuer with a path.
#[tokio::test]
async fn sec_059_an_issuer_may_have_a_path() {
    let server = TestServer::at("https://id.example/tenant").await;
    for document in [
        "/tenant/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/tenant",
        "/.well-known/openid-configuration/tenant",
    ] {
        let answer = server.site.get(document).await;
        assert_eq!(answer.status, 200, "{document}");
        assert_eq!(answer.json()["issuer"], "https://id.example/tenant", "{document}");
    }
}

/// SEC-060, RFC 8414 §2: only what works is listed.
#[tokio::test]
async fn sec_060_metadata_is_true() {
    let server = TestServer::at("https://id.example").await;
    for document in [DISCOVERY, METADATA] {
        let metadata = server.site.get(document).await.json();
        let members = metadata.as_object().unwrap();
        for (name, value) in members {
            assert!(!value.is_null() && *value != json!([]), "{name} says nothing in {document}");
            let list: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            assert_eq!(list.len(), list.iter().collect::<HashSet<_>>().len(), "{name} repeats itself: {list:?}");
            if name.ends_with("signing_alg_values_supported") {
                // A shared secret proves a client, and never signs a token that somebody else believes.
                let by_secret = list.iter().any(|alg| alg.starts_with("HS")) && !name.contains("_auth_");
                assert!(!list.contains(&"none") && !by_secret, "{name}: {list:?}");
            }
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                let url = value.as_str().unwrap();
                assert!(url.starts_with("https://id.example/"), "{name}: {url}");
                assert_ne!(server.site.get(url).await.status, 404, "{name} leads nowhere");
            }
        }
        assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(metadata["response_types_supported"], json!(["code"]));
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
        assert_eq!(metadata["request_parameter_supported"], true);
        assert_eq!(metadata["request_uri_parameter_supported"], true);
        assert_eq!(metadata["claims_parameter_supported"], true);
        assert_eq!(
            sorted(&metadata["token_endpoint_auth_methods_supported"]),
            ["client_secret_basic", "client_secret_jwt", "client_secret_post", "none", "private_key_jwt"]
        );
        let grants = sorted(&metadata["grant_types_supported"]);
        assert_eq!(
            grants,
            ["authorization_code", "client_credentials", "refresh_token"],
            "what clients may use by default"
        );
        let absent =
            ["registration_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint"];
        for name in absent.into_iter().filter(|name| !members.contains_key(*name)) {
            let path = name
                .trim_end_matches("_endpoint")
                .replace("registration", "register")
                .replace("pushed_authorization_request", "par");
            assert_eq!(server.site.send(Call::post(&format!("/oauth2/{path}"))).await.status, 404, "{path} (D16)");
        }
    }
}

fn sorted(list: &Value) -> Vec<&str> {
    let mut list: Vec<&str> = list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect();
    list.sort_unstable();
    list
}

/// SEC-061, RFC 7517: public parts only, each key named and strong.
#[tokio::test]
async fn sec_061_the_key_set_is_public_and_sound() {
    let f = fixtures().await;
    rotate_keys(&f.app).await;
    let answer = f.site.get(JWKS).await;
    assert_eq!(answer.status, 200);
    assert!(matches!(answer.media_type(), "application/json" | "application/jwk-set+json"), "{}", answer.media_type());
    let age =
        answer.tokens_of("cache-control").iter().find_map(|token| token.strip_prefix("max-age=")?.parse::<i64>().ok());
    assert!(age.is_some_and(|age| (1..86_400).contains(&age)), "cacheable, and for less than keys overlap: {age:?}");
    assert!(answer.headers.get("set-cookie").is_none());
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    let mut kids = HashSet::new();
    assert!(keys.len() >= 2, "the next key is announced");
    for key in &keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private} of a private key is published");
        }
        assert!(kids.insert(key["kid"].as_str().expect("a kid").to_string()), "a kid twice");
        assert_eq!((&key["kty"], &key["use"], &key["alg"]), (&json!("RSA"), &json!("sig"), &json!("RS256")));
        let modulus = BASE64.decode(key["n"].as_str().unwrap()).unwrap();
        assert!(modulus.len() >= 256 && modulus[0] >= 0x80, "a key of {} bytes", modulus.len());
    }
}

/// SEC-061 and decision D14: the next key is seen before it signs, the old one for as long as its tokens live.
#[tokio::test]
async fn sec_061_a_key_is_announced_before_it_signs_and_stays_after() {
    let f = fixtures().await;
    let kids = async || {
        let keys = f.c1.jwks().await;
        keys["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_string())
            .collect::<HashSet<_>>()
    };
    let old = f.tokens(&f.c1).await;
    let old_kid = old.id_token().0.kid().to_string();
    assert!(kids().await.contains(&old_kid));

    rotate_keys(&f.app).await;
    let next: Vec<String> = kids().await.into_iter().filter(|kid| *kid != old_kid).collect();
    assert_eq!(next.len(), 1, "the next key is there at once");
    assert_eq!(f.tokens(&f.c1).await.id_token().0.kid(), old_kid, "but does not sign yet");
    f.clock.advance(24 * 3600 - 60);
    run_jobs(&f.app).await;
    let last = f.tokens(&f.c1).await;
    assert_eq!(last.id_token().0.kid(), old_kid, "nor within 24 hours");

    f.clock.advance(120);
    run_jobs(&f.app).await;
    assert!(f.c1.may_read_userinfo(&last.access).await, "tokens of the old key live on");
    assert_eq!(f.tokens(&f.c1).await.id_token().0.kid(), next[0], "now it signs");
    assert_eq!(kids().await, HashSet::from([old_kid.clone(), next[0].clone()]), "and the old key is still published");
    f.clock.advance(300);
    run_jobs(&f.app).await;
    assert!(kids().await.contains(&old_kid), "as long as its tokens live");
    f.clock.advance(48 * 3600);
    run_jobs(&f.app).await;
    assert_eq!(kids().await, HashSet::from([next[0].clone()]), "and no longer");
}

/// SEC-062: what is not there is not there, in the right format.
#[tokio::test]
async fn sec_062_the_unknown_is_not_found() {
    let f = fixtures().await;
    let trap = Sink::open();
    for path in [
        "/.well-known/x",
        "/.well-known/",
        "/.well-known/webfinger",
        "/oauth2/x",
        "/oauth2/",
        "/api/x",
        "/api/",
        "/oauth2/token/x",
    ] {
        let answer = f.site.get(path).await;
        let kind = if path.starts_with("/api/") { "application/problem+json" } else { "application/json" };
        assert_eq!((answer.status, answer.media_type()), (404, kind), "{path}");
        assert!(answer.json().is_object());
        says_nothing_of_itself(&answer);
    }
    for path in ["/x", "/authorize/../x", "/static/", "/static/../Cargo.toml", "/.git/config", "/.env", "/static/x.css"]
    {
        let mut browser = f.browser();
        browser.goto(path).await;
        assert_eq!(browser.page().status(), 404, "{path}");
        says_nothing_of_itself(&browser.page().answer);
    }
    let answer = f.site.send(Call::post("/oauth2/x").form(&Parameters::new(&[("url", &trap.url())]))).await;
    assert_eq!(answer.status, 404);
    trap.is_untouched();
    let mut browser = f.browser();
    browser.goto("/no-such-page").await;
    assert::page_headers(browser.page());
}

fn says_nothing_of_itself(answer: &crate::harness::Answer) {
    for header in ["server", "x-powered-by", "via"] {
        assert!(answer.header(header).is_none_or(|value| !value.contains(|c: char| c.is_ascii_digit())), "{header}");
    }
    let text = answer.text();
    for word in ["Index of", "poem", "hyper", "src/", "panicked"] {
        assert!(!text.contains(word), "{word} in {}", answer.url);
    }
    assert!(!text.contains(env!("CARGO_PKG_VERSION")), "the version in {}", answer.url);
}
