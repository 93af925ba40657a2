//! RV: revocation (RFC 7009) and introspection (RFC 7662).
use reqwest::Method;
use serde_json::json;

use crate::harness::{
    Answer, Call, Parameters, RelyingParty, Tokens, Userinfo, assert, fixtures,
    fixtures::{Fixtures, RS1, RS2},
    relying_party::{INTROSPECT, REVOKE},
    seed::{disable_user, lose_storage},
};

fn of(token: &str) -> Parameters {
    Parameters::new(&[("token", token)])
}

/// SEC-054, RFC 7009 §2.1, §2.2.
#[tokio::test]
async fn sec_054_revocation_answers() {
    let f = fixtures().await;
    let tokens = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens;
    let bare = f.site.send(Call::post(REVOKE).form(&of(&tokens.access))).await;
    assert::json(&bare, 401, "invalid_client");
    let named = f.site.send(Call::post(REVOKE).form(&of(&tokens.access).also("client_id", "c1"))).await;
    assert::json(&named, 401, "invalid_client");
    let wrong = f.site.send(Call::post(REVOKE).basic("c1", "wrong").form(&of(&tokens.access))).await;
    assert::json(&wrong, 401, "invalid_client");
    assert::json(&f.c1.post(REVOKE, Parameters::default()).await, 400, "invalid_request");
    assert::json(&f.c1.post(REVOKE, of("")).await, 400, "invalid_request");
    assert::json(&f.c1.post(REVOKE, of("a").also("token", "b")).await, 400, "invalid_request");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = f.site.send(Call::new(method, REVOKE)).await;
        assert_eq!(answer.status, 405);
        assert!(answer.tokens_of("allow").contains(&"post".into()));
    }
    assert_eq!(f.c1.revoke("unknown").await.status, 200);
    assert_eq!(f.c1.revoke("a.b.c").await.status, 200);
    assert!(f.c1.may_read_userinfo(&tokens.access).await, "none of this revoked anything");
    f.clock.advance(tokens.expires_in + 11);
    assert_eq!(f.c1.revoke(&tokens.access).await.status, 200, "an expired token is as good as revoked");
    f.c1.refreshed(tokens.refresh_token()).await;
}

/// SEC-054: a hint is a hint (§2.1: the server looks further).
#[tokio::test]
async fn sec_054_a_wrong_hint_still_revokes() {
    let f = fixtures().await;
    for hint in ["access_token", "refresh_token", "id_token", "nonsense", ""] {
        eprintln!("when the hint is {hint:?}");
        let tokens = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens;
        let answer = f.c1.post(REVOKE, of(&tokens.access).also("token_type_hint", hint)).await;
        assert_eq!(answer.status, 200);
        assert!(!f.c1.may_read_userinfo(&tokens.access).await && !f.c1.finds_active(&tokens.access).await);
        let tokens = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens;
        let answer = f.c1.post(REVOKE, of(tokens.refresh_token()).also("token_type_hint", hint)).await;
        assert_eq!(answer.status, 200);
        assert::json(&f.c1.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
    }
}

/// SEC-054: a public client revokes with its name alone.
#[tokio::test]
async fn sec_054_a_public_client_may_revoke_its_own() {
    let f = fixtures().await;
    let tokens = f.visit_with(&f.c2, f.c2.asks_to_stay()).await.tokens;
    assert_eq!(f.c2.revoke(tokens.refresh_token()).await.status, 200);
    assert::json(&f.c2.refresh(tokens.refresh_token()).await, 400, "invalid_grant");
    assert!(!f.c2.may_read_userinfo(&tokens.access).await);
}

/// SEC-055, RFC 7009 §2.1.
#[tokio::test]
async fn sec_055_nobody_revokes_for_another() {
    let f = fixtures().await;
    let tokens = f.visit_with(&f.c4, f.c4.asks_to_stay()).await.tokens;
    for stranger in [&f.c1, &f.c2, &f.c6] {
        for token in [&tokens.access, tokens.refresh.as_ref().unwrap()] {
            let answer = stranger.revoke(token).await;
            assert!(matches!(answer.status, 200 | 400), "{} {}", answer.status, answer.text());
        }
    }
    assert!(f.c4.may_read_userinfo(&tokens.access).await && f.c4.finds_active(&tokens.access).await);
    f.c4.refreshed(tokens.refresh_token()).await;
}

/// SEC-056, RFC 7009 §2.1: the refresh token takes the whole grant along.
#[tokio::test]
async fn sec_056_revoking_the_refresh_token_ends_the_grant() {
    let f = fixtures().await;
    let first = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens;
    let second = f.c1.refreshed(first.refresh_token()).await;
    let other = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens;
    assert_eq!(f.c1.revoke(second.refresh_token()).await.status, 200);
    for token in [&first.access, &second.access, second.refresh.as_ref().unwrap()] {
        assert!(!f.c1.finds_active(token).await);
    }
    assert!(!f.c1.may_read_userinfo(&first.access).await && !f.c1.may_read_userinfo(&second.access).await);
    assert::json(&f.c1.refresh(second.refresh_token()).await, 400, "invalid_grant");
    assert!(f.c1.finds_active(&other.access).await, "another grant of the same two is untouched");
}

/// SEC-057 and G6, RFC 7009 §2.2.1, CVE-2020-15223: without its memory the server says so, and never yes.
#[tokio::test]
async fn sec_057_without_storage_nothing_is_promised() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    let (asked, code) = f.code(&f.c1).await;
    lose_storage(&f.app).await;
    for answer in [
        f.c1.revoke(&visit.tokens.access).await,
        f.c1.revoke(visit.tokens.refresh_token()).await,
        f.c1.introspect(&visit.tokens.access).await,
        f.c1.redeem(&code, &asked).await,
        f.c1.refresh(visit.tokens.refresh_token()).await,
        f.c1.userinfo(&visit.tokens.access, Userinfo::Get).await,
    ] {
        is_away(&answer);
    }
    let mut browser = visit.browser;
    let asked = f.c1.asks();
    let answer = browser.request(Call::get(&asked.url())).await;
    assert!(answer.status == 503 && answer.location().is_none() && answer.header("retry-after").is_some());
    assert_eq!(answer.media_type(), "text/html");
    assert_eq!(f.site.get("/health/live").await.status, 200);
    assert_eq!(f.site.get("/health/ready").await.status, 503);
}

