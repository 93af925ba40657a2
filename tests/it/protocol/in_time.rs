//! What takes longer than a test may wait: only where the clock is ours to turn.
use super::fixtures;
use crate::harness::{Asked, Browser, Fixtures, assert, fixtures::Visit};

/// A request in a browser with a session that needs no page.
async fn silently(f: &Fixtures, browser: &mut Browser, asked: &Asked) -> serde_json::Map<String, serde_json::Value> {
    browser.goto(&asked.url()).await;
    let code = assert::granted(browser, &f.c1, asked);
    f.c1.tokens(&code, asked).await.claims()
}

/// The edge of max_age: just that old is young enough, a second more is not; silence says so.
#[tokio::test]
async fn max_age_counts_seconds_exactly() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    f.wait(100).await;
    silently(&f, &mut browser, &f.c1.asks().with("max_age", "100")).await;
    silently(&f, &mut browser, &f.c1.asks().with("max_age", "100").with("prompt", "none")).await;
    f.wait(1).await;
    let asked = f.c1.asks().with("max_age", "100").with("prompt", "none");
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c1, &asked, "login_required");
}

/// A hint says who was there, and that does not expire.
#[tokio::test]
async fn oidcc_id_token_hint_that_has_expired() {
    let f = fixtures().await;
    let Visit { mut browser, tokens, .. } = f.visit(&f.c1).await;
    f.wait(1800).await;
    let asked = f.c1.asks().with("prompt", "none").with("id_token_hint", tokens.id.as_ref().unwrap());
    let claims = silently(&f, &mut browser, &asked).await;
    assert_eq!(claims["sub"], tokens.claims()["sub"]);
}

/// The same when it asks for a logout.
#[tokio::test]
async fn oidcc_rp_initiated_logout_with_an_expired_hint() {
    let f = fixtures().await;
    let Visit { mut browser, tokens, .. } = f.visit(&f.c1).await;
    f.wait(1800).await;
    let bye =
        [("id_token_hint", tokens.id.as_deref().unwrap()), ("post_logout_redirect_uri", "https://rp.example/bye")];
    browser.goto(&f.c1.logout_url(&bye)).await;
    assert_eq!(browser.landed().raw, "https://rp.example/bye");
}
