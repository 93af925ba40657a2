//! Basic OP, first part: tokens, userinfo, codes and clients. Plan: oidcc-basic-certification-test-plan.
use serde_json::{Map, Value};

use super::fixtures;
use crate::harness::{
    Call, Parameters, Tokens, Userinfo, assert,
    fixtures::Fixtures,
    relying_party::{DISCOVERY, encoded},
    seed::every_claim,
};

async fn userinfo(f: &Fixtures, scope: &str) -> (Map<String, Value>, Map<String, Value>) {
    let tokens = f.visit_with(&f.c1, f.c1.asks().with("scope", scope)).await.tokens;
    let answer = f.c1.userinfo(&tokens.access, Userinfo::Get).await;
    assert_eq!((answer.status, answer.media_type()), (200, "application/json"), "{}", answer.text());
    let claims = answer.json().as_object().unwrap().clone();
    assert::well_typed(&claims);
    (claims, tokens.claims())
}

#[tokio::test]
async fn oidcc_server() {
    let f = fixtures().await;
    let visit = f.visit(&f.c1).await;
    assert!(!visit.tokens.claims().contains_key("name"));
    let answer = f.c1.userinfo(&visit.tokens.access, Userinfo::Get).await;
    assert_eq!(answer.json()["name"], "Ada King Lovelace");
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let f = fixtures().await;
    let asked = f.c1.asks().without("response_type");
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    assert::redirect_of(&browser, &f.c1, &asked, &["unsupported_response_type", "invalid_request"]);
}

#[tokio::test]
async fn oidcc_idtoken_signature() {
    let f = fixtures().await;
    let token = f.tokens(&f.c1).await.id_token().0;
    assert_eq!(token.header["alg"], "RS256");
    let keys = f.c1.jwks().await;
    assert!(keys["keys"].as_array().unwrap().iter().any(|key| key["kid"] == token.kid()));
    assert!(token.is_signed_by(&keys));
}

/// Skipped by the plan because of what discovery says here.
#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let f = fixtures().await;
    let metadata = f.site.get(DISCOVERY).await.json();
    for (name, value) in metadata.as_object().unwrap() {
        let none = value.as_array().is_some_and(|list| list.iter().any(|item| item == "none"));
        assert!(!none || name.ends_with("_auth_methods_supported"), "{name} lists none: {value}");
    }
}

#[tokio::test]
async fn oidcc_userinfo_get() {
    let f = fixtures().await;
    let tokens = f.tokens(&f.c1).await;
    let answer = f.c1.userinfo(&tokens.access, Userinfo::Get).await;
    assert_eq!((answer.status, &answer.json()["sub"]), (200, &tokens.claims()["sub"]));
}

#[tokio::test]
async fn oidcc_userinfo_post_header() {
    let f = fixtures().await;
    let tokens = f.tokens(&f.c1).await;
    let answer = f.c1.userinfo(&tokens.access, Userinfo::PostHeader).await;
    assert_eq!((answer.status, &answer.json()["sub"]), (200, &tokens.claims()["sub"]));
}

#[tokio::test]
async fn oidcc_userinfo_post_body() {
    let f = fixtures().await;
    let tokens = f.tokens(&f.c1).await;
    let answer = f.c1.userinfo(&tokens.access, Userinfo::PostBody).await;
    assert_eq!((answer.status, &answer.json()["sub"]), (200, &tokens.claims()["sub"]));
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks().without("nonce")).await;
    assert!(!visit.tokens.claims().contains_key("nonce"));
}

