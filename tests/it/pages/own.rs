//! What people do with their own accounts.
use serde_json::Value;

use super::entry::link;
use crate::harness::{Answer, Browser, Call, TestServer, Userinfo, assert, cookies::Cookie, fixtures, seed::Person};

const NEW: &str = "seven violet lanterns";

fn session(browser: &Browser) -> &Cookie {
    browser.cookies().iter().find(|cookie| cookie.name.ends_with("session")).expect("a session")
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.goto("/account").await;
    browser.sees("account-email")
}

/// SEC-115, SEC-107, and requirement AC6: a fresh cookie here, and nobody is signed in elsewhere.
#[tokio::test]
async fn sec_115_a_new_password_ends_what_the_old_one_began() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    let (mut thief, mut elsewhere) = (browser.stolen(), f.signed_in(&f.u1).await);
    let before = session(&browser).value.clone();
    browser.goto("/account/password").await;
    browser.fill("password-current", "not it at all").fill("password-new", NEW);
    browser.press("password-submit").await;
    assert_eq!((browser.page().status(), browser.sees("password-current-problem")), (422, true));
    browser.fill("password-current", &f.u1.password).fill("password-new", "12345");
    browser.press("password-submit").await;
    assert_eq!((browser.page().status(), browser.sees("password-new-problem")), (422, true));
    assert_eq!(session(&browser).value, before, "nothing has happened yet");
    browser.fill("password-current", &f.u1.password).fill("password-new", NEW);
    browser.press("password-submit").await;
    assert!(browser.sees("notice"), "{}", browser.page());
    assert_eq!(browser.hops[0].status, 303);
    assert_ne!(session(&browser).value, before);
    assert!(is_signed_in(&mut browser).await);
    assert!(!is_signed_in(&mut thief).await && !is_signed_in(&mut elsewhere).await);
    let mut again = f.browser();
    again.goto(&f.c1.asks().url()).await.sign_in(&Person { password: NEW.into(), ..f.u1.clone() }).await;
    assert!(again.sees("consent-allow"), "{}", again.page());
}

/// SEC-123, SEC-132: whoever signed in long ago gives the password again; the old address counts until the new one is
/// confirmed.
#[tokio::test]
async fn sec_123_another_address_is_asked_for_and_confirmed() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto("/account/email").await;
    assert!(!browser.sees("current-password"), "{}", browser.page());
    f.clock.advance(601);
    browser.goto("/account/email").await;
    assert!(browser.sees("current-password"), "{}", browser.page());
    for (password, problem) in [("", "current-password-problem"), ("not it at all", "current-password-problem")] {
        browser.goto("/account/email").await;
        browser.fill("email-new", "countess@example.com").fill("current-password", password);
        browser.press("email-submit").await;
        assert_eq!((browser.page().status(), browser.sees(problem)), (422, true), "{}", browser.page());
        assert_eq!(browser.page().read("email-new"), "countess@example.com");
    }
    browser.fill("email-new", &f.u1.email).fill("current-password", &f.u1.password);
    browser.press("email-submit").await;
    assert!(browser.sees("email-new-problem"), "{}", browser.page());
    browser.fill("email-new", "countess@example.com").fill("current-password", &f.u1.password);
    browser.press("email-submit").await;
    assert!(browser.sees("notice"), "{}", browser.page());
    assert_eq!(browser.page().read("email-address"), f.u1.email, "the old one still counts");
    browser.goto(&link(&f, "countess@example.com", "/account/email/confirm").await).await;
    browser.press("question-submit").await;
    assert!(browser.sees("email-confirmed"), "{}", browser.page());
    browser.goto("/account/email").await;
    assert_eq!(browser.page().read("email-address"), "countess@example.com");
}

