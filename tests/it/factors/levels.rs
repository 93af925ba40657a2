//! SEC-084, RFC 9470, OpenID Connect Core §5.5.1.1: a stronger sign-in than there is.

use serde_json::json;

use super::{cookie, is_inside, step, with_phone};
use crate::harness::{Browser, Fixtures, assert, phone::phone, seed::ClientSpec};

/// U1, signed in before there was a second factor.
async fn by_password(f: &Fixtures) -> Browser {
    f.signed_in(&f.u1).await
}

#[tokio::test]
async fn sec_084_only_what_is_missing_is_asked_for() {
    let f = crate::harness::fixtures().await;
    let mut browser = by_password(&f).await;
    let phone = phone(&f.app, &f.u1).await;
    f.clock.advance(120);
    let essential = json!({ "id_token": { "acr": { "essential": true, "values": ["aal2"] } } }).to_string();
    let weak = f.c1.asks();
    browser.goto(&weak.url()).await.walk(&f.u1).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &weak), &weak).await.claims();
    assert_eq!((&claims["acr"], claims["auth_time"].as_i64()), (&"aal1".into(), Some(f.now() - 120)));

    let silent = f.c1.asks().with("claims", &essential).with("prompt", "none");
    browser.goto(&silent.url()).await;
    assert::redirect(&browser, &f.c1, &silent, "login_required");

    let before = cookie(&browser, "session");
    let asked = f.c1.asks().with("claims", &essential);
    browser.goto(&asked.url()).await;
    assert!(browser.sees("factor-code") && !browser.sees("login-password"), "{}", browser.page());
    step(&mut browser, "123456").await;
    step(&mut browser, &phone.shows(f.now())).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal2"), &json!(["pwd", "otp", "mfa"])));
    assert_eq!(claims["auth_time"], f.now());
    assert_ne!(cookie(&browser, "session"), before, "case SEC-107");

    browser.goto(&silent.url()).await;
    assert!(browser.landed().get("code").is_some(), "{}", browser.landed().raw);
}

#[tokio::test]
async fn a_wish_for_two_factors_is_granted_to_whom_has_two() {
    let (f, phone) = with_phone().await;
    let usual = json!({ "default_acr_values": ["aal2"] });
    let wishing = f.client(ClientSpec { more: usual, ..ClientSpec::web("wishing") }).await;
    for asked in [f.c1.asks().with("acr_values", "urn:gold aal2"), wishing.asks()] {
        let mut browser = f.browser();
        browser.goto(&asked.url()).await.sign_in(&f.u2).await;
        assert!(is_inside(&browser), "who has one factor is not turned away: {}", browser.page());
        browser.goto(&asked.url()).await;
    }
    let mut browser = f.browser();
    browser.goto(&wishing.asks().url()).await.sign_in(&f.u1).await;
    step(&mut browser, &phone.shows(f.now())).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

/// Whom it is essential for sets a second factor up, and goes on to the app.
#[tokio::test]
async fn sec_084_who_has_none_can_set_one_up() {
    let f = crate::harness::fixtures().await;
    let essential = json!({ "id_token": { "acr": { "essential": true, "value": "aal2" } } }).to_string();
    let asked = f.c1.asks().with("claims", &essential);
    let mut browser = by_password(&f).await;
    browser.goto(&asked.url()).await;
    assert!(browser.sees("factor-secret"), "{}", browser.page());
    let phone = crate::harness::phone::Phone::reading(&browser.page().read("factor-secret"));
    step(&mut browser, &phone.shows(f.now())).await;
    assert!(browser.sees("recovery-codes"), "{}", browser.page());
    browser.press("codes-on").await;
    browser.walk(&f.u1).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!(claims["acr"], "aal2");
}

/// SEC-132: a session that was left open is nobody's to set a factor up with, whatever an app asks for.
#[tokio::test]
async fn sec_132_whoever_signed_in_long_ago_signs_in_again_before_setting_one_up() {
    let f = crate::harness::fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    f.clock.advance(700);
    let claims = r#"{"id_token":{"acr":{"essential":true,"value":"aal2"}}}"#;
    browser.goto(&f.c1.asks().with("claims", claims).url()).await;
    assert!(browser.sees("login-password") && !browser.sees("factor-secret"), "{}", browser.page());
    let journey = browser.page().path().trim_end_matches("/login").to_owned();
    browser.goto(&format!("{journey}/second-factor")).await;
    assert!(!browser.page().has("factor-secret"), "{}", browser.page());
    browser.fill("login-password", &f.u1.password).press("login-submit").await;
    assert!(browser.sees("factor-secret"), "{}", browser.page());
}
