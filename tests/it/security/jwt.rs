//! JW: the tokens that we issue, and those that we are shown.
use serde_json::{Value, json};

use crate::harness::{
    Call, Parameters, RelyingParty, Sink, Tokens, assert, fixtures,
    fixtures::{Fixtures, RS1},
    jwt::{CLIENTS_KEY, FOREIGN_KEY, Token, forgeries},
    relying_party::{ASSERTION_TYPE, INTROSPECT, REVOKE, TOKEN, with_assertion},
};

/// SEC-064, OpenID Connect Core §2, §3.1.3.6, §12.2. `RelyingParty::trusts` has checked what every ID token promises.
#[tokio::test]
async fn sec_064_an_id_token_says_what_was_asked() {
    let f = fixtures().await;
    let tokens = f.visit_with(&f.c1, f.c1.asks_to_stay().with("max_age", "3600")).await.tokens;
    let IdTokenOf { header, claims } = read(&tokens);
    assert_eq!(header["alg"], "RS256");
    assert!(header.get("jwk").is_none() && header["kid"].is_string());
    assert_eq!(claims["auth_time"], f.now());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600, "decision D2");
    assert!(claims["at_hash"].is_string() && claims["nonce"].is_string());
    let known = ["acr", "amr", "at_hash", "aud", "auth_time", "azp", "exp", "iat", "iss", "jti", "nonce", "sid", "sub"];
    let surplus: Vec<&String> =
        claims.as_object().unwrap().keys().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(surplus.is_empty(), "nobody asked for {surplus:?} here");

    f.clock.advance(300);
    let later = f.c1.refreshed(tokens.refresh_token()).await;
    f.c1.trusts_refreshed(&later).await;
    let after = read(&later).claims;
    for same in ["iss", "sub", "aud", "auth_time", "azp", "sid", "acr"] {
        assert_eq!(after.get(same), claims.get(same), "{same} changed with a refresh");
    }
    assert_eq!(after["iat"], f.now());
}

struct IdTokenOf {
    header: Value,
    claims: Value,
}

fn read(tokens: &Tokens) -> IdTokenOf {
    let token = tokens.id_token().0;
    IdTokenOf { header: Value::Object(token.header), claims: Value::Object(token.claims) }
}

impl RelyingParty {
    /// The ID token of a refresh: the nonce may be there or not (§12.2).
    async fn trusts_refreshed(&self, tokens: &Tokens) {
        let token = tokens.id_token();
        let nonce = token.0.claims.get("nonce").map(|nonce| nonce.as_str().unwrap().to_string());
        token.is_for(self, nonce.as_deref(), &self.jwks().await);
    }
}

/// SEC-064: the subject is the person's and stays, in every visit and for every client.
#[tokio::test]
async fn sec_064_the_subject_is_always_the_same() {
    let f = fixtures().await;
    for client in [&f.c1, &f.c2, &f.c4, &f.c6, &f.c1] {
        let claims = f.tokens(client).await.claims();
        assert_eq!(claims["sub"], f.u1.id.as_str());
    }
}

/// SEC-065, RFC 9068 §2.
#[tokio::test]
async fn sec_065_an_access_token_is_for_one_audience_and_says_little() {
    let f = fixtures().await;
    let asked = f.c1.asks().with("scope", "openid profile email reports.read").with("resource", RS1);
    let first = f.visit_with(&f.c1, asked.clone()).await.tokens;
    let second = f.visit_with(&f.c1, asked).await.tokens;
    let token = Token::read(&first.access);
    assert!(token.is_signed_by(&f.c1.jwks().await));
    assert_eq!((&token.header["typ"], &token.header["alg"]), (&json!("at+jwt"), &json!("RS256")));
    let claims = Value::Object(token.claims);
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(f.site.issuer), &json!(f.u1.id)));
    assert_eq!((&claims["aud"], &claims["client_id"]), (&json!(RS1), &json!("c1")));
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(f.now()), &json!(f.now() + 600)));
    assert_eq!(claims["scope"], "reports.read", "what this audience understands");
    assert_ne!(claims["jti"], Token::read(&second.access).claims["jti"]);
    let known = ["acr", "amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"];
    for name in claims.as_object().unwrap().keys() {
        assert!(known.contains(&name.as_str()), "{name} is nobody's business");
    }
    let own = Token::read(&f.tokens(&f.c1).await.access).claims;
    assert!(own["aud"].is_string() && own["aud"] != RS1, "{own:?}");
}

