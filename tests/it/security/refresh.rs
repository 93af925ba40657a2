//! RT: refresh tokens rotate, forgive one stumble, and end with what they came from.
use std::collections::HashSet;

use tokio::task::JoinSet;

use crate::harness::{
    Call, Fixtures, Parameters, RelyingParty, Tokens, assert, fixtures,
    jwt::Token,
    seed::{delete_client, delete_user, disable_client, disable_user, forbid, set_password},
};

const DAY: i64 = 24 * 60 * 60;

/// Tokens that last, of U1 for this client.
async fn staying(f: &Fixtures, client: &RelyingParty) -> Tokens {
    f.visit_with(client, client.asks_to_stay()).await.tokens
}

fn scope_of(access_token: &str) -> HashSet<String> {
    Token::read(access_token).claims["scope"].as_str().unwrap().split(' ').map(str::to_string).collect()
}

fn scopes<const N: usize>(names: [&str; N]) -> HashSet<String> {
    names.map(str::to_string).into()
}

/// SEC-042, RFC 9700 §4.14.2.
#[tokio::test]
async fn sec_042_an_old_refresh_token_ends_the_family() {
    let f = fixtures().await;
    for client in [&f.c2, &f.c1] {
        let first = staying(&f, client).await;
        let second = client.refreshed(first.refresh_token()).await;
        assert_ne!(first.refresh, second.refresh, "rotated");
        assert!(client.may_read_userinfo(&second.access).await);
        f.clock.advance(11);
        assert::json(&client.refresh(first.refresh_token()).await, 400, "invalid_grant");
        assert::json(&client.refresh(second.refresh_token()).await, 400, "invalid_grant");
        assert!(!client.may_read_userinfo(&second.access).await, "the successor's access token lives on");
        assert!(!client.may_read_userinfo(&first.access).await, "the first access token lives on");
    }
}

/// SEC-042: only the token that was rotated last is forgiven, however quick the thief is.
#[tokio::test]
async fn sec_042_the_token_before_the_last_is_not_forgiven() {
    let f = fixtures().await;
    let first = staying(&f, &f.c2).await;
    let second = f.c2.refreshed(first.refresh_token()).await;
    let third = f.c2.refreshed(second.refresh_token()).await;
    assert::json(&f.c2.refresh(first.refresh_token()).await, 400, "invalid_grant");
    assert::json(&f.c2.refresh(third.refresh_token()).await, 400, "invalid_grant");
}

/// SEC-043 and decision D3: two tabs refresh at once, and both stay signed in.
#[tokio::test]
async fn sec_043_a_repeat_within_the_grace_gets_the_same_successor() {
    let f = fixtures().await;
    let first = staying(&f, &f.c2).await;
    let one = f.c2.refreshed(first.refresh_token()).await;
    f.clock.advance(10);
    let two = f.c2.refreshed(first.refresh_token()).await;
    assert_eq!(one.refresh, two.refresh, "one lineage");
    for tokens in [&one, &two] {
        assert!(f.c2.may_read_userinfo(&tokens.access).await);
    }
    let next = f.c2.refreshed(one.refresh_token()).await;
    assert_ne!(next.refresh, one.refresh);
    assert_eq!(f.c2.refreshed(two.refresh_token()).await.refresh, next.refresh, "the other tab follows");
}

/// SEC-044, CVE-2026-1035.
#[tokio::test]
async fn sec_044_many_refreshes_at_once_make_one_lineage() {
    let f = fixtures().await;
    let first = staying(&f, &f.c2).await;
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let (client, token) = (f.c2.clone(), first.refresh_token().to_string());
        tries.spawn(async move { client.refresh(&token).await });
    }
    let mut successors = HashSet::new();
    for answer in tries.join_all().await {
        if answer.status == 200 {
            successors.insert(Tokens::of(&answer).refresh.unwrap());
        } else {
            assert::json(&answer, 400, "invalid_grant");
        }
    }
    assert_eq!(successors.len(), 1, "{successors:?}");
    f.c2.refreshed(successors.iter().next().unwrap()).await;
}

