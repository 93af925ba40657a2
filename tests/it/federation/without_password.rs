//! People who were made by a provider have no password: what asks for one asks them to sign in again, or to set a first.

use signet::store::{password, user};
use tokio::task::JoinSet;

use super::{OPEN, World, cookie, grace, is_inside, world};
use crate::{
    accounts::signed_in::log,
    harness::{Browser, Call, seed, seed::Person},
    pages::entry::link,
};

const ADDRESS: &str = "grace@harbor.example";
const NEW: &str = "seven violet lanterns";

impl World {
    async fn grace(&self) -> Person {
        let user = user::find(&self.f.app.db, self.links().await[0].user_id).await.unwrap().unwrap();
        Person {
            id: user.id.to_string(),
            email: ADDRESS.to_owned(),
            username: "grace".to_owned(),
            password: NEW.to_owned(),
        }
    }

    /// By the provider once more, from where the account has asked for it.
    async fn sign_in_again(&self, browser: &mut Browser, button: &str) {
        browser.press(button).await.press("login-provider-harbor").await;
        let back = self.up.back(&browser.landed().url, &grace());
        browser.goto(&back).await;
    }

    async fn subjects_of(&self, address: &str) -> Vec<String> {
        seed::mailbox(&self.f.app, address).await.into_iter().map(|mail| mail.subject).collect()
    }
}

#[tokio::test]
async fn who_has_no_password_sets_a_first_one() {
    let w = world(OPEN).await;
    let mut browser = w.enrolled().await;
    let mut elsewhere = w.f.browser();
    w.come(&mut elsewhere, &grace()).await;
    let person = w.grace().await;
    browser.goto("/account/password").await;
    assert!(!browser.sees("password-current") && browser.sees("password-new"), "{}", browser.page());
    browser.fill("password-new", "short").press("password-submit").await;
    assert_eq!((browser.page().status(), browser.sees("password-new-problem")), (422, true), "{}", browser.page());
    let before = cookie(&browser, "session");
    browser.fill("password-new", NEW).press("password-submit").await;
    assert!(browser.page().text().contains("Your password is set."), "{}", browser.page());
    assert!(browser.sees("password-current"), "from now on there is one to change: {}", browser.page());
    assert_ne!(cookie(&browser, "session"), before, "case SEC-107");
    elsewhere.goto("/account").await;
    assert_eq!(elsewhere.page().path(), "/account", "nobody is signed out by another way in");
    assert!(w.subjects_of(ADDRESS).await.contains(&"Your account has a password now".to_owned()));
    assert!(log(&w.f, &person).await.contains(&"password_set".to_owned()));
    let mut plain = w.f.browser();
    plain.goto(&w.f.c1.asks().url()).await.sign_in(&person).await;
    assert!(is_inside(&plain), "{}", plain.page());
}

/// Case SEC-132: somebody who finds a browser open makes no way in of their own.
#[tokio::test]
async fn sec_132_a_first_password_takes_a_fresh_sign_in() {
    let w = world(OPEN).await;
    let mut browser = w.enrolled().await;
    browser.goto("/account/password").await;
    let (action, method, form) = browser.fill("password-new", NEW).form("password-submit");
    w.f.clock.advance(600);
    browser.goto("/account/password").await;
    assert!(!browser.sees("password-submit"), "{}", browser.page());
    browser.submit(&action, method, &form).await;
    assert!(browser.sees("login-password"), "{}", browser.page());
    let person = w.grace().await.id.parse().unwrap();
    assert!(password::find(&w.f.app.db, person).await.unwrap().is_none());
    browser.goto("/account/password").await;
    w.sign_in_again(&mut browser, "password-again").await;
    assert_eq!(browser.page().path(), "/account/password");
    browser.fill("password-new", NEW).press("password-submit").await;
    assert!(password::find(&w.f.app.db, person).await.unwrap().is_some(), "{}", browser.page());
}

/// One of many who set one at once.
#[tokio::test]
async fn a_first_password_is_set_once() {
    let w = world(OPEN).await;
    let mut browser = w.enrolled().await;
    browser.goto("/account/password").await;
    let (action, _, form) = browser.form("password-submit");
    let mut many = JoinSet::new();
    for n in 0..6 {
        let form = form.clone().with("new_password", &format!("{NEW} {n}"));
        let (mut browser, call) = (browser.stolen(), Call::post(&action).form(&form));
        many.spawn(async move {
            let answer = browser.request(call).await;
            // Who comes after that has an old cookie, and is sent to sign in.
            (answer.status, answer.header("location").is_some_and(|to| to.contains("done=")))
        });
    }
    let answers = many.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == (303, true)).count(), 1, "{answers:?}");
    let person = w.grace().await;
    assert_eq!(log(&w.f, &person).await.iter().filter(|line| *line == "password_set").count(), 1);
}