/// SEC-123: the old address can undo it, and then the password is another too.
#[tokio::test]
async fn sec_123_whoever_did_not_ask_for_another_address_keeps_theirs() {
    let f = fixtures().await;
    let mut thief = f.signed_in(&f.u1).await;
    thief.goto("/account/email").await.fill("email-new", "eve@example.com");
    thief.press("email-submit").await;
    let mut owner = f.browser();
    owner.goto(&link(&f, &f.u1.email, "/account/email/keep").await).await;
    assert!(owner.page().text().contains(&f.u1.email), "{}", owner.page());
    owner.press("question-submit").await;
    assert!(owner.sees("email-kept"), "{}", owner.page());
    assert!(!is_signed_in(&mut thief).await, "the thief stays");
    owner.goto(&link(&f, &f.u1.email, "/account/reset").await).await;
    assert!(owner.sees("reset-submit"), "{}", owner.page());
    thief.goto(&link(&f, "eve@example.com", "/account/email/confirm").await).await;
    assert!(thief.sees("dead-link"), "{}", thief.page());
}

#[tokio::test]
async fn a_profile_is_shown_changed_and_told_to_apps() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks().with("scope", "openid profile email address phone")).await;
    let mut browser = visit.browser;
    browser.goto("/account/profile").await;
    assert_eq!(browser.page().read("profile-birthdate"), "1815-12-10");
    assert_eq!(browser.page().read("profile-zone"), "Europe/London");
    assert_eq!(browser.page().read("profile-locality"), "London");
    browser.fill("profile-birthdate", "yesterday").fill("profile-website", "javascript:alert(1)");
    browser.press("profile-submit").await;
    assert_eq!(browser.page().status(), 422, "{}", browser.page());
    assert!(browser.sees("profile-birthdate-problem") && browser.sees("profile-website-problem"));
    assert_eq!(browser.page().read("profile-birthdate"), "yesterday", "what was typed is still there");
    browser.fill("profile-birthdate", "1815").fill("profile-website", "").fill("profile-nickname", "Enchantress");
    browser.fill("profile-bio", "Poetical\r\nscience").fill("profile-country", "United Kingdom");
    browser.press("profile-submit").await;
    assert!(browser.sees("notice"), "{}", browser.page());
    let claims = f.c1.userinfo(&visit.tokens.access, Userinfo::Get).await.json();
    assert_eq!((&claims["birthdate"], &claims["nickname"]), (&"1815".into(), &"Enchantress".into()));
    assert_eq!((&claims["website"], &claims["address"]["country"]), (&Value::Null, &"United Kingdom".into()));
    assert_eq!(claims["picture"], "https://ada.example/me.png", "what was not touched stays");
    assert_eq!(claims["address"]["formatted"], Value::Null, "the label does not fit any more");
}

/// The id of the other device on the page.
fn other(browser: &Browser) -> String {
    let ids = browser.page().document.elements.iter().filter_map(|element| element.id());
    ids.filter(|id| id.starts_with("end-")).map(str::to_owned).next().expect("another device")
}

/// Requirement AC9, SEC-110, SEC-144.
#[tokio::test]
async fn a_person_sees_their_devices_and_ends_them() {
    let f = fixtures().await;
    let (mut browser, mut phone) = (f.signed_in(&f.u1).await, f.signed_in(&f.u1).await);
    let mut stranger = f.signed_in(&f.u2).await;
    browser.goto("/account/sessions").await;
    assert!(browser.page().text().contains("This device") && browser.sees("sessions-others"), "{}", browser.page());
    let id = other(&browser);
    // Somebody else's device is none.
    stranger.goto("/account/sessions").await;
    let (action, method, form) = stranger.form("sessions-everywhere");
    let ended = stranger.submit(&action, method, &form.with("end", id.trim_start_matches("end-"))).await;
    assert_eq!(ended.page().status(), 404, "{}", ended.page());
    assert!(is_signed_in(&mut phone).await && is_signed_in(&mut stranger).await);
    f.clock.advance(601);
    browser.goto("/account/sessions").await.press(&id).await;
    assert_eq!((browser.page().status(), browser.sees("current-password-problem")), (422, true));
    browser.fill("current-password", &f.u1.password);
    browser.press(&id).await;
    assert!(browser.sees("notice"), "{}", browser.page());
    assert!(!is_signed_in(&mut phone).await && is_signed_in(&mut browser).await);
    let mut phone = f.signed_in(&f.u1).await;
    browser.goto("/account/sessions").await.fill("current-password", &f.u1.password);
    browser.press("sessions-others").await;
    assert!(!is_signed_in(&mut phone).await && is_signed_in(&mut browser).await);
    browser.goto("/account/sessions").await.press("sessions-everywhere").await;
    assert_eq!(browser.page().path(), "/logged-out");
    assert!(!is_signed_in(&mut browser).await);
}

