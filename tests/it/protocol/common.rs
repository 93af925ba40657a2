//! The checks that run inside almost every module of the plans. `assert`, `Tokens` and `RelyingParty` make them in
//! every test; here each meets the case that it was written for.
use std::collections::HashSet;

use serde_json::{Value, json};

use super::fixtures;
use crate::harness::{
    Parameters, Tokens, Userinfo, assert,
    fixtures::Fixtures,
    jwt::Token,
    relying_party::{DISCOVERY, METADATA, random},
    seed::{ClientSpec, NewPerson},
};

/// Discovery and keys: the three endpoints, one issuer everywhere, the method in use is published.
#[tokio::test]
async fn common_discovery_names_what_a_client_needs() {
    let f = fixtures().await;
    for document in [DISCOVERY, METADATA] {
        let metadata = f.site.get(document).await.json();
        assert_eq!(metadata["issuer"], f.site.issuer.as_str());
        assert_eq!(metadata["authorization_endpoint"], format!("{}/authorize", f.site.issuer));
        assert_eq!(metadata["token_endpoint"], format!("{}/oauth2/token", f.site.issuer));
        let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
        for used in ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] {
            assert!(methods.contains(&json!(used)), "{used} works and is not published");
        }
        let algorithms = metadata["token_endpoint_auth_signing_alg_values_supported"].as_array().unwrap();
        assert!(algorithms.contains(&json!("RS256")));
    }
}

/// JWKS: every key has a kid, kids are unique, nothing private is there.
#[tokio::test]
async fn common_every_key_has_a_kid_of_its_own() {
    let f = fixtures().await;
    let keys = f.c1.jwks().await["keys"].as_array().unwrap().clone();
    let kids: HashSet<&str> = keys.iter().map(|key| key["kid"].as_str().expect("a kid")).collect();
    assert_eq!((kids.len(), keys.is_empty()), (keys.len(), false));
    for key in &keys {
        assert!(key.get("d").is_none() && key.get("k").is_none(), "{key}");
    }
}

/// Authorization response: state byte-exact at the lengths that the plans use, iss equal to the issuer,
/// query mode, the registered query kept.
#[tokio::test]
async fn common_an_authorization_response_carries_what_was_sent() {
    let f = fixtures().await;
    for length in [1, 16, 128, 256, 1024] {
        let asked = f.c1q.asks().with("state", &random(length));
        let visit = f.visit_with(&f.c1q, asked).await;
        let landed = visit.browser.landed();
        assert!(landed.raw.starts_with("https://rp.example/cb?a=1&"), "{}", landed.raw);
        assert_eq!(landed.url.fragment(), None);
    }
}

/// Codes and tokens are random enough, and no two are alike.
#[tokio::test]
async fn common_codes_and_tokens_are_random() {
    let f = fixtures().await;
    let mut seen = HashSet::new();
    for _ in 0..5 {
        let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
        let refresh = visit.tokens.refresh_token().to_string();
        for (name, value) in [("code", visit.code), ("access token", visit.tokens.access), ("refresh token", refresh)] {
            assert::random_enough(name, &value);
            assert!(seen.insert(value), "a {name} was given twice");
        }
    }
}

/// Error responses on the front channel: state, iss, error, no code, nothing else, plain words.
#[tokio::test]
async fn common_an_error_response_is_complete_and_plain() {
    let f = fixtures().await;
    for (name, value) in [
        ("response_type", "none"),
        ("prompt", "none"),
        ("scope", "\"é\\"),
        ("request", "x"),
        ("max_age", "\r\nSet-Cookie: x=1"),
        ("code_challenge_method", "plain\u{0}"),
        ("response_mode", "web_message\"\\é"),
        ("display", "\u{202e}"),
    ] {
        eprintln!("when {name} is {value:?}");
        let asked = f.c1.asks().with(name, value);
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        if browser.has_left() {
            let errors = [
                "invalid_request",
                "invalid_scope",
                "unsupported_response_type",
                "login_required",
                "invalid_request_object",
            ];
            assert::redirect_of(&browser, &f.c1, &asked.without("response_mode"), &errors);
            assert!(browser.landed().get("error_description").is_some(), "words help a developer");
        } else {
            assert!(matches!(name, "display"), "{}", browser.page());
        }
    }
}

/// Token response: `Tokens::of` checks it; errors are 400, and 401 only for invalid_client.
#[tokio::test]
async fn common_a_token_error_is_400_or_401() {
    let f = fixtures().await;
    assert::json(
        &f.c1.token(Parameters::new(&[("grant_type", "authorization_code"), ("code", "x")])).await,
        400,
        "invalid_grant",
    );
    let mut wrong = f.c1.clone();
    wrong.proof = crate::harness::Proof::Basic("wrong".into());
    assert::json(
        &wrong.token(Parameters::new(&[("grant_type", "authorization_code"), ("code", "x")])).await,
        401,
        "invalid_client",
    );
}