async fn tries(f: &Fixtures, name: &str, form: Parameters, either: &[(u16, &str)]) {
    eprintln!("when {name}");
    assert::json_of(&f.site.send(Call::post(TOKEN).form(&form)).await, either);
}

const NO: [(u16, &str); 1] = [(401, "invalid_client")];

/// SEC-066 for client assertions, RFC 8725 §3.1, §3.2, §3.10.
#[tokio::test]
async fn sec_066_no_forged_assertion_is_believed() {
    let (f, sink) = (fixtures().await, Sink::open());
    let (asked, code) = f.code(&f.c6).await;
    let form = f.c6.redemption(&code, &asked);
    let genuine = f.c6.assertion(|_| {});
    for (name, forged) in forgeries(&genuine, &f.c6.assertion_claims(), &CLIENTS_KEY.jwk(), &sink.url()) {
        tries(&f, name, with_assertion(form.clone(), &forged), &NO).await;
        for path in [REVOKE, INTROSPECT] {
            let other = with_assertion(Parameters::new(&[("token", "x")]), &forged);
            assert::json(&f.site.send(Call::post(path).form(&other)).await, 401, "invalid_client");
        }
    }
    sink.is_untouched();
    Tokens::of(&f.c6.token(form).await);
}

/// SEC-066 for hints: a forged hint is refused or ignored, and never decides.
#[tokio::test]
async fn sec_066_no_forged_hint_is_believed() {
    let (f, sink) = (fixtures().await, Sink::open());
    let visit = f.visit(&f.c1).await;
    let genuine = visit.tokens.id.clone().unwrap();
    let read = Token::read(&genuine);
    let keys = f.c1.jwks().await;
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == read.kid()).unwrap();
    let mut claims = read.claims.clone();
    claims["sub"] = f.u2.id.as_str().into();
    let mut browser = visit.browser;
    for (name, forged) in forgeries(&genuine, &json!(claims), key, &sink.url()) {
        eprintln!("when it is {name}");
        let asked = f.c1.asks().with("prompt", "none").with("id_token_hint", &forged);
        browser.goto(&asked.url()).await;
        match browser.landed().get("code") {
            Some(code) => assert_eq!(f.c1.tokens(code, &asked).await.claims()["sub"], f.u1.id.as_str()),
            None => assert::redirect(&browser, &f.c1, &asked, "invalid_request"),
        }
    }
    sink.is_untouched();
}

/// SEC-066 for request objects: what a forged one says never counts.
#[tokio::test]
async fn sec_066_no_forged_request_object_is_believed() {
    let (f, sink) = (fixtures().await, Sink::open());
    let asked = f.c6.asks();
    let inside =
        json!({ "client_id": "c6", "response_type": "code", "scope": "openid email", "state": "inside", "sub": "ada" });
    let genuine = CLIENTS_KEY.sign(&inside);
    let mut browser = f.browser();
    for (name, forged) in forgeries(&genuine, &inside, &CLIENTS_KEY.jwk(), &sink.url()) {
        eprintln!("when it is {name}");
        let asked = asked.clone().with("request", &forged);
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c6, &asked, "invalid_request_object");
    }
    sink.is_untouched();
    let visit = f.visit_with(&f.c6, asked.with("request", &genuine).with("state", "inside")).await;
    assert_eq!(visit.tokens.scopes(), ["email", "openid"], "what a genuine one says wins");
}

