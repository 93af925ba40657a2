//! SS: sessions at the server: fresh at every login, over when they are over.
use crate::harness::{
    Browser, Fixtures, TestServer,
    cookies::Cookie,
    fixtures,
    relying_party::random,
    seed::{disable_user, set_password_for_a_moment},
};

use super::logout::is_signed_in;

const HOUR: i64 = 3600;

fn session(browser: &Browser) -> &Cookie {
    let cookies = browser.cookies();
    cookies
        .iter()
        .find(|cookie| cookie.name.ends_with("session"))
        .unwrap_or_else(|| panic!("no session in {cookies:?}"))
}

fn with_session(browser: &Browser, value: &str) -> Browser {
    let mut other = browser.stolen();
    let known = session(browser).name.clone();
    let cookie = other.jar.0.iter_mut().find(|cookie| cookie.name == known).unwrap();
    cookie.value = value.into();
    other
}

/// SEC-107, ASVS 7.2.4, CVE-2024-28197: what an attacker put there before the login is worthless after it.
#[tokio::test]
async fn sec_107_a_login_makes_a_new_session() {
    let f = fixtures().await;
    let mut attacker = f.signed_in(&f.u2).await;
    let fixed = session(&attacker).value.clone();
    let mut victim = attacker.stolen();
    victim.goto(&f.c1.asks().with("prompt", "login").url()).await;
    if victim.sees("login-another") {
        victim.press("login-another").await;
    }
    victim.fill("login-username", &f.u1.username).fill("login-password", &f.u1.password);
    victim.press("login-submit").await;
    victim.walk(&f.u1).await;
    assert_ne!(session(&victim).value, fixed);
    assert!(is_signed_in(&f, &mut victim).await);
    assert!(!is_person(&f, &mut attacker, &f.u1.id).await, "the fixed cookie became the victim's session");

    let first = session(&victim).value.clone();
    victim.goto(&f.c1.asks().with("prompt", "login").url()).await.walk(&f.u1).await;
    assert_ne!(session(&victim).value, first, "each login has a session of its own");
    let mut old = with_session(&victim, &first);
    assert!(!is_signed_in(&f, &mut old).await, "the session before the step up lives on");
}

/// Whether a silent request in this browser speaks of this person.
async fn is_person(f: &Fixtures, browser: &mut Browser, id: &str) -> bool {
    let asked = f.c1.asks().with("scope", "openid").with("prompt", "none");
    browser.goto(&asked.url()).await;
    let Some(code) = browser.landed().get("code") else { return false };
    f.c1.tokens(code, &asked).await.claims()["sub"] == id
}

/// SEC-107 for the journey: who began it in the victim's browser does not end it in their own.
#[tokio::test]
async fn sec_107_a_planted_journey_does_not_carry_the_login_away() {
    let f = fixtures().await;
    f.visit(&f.c1).await;
    let mut attacker = f.browser();
    attacker.goto(&f.c1.asks().url()).await;
    let journey = attacker.page().answer.url.to_string();
    let mut victim = attacker.stolen();
    victim.goto(&journey).await;
    victim.sign_in(&f.u1).await;
    let crossroads = journey.trim_end_matches("/login").to_string();
    for address in [crossroads.clone(), format!("{crossroads}/consent"), format!("{crossroads}/account")] {
        attacker.goto(&address).await;
        let stolen = attacker.has_left() && attacker.landed().get("code").is_some();
        assert!(!stolen, "the attacker got the victim's code: {}", attacker.landed().raw);
        assert!(!attacker.sees("consent-allow"), "the attacker may agree for the victim");
    }
}

/// SEC-107: another browser cannot walk a journey by its address.
#[tokio::test]
async fn sec_107_a_journey_belongs_to_its_browser() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(browser.sees("consent-allow"));
    let address = browser.page().answer.url.to_string();
    for mut stranger in [f.browser(), f.signed_in(&f.u2).await] {
        for address in [address.as_str(), address.trim_end_matches("/consent")] {
            stranger.goto(address).await;
            assert!(!stranger.has_left() && (400..500).contains(&stranger.page().status()), "{}", stranger.page());
            assert!(!stranger.sees("consent-allow"));
        }
    }
}

/// SEC-108, ASVS 7.4.1 to 7.4.3, CVE-2025-29928.
#[tokio::test]
async fn sec_108_a_stolen_cookie_dies_with_the_session() {
    let f = fixtures().await;
    for end in ["logout", "a new password", "switching the account off"] {
        eprintln!("after {end}");
        let mut visit = f.visit(&f.c1).await;
        let mut thief = visit.browser.stolen();
        assert!(is_signed_in(&f, &mut thief).await);
        match end {
            "logout" => drop(visit.browser.goto("/logout").await.press("logout-confirm").await),
            "a new password" => set_password_for_a_moment(&f.app, &f.u1).await,
            _ => disable_user(&f.app, &f.u1, true).await,
        }
        assert!(!is_signed_in(&f, &mut thief).await);
        assert!(!is_signed_in(&f, &mut visit.browser).await);
        thief.goto("/account").await;
        assert!(!thief.page().text().contains(&f.u1.email), "{}", thief.page());
    }
    disable_user(&f.app, &f.u1, false).await;
    assert!(is_signed_in(&f, &mut f.signed_in(&f.u1).await).await, "switched on again, a new login works");
}

