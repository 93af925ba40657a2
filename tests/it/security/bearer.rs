//! BR: bearer tokens, as userinfo takes them.
use serde_json::json;

use crate::harness::{
    Call, Parameters, Tokens, Userinfo, assert, fixtures,
    fixtures::{Fixtures, RS1},
    jwt::{FOREIGN_KEY, Token, forgeries},
    relying_party::USERINFO,
};

async fn is_no_token(f: &Fixtures, name: &str, token: &str) {
    eprintln!("when it is {name}");
    for way in [Userinfo::Get, Userinfo::PostHeader, Userinfo::PostBody] {
        assert::bearer_refusal(&f.c1.userinfo(token, way).await, 401, Some("invalid_token"));
    }
}

/// SEC-049, RFC 6750 §3.1.
#[tokio::test]
async fn sec_049_userinfo_without_a_token_asks_for_one() {
    let f = fixtures().await;
    for call in [
        Call::get(USERINFO),
        Call::post(USERINFO),
        Call::post(USERINFO).form(&Parameters::default()),
        Call::get(USERINFO).basic("c1", "secret"),
    ] {
        assert::bearer_refusal(&f.site.send(call).await, 401, None);
    }
}

/// SEC-049: garbage, foreign, expired, revoked.
#[tokio::test]
async fn sec_049_userinfo_refuses_a_token_that_is() {
    let f = fixtures().await;
    let tokens = f.tokens(&f.c1).await;
    let claims = Token::read(&tokens.access).claims;
    is_no_token(&f, "garbage", "garbage").await;
    is_no_token(&f, "dotted garbage", "a.b.c").await;
    is_no_token(&f, "long garbage", &"x".repeat(6000)).await;
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": FOREIGN_KEY.kid });
    is_no_token(&f, "foreign", &FOREIGN_KEY.sign_with(&header, &json!(claims))).await;

    let revoked = f.tokens(&f.c1).await;
    assert_eq!(f.c1.revoke(&revoked.access).await.status, 200);
    is_no_token(&f, "revoked", &revoked.access).await;
    assert!(f.c1.may_read_userinfo(&tokens.access).await, "another's revocation is not ours");
    f.clock.advance(tokens.expires_in - 1);
    assert!(f.c1.may_read_userinfo(&tokens.access).await, "a second is left");
    f.clock.advance(12);
    is_no_token(&f, "expired", &tokens.access).await;
}

/// SEC-066 at userinfo: RFC 8725 §3.1, §3.2, §3.10.
#[tokio::test]
async fn sec_066_userinfo_believes_no_forged_token() {
    let f = fixtures().await;
    let sink = crate::harness::Sink::open();
    let tokens = f.tokens(&f.c1).await;
    let genuine = Token::read(&tokens.access);
    let mut claims = genuine.claims.clone();
    claims["sub"] = f.u2.id.as_str().into();
    let keys = f.c1.jwks().await;
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == genuine.kid()).unwrap();
    for (name, forged) in forgeries(&tokens.access, &json!(claims), key, &sink.url()) {
        is_no_token(&f, name, &forged).await;
    }
    let trailing = format!("{}.x", tokens.access);
    is_no_token(&f, "genuine, with something behind it", &trailing).await;
    sink.is_untouched();
    assert!(f.c1.may_read_userinfo(&tokens.access).await);
}

/// SEC-050, RFC 6750 §2, OAuth 2.1 §5.1.
#[tokio::test]
async fn sec_050_a_token_comes_once_and_not_in_the_url() {
    let f = fixtures().await;
    let token = f.tokens(&f.c1).await.access;
    let in_url = format!("{USERINFO}?access_token={token}");
    assert_eq!(f.site.get(&in_url).await.status, 401);
    assert_eq!(f.site.send(Call::post(&in_url)).await.status, 401);
    let form = Parameters::new(&[("access_token", &token)]);
    for (name, call) in [
        ("in the header and in the body", Call::post(USERINFO).bearer(&token).form(&form)),
        ("in two headers", Call::get(USERINFO).bearer(&token).bearer(&token)),
        ("in a header beside Basic", Call::get(USERINFO).bearer(&token).basic("c1", "x")),
        ("twice in the body", Call::post(USERINFO).form(&form.clone().also("access_token", &token))),
    ] {
        eprintln!("when it is {name}");
        assert::bearer_refusal(&f.site.send(call).await, 400, Some("invalid_request"));
    }
    let scheme = |scheme: &str| Call::get(USERINFO).header("authorization", &format!("{scheme} {token}"));
    assert_eq!(f.site.send(scheme("bearer")).await.status, 200, "the scheme's name has no case");
    assert_eq!(f.site.send(scheme("DPoP")).await.status, 401);
    assert_eq!(f.site.send(scheme("Token")).await.status, 401);
}

/// SEC-051, OpenID Connect Core §5.3.3.
#[tokio::test]
async fn sec_051_userinfo_is_for_tokens_with_openid() {
    let f = fixtures().await;
    let plain = f.visit_with(&f.c1, f.c1.asks().with("scope", "profile email")).await.tokens;
    for way in [Userinfo::Get, Userinfo::PostHeader, Userinfo::PostBody] {
        assert::bearer_refusal(&f.c1.userinfo(&plain.access, way).await, 403, Some("insufficient_scope"));
    }
    let machine = Tokens::of(&f.c5.token(Parameters::new(&[("grant_type", "client_credentials")])).await);
    let answer = f.c5.userinfo(&machine.access, Userinfo::Get).await;
    let wrong_audience = answer.status == 401;
    let error = if wrong_audience { (401, "invalid_token") } else { (403, "insufficient_scope") };
    assert::bearer_refusal(&answer, error.0, Some(error.1));
}

/// SEC-052, RFC 8725 §3.11 and §3.12: the type and the audience count.
#[tokio::test]
async fn sec_052_no_other_token_passes_for_an_access_token() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    is_no_token(&f, "an ID token", visit.tokens.id.as_deref().unwrap()).await;
    is_no_token(&f, "a refresh token", visit.tokens.refresh_token()).await;
    is_no_token(&f, "a spent code", &visit.code).await;
    let (_, code) = f.code(&f.c1).await;
    is_no_token(&f, "a code", &code).await;
    is_no_token(&f, "a client assertion", &f.c6.assertion(|_| {})).await;
    let asked = f.c1.asks().with("scope", "openid reports.read").with("resource", RS1);
    let elsewhere = f.visit_with(&f.c1, asked).await.tokens;
    assert_eq!(Token::read(&elsewhere.access).claims["aud"], RS1);
    is_no_token(&f, "for another audience", &elsewhere.access).await;
}

/// SEC-053, OpenID Connect Core §5.3.2 and §5.4.
#[tokio::test]
async fn sec_053_userinfo_says_what_was_asked_and_no_more() {
    let f = fixtures().await;
    for (scope, expected) in [
        ("openid", vec!["sub"]),
        ("openid email", vec!["email", "email_verified", "sub"]),
        ("openid phone", vec!["phone_number", "phone_number_verified", "sub"]),
        ("openid address", vec!["address", "sub"]),
    ] {
        let tokens = f.visit_with(&f.c1, f.c1.asks().with("scope", scope)).await.tokens;
        let answer = f.c1.userinfo(&tokens.access, Userinfo::Get).await;
        assert_eq!((answer.status, answer.media_type()), (200, "application/json"));
        assert::not_stored(&answer);
        let claims = answer.json().as_object().unwrap().clone();
        let mut names: Vec<&str> = claims.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{scope}");
        assert_eq!(claims["sub"], tokens.claims()["sub"]);
        assert::well_typed(&claims);
    }
}