#[tokio::test]
async fn the_account_of_who_has_no_password_can_be_given_up() {
    let w = world(OPEN).await;
    let mut browser = w.enrolled().await;
    browser.goto("/account/data").await;
    assert!(!browser.sees("delete-password"), "{}", browser.page());
    w.f.clock.advance(600);
    let (action, method, form) = browser.form("delete-submit");
    browser.submit(&action, method, &form).await;
    assert!(browser.sees("login-password"), "{}", browser.page());
    browser.goto("/account/data").await;
    w.sign_in_again(&mut browser, "delete-again").await;
    assert_eq!(browser.page().path(), "/account/data");
    browser.press("delete-submit").await;
    assert!(browser.sees("deletion-planned"), "{}", browser.page());
    browser.goto(&link(&w.f, ADDRESS, "/account/keep").await).await.press("question-submit").await;
    assert!(browser.sees("account-kept"), "{}", browser.page());
}

#[tokio::test]
async fn the_address_of_who_has_no_password_can_be_changed() {
    let w = world(OPEN).await;
    let mut browser = w.enrolled().await;
    browser.goto("/account/email").await;
    assert!(!browser.sees("current-password"), "{}", browser.page());
    let (action, method, form) = browser.fill("email-new", "hopper@harbor.example").form("email-submit");
    w.f.clock.advance(600);
    browser.goto("/account/email").await;
    assert!(!browser.sees("email-submit"), "{}", browser.page());
    browser.submit(&action, method, &form).await;
    assert!(browser.sees("login-password"), "{}", browser.page());
    browser.goto("/account/email").await;
    w.sign_in_again(&mut browser, "email-again").await;
    browser.fill("email-new", "hopper@harbor.example").press("email-submit").await;
    assert!(browser.sees("notice"), "{}", browser.page());
    let confirm = link(&w.f, "hopper@harbor.example", "/account/email/confirm").await;

    // In another browser there is no password to show it by: they sign in there first.
    let mut phone = w.f.browser();
    phone.goto(&confirm).await;
    assert!(phone.sees("question-sign-in") && !phone.sees("question-password"), "{}", phone.page());
    w.sign_in_again(&mut phone, "question-sign-in").await;
    phone.goto(&confirm).await.press("question-submit").await;
    assert!(phone.sees("email-confirmed"), "{}", phone.page());
    let user = user::find(&w.f.app.db, w.links().await[0].user_id).await.unwrap().unwrap();
    assert_eq!(user.email.as_deref(), Some("hopper@harbor.example"));
}

/// The other sessions, too, end by a fresh sign-in.
#[tokio::test]
async fn who_has_no_password_signs_others_out() {
    let w = world(OPEN).await;
    let mut browser = w.enrolled().await;
    let mut elsewhere = w.f.browser();
    w.come(&mut elsewhere, &grace()).await;
    w.f.clock.advance(600);
    browser.goto("/account/sessions").await;
    assert!(!browser.sees("current-password"), "{}", browser.page());
    browser.press("sessions-others").await;
    assert!(browser.sees("login-password"), "{}", browser.page());
    browser.press("login-provider-harbor").await;
    let back = w.up.back(&browser.landed().url, &grace());
    browser.goto(&back).await.press("sessions-others").await;
    assert!(browser.sees("notice"), "{}", browser.page());
    elsewhere.goto("/account").await;
    assert!(elsewhere.sees("login-submit"), "{}", elsewhere.page());
}

/// The mail for a forgotten password sets a first one as well.
#[tokio::test]
async fn a_forgotten_password_may_be_one_that_never_was() {
    let w = world(OPEN).await;
    w.enrolled().await;
    let mut browser = w.f.browser();
    browser.goto("/account/forgot").await.fill("forgot-login", ADDRESS).press("forgot-submit").await;
    assert!(browser.sees("reset-asked"), "{}", browser.page());
    browser.goto(&link(&w.f, ADDRESS, "/account/reset").await).await;
    browser.fill("reset-password", NEW).press("reset-submit").await;
    let person = w.grace().await;
    browser.goto(&w.f.c1.asks().url()).await.sign_in(&person).await;
    assert!(is_inside(&browser), "{}", browser.page());
    // And the provider still opens it.
    let mut another = w.f.browser();
    w.come(&mut another, &grace()).await;
    assert!(is_inside(&another), "{}", another.page());
}

/// With a first password, the provider is no longer the last way in.
#[tokio::test]
async fn sec_140_who_sets_a_password_can_disconnect_the_provider() {
    let w = world(OPEN).await;
    let mut browser = w.enrolled().await;
    let button = format!("disconnect-{}", w.links().await[0].id);
    browser.goto("/account/providers").await.press(&button).await;
    assert_eq!((browser.page().status(), w.links().await.len()), (409, 1), "{}", browser.page());
    let person = w.grace().await;
    browser.goto("/account/password").await.fill("password-new", NEW).press("password-submit").await;
    browser.goto("/account/providers").await.press(&button).await;
    assert!(w.links().await.is_empty(), "{}", browser.page());
    let mut plain = w.f.browser();
    plain.goto(&w.f.c1.asks().url()).await.sign_in(&person).await;
    assert!(is_inside(&plain), "{}", plain.page());
}
