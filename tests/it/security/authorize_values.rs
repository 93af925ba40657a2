//! AZ, second part: what may be asked for, and what comes back unchanged.
use std::collections::HashSet;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};

use crate::harness::{
    Asked, Fixtures, RelyingParty, Sink, assert, fixtures,
    jwt::{CLIENTS_KEY, Token},
    relying_party::{DISCOVERY, METADATA, random},
    seed::ClientSpec,
};

/// Asks in a browser of nobody and expects the client to hear this error.
async fn is_refused(f: &Fixtures, client: &RelyingParty, asked: Asked, either: &[&str]) {
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    assert::redirect_of(&browser, client, &asked, either);
}

/// SEC-007, OpenID Connect Core §3.1.2.6, oidcc-response-type-missing.
#[tokio::test]
async fn sec_007_a_response_type_is_needed_and_known() {
    let f = fixtures().await;
    let either = ["invalid_request", "unsupported_response_type"];
    is_refused(&f, &f.c1, f.c1.asks().without("response_type"), &either).await;
    is_refused(&f, &f.c1, f.c1.asks().with("response_type", ""), &either).await;
    for unknown in ["foo", "Code", "code code", "none", "codecode"] {
        eprintln!("when response_type is {unknown}");
        is_refused(&f, &f.c1, f.c1.asks().with("response_type", unknown), &["unsupported_response_type"]).await;
    }
}

/// SEC-008, RFC 9700 §2.1.2.
#[tokio::test]
async fn sec_008_no_token_ever_travels_in_a_url() {
    let f = fixtures().await;
    for kind in ["token", "id_token", "id_token token", "code token", "code id_token", "code id_token token"] {
        eprintln!("when response_type is {kind}");
        is_refused(&f, &f.c1, f.c1.asks().with("response_type", kind), &["unsupported_response_type"]).await;
    }
    for document in [DISCOVERY, METADATA] {
        let metadata = f.site.get(document).await.json();
        assert_eq!(metadata["response_types_supported"], serde_json::json!(["code"]), "{document}");
    }
}

/// SEC-009, RFC 9700 §2.1.1: PKCE is for public clients, and for all that did not opt out.
#[tokio::test]
async fn sec_009_pkce_is_required() {
    let f = fixtures().await;
    for client in [&f.c2, &f.c3, &f.c1] {
        is_refused(&f, client, client.asks().without_pkce(), &["invalid_request"]).await;
    }
    let lax = f.client(ClientSpec { require_pkce: false, ..ClientSpec::web("lax") }).await;
    let visit = f.visit_with(&lax, lax.asks().without_pkce()).await;
    assert!(visit.tokens.id.is_some());
    let spec = ClientSpec { require_pkce: false, ..ClientSpec::spa("lax-spa") };
    if let Ok(spa) = crate::harness::seed::try_client(&f, spec).await {
        is_refused(&f, &spa, spa.asks().without_pkce(), &["invalid_request"]).await;
    }
}

/// SEC-010, RFC 7636 §4.2 to §4.4.
#[tokio::test]
async fn sec_010_a_code_challenge_is_refused_when() {
    let f = fixtures().await;
    for client in [&f.c1, &f.c2] {
        let asks = || client.asks();
        let challenge = |value: &str| asks().with("code_challenge", value);
        for (name, asked) in [
            ("the method is plain", asks().with("code_challenge_method", "plain")),
            ("the method is unknown", asks().with("code_challenge_method", "S512")),
            ("the method is in other letters", asks().with("code_challenge_method", "s256")),
            ("the method is absent, which means plain", asks().without("code_challenge_method")),
            ("there is a method only", asks().without("code_challenge")),
            ("it is empty", challenge("")),
            ("it has 42 characters", challenge(&random(42))),
            ("it has 44 characters", challenge(&random(44))),
            ("it has 129 characters", challenge(&random(129))),
            ("it has a =", challenge(&format!("{}=", random(42)))),
            ("it has a +", challenge(&format!("{}+", random(42)))),
            ("it has a /", challenge(&format!("{}/", random(42)))),
            ("it has a space", challenge(&format!("{} ", random(42)))),
        ] {
            eprintln!("when {name}");
            is_refused(&f, client, asked, &["invalid_request"]).await;
        }
    }
    for document in [DISCOVERY, METADATA] {
        let metadata = f.site.get(document).await.json();
        assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]), "{document}");
    }
}

/// SEC-012, RFC 6749 §3.1, oidcc-ensure-request-with-unknown-parameter-succeeds.
#[tokio::test]
async fn sec_012_the_unknown_is_ignored_and_the_empty_is_absent() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks().with("extra", "foobar")).await;
    assert!(visit.browser.landed().get("extra").is_none());
    let visit = f.visit_with(&f.c1, f.c1.asks().with("state", "")).await;
    assert!(!visit.browser.landed().parameters.names().contains(&"state"), "{}", visit.browser.landed().raw);

    let mut outcomes = Vec::new();
    for asked in [f.c1.asks().with("scope", ""), f.c1.asks().without("scope")] {
        let mut browser = f.signed_in(&f.u1).await;
        browser.goto(&asked.url()).await;
        outcomes.push(match browser.has_left() {
            true => browser.landed().get("error").unwrap().to_string(),
            false => browser.page().text().to_string(),
        });
    }
    assert_eq!(outcomes[0], outcomes[1], "an empty scope is no scope");
}