const PROFILE: [&str; 14] = [
    "birthdate",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

/// All claims of a scope, the values that were stored, and not one of them in the ID token.
async fn scope_gives(scope: &str, names: &[&str]) {
    let f = fixtures().await;
    let supported = f.c1.discovery().await["scopes_supported"].clone();
    for token in scope.split(' ') {
        assert!(supported.as_array().unwrap().contains(&token.into()), "{token} is not listed");
    }
    let (claims, id_token) = userinfo(&f, scope).await;
    let mut found: Vec<&str> = claims.keys().map(String::as_str).filter(|name| *name != "sub").collect();
    let mut expected = names.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    for name in names {
        assert!(!id_token.contains_key(*name), "{name} leaked into the ID token");
        if let Some(stored) = every_claim().get(name) {
            assert_eq!(&claims[*name], stored, "{name}");
        }
    }
    if names.contains(&"email") {
        assert_eq!(claims["email"], f.u1.email.as_str());
    }
    if names.contains(&"preferred_username") {
        assert_eq!(claims["preferred_username"], f.u1.username.as_str());
    }
}

#[tokio::test]
async fn oidcc_scope_profile() {
    scope_gives("openid profile", &PROFILE).await;
}

#[tokio::test]
async fn oidcc_scope_email() {
    scope_gives("openid email", &["email", "email_verified"]).await;
}

#[tokio::test]
async fn oidcc_scope_address() {
    scope_gives("openid address", &["address"]).await;
}

#[tokio::test]
async fn oidcc_scope_phone() {
    scope_gives("openid phone", &["phone_number", "phone_number_verified"]).await;
}

#[tokio::test]
async fn oidcc_scope_all() {
    let rest = ["email", "email_verified", "address", "phone_number", "phone_number_verified"];
    scope_gives("openid profile email address phone", &[&PROFILE[..], &rest[..]].concat()).await;
}

#[tokio::test]
async fn oidcc_alternate_happy_flow() {
    let f = fixtures().await;
    let mut asked = f.c1.asks().with("scope", "phone address email profile openid");
    asked.parameters.0.reverse();
    let tokens = f.visit_with(&f.c1, asked).await.tokens;
    assert_eq!(tokens.scopes(), ["address", "email", "openid", "phone", "profile"]);
}

/// Immediate second use.
#[tokio::test]
async fn oidcc_codereuse() {
    let f = fixtures().await;
    let visit = f.visit(&f.c1).await;
    assert::json(&f.c1.redeem(&visit.code, &visit.asked).await, 400, "invalid_grant");
}

/// Second use after 30 s: refused, and the access token of the first is dead (certification would only warn).
#[tokio::test]
async fn oidcc_codereuse_30seconds() {
    let f = fixtures().await;
    let visit = f.visit(&f.c1).await;
    f.wait(30).await;
    assert!(f.c1.may_read_userinfo(&visit.tokens.access).await);
    assert::json(&f.c1.redeem(&visit.code, &visit.asked).await, 400, "invalid_grant");
    assert!(!f.c1.may_read_userinfo(&visit.tokens.access).await);
}

/// The whole flow with the secret in the body.
#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let f = fixtures().await;
    let visit = f.visit(&f.c4).await;
    assert_eq!(f.c4.userinfo(&visit.tokens.access, Userinfo::Get).await.status, 200);
}

/// The whole flow with a signed assertion: not in the Basic plan, but a method that discovery promises.
#[tokio::test]
async fn oidcc_server_private_key_jwt() {
    let f = fixtures().await;
    let visit = f.visit(&f.c6).await;
    assert_eq!(f.c6.userinfo(&visit.tokens.access, Userinfo::Get).await.status, 200);
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let f = fixtures().await;
    let metadata = f.c1.discovery().await;
    let lists = |name: &str, value: &str| metadata[name].as_array().unwrap().contains(&value.into());
    assert!(lists("scopes_supported", "offline_access") && lists("grant_types_supported", "refresh_token"));
    let first = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens;
    let other = f.visit_with(&f.c4, f.c4.asks_to_stay()).await.tokens;
    f.wait(1).await;
    let form = f.c1.refreshing(first.refresh_token()).with("scope", "openid profile email offline_access");
    let answer = f.c1.token(form).await;
    let second = Tokens::of(&answer);
    let (before, after) = (first.claims(), second.claims());
    for same in ["iss", "sub", "aud", "auth_time", "azp"] {
        assert_eq!(after.get(same), before.get(same), "{same}");
    }
    assert_ne!(after["iat"], before["iat"]);
    assert!(second.id_token().0.is_signed_by(&f.c1.jwks().await));
    assert_eq!(f.c1.userinfo(&second.access, Userinfo::Get).await.status, 200);
    assert::json(&f.c1.refresh(other.refresh_token()).await, 400, "invalid_grant");
    f.c4.refreshed(other.refresh_token()).await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    let f = fixtures().await;
    for client in [&f.c1, &f.c2] {
        let visit = f.visit(client).await;
        assert_eq!(visit.asked.get("code_challenge_method"), Some("S256"));
    }
}

/// client_secret_basic: id and secret arrive form-encoded, and both are decoded (RFC 6749 §2.3.1).
#[tokio::test]
async fn client_secret_basic_is_form_encoded() {
    let f = fixtures().await;
    let crate::harness::Proof::Basic(secret) = &f.c1.proof else { panic!("C1 uses Basic") };
    let every_byte: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = Parameters::new(&[("token", "x")]);
    for (id, secret) in [("c1", encoded(secret)), ("%631", every_byte)] {
        let answer = f.site.send(Call::post("/oauth2/revoke").basic(id, &secret).form(&form)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}
