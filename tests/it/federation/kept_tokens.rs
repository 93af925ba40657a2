//! Tokens of a provider are kept where the operator wants them, and then sealed.

use sea_orm::EntityTrait;
use serde_json::{Value, json};
use signet::{
    app::reseal::{Change, hint_context, tokens_context},
    crypto::seal::MasterKey,
    flows::admin::providers,
    store::upstream_session,
};

use super::{OPEN, World, grace, is_inside, like, world};

const KEEP: &str = "sign_up = true\nlink = 'verified_email'\nkeep_tokens = true";

async fn kept(w: &World) -> Option<Value> {
    let link = w.links().await.pop().expect("a link");
    let sealed = link.sealed_tokens?.0;
    let opened = w.f.app.master_key.open(&tokens_context(link.id), &sealed).unwrap();
    let said: Value = serde_json::from_slice(&opened).unwrap();
    for name in ["access_token", "refresh_token", "id_token"] {
        let token = said[name].as_str().unwrap().as_bytes();
        assert!(!sealed.windows(token.len()).any(|window| window == token), "{name} is in clear");
    }
    Some(said)
}

#[tokio::test]
async fn tokens_are_kept_sealed_and_are_renewed_at_each_sign_in() {
    let w = world(KEEP).await;
    w.up.lies().tokens = json!({ "refresh_token": "refresh-one", "scope": "openid", "other": "x" });
    w.enrolled().await;
    let first = kept(&w).await.expect("kept");
    assert_eq!((&first["refresh_token"], first.get("other")), (&json!("refresh-one"), None));
    assert_eq!(first["received_at"], w.f.now());
    w.up.lies().tokens = json!({ "refresh_token": "refresh-two" });
    let mut browser = w.f.browser();
    w.come(&mut browser, &grace()).await;
    assert!(is_inside(&browser), "{}", browser.page());
    let second = kept(&w).await.expect("kept");
    assert_eq!(second["refresh_token"], "refresh-two");
    assert_ne!(first["access_token"], second["access_token"]);
}

/// RFC 6749 §6: some give one the first time alone.
#[tokio::test]
async fn a_refresh_token_stays_until_another_comes() {
    let w = world(KEEP).await;
    w.up.lies().tokens = json!({ "refresh_token": "refresh-one" });
    w.enrolled().await;
    w.up.lies().tokens = json!({});
    let mut browser = w.f.browser();
    w.come(&mut browser, &grace()).await;
    assert!(is_inside(&browser), "{}", browser.page());
    assert_eq!(kept(&w).await.expect("kept")["refresh_token"], "refresh-one");
}

/// Also where the person says first whose account it is, or what is missing for one.
#[tokio::test]
async fn tokens_are_kept_from_the_first_sign_in_on() {
    let w = world("keep_tokens = true\nsign_up = true").await;
    w.up.lies().tokens = json!({ "refresh_token": "refresh-one" });
    let mut browser = w.f.browser();
    w.come(&mut browser, &like(&w.f.u1)).await;
    browser.press("connect-sign-in").await.sign_in(&w.f.u1).await.press("connect-yes").await;
    assert_eq!(kept(&w).await.expect("kept")["refresh_token"], "refresh-one", "{}", browser.page());

    let w = world("keep_tokens = true\nsign_up = true").await;
    w.up.lies().tokens = json!({ "refresh_token": "refresh-two" });
    let mut browser = w.f.browser();
    w.come(&mut browser, &grace()).await;
    browser.fill("enrol-email", "grace@harbor.example").press("enrol-submit").await;
    assert_eq!(kept(&w).await.expect("kept")["refresh_token"], "refresh-two", "{}", browser.page());
}

#[tokio::test]
async fn nothing_is_kept_unless_the_operator_says_so() {
    let w = world(OPEN).await;
    w.enrolled().await;
    assert!(w.links().await[0].sealed_tokens.is_none());
}

#[tokio::test]
async fn what_was_kept_goes_when_the_setting_is_switched_off() {
    let w = World::made_by_operators().await;
    w.up.lies().tokens = json!({ "refresh_token": "refresh-one" });
    w.enrolled().await;
    assert!(kept(&w).await.is_some());
    let off = json!({ "keep_tokens": false });
    providers::change(&w.f.app, "harbor", off.as_object().unwrap().clone()).await.unwrap();
    assert!(kept(&w).await.is_none());
}

/// Case SEC-164: another master key, and what was sealed is there still.
#[tokio::test]
async fn sec_164_what_is_kept_of_a_provider_is_sealed_anew() {
    let w = world(&format!("{KEEP}\nlogout = true")).await;
    w.up.lies().tokens = json!({ "refresh_token": "refresh-one" });
    w.enrolled().await;
    let app = &w.f.app;
    let next = MasterKey::from_bytes([7; 32]);
    let change = Change { current: &next, previous: &app.master_key, random: &app.random };
    assert!(change.apply(&app.db, &app.writer).await.unwrap() >= 3, "secret, tokens and hint");
    assert_eq!(change.apply(&app.db, &app.writer).await.unwrap(), 0, "and once");
    let link = w.links().await.remove(0);
    let opened = next.open(&tokens_context(link.id), &link.sealed_tokens.unwrap().0).unwrap();
    assert!(String::from_utf8_lossy(&opened).contains("refresh-one"));
    let session = upstream_session::Entity::find().one(&app.db).await.unwrap().unwrap();
    next.open(&hint_context(session.id), &session.hint.unwrap().0).unwrap();
}
