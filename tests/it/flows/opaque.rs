//! Access tokens that say nothing by themselves, for clients that ask for them (OP7).
use crate::harness::{Tokens, assert, fixtures, seed::ClientSpec};

#[tokio::test]
async fn an_opaque_token_works_like_the_other_kind_and_cannot_be_read() {
    let f = fixtures().await;
    let spec = ClientSpec { opaque_access_tokens: true, ..ClientSpec::web("discreet") };
    let client = f.client(spec).await;
    let visit = f.visit_with(&client, client.asks_to_stay()).await;
    let access = &visit.tokens.access;
    assert!(!access.contains('.'), "{access}");
    assert!(client.may_read_userinfo(access).await && client.finds_active(access).await);
    assert!(!f.c4.finds_active(access).await, "a stranger learns nothing");
    let told = client.introspect(access).await.json();
    assert_eq!((told["client_id"].as_str(), told["sub"].as_str()), (Some("discreet"), Some(f.u1.id.as_str())));
    assert_eq!(told["exp"], f.now() + 600);

    let second = client.refreshed(visit.tokens.refresh_token()).await;
    assert_ne!(&second.access, access);
    assert_eq!(client.revoke(access).await.status, 200);
    assert!(!client.may_read_userinfo(access).await && !client.finds_active(access).await);
}

#[tokio::test]
async fn an_opaque_token_ends_in_time_and_with_its_code() {
    let f = fixtures().await;
    let spec = ClientSpec { opaque_access_tokens: true, ..ClientSpec::web("discreet") };
    let client = f.client(spec).await;
    let tokens: Tokens = f.tokens(&client).await;
    f.clock.advance(tokens.expires_in - 1);
    assert!(client.may_read_userinfo(&tokens.access).await);
    f.clock.advance(12);
    assert!(!client.may_read_userinfo(&tokens.access).await && !client.finds_active(&tokens.access).await);
    let visit = f.visit(&client).await;
    assert::json(&client.redeem(&visit.code, &visit.asked).await, 400, "invalid_grant");
    assert!(!client.may_read_userinfo(&visit.tokens.access).await);
    let mut flipped = visit.tokens.access.clone().into_bytes();
    flipped[3] ^= 1;
    assert!(!client.finds_active(&String::from_utf8(flipped).unwrap()).await);
}
