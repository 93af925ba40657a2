//! `docs/guides/lost-factor.md`: each way back in, under the heading that the guide gives it.

use std::collections::BTreeSet;

use signet::flows::factors;

use super::{cookie, half_way, is_inside, step, with_phone};
use crate::{
    harness::{
        Fixtures, TestServer, assert,
        phone::{Phone, phone},
        seed,
    },
    pages::entry::forgotten,
};

const GUIDE: &str = "docs/guides/lost-factor.md";

const WAYS: [&str; 6] = [
    "With a recovery code",
    "With another passkey or the authenticator app",
    "At a browser that is trusted",
    "By a code by mail",
    "With the help of an administrator",
    "The password is forgotten too",
];

/// What the guide says is what is tested here, and nothing besides.
#[test]
fn every_way_of_the_guide_is_tested() {
    let guide = std::fs::read_to_string(GUIDE).unwrap();
    let headings: BTreeSet<&str> = guide.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut tested = BTreeSet::from(WAYS);
    tested.insert("What each way in is worth");
    assert_eq!(headings, tested);
}

/// The page of the second step, without the phone.
async fn without_the_phone() -> (Fixtures, Phone, crate::harness::Browser) {
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    (f, phone, browser)
}

#[tokio::test]
async fn with_a_recovery_code() {
    let (f, phone, mut browser) = without_the_phone().await;
    browser.press("factor-recovery").await;
    assert!(browser.page().text().contains("Each works once"), "{}", browser.page());
    step(&mut browser, &phone.codes[0].to_uppercase().replace('-', " ")).await;
    assert!(is_inside(&browser), "{}", browser.page());
    let told = seed::mailbox(&f.app, &f.u1.email).await;
    assert!(told.iter().any(|mail| mail.text.contains("Codes that are left: 9")));
    // What is gone is removed, and a new one set up.
    browser.goto("/account/factors").await.press("factors-remove").await;
    browser.press("factors-begin").await;
    let new = Phone::reading(&browser.page().read("factor-secret"));
    browser.fill("factor-code", &new.shows(f.now())).press("factors-confirm").await;
    assert!(browser.sees("recovery-codes"), "{}", browser.page());
    f.clock.advance(30);
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    step(&mut browser, &new.shows(f.now())).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

#[tokio::test]
async fn with_another_passkey_or_the_authenticator_app() {
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    step(&mut browser, &phone.shows(f.now())).await;
    let mut key = crate::harness::authenticator::Authenticator::new(&f.site.issuer, "second");
    super::passkeys::enrol(&mut browser, &mut key, "key ring").await;
    browser.goto("/account/factors").await;
    assert!(browser.page().text().contains("On this one device only"), "{}", browser.page());
    // By the passkey alone.
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    super::passkeys::sign_in(&mut browser, &mut key).await;
    assert!(is_inside(&browser), "{}", browser.page());
    // By the app, where the passkey is gone.
    f.clock.advance(30);
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    assert!(browser.page().has("factor-passkey"), "the page offers both: {}", browser.page());
    step(&mut browser, &phone.shows(f.now())).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

#[tokio::test]
async fn at_a_browser_that_is_trusted() {
    let (f, phone, mut browser) = without_the_phone().await;
    browser.fill("factor-code", &phone.shows(f.now()));
    let (action, method, form) = browser.form("factor-submit");
    browser.submit(&action, method, &form.with("trust", "yes")).await;
    assert!(is_inside(&browser), "{}", browser.page());
    browser.goto("/logout").await.press("logout-confirm").await;
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(is_inside(&browser), "{}", browser.page());
    browser.goto("/account/factors").await;
    assert!(browser.sees("factors-again") && !browser.sees("factors-remove"), "{}", browser.page());
    browser.goto(&f.c1.asks().with("acr_values", "aal2").url()).await;
    assert!(browser.sees("factor-code"), "{}", browser.page());
}

#[tokio::test]
async fn by_a_code_by_mail() {
    let f = TestServer::with(&[("second_factor.mail_codes", "true")]).await.fixtures().await;
    phone(&f.app, &f.u1).await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    browser.press("factor-mail").await;
    let mails = seed::mailbox(&f.app, &f.u1.email).await;
    let code = mails.iter().find_map(|mail| mail.text.lines().find_map(|line| line.strip_prefix("Code: ")));
    step(&mut browser, code.expect("a code by mail")).await;
    assert!(is_inside(&browser), "{}", browser.page());
    browser.goto("/account/factors").await;
    assert!(browser.sees("factors-again"), "{}", browser.page());
}

#[tokio::test]
async fn with_the_help_of_an_administrator() {
    let settings = [("second_factor.required", "everybody")];
    let f = TestServer::with(&settings).await.fixtures().await;
    phone(&f.app, &f.u1).await;
    // What `signet users reset-factors` does.
    factors::reset(&f.app, f.u1.id.parse().unwrap(), false).await.unwrap();
    let told = seed::mailbox(&f.app, &f.u1.email).await;
    assert!(told.iter().any(|mail| mail.subject == "Your second factors were removed"));
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    browser.goto(&asked.url()).await.sign_in(&f.u1).await;
    let new = Phone::reading(&browser.page().read("factor-secret"));
    step(&mut browser, &new.shows(f.now())).await;
    assert!(browser.sees("recovery-codes"), "{}", browser.page());
    browser.press("codes-on").await;
    browser.walk(&f.u1).await;
    assert::granted(&browser, &f.c1, &asked);
}

/// SEC-120.
#[tokio::test]
async fn the_password_is_forgotten_too() {
    const NEW: &str = "seven violet lanterns";
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    let reset = forgotten(&f, &mut browser).await;
    browser.goto(&reset).await.fill("reset-password", NEW).press("reset-submit").await;
    assert_eq!(cookie(&browser, "session"), None);
    let person = seed::Person { password: NEW.to_owned(), ..f.u1.clone() };
    browser.goto(&f.c1.asks().url()).await.sign_in(&person).await;
    assert!(browser.sees("factor-code"), "{}", browser.page());
    browser.press("factor-recovery").await;
    step(&mut browser, &phone.codes[1]).await;
    assert!(is_inside(&browser), "{}", browser.page());
}