/// RFC 9101 §4, §6.3: each member about the token may be left out, and none may be wrong.
#[tokio::test]
async fn sec_066_a_request_object_is_refused_when() {
    let f = fixtures().await;
    let (asked, now) = (f.c6.asks(), f.now());
    for (reason, changed) in [
        ("it is somebody else's", json!({ "iss": "c1" })),
        ("it is for another server", json!({ "aud": "https://other.example" })),
        ("it is for other servers", json!({ "aud": ["https://other.example"] })),
        ("it has expired", json!({ "exp": now - 11 })),
        ("its end is no date", json!({ "exp": 1e300 })),
        ("it begins later", json!({ "nbf": now + 61 })),
        ("it is from the future", json!({ "iat": now + 61 })),
        ("it names another client", json!({ "client_id": "c1" })),
        ("it names another response type", json!({ "response_type": "id_token" })),
        ("it holds another", json!({ "request": "x" })),
        ("it refers to another", json!({ "request_uri": "https://rp.example/ro" })),
        ("a parameter is no text", json!({ "scope": ["openid"] })),
        ("a parameter is a number", json!({ "prompt": 1 })),
    ] {
        eprintln!("when {reason}");
        let mut browser = f.browser();
        let asked = asked.clone().with("request", &CLIENTS_KEY.sign(&changed));
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c6, &asked, "invalid_request_object");
    }
    for (reason, sound) in [
        (
            "it says everything",
            json!({ "iss": "c6", "aud": ["x", f.site.issuer], "exp": now + 60, "nbf": now + 9, "iat": now }),
        ),
        ("it expired a moment ago", json!({ "exp": now - 9 })),
        ("it has a number and an object", json!({ "max_age": 3600, "claims": { "userinfo": { "nickname": null } } })),
        ("it has what nobody knows", json!({ "unknown": { "a": [1] } })),
    ] {
        eprintln!("when {reason}");
        let visit = f.visit_with(&f.c6, asked.clone().with("request", &CLIENTS_KEY.sign(&sound))).await;
        assert!(visit.tokens.id.is_some(), "{reason}");
    }
}

