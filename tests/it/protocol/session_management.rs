//! Session management. Plan: oidcc-session-management-certification-test-plan. The frame itself runs in a real browser:
//! tests/relying_parties (suite `logout`).
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};

use super::{fixtures, secure};
use crate::harness::{Browser, Call, Fixtures, relying_party::DISCOVERY};

/// What the script of the frame finds in the browser.
pub fn state(browser: &Browser) -> String {
    let cookie = browser.cookies().iter().find(|cookie| cookie.name.ends_with("signet-state"));
    cookie.map(|cookie| cookie.value.clone()).unwrap_or_default()
}

/// What the script of the frame answers (§3.2).
pub fn is_unchanged(browser: &Browser, client_id: &str, origin: &str, session_state: &str) -> bool {
    let (hash, salt) = session_state.split_once('.').expect("a salt");
    let text = format!("{client_id} {origin} {} {salt}", state(browser));
    BASE64.encode(openssl::sha::sha256(text.as_bytes())) == hash
}

async fn told(f: &Fixtures) -> (Browser, String) {
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.walk(&f.u1).await;
    let told = browser.landed().get("session_state").expect("a session_state").to_string();
    (browser, told)
}

#[tokio::test]
async fn oidcc_session_management_discovery_endpoint_verification() {
    let server = secure().await;
    let metadata = server.site.get(DISCOVERY).await.json();
    assert_eq!(metadata["check_session_iframe"], server.site.url("/session/check").as_str());
    assert_eq!(metadata["end_session_endpoint"], server.site.url("/logout").as_str());
}

#[tokio::test]
async fn oidcc_session_management_rp_initiated_logout() {
    let f = fixtures().await;
    let (mut browser, told) = told(&f).await;
    assert!(!told.contains(' '), "{told}");
    assert!(is_unchanged(&browser, "c1", "https://rp.example", &told));
    assert!(!is_unchanged(&browser, "c4", "https://rp.example", &told), "it is for one client");
    assert!(!is_unchanged(&browser, "c1", "https://evil.test", &told), "it is for one origin");
    browser.goto("/account").await;
    assert!(is_unchanged(&browser, "c1", "https://rp.example", &told), "looking changes nothing");
    browser.goto("/logout").await.press("logout-confirm").await;
    assert!(!is_unchanged(&browser, "c1", "https://rp.example", &told));
    assert!(state(&browser).is_empty(), "the cookie goes with the session");
}

/// §2: another person is another state; so is the same who has proven again who they are.
#[tokio::test]
async fn the_state_is_another_after_each_login() {
    let f = fixtures().await;
    let (mut browser, told) = told(&f).await;
    let again = f.c1.asks();
    let salted = browser.goto(&again.url()).await.landed().get("session_state").unwrap().to_string();
    assert_ne!(salted, told, "salted anew for each answer");
    assert!(is_unchanged(&browser, "c1", "https://rp.example", &salted));
    browser.goto(&f.c4.asks().with("prompt", "login").url()).await.press("login-submit").await;
    browser.goto(&f.c4.asks().with("prompt", "login").url()).await;
    f.sign_in(&mut browser, &f.u1).await;
    assert!(!is_unchanged(&browser, "c1", "https://rp.example", &told));
}

/// An app that was told of a state finds it, also where the cookie was lost or is older than this feature.
#[tokio::test]
async fn the_cookie_comes_back_with_the_next_answer() {
    let f = fixtures().await;
    let (mut browser, told) = told(&f).await;
    browser.jar.0.retain(|cookie| !cookie.name.ends_with("signet-state"));
    assert!(!is_unchanged(&browser, "c1", "https://rp.example", &told));
    browser.goto(&f.c1.asks().url()).await.landed();
    assert!(is_unchanged(&browser, "c1", "https://rp.example", &told), "the same session is the same state");
}

#[tokio::test]
async fn only_answers_of_openid_connect_to_web_origins_carry_a_state() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    for asked in [
        f.c1.asks().with("scope", "profile"),
        f.c1.asks().with("prompt", "none").with("scope", "profile"),
        f.c3.asks().with("redirect_uri", "com.example.app:/cb"),
        f.c1.asks().with("prompt", "none").with("max_age", "x"),
    ] {
        browser.goto(&asked.url()).await.walk(&f.u1).await;
        assert_eq!(browser.landed().get("session_state"), None, "{}", browser.landed().raw);
    }
}

/// K6: the one page that may be framed, by everybody, and it is the same for everybody.
#[tokio::test]
async fn sec_096_the_frame_holds_nothing_and_answers_one_origin() {
    let f = secure().await.fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    let here = browser.request(Call::get("/session/check")).await;
    let elsewhere = f.site.get("/session/check").await;
    assert_eq!((here.status, here.media_type()), (200, "text/html"));
    assert_eq!(here.body, elsewhere.body, "nothing of whoever asks");
    assert!(here.header("set-cookie").is_none() && here.header("x-frame-options").is_none());
    let policy = here.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'; script-src 'self';") && policy.contains("frame-ancestors *"));
    let html = here.text();
    assert!(!html.contains("<form") && !html.contains("<a ") && !html.contains("<button"), "no controls: {html}");
    assert!(html.contains("data-cookie=\"__Host-signet-state\""), "{html}");
    let script = std::fs::read_to_string("static/session.js").unwrap();
    assert!(script.contains("postMessage(word, event.origin)"), "to exactly who asked");
    assert_eq!(script.matches("postMessage").count(), 1, "and nowhere else");
    assert!(!script.contains("'*'") && !script.contains("fetch") && !script.contains("XMLHttpRequest"));
    // What scripts can read is no key to anything.
    let session = browser.cookies().iter().find(|cookie| cookie.name.ends_with("session")).unwrap().value.clone();
    let state = state(&browser);
    assert!(state.len() == 43 && state != session);
    let mut thief = f.browser();
    thief.goto("/").await;
    for name in ["__Host-signet-state", "__Host-signet-session"] {
        let mut cookie = browser.cookies().iter().find(|cookie| cookie.name == name).unwrap().clone();
        cookie.value.clone_from(&state);
        thief.jar.0.push(cookie);
    }
    assert!(thief.goto("/account").await.sees("login-submit"), "{}", thief.page());
}

/// K6: every other page refuses to be framed.
#[tokio::test]
async fn sec_096_no_other_page_may_be_framed() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    for path in ["/", "/account", "/logout", "/logged-out", "/setup", "/try", "/session/check/x", "/errors/x", "/docs"]
    {
        browser.goto(path).await;
        let page = browser.page();
        assert_eq!(page.policy("frame-ancestors").unwrap(), ["'none'"], "{path}");
        assert_eq!(page.answer.header("x-frame-options"), Some("DENY"), "{path}");
    }
}
