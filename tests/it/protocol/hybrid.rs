//! Hybrid OP. Plan: oidcc-hybrid-certification-test-plan. `RelyingParty::front` looks for c_hash and at_hash, `Fixtures::arrived`
//! that both ID tokens speak of the same person.
use super::fixtures;
use crate::{
    harness::assert,
    protocol::{
        family::client,
        plan::{common, hybrid_plan, modules, with_code, with_userinfo},
    },
};

hybrid_plan!(None);

/// The ID token that came through the browser says which code it came with: a code of another answer is noticed.
#[tokio::test]
async fn hybrid_tokens_are_bound_to_their_code() {
    let f = fixtures().await;
    let client = client(&f, "code id_token", "client_secret_basic").await;
    let asked = client.asks().with("response_type", "code id_token");
    let first = f.flow(&client, asked).await;
    let second = f.flow(&client, client.asks().with("response_type", "code id_token")).await;
    let hash = |flow: &crate::harness::front::Flow| flow.front.id_token().unwrap().0.claims["c_hash"].clone();
    assert_ne!(hash(&first), hash(&second));
}

/// The code is worth tokens to nobody but its client, whatever came beside it.
#[tokio::test]
async fn hybrid_codes_are_for_their_client() {
    let f = fixtures().await;
    let own = client(&f, "code token", "client_secret_basic").await;
    let asked = own.asks().with("response_type", "code token");
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    browser.walk(&f.u1).await;
    let front = own.front(&browser, &asked).await;
    assert::json(&f.c1.redeem(&front.code.unwrap(), &asked).await, 400, "invalid_grant");
}
