//! AZ, third part: who is in front of the browser, and what a person must be asked.
use serde_json::json;

use crate::harness::{
    Browser, Fixtures, RelyingParty, assert, fixtures,
    jwt::FOREIGN_KEY,
    seed::{ClientSpec, Person},
};

fn session_cookie(browser: &Browser) -> Option<&str> {
    browser.cookies().iter().find(|cookie| cookie.name.ends_with("session")).map(|cookie| cookie.value.as_str())
}

/// SEC-014, OpenID Connect Core §3.1.2.6, oidcc-prompt-none-not-logged-in.
#[tokio::test]
async fn sec_014_silence_without_a_session_is_login_required() {
    let f = fixtures().await;
    let mut browser = f.browser();
    let asked = f.c1.asks().with("prompt", "none");
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c1, &asked, "login_required");
    assert_eq!(browser.hops.len(), 1, "no page on the way");
    assert_eq!(session_cookie(&browser), None);
}

/// SEC-015, OpenID Connect Core §3.1.2.1.
#[tokio::test]
async fn sec_015_silence_cannot_agree_and_goes_with_nothing_else() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    let asked = f.c1.asks().with("prompt", "none");
    browser.goto(&asked.url()).await;
    assert::redirect_of(&browser, &f.c1, &asked, &["consent_required", "interaction_required"]);
    for prompt in ["none login", "login none", "none consent", "none none login", "bogus", "login bogus", "Login"] {
        eprintln!("when prompt is {prompt}");
        let asked = f.c1.asks().with("prompt", prompt);
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c1, &asked, "invalid_request");
    }
}

/// SEC-016, OpenID Connect Core §3.1.2.1, oidcc-prompt-login, oidcc-max-age-1.
#[tokio::test]
async fn sec_016_a_fresh_login_is_fresh() {
    let f = fixtures().await;
    for (name, value) in [("prompt", "login"), ("max_age", "1"), ("max_age", "0")] {
        eprintln!("when {name} is {value}");
        let first = f.visit(&f.c1).await;
        f.clock.advance(5);
        let asked = f.c1.asks().with(name, value);
        let mut browser = first.browser;
        browser.goto(&asked.url()).await;
        assert!(browser.sees("login-password"), "{}", browser.page());
        browser.walk(&f.u1).await;
        let code = assert::granted(&browser, &f.c1, &asked);
        let (before, after) = (first.tokens.claims(), f.c1.tokens(&code, &asked).await.claims());
        let time = |claims: &serde_json::Map<String, serde_json::Value>| claims["auth_time"].as_i64().unwrap();
        assert_eq!((time(&before), time(&after)), (f.now() - 5, f.now()));
    }
}

/// SEC-016: leaving the login page gives nothing from the old login.
#[tokio::test]
async fn sec_016_a_login_that_was_cancelled_gives_no_code() {
    let f = fixtures().await;
    for (name, value) in [("prompt", "login"), ("max_age", "1")] {
        let mut browser = f.visit(&f.c1).await.browser;
        f.clock.advance(5);
        let asked = f.c1.asks().with(name, value);
        browser.goto(&asked.url()).await;
        let login = browser.page().answer.url.to_string();
        browser.press("login-cancel").await;
        assert::redirect(&browser, &f.c1, &asked, "access_denied");

        browser.goto(&f.c1.asks().with(name, value).url()).await;
        let crossroads = browser.page().answer.url.to_string();
        browser.goto(crossroads.trim_end_matches("/login")).await;
        assert!(browser.sees("login-password"), "going on without a login: {:?}", browser.hops.last().unwrap().url);
        browser.goto(&format!("{}/consent", crossroads.trim_end_matches("/login"))).await;
        assert!(!browser.has_left() && !browser.sees("consent-allow"), "consent without the login");
        assert_ne!(login, crossroads, "each request has a journey of its own");
    }
}

/// SEC-016: malformed ages.
#[tokio::test]
async fn sec_016_an_age_is_a_whole_number_of_seconds() {
    let f = fixtures().await;
    for age in ["abc", "-1", "1.5", "1e3", "0x10", " 1", "1 ", "+1", "99999999999999999999"] {
        eprintln!("when max_age is {age:?}");
        let mut browser = f.browser();
        let asked = f.c1.asks().with("max_age", age);
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c1, &asked, "invalid_request");
    }
}

/// The ID token of this person, for this client, from a visit of their own.
async fn id_token_of(f: &Fixtures, client: &RelyingParty, person: &Person) -> String {
    let mut browser = f.browser();
    let asked = client.asks();
    browser.goto(&asked.url()).await;
    browser.walk(person).await;
    client.tokens(&browser.landed().code(), &asked).await.id.unwrap()
}

