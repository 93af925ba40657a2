//! Signing in with Google, against a double that speaks its wire format.

use std::time::Duration;

use sea_orm::EntityTrait;
use serde_json::json;
use signet::store::{upstream_link, user};

use super::{HOSTS, is_inside, is_outside};
use crate::harness::{
    Browser, Fixtures, TestServer, assert,
    doubles::{Arrival, Google, Mood, Reply, cancel, continue_as, google},
};

async fn with_google(more: &str) -> (Fixtures, Google) {
    let google = Google::start().await;
    let declared = format!(
        "\n[[providers]]\nname = 'google'\nkind = 'google'\nissuer = '{}'\nclient_id = '{}'\nclient_secret = '{}'\n{more}\n",
        google.issuer(),
        google.client_id(),
        google.client_secret(),
    );
    let f = TestServer::declaring(&[HOSTS], &declared).await.fixtures().await;
    google.clock(&f.clock);
    google.register(&f.app.url("/federation/google/callback"));
    (f, google)
}

/// As far as Google's own page, where the first account is taken.
async fn there(browser: &mut Browser, url: &str) -> Arrival {
    browser.goto(url).await.press("login-provider-google").await;
    continue_as(browser.landed().url.as_ref(), 0).await
}

async fn come(browser: &mut Browser, url: &str) {
    let arrival = there(browser, url).await;
    browser.goto(&arrival.url()).await;
}

/// The trace's word for the newest refusal.
async fn noted(f: &Fixtures) -> String {
    f.app.recorder.flush().await;
    let refusals = signet::store::trace_event::refusals(&f.app.db, 1).await.unwrap();
    refusals.first().map(|event| format!("{event:?}")).unwrap_or_default()
}

#[tokio::test]
async fn somebody_comes_by_google_and_gets_an_account() {
    let (f, google) = with_google("sign_up = true").await;
    google.people(&[google::account("grace")]);
    let (mut browser, asked) = (f.browser(), f.c1.asks().with("login_hint", "grace@example.com"));
    come(&mut browser, &asked.url()).await;
    assert!(is_inside(&browser), "{}", browser.page());
    let sent = google.double.last("/o/oauth2/v2/auth").query;
    assert_eq!((sent.get("code_challenge_method"), sent.get("login_hint")), (Some("S256"), Some("grace@example.com")));
    assert!(sent.get("nonce").is_some() && sent.get("state").is_some() && sent.get("hd").is_none());
    let redeemed = google.double.last("/token").form;
    assert!(redeemed.get("code_verifier").is_some() && redeemed.get("client_secret").is_some());
    let person =
        user::find_by_login(&f.app.db, google::account("grace")["email"].as_str().unwrap()).await.unwrap().unwrap();
    assert!(person.email_verified, "Google knows the addresses of its people");
    if browser.sees("consent-allow") {
        browser.press("consent-allow").await;
    }
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["sub"], &claims["acr"]), (&json!(person.id), &json!("aal1")));
}

/// The same person at a new address is the same person: who it is, is the number alone.
#[tokio::test]
async fn another_address_at_google_is_the_same_account() {
    let (f, google) = with_google("sign_up = true").await;
    come(&mut f.browser(), &f.c1.asks().url()).await;
    let mut moved = google::account("ada");
    moved.insert("email".into(), "ada.lovelace@gmail.com".into());
    google.people(&[moved]);
    google.rotate_keys();
    let mut again = f.browser();
    come(&mut again, &f.c1.asks().url()).await;
    assert!(is_inside(&again), "{}", again.page());
    assert_eq!(upstream_link::Entity::find().all(&f.app.db).await.unwrap().len(), 1);
}