/// ID token: the nonce of the request, or none.
#[tokio::test]
async fn common_the_nonce_is_the_requests() {
    let f = fixtures().await;
    for nonce in ["n", "a much longer nonce with spaces, \"quotes\" and an é", &random(384)] {
        let claims = f.visit_with(&f.c1, f.c1.asks().with("nonce", nonce)).await.tokens.claims();
        assert_eq!(claims["nonce"], nonce);
    }
    let claims = f.visit_with(&f.c1, f.c1.asks().without("nonce")).await.tokens.claims();
    assert!(!claims.contains_key("nonce"));
}

/// ID token: profile and e-mail stay in userinfo, unless the client is set to have them.
#[tokio::test]
async fn common_profile_claims_do_not_leak_into_the_id_token() {
    let f = fixtures().await;
    let all = "openid profile email address phone";
    let claims = f.visit_with(&f.c1, f.c1.asks().with("scope", all)).await.tokens.claims();
    for name in
        ["name", "given_name", "email", "email_verified", "address", "phone_number", "picture", "locale", "updated_at"]
    {
        assert!(!claims.contains_key(name), "{name} leaked into {claims:?}");
    }
    let keen = f.client(ClientSpec { id_token_claims: true, ..ClientSpec::web("keen") }).await;
    let claims = f.visit_with(&keen, keen.asks().with("scope", "openid email")).await.tokens.claims();
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!(f.u1.email), &json!(true)));
    assert!(!claims.contains_key("name"), "profile was not asked for");
}

async fn userinfo(f: &Fixtures, tokens: &Tokens) -> serde_json::Map<String, Value> {
    let answer = f.c1.userinfo(&tokens.access, Userinfo::Get).await;
    assert_eq!((answer.status, answer.media_type()), (200, "application/json"));
    answer.json().as_object().unwrap().clone()
}

/// Claim typing: what is unknown is left out, never null, never empty.
#[tokio::test]
async fn common_unknown_claims_are_left_out() {
    let f = fixtures().await;
    let asked = f.c1.asks().with("scope", "openid profile email address phone");
    let mut browser = f.browser();
    browser.goto(&asked.url()).await.walk(&f.u2).await;
    let tokens = f.c1.tokens(&browser.landed().code(), &asked).await;
    let claims = userinfo(&f, &tokens).await;
    assert::well_typed(&claims);
    assert_eq!(claims["sub"], f.u2.id.as_str());
    for absent in ["address", "phone_number", "picture", "birthdate", "given_name", "website", "gender"] {
        assert!(!claims.contains_key(absent), "{absent} of somebody who never said: {claims:?}");
    }
}

/// Claim typing: booleans, whole numbers, dates and objects are just that, in userinfo and in the ID token.
#[tokio::test]
async fn common_claims_have_their_types() {
    let f = fixtures().await;
    let asked = f.c1.asks().with("scope", "openid profile email address phone");
    let claims = userinfo(&f, &f.visit_with(&f.c1, asked).await.tokens).await;
    assert::well_typed(&claims);
    assert_eq!((&claims["email_verified"], &claims["phone_number_verified"]), (&json!(true), &json!(true)));
    assert!(claims["updated_at"].as_i64().is_some_and(|at| at <= f.now()), "{}", claims["updated_at"]);
    assert_eq!(claims["birthdate"], "1815-12-10");
    assert_eq!(claims["address"]["locality"], "London");
    for (given, shown) in [("0000-12-10", "0000-12-10"), ("1815", "1815")] {
        let person = f.user(NewPerson::named(&format!("born{given}")).claims(json!({ "birthdate": given }))).await;
        let asked = f.c1.asks();
        let mut browser = f.browser();
        browser.goto(&asked.url()).await.walk(&person).await;
        let tokens = f.c1.tokens(&browser.landed().code(), &asked).await;
        assert_eq!(userinfo(&f, &tokens).await["birthdate"], shown);
    }
}

/// Userinfo's subject is the ID token's.
#[tokio::test]
async fn common_userinfo_speaks_of_the_same_person() {
    let f = fixtures().await;
    for client in [&f.c1, &f.c2, &f.c4, &f.c6] {
        let tokens = f.tokens(client).await;
        let told = userinfo(&f, &tokens).await;
        assert_eq!(told["sub"], tokens.claims()["sub"], "{}", client.client_id);
        assert_eq!(told["sub"], Token::read(&tokens.access).claims["sub"]);
    }
}
