//! Basic OP, third part: what a request may carry. Plan: oidcc-basic-certification-test-plan.
use serde_json::json;

use super::fixtures;
use crate::harness::{Asked, Fixtures, Parameters, Userinfo, assert, jwt};

/// The flow completes in a browser of nobody, and the ID token is as it should be.
async fn succeeds(f: &Fixtures, asked: Asked) -> crate::harness::fixtures::Visit {
    let visit = f.visit_with(&f.c1, asked).await;
    assert!(visit.tokens.id.is_some());
    visit
}

#[tokio::test]
async fn oidcc_display_page() {
    let f = fixtures().await;
    succeeds(&f, f.c1.asks().with("display", "page")).await;
}

/// Any value is no more than a wish; K7: a pop-up keeps its opener.
#[tokio::test]
async fn oidcc_display_popup() {
    let f = fixtures().await;
    for display in ["popup", "touch", "wap", "unheard-of"] {
        succeeds(&f, f.c1.asks().with("display", display)).await;
    }
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("display", "popup").url()).await;
    let policy = browser.page().answer.header("cross-origin-opener-policy");
    assert_eq!(policy, Some("same-origin-allow-popups"));
}

#[tokio::test]
async fn oidcc_ensure_request_with_unknown_parameter_succeeds() {
    let f = fixtures().await;
    succeeds(&f, f.c1.asks().with("extra", "foobar")).await;
}

#[tokio::test]
async fn oidcc_ui_locales() {
    let f = fixtures().await;
    for locales in ["se", "se de en", "x-klingon", "not a locale", ""] {
        succeeds(&f, f.c1.asks().with("ui_locales", locales)).await;
    }
    for (locales, language) in
        [("de", "de"), ("se de-AT en", "de"), ("en de", "en"), ("zh-CN", "zh-Hans"), ("se", "en")]
    {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().with("ui_locales", locales).url()).await;
        let html = browser.page().document.named("html").next().unwrap().attribute("lang").map(str::to_string);
        assert_eq!(html.as_deref(), Some(language), "{locales}");
    }
    let mut browser = f.browser();
    browser.accept_language = "fi;q=0.9, de-CH;q=0.8, en;q=0.1".into();
    browser.goto(&f.c1.asks().url()).await;
    assert_eq!(browser.page().document.named("html").next().unwrap().attribute("lang"), Some("de"));
}

#[tokio::test]
async fn oidcc_claims_locales() {
    let f = fixtures().await;
    succeeds(&f, f.c1.asks().with("claims_locales", "se")).await;
}

/// `acr` is in the ID token, and tells what was done rather than what was wished.
#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds() {
    let f = fixtures().await;
    let supported = f.c1.discovery().await["acr_values_supported"].as_array().expect("acr_values_supported").clone();
    let joined: Vec<&str> = supported.iter().map(|value| value.as_str().unwrap()).collect();
    for values in [joined.join(" "), "1 2".into(), "urn:mace:incommon:iap:silver".into()] {
        let claims = succeeds(&f, f.c1.asks().with("acr_values", &values)).await.tokens.claims();
        assert!(supported.contains(&claims["acr"]), "{:?} with {values}", claims.get("acr"));
        assert_eq!(claims["amr"], json!(["pwd"]));
    }
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("redirect_uri", "https://rp.example/cb_invalid").url()).await;
    assert::page(&browser, 400);
    assert_eq!(browser.page().read("error-code"), "invalid_request");
    assert!(browser.page().text().to_lowercase().contains("redirect"), "a reviewer reads why: {}", browser.page());
}

/// The form of a relying party's page, sent from there: no cookie of ours comes along (K4).
#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let f = fixtures().await;
    let asked = f.c1.asks();
    let mut browser = f.browser();
    browser.post_from_elsewhere("/authorize", &asked.parameters).await;
    browser.walk(&f.u1).await;
    let code = assert::granted(&browser, &f.c1, &asked);
    f.c1.tokens(&code, &asked).await;

    let asked = f.c1.asks();
    browser.post_from_elsewhere("/authorize", &asked.parameters).await;
    assert!(browser.has_left(), "signed in, but asked again: {}", browser.page());
    assert::granted(&browser, &f.c1, &asked);
    let asked = f.c1.asks().with("prompt", "none");
    browser.post_from_elsewhere("/authorize", &asked.parameters).await;
    assert::granted(&browser, &f.c1, &asked);
    let asked = f.c1.asks().with("prompt", "none");
    let mut stranger = f.browser();
    stranger.post_from_elsewhere("/authorize", &asked.parameters).await;
    assert::redirect(&stranger, &f.c1, &asked, "login_required");
    let asked = f.c1.asks().with("scope", "\"");
    stranger.post_from_elsewhere("/authorize", &asked.parameters).await;
    assert::redirect(&stranger, &f.c1, &asked, "invalid_scope");
    stranger.post_from_elsewhere("/authorize", &Parameters::default()).await;
    assert::page(&stranger, 400);
}

#[tokio::test]
async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported() {
    let f = fixtures().await;
    let asked = f.c1.asks().with("request_uri", "https://rp.example/request.jwt");
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c1, &asked, "invalid_request_uri");
}

/// Silently ignoring the object fails; discovery lets the plan skip the module in the first place.
#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    let f = fixtures().await;
    let metadata = f.c1.discovery().await;
    assert_eq!(metadata["request_parameter_supported"], true);
    assert_eq!(metadata["request_uri_parameter_supported"], true);
    let algorithms = metadata["request_object_signing_alg_values_supported"].as_array().expect("a list without none");
    assert!(!algorithms.is_empty() && !algorithms.contains(&json!("none")));
    let asked = f.c1.asks();
    let inside = jwt::unsigned(&json!({ "state": asked.get("state"), "nonce": asked.get("nonce"), "client_id": "c1" }));
    let asked = asked.without("nonce").with("request", &inside);
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c1, &asked, "invalid_request_object");
    let asked = asked.without("state");
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c1, &asked, "invalid_request_object");
}

/// The address that was really sent is the one that counts: no falling back to a registered one.
#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let f = fixtures().await;
    let inside =
        jwt::unsigned(&json!({ "redirect_uri": f.c1.redirect_uri, "client_id": "c1", "response_type": "code" }));
    let asked = f.c1.asks().with("redirect_uri", &format!("{}_invalid", f.c1.redirect_uri)).with("request", &inside);
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    assert::page(&browser, 400);
    browser.goto(&asked.without("redirect_uri").url()).await;
    assert::page(&browser, 400);
}

#[tokio::test]
async fn oidcc_claims_essential() {
    let f = fixtures().await;
    let claims = json!({ "userinfo": { "name": { "essential": true } } }).to_string();
    let visit = succeeds(&f, f.c1.asks().with("scope", "openid").with("claims", &claims)).await;
    let told = f.c1.userinfo(&visit.tokens.access, Userinfo::Get).await.json();
    assert_eq!(told["name"], "Ada King Lovelace");
    assert!(told.get("given_name").is_none(), "the scope was not asked for: {told}");
    assert!(!visit.tokens.claims().contains_key("name"));
}
