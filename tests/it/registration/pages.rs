//! SEC-089: people are told that nobody has looked at an app that registered itself, and are always asked.

use serde_json::json;
use signet::store::client;

use super::{CALLBACK, Open, REGISTER, with};
use crate::harness::{Call, seed::ClientSpec};

/// SEC-089, ASVS 10.4.7: the warning, the host, the question; for the first time on every page of the journey.
#[tokio::test]
async fn sec_089_people_are_warned_of_an_app_that_registered_itself() {
    let server = Open::start().await;
    let (app, _) = server.app(with(json!({ "client_name": "Your Bank" }))).await;
    let mut browser = server.browser();
    browser.goto(&app.asks().url()).await;
    for page in ["login", "consent"] {
        let warning = browser.page().read("client-unverified");
        assert!(warning.contains("registered itself") && warning.contains("name and logo"), "{page}: {warning}");
        assert!(warning.contains("rp.example"), "{page}: {warning}");
        if page == "login" {
            browser.sign_in(&server.ada).await;
        }
    }
    assert!(browser.page().read("consent-destination").contains("rp.example"));
    browser.press("consent-allow").await;
    browser.landed().code();
    browser.goto(&app.asks().with("prompt", "select_account").url()).await;
    assert!(browser.page().has("client-unverified"));

    let asked = app.asks().with("ui_locales", "de");
    let mut german = server.browser();
    german.goto(&asked.url()).await;
    let warning = german.page().read("client-unverified");
    assert!(warning.contains("selbst registriert") && warning.contains("rp.example"), "{warning}");

    let known = server.client(ClientSpec::web("known")).await;
    browser.goto(&known.asks().url()).await;
    assert!(browser.sees("consent-allow") && !browser.page().has("client-unverified"), "the operator knows this one");
}

#[tokio::test]
async fn sec_089_a_program_on_the_device_is_named_as_such() {
    let server = Open::start().await;
    let native = |uri: &str| json!({ "redirect_uris": [uri], "application_type": "native", "token_endpoint_auth_method": "none" });
    for (uri, words) in [("http://127.0.0.1/cb", "program on this device"), ("com.example.app:/cb", "com.example.app:")]
    {
        let (app, _) = server.app(native(uri)).await;
        let mut browser = server.browser();
        let warning = browser.goto(&app.asks().url()).await.page().read("client-unverified");
        assert!(warning.contains(words), "{uri}: {warning}");
    }
}

/// SEC-089: no rule for the operator's own apps reaches it, even if its row said so.
#[tokio::test]
async fn sec_089_nothing_spares_it_the_question() {
    let server = Open::start().await;
    let (app, _) = server.app(with(json!({ "first_party": true, "skip_consent": true }))).await;
    let stored = client::find(&server.app.db, &app.client_id).await.unwrap().unwrap();
    assert!(!stored.policy.first_party && !stored.policy.skip_consent);
    let mut forged = stored;
    (forged.policy.first_party, forged.policy.skip_consent) = (true, true);
    client::put(&server.app.db, forged).await.unwrap();
    server.app.cache.forget_client(&app.client_id).await;
    let mut browser = server.browser();
    browser.goto(&app.asks().url()).await.sign_in(&server.ada).await;
    assert!(browser.sees("consent-allow"), "{}", browser.page());
}

/// Whoever becomes another app asks again.
#[tokio::test]
async fn consent_is_to_the_app_that_was_shown() {
    let server = Open::start().await;
    let (app, told) = server.app(with(json!({ "client_name": "Weather" }))).await;
    let mut browser = server.browser();
    browser.goto(&app.asks().url()).await.walk(&server.ada).await;
    browser.goto(&app.asks().url()).await;
    assert!(browser.has_left(), "the same app is remembered");
    for (change, asks_again) in [
        (json!({ "client_name": "Weather", "contacts": ["a@rp.example"] }), false),
        (json!({ "client_name": "Your Bank" }), true),
        (json!({ "client_name": "Your Bank", "redirect_uris": [CALLBACK, "https://evil.example/"] }), true),
    ] {
        let mut body = with(json!({ "client_id": app.client_id }));
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let call = Call::new(reqwest::Method::PUT, &format!("{REGISTER}/{}", app.client_id));
        let call = call.bearer(told["registration_access_token"].as_str().unwrap());
        let answer = server.site.send(call.body("application/json", body.to_string())).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        browser.goto(&app.asks().url()).await;
        assert_eq!(!browser.has_left(), asks_again, "{change}");
        browser.walk(&server.ada).await;
    }
}
