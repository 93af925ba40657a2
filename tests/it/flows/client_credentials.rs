//! RFC 6749 §4.4: a client that acts for itself.
use serde_json::json;

use crate::harness::{
    Parameters, Tokens, assert, fixtures,
    fixtures::RS1,
    jwt::Token,
    seed::{ClientSpec, disable_client},
};

fn form(extra: &[(&str, &str)]) -> Parameters {
    let mut form = Parameters::new(&[("grant_type", "client_credentials")]);
    form.0.extend(Parameters::new(extra).0);
    form
}

#[tokio::test]
async fn a_machine_gets_a_token_of_its_own() {
    let f = fixtures().await;
    let tokens = Tokens::of(&f.c5.token(form(&[])).await);
    assert_eq!(tokens.scopes(), ["reports.read", "reports.write"], "all that it may");
    let token = Token::read(&tokens.access);
    assert!(token.is_signed_by(&f.c5.jwks().await));
    assert_eq!((&token.claims["sub"], &token.claims["client_id"]), (&json!("c5"), &json!("c5")));
    assert_eq!(token.claims["aud"], RS1, "the audience that all its scopes belong to");
    assert!(token.claims.get("auth_time").is_none() && token.claims.get("acr").is_none(), "nobody signed in");
    let narrow = Tokens::of(&f.c5.token(form(&[("scope", "reports.read")])).await);
    assert_eq!(narrow.scopes(), ["reports.read"]);
    assert_ne!(Token::read(&narrow.access).claims["jti"], token.claims["jti"]);
}

#[tokio::test]
async fn every_way_to_prove_a_client_works_for_machines() {
    let f = fixtures().await;
    for auth_method in ["client_secret_basic", "client_secret_post", "private_key_jwt"] {
        let client = f.client(ClientSpec { auth_method, ..ClientSpec::machine(auth_method) }).await;
        Tokens::of(&client.token(form(&[])).await);
    }
}

#[tokio::test]
async fn a_machine_is_refused_when() {
    let f = fixtures().await;
    for (name, extra, error) in [
        ("it asks for what it may not have", ("scope", "orders.read"), "invalid_scope"),
        ("its scope is malformed", ("scope", "reports.read\t\"x\""), "invalid_scope"),
        ("its audience is unknown", ("resource", "https://unknown.example/"), "invalid_target"),
        ("its audience is no address", ("resource", "one"), "invalid_target"),
        ("it repeats itself", ("grant_type", "client_credentials"), "invalid_request"),
    ] {
        eprintln!("when {name}");
        assert::json(&f.c5.token(form(&[extra])).await, 400, error);
    }
    let tokens = Tokens::of(&f.c5.token(form(&[])).await);
    disable_client(&f.app, &f.c5).await;
    assert::json(&f.c5.token(form(&[])).await, 401, "invalid_client");
    assert!(!f.rs1.finds_active(&tokens.access).await, "its tokens end with it");
}

#[tokio::test]
async fn a_machine_revokes_its_own_token() {
    let f = fixtures().await;
    let (one, two) = (Tokens::of(&f.c5.token(form(&[])).await), Tokens::of(&f.c5.token(form(&[])).await));
    assert!(f.rs1.finds_active(&one.access).await && f.c5.finds_active(&one.access).await);
    assert_eq!(f.c5.revoke(&one.access).await.status, 200);
    assert!(!f.rs1.finds_active(&one.access).await);
    assert!(f.rs1.finds_active(&two.access).await, "the other is untouched");
    f.clock.advance(two.expires_in + 11);
    assert!(!f.rs1.finds_active(&two.access).await);
}
