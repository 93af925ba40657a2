//! OAuth 2.0 Form Post Response Mode: the answer is a form that posts itself.
use base64::prelude::{BASE64_STANDARD, Engine};

use crate::harness::{Mode, assert, fixtures};

/// The form is complete, the script is allowed by its hash, and without scripts there is a button.
#[tokio::test]
async fn the_answer_may_be_a_form_that_posts_itself() {
    let f = fixtures().await;
    let asked = f.c1.asks().with("response_mode", "form_post");
    let visit = f.visit_with(&f.c1, asked).await;
    let landed = visit.browser.landed();
    assert_eq!((landed.mode, landed.raw.as_str()), (Mode::FormPost, "https://rp.example/cb"));
    assert_eq!(landed.url.as_str(), "https://rp.example/cb");
    let page = visit.browser.page();
    assert_eq!(page.status(), 200);
    assert::page_headers(page);
    let target = page.policy("form-action").unwrap();
    assert!(target.iter().any(|source| source == "https:"), "{target:?}");
    let script = page.document.named("script").next().expect("a script that submits");
    let hash = format!("'sha256-{}'", BASE64_STANDARD.encode(openssl::sha::sha256(script.text.as_bytes())));
    let allowed = page.policy("script-src").expect("script-src");
    assert!(allowed.contains(&hash), "{allowed:?} has no {hash}");
    assert!(script.text.contains("submit"), "{}", script.text);
    assert_eq!(page.document.named("form").count(), 1);
    assert_eq!(page.document.named("button").count(), 1, "for browsers without scripts");
}

/// Errors take the same way.
#[tokio::test]
async fn errors_are_posted_too() {
    let f = fixtures().await;
    for (name, value, error) in [
        ("prompt", "none", "login_required"),
        ("scope", "\"", "invalid_scope"),
        ("response_type", "token", "unsupported_response_type"),
        ("request", "x", "invalid_request_object"),
    ] {
        eprintln!("when {name} is {value}");
        let asked = f.c1.asks().with("response_mode", "form_post").with(name, value);
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c1, &asked, error);
    }
    let asked = f.c1.asks().with("response_mode", "form_post");
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto(&asked.url()).await.press("consent-deny").await;
    assert::redirect(&browser, &f.c1, &asked, "access_denied");
}

/// Whatever the state holds, it arrives as it was and is never markup.
#[tokio::test]
async fn state_in_a_form_is_text() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    for state in [
        "\"><svg onload=alert(1)>",
        "' onmouseover='x",
        "</form><script>alert(1)</script>",
        "&lt;&amp;&#34;",
        "é日本 🦊",
    ] {
        let asked = f.c1.asks().with("response_mode", "form_post").with("state", state);
        browser.goto(&asked.url()).await;
        assert::granted(&browser, &f.c1, &asked);
        let page = browser.page();
        assert_eq!(page.document.named("script").count(), 1, "{state} became a script");
        assert_eq!(page.document.named("svg").filter(|svg| svg.attribute("onload").is_some()).count(), 0);
        assert!(page.document.elements.iter().all(|element| element.attribute("onmouseover").is_none()));
    }
}

/// The registered query of the address stays in the form's target; a private scheme works as well.
#[tokio::test]
async fn a_form_goes_to_the_address_as_it_was_registered() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1q, f.c1q.asks().with("response_mode", "form_post")).await;
    assert_eq!(visit.browser.landed().raw, "https://rp.example/cb?a=1");
    let visit = f.visit_with(&f.c1, f.c1.asks().with("response_mode", "fragment")).await;
    assert_eq!(visit.browser.landed().mode, Mode::Fragment);
    assert_eq!(visit.browser.landed().url.query(), None, "neither code nor state is in the query");
}

#[tokio::test]
async fn an_unknown_response_mode_is_refused() {
    let f = fixtures().await;
    for mode in ["web_message", "query.jwt", "jwt", "Query", "form-post"] {
        let asked = f.c1.asks().with("response_mode", mode);
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c1, &asked.without("response_mode"), "invalid_request");
    }
}