/// SEC-013, RFC 6749 §3.3, CVE-2024-52287.
#[tokio::test]
async fn sec_013_nobody_gets_a_scope_that_the_client_may_not_ask_for() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks().with("scope", "openid admin:all email")).await;
    assert_eq!(visit.tokens.scopes(), ["email", "openid"], "the answer lists what was granted");
    assert_eq!(Token::read(&visit.tokens.access).claims["scope"].as_str().map(sorted), Some(sorted("email openid")));

    for hopeless in ["admin:all", "admin:all orders.read"] {
        is_refused(&f, &f.c1, f.c1.asks().with("scope", hopeless), &["invalid_scope"]).await;
    }
    let mut browser = f.browser();
    let asked = f.c1.asks().with("scope", "openid admin:all");
    browser.goto(&asked.url()).await;
    if browser.has_left() {
        assert::redirect(&browser, &f.c1, &asked, "invalid_scope");
    } else {
        browser.walk(&f.u1).await;
        let code = assert::granted(&browser, &f.c1, &asked);
        assert_eq!(f.c1.tokens(&code, &asked).await.scopes(), ["openid"]);
    }
    for malformed in ["openid\temail", "openid \"email\"", "openid e\\mail"] {
        eprintln!("when scope is {malformed:?}");
        is_refused(&f, &f.c1, f.c1.asks().with("scope", malformed), &["invalid_scope"]).await;
    }
    for malformed in ["openid é", "openid\nemail", "openid \u{7f}"] {
        eprintln!("when scope is {malformed:?}");
        is_refused(&f, &f.c1, f.c1.asks().with("scope", malformed), &["invalid_scope", "invalid_request"]).await;
    }
}

fn sorted(scope: &str) -> Vec<String> {
    let mut scopes: Vec<String> = scope.split(' ').map(str::to_string).collect();
    scopes.sort_unstable();
    scopes
}

/// SEC-019, FAPI2 long-state and long-nonce: exactly, or not at all.
#[tokio::test]
async fn sec_019_state_and_nonce_come_back_as_they_were() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    for state in [
        "a b c".into(),
        "a+b".into(),
        "a%26b&c=d".into(),
        "\"quotes\" and 'more'".into(),
        "<script>alert(1)</script>".into(),
        "zwölf Boxkämpfer 日本 🦊".into(),
        "#fragment?query/path\\".into(),
        random(512),
        random(2048),
    ] {
        let asked = f.c1.asks().with("state", &state);
        browser.goto(&asked.url()).await;
        if !browser.has_left() {
            assert::page(&browser, 400);
        } else if browser.landed().get("code").is_some() {
            assert::granted(&browser, &f.c1, &asked);
        } else {
            let shown = browser.landed().get("state");
            assert!(shown.is_none() || shown == Some(state.as_str()), "{state:?} became {shown:?}");
            assert_eq!(browser.landed().get("error"), Some("invalid_request"), "{state:?}");
        }
    }
    for nonce in [random(64), random(384), "non-ASCII ñ and \"quotes\" \\".into(), random(2048)] {
        let asked = f.c1.asks().with("nonce", &nonce);
        browser.goto(&asked.url()).await;
        match browser.landed().get("code") {
            Some(code) => assert_eq!(f.c1.tokens(code, &asked).await.claims()["nonce"], nonce.as_str()),
            None => assert::redirect(&browser, &f.c1, &asked, "invalid_request"),
        }
    }
    for (name, value) in [("state", random(2049)), ("nonce", random(2049))] {
        let asked = f.c1.asks().with(name, &value);
        browser.goto(&asked.url()).await;
        assert::redirect(
            &browser,
            &f.c1,
            &if name == "state" { asked.without(name) } else { asked },
            "invalid_request",
        );
    }
    for usual in [random(64), random(128), random(512)] {
        let asked = f.c1.asks().with("state", &usual).with("nonce", &random(64));
        browser.goto(&asked.url()).await;
        assert::granted(&browser, &f.c1, &asked);
    }
}

/// SEC-021, OpenID Connect Core §3.1.2.6: what is not offered has an error of its own, and nothing is fetched.
#[tokio::test]
async fn sec_021_request_objects_are_refused_in_words() {
    let (f, sink) = (fixtures().await, Sink::open());
    let signed = CLIENTS_KEY.sign(&serde_json::json!({ "client_id": "c1", "response_type": "code" }));
    let unsigned = crate::harness::jwt::unsigned(&serde_json::json!({ "client_id": "c1" }));
    for (name, value, error) in [
        ("request", signed.as_str(), "invalid_request_object"),
        ("request", &unsigned, "invalid_request_object"),
        ("request", "garbage", "invalid_request_object"),
        ("request_uri", &sink.url(), "invalid_request_uri"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request_uri"),
        ("registration", "{}", "registration_not_supported"),
    ] {
        eprintln!("when {name} is {value}");
        is_refused(&f, &f.c1, f.c1.asks().with(name, value), &[error]).await;
    }
    sink.is_untouched();
}

/// SEC-024, OAuth 2.1 §7.6.
#[tokio::test]
async fn sec_024_codes_are_long_and_random_and_say_nothing() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    let asked = f.c1.asks();
    let mut codes = HashSet::new();
    for _ in 0..1000 {
        browser.goto(&asked.url()).await;
        let code = assert::granted(&browser, &f.c1, &asked);
        assert!(code.len() >= 22 && !code.contains('.'), "{code}");
        let read = BASE64.decode(&code).unwrap_or_default();
        assert!(serde_json::from_slice::<serde_json::Value>(&read).is_err(), "{code} can be read");
        assert!(codes.insert(code), "a code was given twice");
    }
}