/// SEC-045, RFC 6749 §6, oidcc-refresh-token.
#[tokio::test]
async fn sec_045_a_refresh_token_is_for_its_client() {
    let f = fixtures().await;
    let tokens = staying(&f, &f.c1).await;
    for thief in [&f.c4, &f.c2, &f.c6] {
        assert::json(&thief.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
    }
    let form = f.c1.refreshing(tokens.refresh_token()).also("client_id", "c1");
    assert::json(&f.site.send(Call::post("/oauth2/token").form(&form)).await, 401, "invalid_client");
    f.c1.refreshed(tokens.refresh_token()).await;
}

/// SEC-046, RFC 6749 §6: narrower for once, never wider.
#[tokio::test]
async fn sec_046_a_refresh_may_narrow_its_scope_for_once() {
    let f = fixtures().await;
    let asked = f.c1.asks_to_stay().with("scope", "openid profile offline_access");
    let first = f.visit_with(&f.c1, asked).await.tokens;
    let with = |token: &str, scope: &str| f.c1.refreshing(token).with("scope", scope);
    for wider in ["openid profile email", "email", "openid profile offline_access admin:all"] {
        assert::json(&f.c1.token(with(first.refresh_token(), wider)).await, 400, "invalid_scope");
    }
    let narrow = Tokens::of(&f.c1.token(with(first.refresh_token(), "openid")).await);
    assert_eq!(scope_of(&narrow.access), scopes(["openid"]));
    let again = f.c1.refreshed(narrow.refresh_token()).await;
    assert_eq!(
        scope_of(&again.access),
        scopes(["openid", "profile", "offline_access"]),
        "the grant is as wide as before"
    );
    let same = with(again.refresh_token(), "offline_access profile openid");
    assert_eq!(scope_of(&Tokens::of(&f.c1.token(same).await).access), scopes(["openid", "profile", "offline_access"]));
}

/// SEC-047, CVE-2026-43983: what the operator ends, ends at once.
#[tokio::test]
async fn sec_047_a_refresh_token_ends_with_the_person() {
    let f = fixtures().await;
    let tokens = staying(&f, &f.c1).await;
    disable_user(&f.app, &f.u1, true).await;
    assert::json(&f.c1.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
    assert!(!f.c1.may_read_userinfo(&tokens.access).await);
}

#[tokio::test]
async fn sec_047_a_refresh_token_ends_with_the_account() {
    let f = fixtures().await;
    let tokens = staying(&f, &f.c1).await;
    delete_user(&f.app, &f.u1).await;
    assert::json(&f.c1.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
    assert!(!f.c1.may_read_userinfo(&tokens.access).await);
}

#[tokio::test]
async fn sec_047_a_refresh_token_ends_with_the_password() {
    let f = fixtures().await;
    let tokens = staying(&f, &f.c1).await;
    set_password(&f.app, &f.u1, "fourteen quiet lanterns").await;
    assert::json(&f.c1.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
}

/// A client that is switched off cannot prove itself any more either: both refusals are right.
#[tokio::test]
async fn sec_047_a_refresh_token_ends_with_the_client() {
    let f = fixtures().await;
    for client in [&f.c1, &f.c2] {
        let tokens = staying(&f, client).await;
        disable_client(&f.app, client).await;
        let either = [(400, "invalid_grant"), (401, "invalid_client")];
        assert::json_of(&client.refresh(tokens.refresh_token()).await, &either);
        assert!(!client.may_read_userinfo(&tokens.access).await);
    }
    let tokens = staying(&f, &f.c4).await;
    delete_client(&f.app, &f.c4).await;
    assert::json(&f.c4.refresh(tokens.refresh_token()).await, 401, "invalid_client");
    assert!(!f.c4.may_read_userinfo(&tokens.access).await);
}

#[tokio::test]
async fn sec_047_a_refresh_token_ends_with_the_right_to_refresh() {
    let f = fixtures().await;
    let tokens = staying(&f, &f.c1).await;
    forbid(&f.app, &f.c1, "refresh_token").await;
    assert::json(&f.c1.refresh(tokens.refresh_token()).await, 400, "unauthorized_client");
}

/// SEC-048 and decision D3, ASVS 10.4.8.
#[tokio::test]
async fn sec_048_a_refresh_token_used_daily_ends_after_ninety_days() {
    let f = fixtures().await;
    let mut tokens = staying(&f, &f.c2).await;
    for _ in 0..89 {
        f.clock.advance(DAY);
        tokens = f.c2.refreshed(tokens.refresh_token()).await;
    }
    f.clock.advance(DAY - 1);
    tokens = f.c2.refreshed(tokens.refresh_token()).await;
    f.clock.advance(2);
    assert::json(&f.c2.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
}

#[tokio::test]
async fn sec_048_a_refresh_token_left_alone_ends_after_two_weeks() {
    let f = fixtures().await;
    let (spent, kept) = (staying(&f, &f.c2).await, staying(&f, &f.c2).await);
    f.clock.advance(14 * DAY - 1);
    let kept = f.c2.refreshed(kept.refresh_token()).await;
    f.clock.advance(2);
    assert::json(&f.c2.refresh(spent.refresh_token()).await, 400, "invalid_grant");
    f.c2.refreshed(kept.refresh_token()).await;
}

/// A refresh gives what the refresh token was given for: the same person, the same sign-in (OpenID Connect Core §12.2).
#[tokio::test]
async fn sec_046_a_refresh_without_a_token_or_with_an_access_token_is_refused() {
    let f = fixtures().await;
    let tokens = staying(&f, &f.c1).await;
    assert::json(&f.c1.refresh(&tokens.access).await, 400, "invalid_grant");
    assert::json(&f.c1.refresh(tokens.id.as_deref().unwrap()).await, 400, "invalid_grant");
    assert::json(&f.c1.refresh("").await, 400, "invalid_request");
    assert::json(&f.c1.token(Parameters::new(&[("grant_type", "refresh_token")])).await, 400, "invalid_request");
    f.c1.refreshed(tokens.refresh_token()).await;
}
