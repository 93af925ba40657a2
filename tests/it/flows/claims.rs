//! OpenID Connect Core §5.5: the `claims` parameter.
use serde_json::{Value, json};

use crate::harness::{Asked, Fixtures, Userinfo, assert, fixtures};

fn asks(f: &Fixtures, claims: &Value) -> Asked {
    f.c1.asks().with("scope", "openid").with("claims", &claims.to_string())
}

/// The ID token's claims and userinfo's, of U1.
async fn told(f: &Fixtures, claims: &Value) -> (Value, Value) {
    let tokens = f.visit_with(&f.c1, asks(f, claims)).await.tokens;
    let answer = f.c1.userinfo(&tokens.access, Userinfo::Get).await;
    (Value::Object(tokens.claims()), answer.json())
}

#[tokio::test]
async fn claims_go_where_they_are_asked_for() {
    let f = fixtures().await;
    let (id_token, userinfo) =
        told(&f, &json!({ "id_token": { "email": null, "nickname": { "essential": true } } })).await;
    assert_eq!((&id_token["email"], &id_token["nickname"]), (&json!(f.u1.email), &json!("Countess")));
    assert!(userinfo.get("email").is_none() && userinfo.get("nickname").is_none(), "{userinfo}");

    let (id_token, userinfo) =
        told(&f, &json!({ "userinfo": { "email": null, "birthdate": { "essential": false } } })).await;
    assert_eq!((&userinfo["email"], &userinfo["birthdate"]), (&json!(f.u1.email), &json!("1815-12-10")));
    assert!(id_token.get("email").is_none() && userinfo.get("nickname").is_none());

    let both =
        json!({ "userinfo": { "name": null }, "id_token": { "name": null, "auth_time": { "essential": true } } });
    let (id_token, userinfo) = told(&f, &both).await;
    assert_eq!((&id_token["name"], &userinfo["name"]), (&json!("Ada King Lovelace"), &json!("Ada King Lovelace")));
    assert_eq!(id_token["auth_time"], f.now());
}

/// What nobody knows is left out, and never an error (§5.5.1).
#[tokio::test]
async fn unknown_claims_and_members_are_left_out() {
    let f = fixtures().await;
    let odd = json!({ "userinfo": { "shoe_size": { "essential": true }, "name#ja": null, "email": null }, "elsewhere": { "x": null } });
    let (_, userinfo) = told(&f, &odd).await;
    assert_eq!(userinfo["email"], f.u1.email.as_str());
    assert!(userinfo.get("shoe_size").is_none());
    told(&f, &json!({})).await;
    told(&f, &json!({ "userinfo": null, "id_token": {} })).await;
}

/// Claims of the token itself are not for a client to set.
#[tokio::test]
async fn a_client_cannot_dictate_a_claim() {
    let f = fixtures().await;
    let forged = json!({ "id_token": {
        "iss": { "value": "https://evil.test" }, "aud": { "value": "other" }, "exp": { "value": 1 },
        "email": { "value": "root@example.com" }, "acr": { "values": ["urn:gold"] }, "amr": null,
    } });
    let (id_token, _) = told(&f, &forged).await;
    assert_eq!((&id_token["iss"], &id_token["aud"]), (&json!(f.site.issuer), &json!("c1")));
    assert_ne!(id_token["acr"], "urn:gold");
    assert_ne!(id_token["email"], "root@example.com");
}

/// §5.5.1: a `sub` that is asked for is the only one that is answered for.
#[tokio::test]
async fn a_subject_that_is_asked_for_is_the_only_one() {
    let f = fixtures().await;
    let mut browser = f.visit_with(&f.c1, f.c1.asks().with("scope", "openid")).await.browser;
    let mine = asks(&f, &json!({ "id_token": { "sub": { "value": f.u1.id } } })).with("prompt", "none");
    browser.goto(&mine.url()).await;
    assert::granted(&browser, &f.c1, &mine);
    let other = asks(&f, &json!({ "id_token": { "sub": { "value": f.u2.id } } })).with("prompt", "none");
    browser.goto(&other.url()).await;
    assert::redirect(&browser, &f.c1, &other, "login_required");
}

#[tokio::test]
async fn malformed_claims_are_refused() {
    let f = fixtures().await;
    let deep = format!("{{\"userinfo\":{}{}}}", "{\"a\":".repeat(200), "1".to_string() + &"}".repeat(200));
    for claims in
        ["x", "[]", "\"userinfo\"", "{\"userinfo\":[]}", "{\"userinfo\":{\"name\":1}}", "{", "null", "1", &deep]
    {
        eprintln!("when claims is {claims}");
        let asked = f.c1.asks().with("claims", claims);
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c1, &asked, "invalid_request");
    }
}