#[track_caller]
fn is_away(answer: &Answer) {
    assert_eq!(answer.status, 503, "{} {}", answer.url, answer.text());
    assert!(answer.header("retry-after").is_some(), "{}", answer.url);
    assert_eq!(answer.media_type(), "application/json", "{}", answer.url);
    assert::not_stored(answer);
}

/// Nothing but "no" (RFC 7662 §2.2).
async fn says_no(who: &RelyingParty, token: &str) {
    let answer = who.introspect(token).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "active": false })));
    assert_eq!(answer.media_type(), "application/json");
    assert::not_stored(&answer);
}

/// An access token of U1 and C1 for RS1.
async fn token_for_rs1(f: &Fixtures) -> Tokens {
    let scope = "openid reports.read offline_access";
    f.visit_with(&f.c1, f.c1.asks_to_stay().with("scope", scope).with("resource", RS1)).await.tokens
}

/// SEC-058, RFC 7662 §2.1 to §2.3 and §4.
#[tokio::test]
async fn sec_058_introspection_is_for_those_it_concerns() {
    let f = fixtures().await;
    let token = token_for_rs1(&f).await;
    let bare = f.site.send(Call::post(INTROSPECT).form(&of(&token.access))).await;
    assert::json(&bare, 401, "invalid_client");
    let bearer = f.site.send(Call::post(INTROSPECT).bearer(&token.access).form(&of(&token.access))).await;
    assert::json(&bearer, 401, "invalid_client");
    let public = f.c2.post(INTROSPECT, of(&token.access)).await;
    assert::json(&public, 401, "invalid_client");
    assert::json(&f.rs1.post(INTROSPECT, Parameters::default()).await, 400, "invalid_request");
    assert_eq!(f.site.send(Call::get(INTROSPECT)).await.status, 405);

    let answer = f.rs1.introspect(&token.access).await;
    assert_eq!((answer.status, answer.media_type()), (200, "application/json"));
    assert::not_stored(&answer);
    let told = answer.json();
    assert_eq!(
        (&told["active"], &told["aud"], &told["client_id"]),
        (&json!(true), &json!(RS1), &json!("c1")),
        "{told}"
    );
    assert_eq!((&told["sub"], &told["iss"]), (&json!(f.u1.id), &json!(f.site.issuer)), "{told}");
    assert_eq!((&told["scope"], &told["token_type"]), (&json!("reports.read"), &json!("Bearer")), "{told}");
    assert_eq!(told["exp"], f.now() + 600, "{told}");

    for nonsense in ["garbage", "a.b.c", &"x".repeat(6000)] {
        says_no(&f.rs1, nonsense).await;
    }
    says_no(&f.rs2, &token.access).await;
    says_no(&f.rs1, token.refresh_token()).await;
    says_no(&f.rs1, token.id.as_deref().unwrap()).await;
    says_no(&f.rs1, &f.tokens(&f.c1).await.access).await;
    says_no(&f.c4, &token.access).await;
    f.clock.advance(611);
    says_no(&f.rs1, &token.access).await;
}

/// SEC-058: a disabled person has no tokens.
#[tokio::test]
async fn sec_058_a_token_of_a_disabled_person_is_dead() {
    let f = fixtures().await;
    let token = token_for_rs1(&f).await;
    assert!(f.rs1.finds_active(&token.access).await);
    disable_user(&f.app, &f.u1, true).await;
    says_no(&f.rs1, &token.access).await;
    says_no(&f.c1, &token.access).await;
}

/// SEC-058 for machines: the audience of a machine's token is asked for or follows from its scope (RFC 8707).
#[tokio::test]
async fn sec_058_a_machine_token_is_for_one_resource_server() {
    let f = fixtures().await;
    let form = Parameters::new(&[("grant_type", "client_credentials"), ("scope", "reports.read")]);
    let token = Tokens::of(&f.c5.token(form.clone().also("resource", RS1)).await);
    let told = f.rs1.introspect(&token.access).await.json();
    assert_eq!((&told["active"], &told["sub"], &told["aud"]), (&json!(true), &json!("c5"), &json!(RS1)), "{told}");
    says_no(&f.rs2, &token.access).await;
    for wrong in ["https://unknown.example/", "not a uri", &format!("{RS1}#x")] {
        assert::json(&f.c5.token(form.clone().also("resource", wrong)).await, 400, "invalid_target");
    }
    let two = form.also("resource", RS1).also("resource", RS2);
    assert::json_of(&f.c5.token(two).await, &[(400, "invalid_target"), (400, "invalid_request")]);
}
