//! MF: second factors.

mod account;
mod assurance;
mod around;
mod kept;
mod levels;
mod limits;
mod lost;
mod magic_link;
mod mailed;
mod passkeys;
mod required;
mod sign_in;

use crate::harness::{
    Browser, Fixtures, RelyingParty, fixtures,
    phone::{Phone, phone},
};

/// U1 has an authenticator app, and what it shows has not been used.
async fn with_phone() -> (Fixtures, Phone) {
    let f = fixtures().await;
    let phone = phone(&f.app, &f.u1).await;
    f.clock.advance(30);
    (f, phone)
}

/// The value of a cookie.
fn cookie(browser: &Browser, name: &str) -> Option<String> {
    browser.cookies().iter().find(|cookie| cookie.name.ends_with(name)).map(|cookie| cookie.value.clone())
}

/// The second step, by this code.
async fn step(browser: &mut Browser, code: &str) {
    browser.fill("factor-code", code).press("factor-submit").await;
}

/// U1 gives the password to this app, and is asked for more.
async fn half_way(f: &Fixtures, browser: &mut Browser, app: &RelyingParty) {
    browser.goto(&app.asks().url()).await.sign_in(&f.u1).await;
    assert!(browser.sees("factor-code"), "{}", browser.page());
}

fn is_inside(browser: &Browser) -> bool {
    browser.has_left() || browser.sees("consent-allow")
}
