//! What people do with their own accounts, by the flows behind pages and API.

mod names;
mod phone;

use crate::harness::{RelyingParty, TestServer};

const PASSWORD: &str = "three wet umbrellas";

/// Whether the login page lets somebody in.
async fn gets_in(server: &TestServer, app: &RelyingParty, login: &str, password: &str) -> bool {
    let mut browser = server.browser();
    browser.goto(&app.asks().url()).await;
    browser.fill("login-username", login).fill("login-password", password).press("login-submit").await;
    let inside = browser.has_left() || browser.sees("consent-allow");
    assert!(inside || browser.page().status() == 401, "{}", browser.page());
    inside
}
