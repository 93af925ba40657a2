//! Providers that are down or slow: the login page does not wait for them, and the other ways in are still there.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{OPEN, grace, is_inside, is_outside, world};
use crate::harness::upstream::Mood;

const DISCOVERY: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn the_login_page_waits_for_nobody() {
    let w = world(OPEN).await;
    w.up.lies().moods.insert(DISCOVERY, Mood::Hangs);
    let mut browser = w.f.browser();
    let began = Instant::now();
    browser.goto(&w.f.c1.asks().url()).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(browser.sees("login-provider-harbor"), "{}", browser.page());
    browser.press("login-provider-harbor").await;
    is_outside(&browser, "provider-away", 503);
    assert!(browser.page().text().contains("Harbor does not answer"), "{}", browser.page());
    assert_eq!(browser.page().answer.header("retry-after"), Some("30"));
    browser.press("provider-back").await.sign_in(&w.f.u1).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

#[tokio::test]
async fn a_provider_that_comes_back_works_without_a_restart() {
    let w = world(OPEN).await;
    w.enrolled().await;
    for mood in [Mood::Status(500), Mood::Says(503, json!({ "error": "temporarily_unavailable" })), Mood::Status(429)] {
        w.up.lies().moods.insert("/token", mood);
        let mut browser = w.f.browser();
        w.come(&mut browser, &grace()).await;
        is_outside(&browser, "provider-away", 503);
        assert_eq!(w.refusal().await.0, "upstream_reached");
        w.up.repent();
        w.come(&mut browser, &grace()).await;
        assert!(is_inside(&browser), "{}", browser.page());
    }
}

/// A provider changes its keys, and nobody has to tell us.
#[tokio::test]
async fn a_new_key_is_fetched_once() {
    let w = world(OPEN).await;
    w.enrolled().await;
    w.come(&mut w.f.browser(), &grace()).await;
    assert_eq!(w.up.asked("/jwks").len(), 1, "kept");
    for key in [2, 3] {
        (w.up.lies().key, w.up.lies().published) = (key, vec![0, key]);
        let mut browser = w.f.browser();
        w.come(&mut browser, &grace()).await;
        // At most once a minute, whatever kid somebody invents.
        assert_eq!(is_inside(&browser), key == 2, "{}", browser.page());
        assert_eq!(w.up.asked("/jwks").len(), 2);
    }
}

/// Now up, now down: each who comes is told how it stands, and nothing has to be mended when it is over.
#[tokio::test]
async fn a_provider_that_flaps_lets_in_who_comes_when_it_is_up() {
    let w = world(OPEN).await;
    for (n, is_up) in [true, false, true, false, false, true].into_iter().enumerate() {
        let mood = (!is_up).then_some(Mood::Status(503));
        for path in ["/token", "/jwks", DISCOVERY] {
            match &mood {
                Some(mood) => drop(w.up.lies().moods.insert(path, mood.clone())),
                None => drop(w.up.lies().moods.remove(path)),
            }
        }
        let mut browser = w.f.browser();
        w.come(&mut browser, &grace()).await;
        match is_up {
            true => assert!(is_inside(&browser), "{n}: {}", browser.page()),
            false => is_outside(&browser, "provider-away", 503),
        }
        w.f.clock.advance(40);
    }
    assert_eq!(w.links().await.len(), 1);
}
