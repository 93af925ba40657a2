//! Who must have a second factor, by the operator's word.

use sea_orm::EntityTrait;
use serde_json::json;
use signet::{flows::admin::clients, store::sign_in};

use super::{cookie, is_inside, step};
use crate::harness::{
    Browser, Fixtures, TestServer, assert, fixtures,
    phone::{Phone, phone},
};

async fn of_everybody() -> Fixtures {
    TestServer::with(&[("second_factor.required", "everybody")]).await.fixtures().await
}

/// Reads the picture on the page, and confirms; the recovery codes that are shown.
async fn set_up(f: &Fixtures, browser: &mut Browser) -> (Phone, Vec<String>) {
    let phone = Phone::reading(&browser.page().read("factor-secret"));
    step(browser, &phone.shows(f.now())).await;
    assert!(browser.sees("recovery-codes"), "{}", browser.page());
    let codes = browser.page().read("recovery-codes").split_whitespace().map(str::to_owned).collect();
    browser.press("codes-on").await;
    (phone, codes)
}

#[tokio::test]
async fn whoever_has_none_sets_one_up_on_the_way_and_goes_on_to_the_app() {
    let f = of_everybody().await;
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    browser.goto(&asked.url()).await.sign_in(&f.u1).await;
    assert!(browser.sees("factor-qr"), "{}", browser.page());
    assert_eq!(cookie(&browser, "session"), None);
    let secret = browser.page().read("factor-secret");
    step(&mut browser, "000000").await;
    assert_eq!(browser.page().status(), 401);
    assert_eq!(browser.page().read("factor-secret"), secret, "what was read stays right");
    let (_, codes) = set_up(&f, &mut browser).await;
    assert_eq!(codes.len(), 10);
    browser.walk(&f.u1).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal2"), &json!(["pwd", "otp", "mfa"])));
    assert!(sign_in::Entity::find().all(&f.app.db).await.unwrap().is_empty());

    // Somebody who lost the phone a moment later.
    let mut again = f.browser();
    again.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    again.press("factor-recovery").await;
    step(&mut again, &codes[9]).await;
    assert!(is_inside(&again), "{}", again.page());
}

/// Two who are half-way at once, one of them with a stolen password: each has a key of their own, and the newest counts.
#[tokio::test]
async fn sec_132_a_key_is_shown_at_one_place_only() {
    let f = of_everybody().await;
    let (mut thief, mut owner) = (f.browser(), f.browser());
    thief.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    let stolen = Phone::reading(&thief.page().read("factor-secret"));
    owner.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    let own = owner.page().read("factor-secret");
    assert_ne!(thief.page().read("factor-secret"), own);
    step(&mut thief, &stolen.shows(f.now())).await;
    assert!(!is_inside(&thief) && !thief.sees("recovery-codes"), "{}", thief.page());
    // Whoever was overtaken gives the password again, and is shown another key.
    owner.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    set_up(&f, &mut owner).await;
    let mut again = f.browser();
    again.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    step(&mut again, &stolen.shows(f.now())).await;
    assert!(!is_inside(&again), "{}", again.page());
}

/// A session from before the operator's change opens nothing until there is more.
#[tokio::test]
async fn a_session_of_one_step_is_not_enough_for_the_account() {
    let f = of_everybody().await;
    let phone = phone(&f.app, &f.u1).await;
    let mut browser = f.browser();
    browser.goto("/account").await.sign_in(&f.u1).await;
    f.clock.advance(30);
    step(&mut browser, &phone.shows(f.now())).await;
    assert!(browser.sees("account-email"), "{}", browser.page());
    let weakened = signet::store::session::Entity::update_many()
        .set(signet::store::session::ActiveModel { methods: sea_orm::Set("pwd".into()), ..Default::default() })
        .exec(&f.app.db);
    weakened.await.unwrap();
    browser.goto("/account/email").await;
    assert!(browser.sees("factor-code"), "{}", browser.page());
    f.clock.advance(30);
    step(&mut browser, &phone.shows(f.now())).await;
    assert!(browser.sees("email-new"), "{}", browser.page());
}

#[tokio::test]
async fn an_app_can_ask_for_itself() {
    let f = fixtures().await;
    let known = clients::find(&f.app, "c4").await.unwrap();
    let mut policy = known.policy.clone();
    policy.require_second_factor = true;
    clients::update(&f.app, "c4", known.metadata.clone(), policy).await.unwrap();
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(browser.sees("consent-allow"), "others do not: {}", browser.page());
    let asked = f.c4.asks();
    browser.goto(&asked.url()).await;
    assert!(browser.sees("factor-secret"), "{}", browser.page());
    set_up(&f, &mut browser).await;
    browser.walk(&f.u1).await;
    assert::granted(&browser, &f.c4, &asked);
}

#[tokio::test]
async fn administrators_can_be_asked_alone() {
    let f = TestServer::with(&[("second_factor.required", "admins")]).await.fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(browser.sees("consent-allow"), "{}", browser.page());
    let admin = signet::store::user::ActiveModel { admin: sea_orm::Set(true), ..Default::default() };
    signet::store::user::Entity::update_many().set(admin).exec(&f.app.db).await.unwrap();
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(browser.sees("factor-secret"), "{}", browser.page());
}