/// SEC-108: a disabled person does not come in, and hears no more than that it did not work.
#[tokio::test]
async fn sec_108_a_disabled_person_cannot_sign_in() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u5).await;
    assert!(browser.sees("login-submit"), "{}", browser.page());
    let disabled = browser.page().text().replace(&f.u5.username, "NAME");
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    browser
        .fill("login-username", &f.u1.username)
        .fill("login-password", "not the password")
        .press("login-submit")
        .await;
    assert_eq!(browser.page().text().replace(&f.u1.username, "NAME"), disabled, "the same words for both");
}

/// SEC-109 and decision D4: the server's clock decides; the test's browser forgets no cookie by itself.
#[tokio::test]
async fn sec_109_an_idle_session_ends_after_an_hour() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    f.clock.advance(HOUR - 60);
    assert!(is_signed_in(&f, &mut browser).await, "used within the hour");
    f.clock.advance(HOUR - 60);
    assert!(is_signed_in(&f, &mut browser).await, "the use before has renewed it");
    f.clock.advance(HOUR + 60);
    assert!(!is_signed_in(&f, &mut browser).await);
}

#[tokio::test]
async fn sec_109_a_session_in_use_ends_after_a_day() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    for half_hours in 1..48 {
        f.clock.advance(HOUR / 2);
        assert!(is_signed_in(&f, &mut browser).await, "after {half_hours} half hours");
    }
    f.clock.advance(HOUR / 2 + 1);
    assert!(!is_signed_in(&f, &mut browser).await, "a day has gone by");
}

/// SEC-110 as far as it is here: sessions are apart; ending one leaves the others.
#[tokio::test]
async fn sec_110_three_sessions_end_one_by_one() {
    let f = fixtures().await;
    let mut browsers = [f.visit(&f.c1).await.browser, f.visit(&f.c1).await.browser, f.visit(&f.c1).await.browser];
    let ids: Vec<String> = browsers.iter().map(|browser| session(browser).value.clone()).collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    for gone in 0..3 {
        browsers[gone].goto("/account").await.press("account-sign-out").await;
        if browsers[gone].sees("logout-confirm") {
            browsers[gone].press("logout-confirm").await;
        }
        for (index, browser) in browsers.iter_mut().enumerate() {
            assert_eq!(is_signed_in(&f, browser).await, index > gone, "browser {index} after {gone} signed out");
        }
    }
}

/// SEC-111, ASVS 7.2.1.
#[tokio::test]
async fn sec_111_a_cookie_that_is_not_ours_is_nobody() {
    let f = fixtures().await;
    let elsewhere = TestServer::another().await.fixtures().await;
    let foreign = session(&elsewhere.visit(&elsewhere.c1).await.browser).value.clone();
    let mut browser = f.visit(&f.c1).await.browser;
    let value = session(&browser).value.clone();
    let mut flipped = value.clone().into_bytes();
    flipped[5] ^= 1;
    for (name, value) in [
        ("one bit is flipped", String::from_utf8(flipped).unwrap()),
        ("it lacks its end", value[..value.len() - 1].into()),
        ("it has something behind it", format!("{value}x")),
        ("it is in other letters", value.to_uppercase()),
        ("it is 4 KB of junk", random(4000)),
        ("it is empty", String::new()),
        ("it is of another deployment", foreign),
        ("it is random", random(43)),
        ("it is an id", uuid::Uuid::nil().to_string()),
        ("it is no token at all", "\"; path=/, a=b".into()),
    ] {
        eprintln!("when {name}");
        let mut odd = with_session(&browser, &value);
        assert!(!is_signed_in(&f, &mut odd).await);
        odd.goto("/account").await;
        assert!(
            (200..500).contains(&odd.page().status()) && !odd.page().text().contains(&f.u1.email),
            "{}",
            odd.page()
        );
    }
    assert!(is_signed_in(&f, &mut browser).await, "the genuine one is");
}

/// SEC-111 for the other cookie: a browser without its name, or with a made-up one, starts anew.
#[tokio::test]
async fn sec_111_the_browser_cookie_is_not_guessable() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    let address = browser.page().answer.url.to_string();
    for value in [random(43), String::new(), random(4000)] {
        let mut other = browser.stolen();
        for cookie in &mut other.jar.0 {
            cookie.value = value.clone();
        }
        other.goto(&address).await;
        assert!((400..500).contains(&other.page().status()), "{}", other.page());
        other.goto(&f.c1.asks().url()).await.walk(&f.u1).await;
        assert!(other.landed().get("code").is_some());
    }
}