/// SEC-067, RFC 7523 §3, OpenID Connect Core §9, FAPI2 client-assertion tests.
#[tokio::test]
async fn sec_067_a_client_assertion_is_refused_when() {
    let f = fixtures().await;
    let (asked, code) = f.code(&f.c6).await;
    let (form, now) = (f.c6.redemption(&code, &asked), f.now());
    let without = |name: &'static str| move |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(name));
    let with = |name: &'static str, value: Value| move |claims: &mut Value| claims[name] = value;
    for (name, assertion) in [
        ("exp is missing", f.c6.assertion(without("exp"))),
        ("aud is missing", f.c6.assertion(without("aud"))),
        ("jti is missing", f.c6.assertion(without("jti"))),
        ("iss is missing", f.c6.assertion(without("iss"))),
        ("sub is missing", f.c6.assertion(without("sub"))),
        ("iss is another", f.c6.assertion(with("iss", json!("c1")))),
        ("sub is another client", f.c6.assertion(with("sub", json!("c1")))),
        (
            "iss and sub are another client",
            f.c6.assertion(|claims| (claims["iss"], claims["sub"]) = (json!("c1"), json!("c1"))),
        ),
        ("iss and sub are nobody", f.c6.assertion(|claims| (claims["iss"], claims["sub"]) = (json!("x"), json!("x")))),
        ("it is over", f.c6.assertion(with("exp", json!(now - 11)))),
        ("it is long over", f.c6.assertion(with("exp", json!(now - 300)))),
        ("iat is 61 s ahead", f.c6.assertion(with("iat", json!(now + 61)))),
        ("nbf is 61 s ahead", f.c6.assertion(with("nbf", json!(now + 61)))),
        ("aud is another server", f.c6.assertion(with("aud", json!("https://other.example")))),
        ("aud is our token endpoint", f.c6.assertion(with("aud", json!(format!("{}{TOKEN}", f.site.issuer))))),
        ("aud is nearly the issuer", f.c6.assertion(with("aud", json!(format!("{}/", f.site.issuer))))),
        ("aud has another server too", f.c6.assertion(with("aud", json!([f.site.issuer, "https://other.example"])))),
        ("aud is a number", f.c6.assertion(with("aud", json!(1)))),
        ("exp is text", f.c6.assertion(with("exp", json!("tomorrow")))),
        ("exp is beyond all numbers", f.c6.assertion(with("exp", json!(1e300)))),
        ("exp is negative", f.c6.assertion(with("exp", json!(-1)))),
        ("jti is a number", f.c6.assertion(with("jti", json!(7)))),
        ("jti is empty", f.c6.assertion(with("jti", json!("")))),
        ("it is signed by another key", FOREIGN_KEY.sign(&f.c6.assertion_claims())),
        ("it is no token", "garbage".into()),
        ("it has empty parts", "..".into()),
    ] {
        tries(&f, name, with_assertion(form.clone(), &assertion), &NO).await;
    }
    let good = || form.clone().also("client_assertion", &f.c6.assertion(|_| {}));
    tries(&f, "its type is absent", good(), &NO).await;
    tries(
        &f,
        "its type is another",
        good().also("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
        &NO,
    )
    .await;
    let typed = form.clone().also("client_assertion_type", ASSERTION_TYPE);
    tries(&f, "there is a type only", typed, &[(401, "invalid_client"), (400, "invalid_request")]).await;
    let other = with_assertion(form.clone(), &f.c6.assertion(|_| {})).also("client_id", "c1");
    tries(&f, "client_id is another", other, &[(401, "invalid_client"), (400, "invalid_request")]).await;
    Tokens::of(&f.c6.token(form).await);
}

/// SEC-068, CVE-2020-5300, CVE-2020-15222.
#[tokio::test]
async fn sec_068_an_assertion_is_good_for_once() {
    let f = fixtures().await;
    let assertion = f.c6.assertion(|_| {});
    let form = Parameters::new(&[("token", "unknown")]);
    let answer = f.site.send(Call::post(REVOKE).form(&with_assertion(form.clone(), &assertion))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for path in [REVOKE, INTROSPECT] {
        let answer = f.site.send(Call::post(path).form(&with_assertion(form.clone(), &assertion))).await;
        assert::json(&answer, 401, "invalid_client");
    }
    let jti = Token::read(&assertion).claims["jti"].clone();
    let resigned = f.c6.assertion(|claims| (claims["jti"], claims["exp"]) = (jti, json!(f.now() + 90)));
    let answer = f.site.send(Call::post(REVOKE).form(&with_assertion(form, &resigned))).await;
    assert::json(&answer, 401, "invalid_client");
}

/// SEC-069 and decision D15, FAPI 2.0 §5.3.2.1.
#[tokio::test]
async fn sec_069_clocks_may_differ_a_little() {
    let f = fixtures().await;
    let now = f.now();
    let outcome = async |name: &str, value: i64| {
        let assertion = f.c6.assertion(|claims| claims[name] = json!(value));
        let form = with_assertion(Parameters::new(&[("token", "unknown")]), &assertion);
        f.site.send(Call::post(REVOKE).form(&form)).await.status
    };
    for (name, value, status) in [
        ("iat", now + 10, 200),
        ("nbf", now + 8, 200),
        ("nbf", now + 10, 200),
        ("iat", now + 600, 401),
        ("nbf", now + 600, 401),
        ("exp", now + 1, 200),
        ("exp", now - 11, 401),
        ("exp", now - 600, 401),
    ] {
        assert_eq!(outcome(name, value).await, status, "{name} at {:+}", value - now);
    }
}

/// SEC-067: every algorithm that metadata promises for assertions, by a client that has the key for it, is believed;
/// here the one that every client can do. Keys without a kid, and assertions without one, are found too.
#[tokio::test]
async fn sec_067_an_assertion_needs_no_kid() {
    let f = fixtures().await;
    let (asked, code) = f.code(&f.c6).await;
    let assertion = CLIENTS_KEY.sign_with(&json!({ "alg": "RS256" }), &f.c6.assertion_claims());
    let form = with_assertion(f.c6.redemption(&code, &asked), &assertion);
    Tokens::of(&f.site.send(Call::post(TOKEN).form(&form)).await);
}
