//! Accounts for people who come by a provider, where the operator lets them sign up so.

use serde_json::json;
use signet::{flows::admin::users, store::user};

use super::{OPEN, World, cookie, grace, is_inside, is_outside, world, world_with};
use crate::harness::{Browser, Call, seed};

async fn made(w: &World) -> user::User {
    let links = w.links().await;
    assert_eq!(links.len(), 1);
    user::find(&w.f.app.db, links[0].user_id).await.unwrap().unwrap()
}

#[tokio::test]
async fn who_is_new_gets_an_account() {
    let w = world(OPEN).await;
    let mut browser = w.enrolled().await;
    let user = made(&w).await;
    assert_eq!((user.email.as_deref(), user.email_verified), (Some("grace@harbor.example"), true));
    assert_eq!((user.username.as_deref(), user.admin), (Some("grace"), false));
    assert_eq!(user.claims.name.as_deref(), Some("Grace Hopper"));
    browser.goto("/account").await;
    assert!(browser.page().text().contains("Another provider"), "{}", browser.page());
    browser.goto("/account/security").await;
    assert!(browser.page().text().contains("Way to sign in connected"), "{}", browser.page());
    browser.goto("/account/security/sign-ins").await;
    assert!(browser.page().text().contains("Signed in with a provider"), "{}", browser.page());
}

/// Requirement AC11: what is kept of a person is in their copy, and goes with the account.
#[tokio::test]
async fn a_connection_is_in_the_copy_of_the_data_and_goes_with_the_account() {
    let w = world(OPEN).await;
    let mut browser = w.enrolled().await;
    browser.goto("/account/data").await;
    let (action, _, form) = browser.form("export-submit");
    let copy = browser.request(Call::post(&action).form(&form)).await.json();
    let known = &copy["account"]["signs_in_with"][0];
    assert_eq!((&known["provider"], &known["subject"]), (&json!("harbor"), &json!("g-1906")), "{copy}");
    assert_eq!(known["known_as"], "grace@harbor.example");
    users::delete(&w.f.app, made(&w).await.id).await.unwrap();
    assert!(w.links().await.is_empty());
}

/// Nobody gets one by default, and is told how it goes on.
#[tokio::test]
async fn nobody_gets_an_account_unless_the_operator_says_so() {
    let w = world("").await;
    let mut browser = w.f.browser();
    w.come(&mut browser, &grace()).await;
    is_outside(&browser, "connect-sign-in", 200);
    assert!(!browser.sees("connect-enrol") && w.links().await.is_empty());
    let url = browser.page().answer.url.to_string().replace("/connect", "/enrol");
    browser.goto(&url).await;
    assert!(!browser.sees("enrol-submit"), "{}", browser.page());
}

#[tokio::test]
async fn a_name_that_is_taken_or_reserved_is_not_given() {
    for name in ["ada", "admin", "not a name", ""] {
        let w = world(OPEN).await;
        let mut person = grace();
        person["preferred_username"] = json!(name);
        let mut browser = w.f.browser();
        w.come(&mut browser, &person).await;
        assert!(is_inside(&browser), "{}", browser.page());
        assert_eq!(made(&w).await.username, None, "{name}");
    }
}

#[tokio::test]
async fn a_name_is_asked_for_where_everybody_has_one() {
    let w = world_with(&[("accounts.usernames", "required")], OPEN).await;
    let mut person = grace();
    person["preferred_username"] = json!("ada");
    let mut browser = w.f.browser();
    w.come(&mut browser, &person).await;
    is_outside(&browser, "enrol-username", 200);
    assert!(!browser.sees("enrol-email"), "{}", browser.page());
    browser.fill("enrol-username", "ada").press("enrol-submit").await;
    assert_eq!((browser.page().status(), browser.sees("enrol-username-problem")), (422, true), "{}", browser.page());
    browser.fill("enrol-username", "grace").press("enrol-submit").await;
    assert!(is_inside(&browser), "{}", browser.page());
    let user = made(&w).await;
    assert_eq!((user.username.as_deref(), user.email.as_deref()), (Some("grace"), Some("grace@harbor.example")));
}

/// An address that the provider does not vouch for, or that we do not believe it: the person confirms it.
async fn asked_for_an_address(w: &World, person: &serde_json::Value) -> Browser {
    let mut browser = w.f.browser();
    w.come(&mut browser, person).await;
    is_outside(&browser, "enrol-email", 200);
    assert!(w.links().await.is_empty());
    browser
}

#[tokio::test]
async fn an_address_is_asked_for_and_confirmed_by_mail() {
    for (setting, person) in [
        (OPEN, json!({ "sub": "1" })),
        (OPEN, json!({ "sub": "1", "email": "grace@harbor.example", "email_verified": false })),
        ("sign_up = true", grace()),
    ] {
        let w = world(setting).await;
        let mut browser = asked_for_an_address(&w, &person).await;
        assert_eq!(browser.page().read("enrol-email"), person["email"].as_str().unwrap_or_default());
        browser.fill("enrol-email", "nonsense").press("enrol-submit").await;
        assert_eq!(browser.page().status(), 422, "{}", browser.page());
        browser.fill("enrol-email", "grace@harbor.example").press("enrol-submit").await;
        assert!(is_inside(&browser), "{}", browser.page());
        assert_eq!(made(&w).await.email, None, "not theirs yet");
        let mails = seed::mailbox(&w.f.app, "grace@harbor.example").await;
        let link = mails[0].links[0].address.clone();
        browser.goto(&link).await.press("question-submit").await;
        let user = made(&w).await;
        assert_eq!((user.email.as_deref(), user.email_verified), (Some("grace@harbor.example"), true));
    }
}

/// Case SEC-118: the page is the same, and the owner of the address hears of it.
#[tokio::test]
async fn sec_118_nobody_learns_whose_an_address_is() {
    let w = world("sign_up = true").await;
    let mut browser = asked_for_an_address(&w, &json!({ "sub": "1" })).await;
    browser.fill("enrol-email", &w.f.u1.email).press("enrol-submit").await;
    assert!(is_inside(&browser), "{}", browser.page());
    let user = made(&w).await;
    assert_eq!(user.email, None);
    assert_ne!(user.id.to_string(), w.f.u1.id);
    let mails = seed::mailbox(&w.f.app, &w.f.u1.email).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(!mails[0].links.iter().any(|link| link.address.contains("/account/email/confirm")), "{mails:?}");
}

/// Whoever waits for an account is nobody yet.
#[tokio::test]
async fn an_account_is_made_where_it_was_asked_for_and_once() {
    let w = world("sign_up = true").await;
    let mut browser = asked_for_an_address(&w, &json!({ "sub": "1" })).await;
    let mut thief = w.f.browser();
    let url = browser.page().answer.url.to_string();
    thief.goto(&url).await;
    assert!(!thief.sees("enrol-submit"), "{}", thief.page());
    let (action, method, form) = browser.form("enrol-submit");
    let form = form.with("email", "a@harbor.example");
    browser.submit(&action, method.clone(), &form).await;
    let first = cookie(&browser, "session");
    assert!(first.is_some());
    browser.goto(&url).await;
    assert!(!browser.sees("enrol-submit"));
    assert_eq!(w.links().await.len(), 1);

    // It does not wait for ever.
    let mut late = w.f.browser();
    w.come(&mut late, &json!({ "sub": "2" })).await;
    w.f.clock.advance(901);
    late.fill("enrol-email", "b@harbor.example").press("enrol-submit").await;
    assert_eq!((w.links().await.len(), cookie(&late, "session")), (1, None), "{}", late.page());
}