/// "Apps with access": what each may see, and an end to it (SEC-144).
#[tokio::test]
async fn a_person_sees_apps_with_access_and_takes_it_back() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    let mut browser = visit.browser;
    browser.goto("/account/apps").await;
    let text = browser.page().text();
    for words in ["The c1 application", "See your email address", "Stay connected"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let mut stranger = f.signed_in(&f.u2).await;
    stranger.goto("/account/apps").await;
    assert!(!stranger.page().text().contains("The c1 application"), "{}", stranger.page());
    let token = stranger.form("account-sign-out").2.get("csrf").unwrap().to_owned();
    for id in ["c1", "nobody", "signet-account", ""] {
        let form = crate::harness::Parameters::default().also("csrf", &token).also("client_id", id);
        stranger.submit("/account/apps", reqwest::Method::POST, &form).await;
        assert_eq!(stranger.page().status(), 404, "{id}: {}", stranger.page());
    }
    assert!(f.c1.may_read_userinfo(&visit.tokens.access).await);
    browser.press("revoke-1").await;
    assert!(browser.sees("notice") && !browser.page().text().contains("The c1 application"), "{}", browser.page());
    assert!(!f.c1.may_read_userinfo(&visit.tokens.access).await);
    assert_eq!(f.c1.refresh(visit.tokens.refresh_token()).await.status, 400);
}

#[tokio::test]
async fn the_security_log_tells_a_person_what_happened() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    browser.fill("login-username", &f.u1.username).fill("login-password", "not it at all");
    browser.press("login-submit").await;
    browser.sign_in(&f.u1).await;
    for name in 0..25 {
        browser.goto("/account/profile").await.fill("profile-nickname", &format!("Countess {name}"));
        browser.press("profile-submit").await;
    }
    browser.goto("/account/security").await;
    assert_eq!(browser.page().text().matches("Profile changed").count(), 20, "{}", browser.page());
    assert!(browser.sees("security-older") && !browser.sees("security-newest"));
    browser.press("security-older").await;
    assert!(browser.page().text().matches("Profile changed").count() >= 5 && browser.sees("security-newest"));
    browser.goto("/account/security?before=nonsense").await;
    assert_eq!(browser.page().status(), 200);
    f.app.attempts.flush().await;
    browser.press("security-attempts").await;
    let text = browser.page().text();
    assert!(text.contains("Wrong password") && text.contains("Right password"), "{text}");
}

