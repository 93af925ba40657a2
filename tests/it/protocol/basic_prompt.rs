//! Basic OP, second part: sessions, and when a person is asked. Plan: oidcc-basic-certification-test-plan.
use serde_json::{Map, Value};

use super::fixtures;
use crate::harness::{Asked, Browser, Fixtures, assert, fixtures::Visit};

fn auth_time(claims: &Map<String, Value>) -> i64 {
    claims["auth_time"].as_i64().unwrap_or_else(|| panic!("no auth_time in {claims:?}"))
}

/// A request in a browser with a session that needs no page; the ID token's claims.
async fn silently(f: &Fixtures, browser: &mut Browser, asked: &Asked) -> Map<String, Value> {
    browser.goto(&asked.url()).await;
    let code = assert::granted(browser, &f.c1, asked);
    assert_eq!(browser.hops.len(), 1, "no page on the way");
    f.c1.tokens(&code, asked).await.claims()
}

#[tokio::test]
async fn oidcc_prompt_login() {
    let f = fixtures().await;
    let Visit { mut browser, tokens, .. } = f.visit(&f.c1).await;
    f.wait(2).await;
    let asked = f.c1.asks().with("prompt", "login");
    browser.goto(&asked.url()).await;
    assert!(browser.sees("login-password"), "{}", browser.page());
    assert!(browser.page().text().contains("The c1 application"), "the page says for whom: {}", browser.page());
    browser.walk(&f.u1).await;
    let code = assert::granted(&browser, &f.c1, &asked);
    let claims = f.c1.tokens(&code, &asked).await.claims();
    assert!(auth_time(&claims) > auth_time(&tokens.claims()));
}

#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    let f = fixtures().await;
    let asked = f.c1.asks().with("prompt", "none");
    assert_eq!(asked.get("state").unwrap().len(), 128);
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c1, &asked, "login_required");
}

#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    let f = fixtures().await;
    let Visit { mut browser, tokens, .. } = f.visit(&f.c1).await;
    f.wait(2).await;
    let claims = silently(&f, &mut browser, &f.c1.asks().with("prompt", "none")).await;
    assert_eq!(claims["sub"], tokens.claims()["sub"]);
    assert_eq!(auth_time(&claims), auth_time(&tokens.claims()));
}

#[tokio::test]
async fn oidcc_max_age_1() {
    let f = fixtures().await;
    let Visit { mut browser, tokens, .. } = f.visit(&f.c1).await;
    f.wait(2).await;
    let asked = f.c1.asks().with("max_age", "1");
    browser.goto(&asked.url()).await;
    assert!(browser.sees("login-password"), "{}", browser.page());
    browser.walk(&f.u1).await;
    let code = assert::granted(&browser, &f.c1, &asked);
    let claims = f.c1.tokens(&code, &asked).await.claims();
    assert!(auth_time(&claims) >= auth_time(&tokens.claims()) + 2);
    f.was_at(auth_time(&claims), f.now());
}

#[tokio::test]
async fn oidcc_max_age_10000() {
    let f = fixtures().await;
    let first = f.visit_with(&f.c1, f.c1.asks().with("max_age", "15000")).await;
    f.wait(2).await;
    let mut browser = first.browser;
    let claims = silently(&f, &mut browser, &f.c1.asks().with("max_age", "10000")).await;
    assert_eq!(auth_time(&claims), auth_time(&first.tokens.claims()));
}

#[tokio::test]
async fn oidcc_id_token_hint() {
    let f = fixtures().await;
    let Visit { mut browser, tokens, .. } = f.visit(&f.c1).await;
    let hint = tokens.id.clone().unwrap();
    let asked = f.c1.asks().with("prompt", "none").with("id_token_hint", &hint);
    let claims = silently(&f, &mut browser, &asked).await;
    assert_eq!(claims["sub"], tokens.claims()["sub"]);
}

#[tokio::test]
async fn oidcc_login_hint() {
    let f = fixtures().await;
    for hint in ["buffy@localhost", "ada", "ada@example.com", "\"><svg onload=alert(1)>", "é日本"] {
        eprintln!("when the hint is {hint}");
        let asked = f.c1.asks().with("login_hint", hint);
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert!(browser.sees("login-submit"), "{}", browser.page());
        let shown = browser.page().read("login-username");
        assert!(shown.is_empty() || shown == hint, "{shown:?} is not what was hinted");
        assert!(!browser.page().answer.text().contains("<svg onload"), "a hint became markup");
        browser.walk(&f.u1).await;
        assert::granted(&browser, &f.c1, &asked);
    }
}

/// prompt=select_account shows who is there and lets the person go on, choose another, or leave.
#[tokio::test]
async fn prompt_select_account_lets_the_person_choose() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    let asks = || f.c1.asks().with("prompt", "select_account");
    let asked = asks();
    browser.goto(&asked.url()).await;
    assert!(browser.page().path().ends_with("/account"), "{}", browser.page());
    browser.press("account-current").await;
    let code = assert::granted(&browser, &f.c1, &asked);
    assert_eq!(f.c1.tokens(&code, &asked).await.claims()["sub"], f.u1.id.as_str());

    let asked = asks();
    browser.goto(&asked.url()).await.press("account-cancel").await;
    assert::redirect(&browser, &f.c1, &asked, "access_denied");

    let asked = asks();
    browser.goto(&asked.url()).await.press("account-another").await;
    browser.walk(&f.u2).await;
    let code = assert::granted(&browser, &f.c1, &asked);
    assert_eq!(f.c1.tokens(&code, &asked).await.claims()["sub"], f.u2.id.as_str());
}

/// prompt=consent asks although it was agreed before; two prompts are both honoured.
#[tokio::test]
async fn prompt_consent_asks_again() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    let asked = f.c1.asks().with("prompt", "consent");
    browser.goto(&asked.url()).await;
    assert!(browser.sees("consent-allow"), "{}", browser.page());
    browser.press("consent-allow").await;
    assert::granted(&browser, &f.c1, &asked);
    let asked = f.c1.asks().with("prompt", "login consent");
    browser.goto(&asked.url()).await;
    assert!(browser.sees("login-password"));
    browser.sign_in(&f.u1).await;
    assert!(browser.sees("consent-allow"), "{}", browser.page());
    browser.press("consent-allow").await;
    assert::granted(&browser, &f.c1, &asked);
}

/// The login page takes a username or an e-mail address, says when it was wrong, and stays the same journey.
#[tokio::test]
async fn a_person_signs_in_by_name_or_address() {
    let f = fixtures().await;
    for (name, right) in [(&f.u1.username, true), (&f.u1.email, true), (&f.u2.username, false)] {
        let asked = f.c1.asks();
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        browser
            .fill("login-username", name)
            .fill("login-password", "wrong password of ada")
            .press("login-submit")
            .await;
        assert!(browser.sees("login-problem"), "{}", browser.page());
        assert!((200..500).contains(&browser.page().status()) && browser.page().read("login-password").is_empty());
        browser.fill("login-username", name).fill("login-password", &f.u1.password).press("login-submit").await;
        assert_eq!(browser.sees("login-problem"), !right, "{name}: {:?}", browser.hops.last().unwrap().url);
        if right {
            browser.walk(&f.u1).await;
            assert::granted(&browser, &f.c1, &asked);
        }
    }
}
