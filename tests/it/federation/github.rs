//! Signing in with GitHub, against a double that speaks its wire format.

use sea_orm::EntityTrait;
use serde_json::json;
use signet::store::{upstream_link, user};

use super::{HOSTS, is_inside, is_outside};
use crate::harness::{
    Browser, Fixtures, TestServer,
    doubles::{GitHub, Mood, Reply, continue_as, github},
};

async fn with_github(more: &str) -> (Fixtures, GitHub) {
    let github = GitHub::start().await;
    let declared = format!(
        "\n[[providers]]\nname = 'github'\nkind = 'github'\nissuer = '{}'\napi_url = '{}'\nclient_id = '{}'\n\
         client_secret = '{}'\n{more}\n",
        github.base(),
        github.api_base(),
        github.client_id(),
        github.client_secret(),
    );
    let f = TestServer::declaring(&[HOSTS], &declared).await.fixtures().await;
    github.clock(&f.clock);
    github.register(&f.app.url("/federation/github/callback"));
    (f, github)
}

async fn come(f: &Fixtures) -> Browser {
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.press("login-provider-github").await;
    let arrival = continue_as(browser.landed().url.as_ref(), 0).await;
    browser.goto(&arrival.url()).await;
    browser
}

async fn people(f: &Fixtures) -> Vec<user::User> {
    let links = upstream_link::Entity::find().all(&f.app.db).await.unwrap();
    let mut people = Vec::new();
    for link in links {
        people.push(user::find(&f.app.db, link.user_id).await.unwrap().unwrap());
    }
    people
}

#[tokio::test]
async fn somebody_comes_by_github_and_is_known_by_the_number() {
    let (f, github) = with_github("sign_up = true").await;
    let browser = come(&f).await;
    assert!(is_inside(&browser), "{}", browser.page());
    let sent = github.web.last("/login/oauth/authorize").query;
    assert_eq!((sent.get("scope"), sent.get("code_challenge_method")), (Some("read:user user:email"), Some("S256")));
    let asked = github.api.last("/user");
    assert!(asked.header("user-agent").is_some_and(|agent| agent.starts_with("Signet/")));
    assert!(asked.bearer().is_some());
    let octocat = github::account("octocat");
    let person = &people(&f).await[0];
    assert_eq!((person.username.as_deref(), person.email_verified), (octocat["login"].as_str(), true));

    // Login names change hands; numbers do not.
    let mut renamed = octocat.clone();
    renamed.insert("login".into(), json!("tentacle"));
    let mut other = octocat;
    other.insert("id".into(), json!(99_000_001));
    other.insert("email".into(), json!(null));
    other.insert("emails".into(), json!([]));
    github.people(&[renamed]);
    assert!(is_inside(&come(&f).await));
    assert_eq!(people(&f).await.len(), 1);
    github.people(&[other]);
    let stranger = come(&f).await;
    assert!(stranger.sees("enrol-email"), "whoever has the name now is somebody else: {}", stranger.page());
    assert_eq!(people(&f).await.len(), 1);
}

/// An address that is not public is read all the same, where the person lets us: only they see it here.
#[tokio::test]
async fn somebody_who_shows_no_address_has_one() {
    let (f, github) = with_github("sign_up = true").await;
    github.people(&[github::account("private")]);
    let browser = come(&f).await;
    assert!(is_inside(&browser), "{}", browser.page());
    let person = &people(&f).await[0];
    assert!(person.email_verified && person.email.is_some() && person.claims.name.is_none(), "{person:?}");
}

/// Who has no address that reaches anybody, has confirmed none, or lets us see none is asked for one, which is confirmed by mail.
#[tokio::test]
async fn somebody_without_an_address_is_asked_for_one() {
    for case in ["noreply", "unverified", "scope", "permission"] {
        let (f, github) = with_github("sign_up = true").await;
        match case {
            "scope" => github.leaves(&["read:user"]),
            "permission" => github.without_emails(),
            "noreply" => {
                let mut hidden = github::account("private");
                let made_up = "1+quiet@users.noreply.github.com";
                let address = json!({ "email": made_up, "primary": true, "verified": true, "visibility": null });
                hidden.insert("emails".into(), json!([address]));
                github.people(&[hidden]);
            }
            account => github.people(&[github::account(account)]),
        }
        let mut browser = come(&f).await;
        is_outside(&browser, "enrol-email", 200);
        assert!(!browser.page().text().contains("noreply"), "{case}: {}", browser.page());
        browser.fill("enrol-email", "octo@example.com").press("enrol-submit").await;
        let people = people(&f).await;
        assert_eq!(people.len(), 1, "{case}: {}", browser.page());
        assert!(!people[0].email_verified, "{case}");
    }
}

/// Limits, outages and refusals, as GitHub says them: each says so on a page, and the trace names the cause.
#[tokio::test]
async fn github_refuses_when() {
    for (when, id, status) in [
        ("the limit of the hour is reached", "provider-away", 503),
        ("a secondary limit is reached", "provider-away", 503),
        ("a page with a unicorn comes", "provider-away", 503),
        ("the addresses are behind a limit", "provider-away", 503),
        ("the API is down", "provider-away", 503),
        ("the code is not taken", "provider-failed", 400),
        ("the token is not taken", "provider-failed", 400),
        ("the answer is of another server", "provider-failed", 400),
    ] {
        let (f, github) = with_github("sign_up = true").await;
        match when {
            "the limit of the hour is reached" => github.api.mood(Mood::RateLimited).await,
            "a secondary limit is reached" => github.api.mood(Mood::SecondaryLimit).await,
            "a page with a unicorn comes" => github.api.mood(Mood::Fails(503)).await,
            "the addresses are behind a limit" => github.api.mood_at("/user/emails", Mood::RateLimited),
            "the API is down" => github.api.mood(Mood::Down).await,
            "the code is not taken" => {
                let bad = json!({ "error": "bad_verification_code", "error_description": "it is incorrect" });
                github.web.answer_next("/login/oauth/access_token", Reply::json(200, &bad));
            }
            "the token is not taken" => {
                github.api.answer_next("/user", Reply::json(401, &json!({ "message": "Bad credentials" })));
            }
            _ => {}
        }
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().url()).await.press("login-provider-github").await;
        let mut arrival = continue_as(browser.landed().url.as_ref(), 0).await;
        assert_eq!(arrival.parameters.get("iss"), Some(&*github.issuer()), "GitHub names itself");
        if when == "the answer is of another server" {
            arrival.parameters = arrival.parameters.without("iss").also("iss", "https://github.example/login/oauth");
        }
        browser.goto(&arrival.url()).await;
        is_outside(&browser, id, status);
        let back = browser.press("provider-back").await;
        assert!(back.sees("login-submit"), "{when}: {}", back.page());
        f.app.recorder.flush().await;
        let refusals = signet::store::trace_event::refusals(&f.app.db, 1).await.unwrap();
        let noted = format!("{:?}", refusals.first().expect("a refusal"));
        let expected = match when {
            "the code is not taken" => "bad_verification_code",
            "the token is not taken" => "Bad credentials",
            "the answer is of another server" => "github.example",
            "the limit of the hour is reached" | "the addresses are behind a limit" => "status 403",
            "a secondary limit is reached" => "status 429",
            _ => "upstream_",
        };
        assert!(noted.contains(expected), "{when}: {noted}");
        assert!(people(&f).await.is_empty(), "{when}");
    }
}