/// `hd`: asked for, and looked at in the ID token, since what a browser asks for is not what it gets.
#[tokio::test]
async fn only_people_of_the_workspace_come_where_there_is_one() {
    let (f, google) = with_google("sign_up = true\nhosted_domain = 'example.com'").await;
    google.people(&[google::account("ada")]);
    let mut stranger = f.browser();
    come(&mut stranger, &f.c1.asks().url()).await;
    is_outside(&stranger, "provider-unwelcome", 403);
    assert_eq!(google.double.last("/o/oauth2/v2/auth").query.get("hd"), Some("example.com"));
    google.people(&[google::account("grace")]);
    let mut theirs = f.browser();
    come(&mut theirs, &f.c1.asks().url()).await;
    assert!(is_inside(&theirs), "{}", theirs.page());
}

/// Google gives out some addresses, and Workspaces have theirs there; of all others it knew once whose they were.
#[tokio::test]
async fn an_address_that_is_not_googles_is_confirmed_here() {
    for (email, workspace, known) in [
        ("ada@gmail.com", json!(null), true),
        ("ada@example.com", json!("example.com"), true),
        ("ada@example.com", json!(null), false),
        ("ada@gmail.com.example", json!(null), false),
    ] {
        let (f, google) = with_google("sign_up = true\nlink = 'verified_email'").await;
        let mut account = google::account("ada");
        account.insert("email".into(), email.into());
        account.remove("hd");
        if !workspace.is_null() {
            account.insert("hd".into(), workspace);
        }
        google.people(&[account]);
        let mut browser = f.browser();
        come(&mut browser, &f.c1.asks().url()).await;
        assert_eq!((is_inside(&browser), browser.sees("enrol-email")), (known, !known), "{email}: {}", browser.page());
    }
}

/// OpenID Connect Core §3.1.2.1: Google knows no `login`, and choosing an account is the nearest.
#[tokio::test]
async fn google_is_asked_to_ask() {
    let (f, google) = with_google("").await;
    for (prompt, passed) in [("login", "select_account"), ("select_account", "select_account"), ("consent", "")] {
        there(&mut f.browser(), &f.c1.asks().with("prompt", prompt).with("max_age", "60").url()).await;
        let sent = google.double.last("/o/oauth2/v2/auth").query;
        assert_eq!((sent.get("prompt").unwrap_or_default(), sent.get("max_age")), (passed, None), "{prompt}");
    }
}

#[tokio::test]
async fn google_says_no() {
    let (f, google) = with_google("sign_up = true").await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.press("login-provider-google").await;
    let back = cancel(browser.landed().url.as_ref()).await;
    browser.goto(&back.url()).await;
    is_outside(&browser, "provider-denied", 403);
    browser.press("provider-back").await;
    assert!(browser.sees("login-submit"), "{}", browser.page());

    let wrong = json!({ "error": "invalid_client", "error_description": "Unauthorized" });
    google.double.answer_next("/token", Reply::json(401, &wrong));
    let mut browser = f.browser();
    come(&mut browser, &f.c1.asks().url()).await;
    is_outside(&browser, "provider-failed", 400);
    assert!(!browser.page().text().contains("Unauthorized"), "{}", browser.page());
    let noted = noted(&f).await;
    assert!(noted.contains("invalid_client") && noted.contains("Unauthorized"), "{noted}");
}

/// Down, slow and back: the page says so, the password goes on to work, and nothing must be started again.
#[tokio::test]
async fn google_is_away_and_comes_back() {
    let (f, google) = with_google("sign_up = true").await;
    come(&mut f.browser(), &f.c1.asks().url()).await;
    for mood in [Mood::Down, Mood::Fails(502), Mood::Slow(Duration::from_secs(10))] {
        let mut browser = f.browser();
        let arrival = there(&mut browser, &f.c1.asks().url()).await;
        google.double.mood(mood).await;
        browser.goto(&arrival.url()).await;
        is_outside(&browser, "provider-away", 503);
        browser.press("provider-back").await;
        browser.sign_in(&f.u1).await;
        assert!(is_inside(&browser), "{mood:?}: {}", browser.page());
        google.double.mood(Mood::Normal).await;
    }
    let mut browser = f.browser();
    come(&mut browser, &f.c1.asks().url()).await;
    assert!(is_inside(&browser), "{}", browser.page());
}