fn exported(answer: &Answer) -> Value {
    assert_eq!((answer.status, answer.media_type()), (200, "application/json"), "{}", answer.text());
    assert!(answer.header("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    assert::not_stored(answer);
    answer.json()
}

/// Requirement AC11.
#[tokio::test]
async fn a_person_takes_their_data_and_leaves() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto("/account/data").await;
    assert!(browser.page().text().contains("after 7 days"), "{}", browser.page());
    let (action, _, form) = browser.form("export-submit");
    let data = exported(&browser.request(Call::post(&action).form(&form)).await);
    assert_eq!(data["account"]["email"], f.u1.email.as_str());
    assert!(!data.to_string().contains("argon2"), "{data}");
    for (password, problem) in [("", true), ("not it at all", true)] {
        browser.goto("/account/data").await.fill("delete-password", password);
        browser.press("delete-submit").await;
        assert_eq!((browser.page().status(), browser.sees("delete-password-problem")), (422, problem));
    }
    browser.fill("delete-password", &f.u1.password);
    browser.press("delete-submit").await;
    assert!(browser.sees("deletion-planned") && browser.page().text().contains("7 days"), "{}", browser.page());
    assert!(!is_signed_in(&mut browser).await);
    browser.sign_in(&f.u1).await;
    assert_eq!(browser.page().status(), 401, "{}", browser.page());
    browser.goto(&link(&f, &f.u1.email, "/account/keep").await).await.press("question-submit").await;
    assert!(browser.sees("account-kept"), "{}", browser.page());
    browser.press("announced-on").await.sign_in(&f.u1).await;
    assert!(is_signed_in(&mut browser).await);
}

/// Who is not signed in is led to the sign-in, whatever they ask for.
#[tokio::test]
async fn every_page_of_an_account_is_its_persons() {
    let f = fixtures().await;
    let (mut browser, mut stranger) = (f.signed_in(&f.u1).await, f.browser());
    for path in [
        "/account",
        "/account/profile",
        "/account/email",
        "/account/password",
        "/account/factors",
        "/account/providers",
        "/account/sessions",
        "/account/apps",
        "/account/security",
        "/account/security/sign-ins",
        "/account/data",
    ] {
        browser.goto(path).await;
        assert_eq!(browser.page().status(), 200, "{path}");
        assert::page_headers(browser.page());
        stranger.goto(path).await;
        assert!(stranger.sees("login-submit"), "{path}: {}", stranger.page());
    }
}

/// SEC-104: the cookie of the way back is as well kept as the others.
#[tokio::test]
async fn sec_104_the_way_back_is_in_a_host_cookie() {
    let f = TestServer::at("https://id.example").await.fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.press("login-forgot").await;
    let cookie = browser.cookies().iter().find(|cookie| cookie.name == "__Host-signet-journey").expect("a cookie");
    assert!(cookie.has("secure") && cookie.has("httponly") && !cookie.has("domain"), "{cookie:?}");
    assert_eq!((cookie.attribute("samesite"), cookie.attribute("path")), (Some("Lax"), Some("/")));
}

/// SEC-098, SEC-151: a page of somebody else's can send none of these forms, in whatever shape.
#[tokio::test]
async fn sec_151_no_form_of_an_account_is_obeyed_from_elsewhere() {
    let f = super::entry::open(&[]).await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto("/account/email").await;
    let token = browser.form("email-submit").2.get("csrf").unwrap().to_owned();
    for path in [
        "register",
        "verify?token=x",
        "forgot",
        "reset?token=x",
        "profile",
        "email",
        "email/resend",
        "email/confirm?token=x",
        "email/keep?token=x",
        "password",
        "sessions",
        "apps",
        "data/export",
        "data/delete",
        "keep?token=x",
        "sign-out",
    ] {
        let form = crate::harness::Parameters::default().also("end", "everywhere").also("login", &f.u1.email);
        let post = || Call::post(&format!("/account/{path}"));
        let plain = form.clone().also("csrf", &token).encoded();
        for (name, call) in [
            ("has no token", post().form(&form)),
            ("has another's token", post().form(&form.clone().also("csrf", &"A".repeat(43)))),
            ("comes from another site", post().header("origin", "https://evil.test").form(&form.also("csrf", &token))),
            ("is plain text", Call { body: Some(plain.into_bytes()), ..post().header("content-type", "text/plain") }),
        ] {
            let answer = browser.request(call).await;
            assert_eq!(answer.status, 403, "{path} {name}: {}", answer.text());
        }
    }
    assert!(is_signed_in(&mut browser).await);
    assert!(crate::harness::seed::mailbox(&f.app, &f.u1.email).await.is_empty());
}