/// SEC-017, OpenID Connect Core §3.1.2.1.
#[tokio::test]
async fn sec_017_a_hint_at_one_person_never_brings_another() {
    let f = fixtures().await;
    let bela = id_token_of(&f, &f.c1, &f.u2).await;
    let mut browser = f.visit(&f.c1).await.browser;

    let asked = f.c1.asks().with("id_token_hint", &bela).with("prompt", "none");
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &f.c1, &asked, "login_required");

    let asked = f.c1.asks().with("id_token_hint", &bela);
    browser.goto(&asked.url()).await;
    let path = browser.page().path().to_string();
    assert!(path.ends_with("/login") || path.ends_with("/account"), "{}", browser.page());

    let mut browser = f.visit(&f.c1).await.browser;
    browser.goto(&f.c1.asks().with("id_token_hint", &bela).with("prompt", "login").url()).await;
    browser.sign_in(&f.u1).await;
    let error = browser.has_left().then(|| browser.landed().get("code"));
    assert!(error.flatten().is_none(), "a code for somebody who was not meant");
}

/// SEC-017: a hint by a foreign key says nothing.
#[tokio::test]
async fn sec_017_a_foreign_hint_is_never_trusted() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    let now = f.now();
    for hint in [
        FOREIGN_KEY.sign(&json!({ "iss": f.site.issuer, "sub": f.u2.id, "aud": "c1", "iat": now, "exp": now + 600 })),
        "garbage".into(),
        "a.b.c".into(),
    ] {
        let asked = f.c1.asks().with("id_token_hint", &hint).with("prompt", "none");
        browser.goto(&asked.url()).await;
        match browser.landed().get("code") {
            Some(code) => assert_eq!(f.c1.tokens(code, &asked).await.claims()["sub"], f.u1.id.as_str()),
            None => assert::redirect(&browser, &f.c1, &asked, "invalid_request"),
        }
    }
}

/// SEC-018, RFC 6749 §4.1.2.1, FAPI2 user-rejects-authentication.
#[tokio::test]
async fn sec_018_no_is_told_and_not_remembered() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    for _ in 0..2 {
        let asked = f.c1.asks();
        browser.goto(&asked.url()).await;
        assert!(browser.sees("consent-deny"), "asked again: {}", browser.page());
        browser.press("consent-deny").await;
        assert::redirect(&browser, &f.c1, &asked, "access_denied");
    }
    let asked = f.c1.asks().with("prompt", "none");
    browser.goto(&asked.url()).await;
    assert::redirect_of(&browser, &f.c1, &asked, &["consent_required", "interaction_required"]);
}

/// SEC-018 by the other door: leaving the login page.
#[tokio::test]
async fn sec_018_leaving_the_login_page_is_a_no_too() {
    let f = fixtures().await;
    let mut browser = f.browser();
    let asked = f.c1.asks();
    browser.goto(&asked.url()).await;
    browser.press("login-cancel").await;
    assert::redirect(&browser, &f.c1, &asked, "access_denied");
}

/// SEC-018: what was agreed is remembered for exactly that; more is asked again.
#[tokio::test]
async fn sec_018_consent_is_for_what_was_shown() {
    let f = fixtures().await;
    let narrow = f.c1.asks().with("scope", "openid");
    let mut browser = f.visit_with(&f.c1, narrow.clone()).await.browser;
    let again = f.c1.asks().with("scope", "openid");
    browser.goto(&again.url()).await;
    assert::granted(&browser, &f.c1, &again);
    browser.goto(&f.c1.asks().with("scope", "openid email").url()).await;
    assert!(browser.sees("consent-allow"), "more than before needs a yes: {}", browser.page());
    browser.goto(&f.c7.asks().with("scope", "openid").url()).await;
    assert!(browser.sees("consent-allow"), "another client needs its own yes: {}", browser.page());
    browser.goto(&f.c1.asks().with("scope", "openid").with("prompt", "consent").url()).await;
    assert!(browser.sees("consent-allow"), "prompt=consent asks in any case: {}", browser.page());
}

/// SEC-022, RFC 9700 §4.12.
#[tokio::test]
async fn sec_022_no_form_travels_on_with_a_redirect() {
    let f = fixtures().await;
    let client = f.client(ClientSpec::web("fresh")).await;
    let mut browser = f.browser();
    browser.goto(&client.asks().url()).await;
    browser.fill("login-username", &f.u1.username).fill("login-password", &f.u1.password);
    for button in ["login-submit", "consent-allow"] {
        let (_, _, sent) = browser.form(button);
        browser.press(button).await;
        let answer = &browser.hops[0];
        assert!(matches!(answer.status, 302 | 303), "{button}: {}", answer.status);
        for hop in browser.hops.iter().filter_map(|hop| hop.location()) {
            for (name, value) in sent.0.iter().filter(|(_, value)| value.len() > 5) {
                assert!(!hop.contains(value.as_str()), "{name} of {button} is in {hop}");
            }
            assert!(!hop.contains("csrf") && !hop.contains("password"), "{hop}");
        }
    }
    assert!(browser.has_left());
}
