//! WB: what others say of themselves, on our pages.
use serde_json::json;
use signet::flows::admin::clients;
use url::Url;

use crate::{
    config::{Place, refusal},
    harness::{Parameters, TestServer, browser::Page, fixtures, seed::NewPerson},
};

const MARKUP: &str = "\"><svg onload=alert(1)>";

/// Markup that nobody of ours wrote, and addresses that run.
#[track_caller]
fn is_inert(page: &Page) {
    let html = page.answer.text();
    assert!(!html.contains("<svg onload"), "{page}");
    for element in &page.document.elements {
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on"), "<{} {name}={value:?}> on {page}", element.name);
            if ["href", "src", "action", "formaction"].contains(&name.as_str()) {
                let safe = ["/", "#", "https://"].iter().any(|start| value.starts_with(start));
                assert!(safe && !value.starts_with("//"), "<{} {name}={value:?}> on {page}", element.name);
            }
        }
    }
}

/// SEC-099, CVE-2019-8400, CVE-2026-29191, CVE-2023-6134: what others say of themselves is shown as text.
#[tokio::test]
async fn sec_099_what_others_say_is_shown_as_text() {
    let f = fixtures().await;
    let person = NewPerson::named("mallory").claims(json!({ "name": MARKUP }));
    let mallory = f.user(person).await;
    let mut client = clients::find(&f.app, "c1").await.unwrap();
    client.metadata.client_name = Some(MARKUP.to_string());
    let script = || Some("javascript:alert(1)//https://".to_string());
    client.metadata.client_uri = script();
    client.metadata.logo_uri = Some("data:image/svg+xml,<svg onload=alert(1)>".to_string());
    (client.metadata.policy_uri, client.metadata.tos_uri) = (script(), Some(MARKUP.to_string()));
    // As if it had been written before there were checks: the pages must not rely on them.
    clients::put(&f.app, client.clone()).await.unwrap();
    let hostile = f.c1.asks().with("login_hint", MARKUP).with("ui_locales", MARKUP);
    let mut browser = f.browser();
    browser.goto(&hostile.url()).await;
    is_inert(browser.page());
    assert_eq!(browser.page().read("login-username"), MARKUP);
    assert!(browser.page().text().contains(MARKUP), "{}", browser.page());
    let password = &mallory.password;
    browser.fill("login-username", MARKUP).fill("login-password", password).press("login-submit").await;
    is_inert(browser.page());
    browser.fill("login-username", "mallory").fill("login-password", password).press("login-submit").await;
    assert!(browser.sees("consent-allow"), "{}", browser.page());
    is_inert(browser.page());
    assert!(browser.page().text().matches(MARKUP).count() >= 2, "app and person: {}", browser.page());
    for address in ["/account", "/logout?client_id=c1", &format!("/errors/{MARKUP}"), "/try"] {
        browser.goto(&address.replace('<', "%3C").replace('>', "%3E").replace('"', "%22").replace(' ', "%20")).await;
        is_inert(browser.page());
    }
    let select = f.c1.asks().with("prompt", "select_account").with("login_hint", MARKUP);
    browser.goto(&select.url()).await;
    is_inert(browser.page());
    let posted = f.c4.asks().with("response_mode", "form_post").with("state", MARKUP).with("prompt", "none");
    browser.goto(&posted.url()).await;
    assert_eq!(browser.landed().get("state"), Some(MARKUP));
    assert!(!browser.hops.last().unwrap().text().contains("<svg onload"));
    let unregistered = client.metadata.clone();
    let refused = clients::update(&f.app, "c1", unregistered, client.policy).await.unwrap_err().to_string();
    for field in ["client_uri", "logo_uri", "policy_uri", "tos_uri"] {
        assert!(refused.contains(field), "{field} may be registered: {refused}");
    }
}

/// SEC-099: the error that comes back to the page of a try is somebody else's text too.
#[tokio::test]
async fn sec_099_an_error_that_comes_back_is_shown_as_text() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto("/try").await.press("try-start").await;
    let started = browser.hops.iter().find_map(|hop| hop.location().filter(|to| to.contains("state="))).unwrap();
    let state = Parameters::parse(Url::parse(started).unwrap().query().unwrap()).get("state").unwrap().to_string();
    let answer = Parameters::new(&[("error", MARKUP), ("error_description", MARKUP), ("state", &state)]);
    browser.goto(&format!("/try/callback?{}", answer.encoded())).await;
    assert!(browser.page().has("try-result") && browser.page().text().contains(MARKUP), "{}", browser.page());
    is_inert(browser.page());
}

/// SEC-106, RAUTHY-007, CVE-2024-29891: a logo is what its bytes say, and cannot carry script.
#[tokio::test]
async fn sec_106_a_logo_is_a_picture_or_nothing() {
    let place = Place::with("branding.logo = 'logo.png'");
    let png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, bytes, says) in [
        ("an SVG", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>".to_vec(), "neither PNG"),
        ("HTML", b"<!doctype html><script>1</script>".to_vec(), "neither PNG"),
        ("20 MB", [png.clone(), vec![0; 20 << 20]].concat(), "larger than 512 KiB"),
        ("empty", vec![], "neither PNG"),
    ] {
        place.write("logo.png", bytes);
        let error = place.refusal(&[]);
        assert!(error.contains(says) && error.lines().count() == 1, "{name}: {error}");
    }
    assert!(refusal("branding.logo = 'https://evil.test/logo.png'").contains("cannot be read"));
    place.write("logo.html", [png.clone(), b"<script>alert(1)</script>".to_vec()].concat());
    let server = TestServer::with(&[("branding.logo", &place.path("logo.html").display().to_string())]).await;
    let answer = server.site.get("/static/brand-logo").await;
    assert_eq!((answer.status, answer.media_type()), (200, "image/png"), "by its bytes, not by its name");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
}
