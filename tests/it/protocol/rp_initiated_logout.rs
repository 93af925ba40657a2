//! RP-initiated logout. Plan: oidcc-rp-initiated-logout-certification-test-plan.
use serde_json::json;

use super::{fixtures, secure};
use crate::harness::{
    Fixtures, Parameters, assert,
    fixtures::Visit,
    jwt::{FOREIGN_KEY, Token, unsigned},
    relying_party::{DISCOVERY, random},
};

const BYE: &str = "https://rp.example/bye";

/// After a logout, silence answers with an error of the login_required kind.
async fn is_signed_out(f: &Fixtures, visit: &mut Visit) {
    let asked = f.c1.asks().with("prompt", "none");
    visit.browser.goto(&asked.url()).await;
    assert::redirect(&visit.browser, &f.c1, &asked, "login_required");
}

async fn is_still_signed_in(f: &Fixtures, visit: &mut Visit) {
    let asked = f.c1.asks().with("prompt", "none");
    visit.browser.goto(&asked.url()).await;
    assert::granted(&visit.browser, &f.c1, &asked);
}

async fn visit() -> (Fixtures, Visit, String) {
    let f = fixtures().await;
    let visit = f.visit(&f.c1).await;
    let hint = visit.tokens.id.clone().unwrap();
    (f, visit, hint)
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let server = secure().await;
    let metadata = server.site.get(DISCOVERY).await.json();
    assert_eq!(metadata["end_session_endpoint"], server.site.url("/logout").as_str());
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let (f, mut visit, hint) = visit().await;
    let state = random(128);
    let url = f.c1.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", &state)]);
    visit.browser.goto(&url).await;
    let landed = visit.browser.landed();
    assert_eq!(landed.raw, format!("{BYE}?state={state}"), "only state");
    assert_eq!(visit.browser.hops.len(), 1, "no page in between");
    is_signed_out(&f, &mut visit).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let (f, mut visit, hint) = visit().await;
    let url = f.c1.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]);
    visit.browser.goto(&url).await;
    assert_eq!(visit.browser.landed().raw, BYE, "no parameters");
    is_signed_out(&f, &mut visit).await;
}

/// No redirect, and a page that says what happened.
async fn stays(visit: &mut Visit, url: &str) {
    visit.browser.goto(url).await;
    assert!(!visit.browser.has_left(), "sent to {}", visit.browser.landed().raw);
    let page = visit.browser.page();
    assert!(page.has("error-code") || page.has("logout-confirm"), "{page}");
    assert_eq!(page.has("error-code"), page.status() == 400, "{page}");
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let (f, mut visit, hint) = visit().await;
    let bad = "https://rp.example/bye_invalid";
    let url = f.c1.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", bad), ("state", "s")]);
    stays(&mut visit, &url).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let (f, mut visit, hint) = visit().await;
    let added = "https://rp.example/bye?foo=bar";
    let url = f.c1.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", added), ("state", "s")]);
    stays(&mut visit, &url).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let (f, mut visit, hint) = visit().await;
    let modified = unsigned(&json!(Token::read(&hint).claims));
    let url = f.c1.logout_url(&[("id_token_hint", &modified), ("post_logout_redirect_uri", BYE), ("state", "s")]);
    stays(&mut visit, &url).await;
    is_still_signed_in(&f, &mut visit).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let (f, mut visit, hint) = visit().await;
    let read = Token::read(&hint);
    let header = json!({ "alg": "RS256", "kid": read.kid() });
    let bad = FOREIGN_KEY.sign_with(&header, &json!(read.claims));
    let url = f.c1.logout_url(&[("id_token_hint", &bad), ("post_logout_redirect_uri", BYE), ("state", "s")]);
    stays(&mut visit, &url).await;
    is_still_signed_in(&f, &mut visit).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let (f, mut visit, _) = visit().await;
    let url = f.c1.logout_url(&[("post_logout_redirect_uri", BYE), ("state", "s")]);
    stays(&mut visit, &url).await;
}

/// Signed out, perhaps after a click, and a page says so.
async fn ends_on_a_page(parameters: &[(&str, &str)]) {
    let (f, mut visit, hint) = visit().await;
    let parameters: Vec<(&str, &str)> =
        parameters.iter().map(|(name, value)| (*name, if *value == "HINT" { &hint } else { *value })).collect();
    visit.browser.goto(&f.c1.logout_url(&parameters)).await;
    if visit.browser.sees("logout-confirm") {
        visit.browser.press("logout-confirm").await;
    }
    assert!(visit.browser.sees("logged-out"), "{}", visit.browser.page());
    assert_eq!((visit.browser.page().status(), visit.browser.page().path()), (200, "/logged-out"));
    assert::page_headers(visit.browser.page());
    is_signed_out(&f, &mut visit).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    ends_on_a_page(&[]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    ends_on_a_page(&[("state", "only-state")]).await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    ends_on_a_page(&[("id_token_hint", "HINT")]).await;
    ends_on_a_page(&[("id_token_hint", "HINT"), ("state", "s")]).await;
}

/// A relying party may post the request (RP-Initiated Logout §2), from its own site and so without our cookie (K4).
#[tokio::test]
async fn a_logout_may_be_posted() {
    let (f, mut visit, hint) = visit().await;
    let form = Parameters::new(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "s")]);
    visit.browser.post_from_elsewhere("/logout", &form).await;
    assert_eq!(visit.browser.landed().raw, format!("{BYE}?state=s"));
    is_signed_out(&f, &mut visit).await;
}

/// Somebody who is not signed in is told so, and goes back where that is proven.
#[tokio::test]
async fn a_logout_of_nobody_does_no_harm() {
    let (f, visit, hint) = visit().await;
    let mut stranger = f.browser();
    stranger.goto("/logout").await;
    assert!(stranger.sees("logged-out"), "{}", stranger.page());
    stranger
        .goto(&f.c1.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "s")]))
        .await;
    assert_eq!(stranger.landed().raw, format!("{BYE}?state=s"));
    let mut visit = visit;
    is_still_signed_in(&f, &mut visit).await;
}

/// Repeats, rubbish and length are refused in words (G1).
#[tokio::test]
async fn a_logout_request_is_well_formed() {
    let (f, mut visit, hint) = visit().await;
    let twice =
        Parameters::new(&[("id_token_hint", &hint), ("state", "a"), ("state", "b"), ("post_logout_redirect_uri", BYE)]);
    visit.browser.goto(&format!("/logout?{}", twice.encoded())).await;
    assert::page(&visit.browser, 400);
    is_still_signed_in(&f, &mut visit).await;
    let url = f.c1.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", &random(2049))]);
    visit.browser.goto(&url).await;
    assert::page(&visit.browser, 400);
    is_still_signed_in(&f, &mut visit).await;
}
