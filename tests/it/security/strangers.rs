//! What one app must not learn of another's people, nor pass off as something else.
use serde_json::{Value, json};

use crate::harness::{
    Call, Fixtures, Parameters, RelyingParty, TestServer, Userinfo, assert, fixtures,
    jwt::{CLIENTS_KEY, Token},
    relying_party::with_assertion,
    seed::{ClientSpec, try_client},
};

async fn pairwise(f: &Fixtures, id: &str, redirect_uri: &'static str) -> RelyingParty {
    let more = json!({ "subject_type": "pairwise" });
    f.client(ClientSpec { redirect_uris: vec![redirect_uri], more, ..ClientSpec::web(id) }).await
}

/// OpenID Connect Core §8.1, §17.3: neither the person nor the session has one name at two apps.
#[tokio::test]
async fn two_sectors_have_nothing_to_compare() {
    let f = fixtures().await;
    let (one, other) =
        (pairwise(&f, "one", "https://one.example/cb").await, pairwise(&f, "other", "https://other.example/cb").await);
    let visit = f.visit(&one).await;
    let first = visit.tokens.claims();
    let second = f.continue_in(visit.browser, &other, other.asks()).await.tokens.claims();
    for name in ["sub", "sid"] {
        assert!(first[name].is_string() && first[name] != second[name], "{name}");
    }
    assert_ne!(first["sub"], f.u1.id.as_str());
    let told = one.userinfo(&visit.tokens.access, Userinfo::Get).await.json();
    assert_eq!(told["sub"], first["sub"]);
    assert_eq!(Token::read(&visit.tokens.access).claims["sub"], first["sub"]);
}

/// The host in an address of an app's own scheme is whatever the app writes there.
#[tokio::test]
async fn a_sector_is_not_had_by_a_scheme_of_ones_own() {
    let f = fixtures().await;
    let spec = ClientSpec {
        redirect_uris: vec!["com.attacker.app://victim.example/cb"],
        more: json!({ "subject_type": "pairwise" }),
        ..ClientSpec::native("thief")
    };
    let Err(refused) = try_client(&f, spec).await else { panic!("a sector was stolen") };
    assert!(refused.contains("sector_identifier_uri"), "{refused}");
}

/// Another app's ID token would tell whether both know the same person.
#[tokio::test]
async fn a_hint_of_another_app_is_no_hint() {
    let f = fixtures().await;
    let visit = f.visit(&f.c1).await;
    let asked = f.c4.asks().with("prompt", "none").with("id_token_hint", visit.tokens.id.as_deref().unwrap());
    let mut browser = visit.browser;
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c4, &asked, "invalid_request");
}

/// RFC 8725 §3.11: userinfo in a token says nothing of a sign-in.
#[tokio::test]
async fn userinfo_as_a_token_is_no_hint() {
    let f = fixtures().await;
    let more = json!({ "userinfo_signed_response_alg": "RS256" });
    let app = f.client(ClientSpec { more, ..ClientSpec::web("signed") }).await;
    let visit = f.visit(&app).await;
    let answer = app.userinfo(&visit.tokens.access, Userinfo::Get).await;
    assert_eq!((answer.status, answer.media_type()), (200, "application/jwt"));
    let mut browser = visit.browser;
    browser.goto(&app.logout_url(&[("id_token_hint", &answer.text())])).await;
    assert!(browser.sees("logout-confirm"), "asked first: {}", browser.page());
    let asked = app.asks().with("prompt", "none").with("id_token_hint", &answer.text());
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &app, &asked, "invalid_request");
}

/// RFC 9101 §10.8: a request object travels through browsers and proves nobody; an assertion asks for nothing.
#[tokio::test]
async fn a_request_object_and_an_assertion_are_two_things() {
    let f = fixtures().await;
    let mut request = f.c6.assertion_claims();
    request["response_type"] = "code".into();
    request["redirect_uri"] = f.c6.redirect_uri.as_str().into();
    let (asked, code) = f.code(&f.c6).await;
    let form = with_assertion(f.c6.redemption(&code, &asked), &CLIENTS_KEY.sign(&request));
    assert::json(&f.site.send(Call::post("/oauth2/token").form(&form)).await, 401, "invalid_client");
    let asked = f.c6.asks().with("request", &f.c6.assertion(|_| {}));
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c6, &asked, "invalid_request_object");
}

/// RFC 6749 §3.1: also of those parameters that are gone before the others are counted.
#[tokio::test]
async fn a_request_object_is_given_once() {
    let f = fixtures().await;
    let object = CLIENTS_KEY.sign(&json!({ "client_id": "c6" }));
    for (name, value) in [("request", object.as_str()), ("request_uri", "https://rp.example/ro")] {
        let asked = f.c6.asks().also(name, value).also(name, "x");
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c6, &asked, "invalid_request");
    }
}

/// What a client says of itself is kept for as long as it lives, so it has an end.
#[tokio::test]
async fn a_registration_is_not_endless() {
    let server = TestServer::start().await;
    let uris: Vec<String> = (0..51).map(|i| format!("https://rp.example/{i}")).collect();
    let long = "a".repeat(3000);
    for (name, more) in [
        ("post_logout_redirect_uris", json!({ "post_logout_redirect_uris": uris })),
        ("request_uris", json!({ "request_uris": uris })),
        ("contacts", json!({ "contacts": [long] })),
        ("software_id", json!({ "software_id": long })),
        ("jwks", json!({ "jwks": { "keys": [CLIENTS_KEY.jwk()], "more": "a".repeat(40_000) } })),
    ] {
        let Err(refused) = try_client(&server, ClientSpec { more, ..ClientSpec::web("large") }).await else {
            panic!("{name} was taken")
        };
        assert!(refused.contains(name), "{name}: {refused}");
    }
}

/// A name is the same at every app: introspection tells it only where the profile was granted.
#[tokio::test]
async fn introspection_names_nobody_without_the_profile() {
    let f = fixtures().await;
    for (scope, named) in [("openid", false), ("openid profile", true)] {
        let tokens = f.visit_with(&f.c1, f.c1.asks().with("scope", scope)).await.tokens;
        let told: Value = f.c1.post("/oauth2/introspect", Parameters::new(&[("token", &tokens.access)])).await.json();
        assert_eq!(told.get("username").is_some(), named, "{scope}: {told}");
    }
}
