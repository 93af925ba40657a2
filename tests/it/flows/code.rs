//! RFC 6749 §4.1 and OpenID Connect Core §3.1 from end to end, as each kind of application does it.
use crate::harness::{
    Userinfo, assert, fixtures,
    seed::{ClientSpec, disable_client, disable_user, set_password},
};

/// Sign in, agree, redeem, read, refresh, introspect, revoke: with every way to prove a client.
#[tokio::test]
async fn a_sign_in_works_from_the_first_click_to_the_last_token() {
    let f = fixtures().await;
    for client in [&f.c1, &f.c4, &f.c6, &f.c2, &f.c3] {
        eprintln!("as {}", client.client_id);
        let visit = f.visit_with(client, client.asks_to_stay()).await;
        assert_eq!(visit.tokens.scopes(), ["email", "offline_access", "openid", "profile"]);
        let told = client.userinfo(&visit.tokens.access, Userinfo::Get).await.json();
        assert_eq!(told["email"], f.u1.email.as_str());
        let second = client.refreshed(visit.tokens.refresh_token()).await;
        assert!(client.may_read_userinfo(&second.access).await);
        if !matches!(client.proof, crate::harness::Proof::None) {
            assert!(client.finds_active(&second.access).await);
        }
        assert_eq!(client.revoke(second.refresh_token()).await.status, 200);
        assert!(!client.may_read_userinfo(&second.access).await);
    }
}

/// The pages come in their order, at their addresses, and say for whom they ask.
#[tokio::test]
async fn the_pages_come_in_their_order() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    let login = browser.page().path().to_string();
    assert!(login.starts_with("/authorize/") && login.ends_with("/login"), "{login}");
    assert!(browser.page().text().contains("The c1 application"), "{}", browser.page());
    assert::page_headers(browser.page());
    browser.sign_in(&f.u1).await;
    assert_eq!(browser.page().path(), login.replace("/login", "/consent"));
    assert!(browser.page().text().contains("The c1 application"), "{}", browser.page());
    assert::page_headers(browser.page());
    browser.press("consent-allow").await;
    assert!(browser.landed().get("code").is_some());
}

/// With session and consent there is no page and no stop on the way.
#[tokio::test]
async fn who_is_known_and_has_agreed_passes_in_one_step() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    let asked = f.c1.asks();
    browser.goto(&asked.url()).await;
    assert::granted(&browser, &f.c1, &asked);
    assert_eq!(browser.hops.len(), 1);
}

/// The operator's own app asks for no consent, if it is set so; everybody else does.
#[tokio::test]
async fn a_first_party_client_may_skip_the_question() {
    let f = fixtures().await;
    let own = f.client(ClientSpec { first_party: true, ..ClientSpec::web("own") }).await;
    let asked = own.asks();
    let mut browser = f.browser();
    browser.goto(&asked.url()).await.sign_in(&f.u1).await;
    assert::granted(&browser, &own, &asked);
    let asked = own.asks().with("prompt", "consent");
    browser.goto(&asked.url()).await;
    assert!(browser.sees("consent-allow"), "asked for in words: {}", browser.page());
}

/// Leaving and coming back: a journey is there until it ends, and is worth one answer.
#[tokio::test]
async fn a_journey_has_one_end() {
    let f = fixtures().await;
    let asked = f.c1.asks();
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    let login = browser.page().answer.url.to_string();
    browser.goto(&login).await;
    assert!(browser.sees("login-submit"), "a reload shows the page again");
    browser.sign_in(&f.u1).await;
    let consent = browser.page().answer.url.to_string();
    let (action, method, form) = browser.form("consent-allow");
    browser.press("consent-allow").await;
    let code = assert::granted(&browser, &f.c1, &asked);
    for address in [&login, &consent, consent.trim_end_matches("/consent")] {
        browser.goto(address).await;
        assert!(!browser.has_left(), "a second answer: {}", browser.landed().raw);
        assert!(
            browser.page().has("error-code") && (400..500).contains(&browser.page().status()),
            "{}",
            browser.page()
        );
    }
    browser.submit(&action, method, &form).await;
    assert!(!browser.has_left() && (400..500).contains(&browser.page().status()), "agreed twice");
    f.c1.tokens(&code, &asked).await;
}

/// A journey that was left alone ends by itself.
#[tokio::test]
async fn a_journey_is_not_kept_for_ever() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    let login = browser.page().answer.url.to_string();
    f.clock.advance(24 * 3600);
    browser.goto(&login).await;
    assert::page(&browser, browser.page().status());
    assert!((400..500).contains(&browser.page().status()), "{}", browser.page());
}

/// Each step looks at the client and the person again: what is switched off on the way stops there.
#[tokio::test]
async fn what_is_switched_off_on_the_way_stops_there() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    disable_client(&f.app, &f.c1).await;
    browser.press("consent-allow").await;
    assert::page(&browser, 400);

    let mut browser = f.browser();
    browser.goto(&f.c4.asks().url()).await.sign_in(&f.u1).await;
    disable_user(&f.app, &f.u1, true).await;
    browser.press("consent-allow").await;
    assert!(!browser.has_left() || browser.landed().get("code").is_none(), "a code for somebody who is switched off");
    disable_user(&f.app, &f.u1, false).await;

    let (asked, code) = f.code(&f.c7).await;
    disable_user(&f.app, &f.u1, true).await;
    assert::json(&f.c7.redeem(&code, &asked).await, 400, "invalid_grant");
}

/// A new password is the only one that works.
#[tokio::test]
async fn a_new_password_replaces_the_old() {
    let f = fixtures().await;
    set_password(&f.app, &f.u1, "fourteen quiet lanterns").await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(browser.sees("login-problem"), "{}", browser.page());
    browser.fill("login-username", &f.u1.username).fill("login-password", "fourteen quiet lanterns");
    browser.press("login-submit").await;
    assert!(browser.sees("consent-allow"), "{}", browser.page());
}
