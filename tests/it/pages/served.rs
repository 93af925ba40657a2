//! The pages as a running server answers them: in which language, with what on them, under which policy.
use base64::{Engine, engine::general_purpose::STANDARD};
use regex::Regex;
use serde_json::json;

use crate::harness::{Browser, TestServer, fixtures};

/// The names of the scopes and claims on a consent page, in order.
fn asked_for(browser: &Browser) -> Vec<String> {
    let text = browser.page().text();
    let list = text.split("This app will be able to").nth(1).unwrap_or_else(|| panic!("{}", browser.page()));
    let known = [
        "Recognize you",
        "See your profile",
        "See some of your details",
        "See your email address",
        "See your phone number",
        "See your postal address",
        "Use the permission",
        "Stay connected",
    ];
    let mut found: Vec<(usize, &str)> = known.iter().filter_map(|line| Some((list.find(line)?, *line))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, line)| line.to_owned()).collect()
}

#[tokio::test]
async fn the_consent_page_names_everything_in_the_order_in_which_people_read() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto(&f.c1.asks().with("scope", "offline_access address phone email profile openid").url()).await;
    assert_eq!(
        asked_for(&browser),
        [
            "Recognize you",
            "See your profile",
            "See your email address",
            "See your phone number",
            "See your postal address",
            "Stay connected"
        ]
    );
}

/// A claim that is called like a scope asks for less than the scope.
#[tokio::test]
async fn the_consent_page_says_what_single_claims_tell() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    let claims = json!({
        "userinfo": { "birthdate": null, "profile": null, "email": null, "email_verified": null },
        "id_token": { "phone_number": null, "birthdate": { "essential": true } },
    });
    browser.goto(&f.c1.asks().with("scope", "openid").with("claims", &claims.to_string()).url()).await;
    let lines = ["Recognize you", "See some of your details", "See your email address", "See your phone number"];
    assert_eq!(asked_for(&browser), lines);
    assert!(browser.page().text().contains("Birthday, Profile page"), "{}", browser.page());
    assert!(!browser.page().text().contains("permission"), "{}", browser.page());
    browser.press("consent-allow").await;
    assert!(browser.has_left());
}

/// OpenID Connect Core §3.1.2.1: where there is no journey, too.
#[tokio::test]
async fn an_error_page_speaks_the_language_that_the_app_asks_for() {
    let f = fixtures().await;
    for (reason, accept_language, ui_locales, title) in [
        ("the app asks for German", "en", "de", "Diese Anmeldung kann nicht fortgesetzt werden"),
        ("the app asks for what is not there", "de", "se", "Diese Anmeldung kann nicht fortgesetzt werden"),
        ("the app asks for English", "de", "en", "This sign-in can’t continue"),
    ] {
        let mut browser = f.browser();
        browser.accept_language = accept_language.to_owned();
        let asked = f.c1.asks().with("redirect_uri", "https://evil.test/").with("ui_locales", ui_locales);
        browser.goto(&asked.url()).await;
        assert!(browser.page().title().starts_with(title), "{reason}: {}", browser.page().title());
    }
}

/// PG1: `ui_locales`, the person's choice, `Accept-Language`.
#[tokio::test]
async fn the_language_that_a_person_chose_follows_them_to_another_browser() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto(f.site.url("/language?lang=de&back=/account").as_ref()).await;
    assert!(browser.page().title().starts_with("Mein Konto"), "{}", browser.page().title());
    let mut other = f.browser();
    for (ui_locales, title) in [(None, "The c1 application möchte"), (Some("en"), "The c1 application would")] {
        let asked = f.c1.asks().with("prompt", "login consent");
        let asked = ui_locales.map_or(asked.clone(), |locales| asked.with("ui_locales", locales));
        other.goto(&asked.url()).await;
        assert!(other.page().title().starts_with("Sign in") || other.sees("login-password"), "{}", other.page());
        other.sign_in(&f.u1).await;
        assert!(other.page().title().starts_with(title), "{}", other.page().title());
    }
}

#[tokio::test]
async fn a_trace_has_a_page_of_its_own_words() {
    let f = fixtures().await;
    let asked = f.c1.asks().with("prompt", "none");
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    let about = browser.landed().get("error_uri").expect("an error_uri").to_owned();
    browser.goto(&about).await;
    let page = browser.page();
    let trace = about.rsplit('/').next().unwrap();
    assert_eq!((page.status(), page.read("error-trace-id").as_str()), (200, trace));
    assert!(page.title().starts_with("A sign-in was not completed"), "{}", page.title());
    assert!(page.read("error-remedy").contains(&format!("signet trace {trace}")), "{page}");
    assert!(!page.has("error-code") && !page.has("error-description"), "{page}");
    for other in ["x", "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaa", "AAAAAAAAAAAAAAAA", "%3Cscript%3Ealert("] {
        browser.goto(f.site.url(&format!("/errors/{other}")).as_ref()).await;
        assert_eq!(browser.page().status(), 404, "{other}");
        assert!(!browser.page().has("error-trace-id"), "{other}");
    }
}

#[tokio::test]
async fn a_sign_out_says_whose_it_is() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto(f.site.url("/logout").as_ref()).await;
    let text = browser.page().text();
    assert!(text.contains("Ada King Lovelace") && text.contains(&f.u1.email), "{}", browser.page());
}

#[tokio::test]
async fn the_demo_shows_every_message_of_the_flow() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto(f.site.url("/try").as_ref()).await;
    browser.press("try-start").await;
    browser.press("consent-allow").await;
    let text = browser.page().text().to_owned();
    let mut last = 0;
    for step in [
        "/.well-known/openid-configuration",
        "/authorize",
        "/try/callback",
        "/oauth2/token",
        "/oauth2/jwks",
        "/oauth2/userinfo",
    ] {
        let line = format!("GET {}{step}", f.site.issuer);
        let at = text.find(&line).or_else(|| text.find(&line.replace("GET", "POST")));
        let at = at.unwrap_or_else(|| panic!("no request to {step} in {text}"));
        assert!(at > last, "{step} stands too early");
        last = at;
    }
    for word in ["code_challenge", "code_verifier", "Signature verified", "at+jwt", &f.u1.email] {
        assert!(text.contains(word), "{word}");
    }
}

/// SEC-097: exactly the scripts and styles that stand in the page, and nothing from elsewhere.
#[tokio::test]
async fn sec_097_the_pages_about_the_contract_name_their_scripts_by_hash() {
    let server = TestServer::start().await;
    for path in ["/docs", "/redoc"] {
        let mut browser = server.browser();
        browser.goto(server.site.url(path).as_ref()).await;
        let page = browser.page();
        assert_eq!((page.status(), page.answer.media_type()), (200, "text/html"), "{path}");
        let html = page.answer.text();
        for (element, directive) in [("script", "script-src"), ("style", "style-src")] {
            let sources = page.policy(directive).expect(directive);
            let inline = Regex::new(&format!("(?s)<{element}[^>]*>(.*?)</{element}>")).unwrap();
            let begins = html.find(&format!("<{element}")).expect("one at least");
            let first = inline.captures(&html[begins..]).unwrap()[1].to_owned();
            assert!(sources.contains(&hash(&first)), "{path} {directive}");
            assert!(sources.iter().all(|source| source.starts_with("'sha256-")), "{path} {sources:?}");
        }
        let last = html.rsplit_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
        assert!(page.policy("script-src").unwrap().contains(&hash(last)), "{path}: the script with the contract");
        for (directive, only) in [("default-src", "'none'"), ("connect-src", "'self'"), ("frame-ancestors", "'none'")] {
            assert_eq!(page.policy(directive).unwrap(), [only], "{path}");
        }
    }
    for path in ["/docs/x", "/redoc/oauth-receiver.html", "/docs/oauth-receiver.html", "/"] {
        let policy = server.site.get(server.site.url(path).as_ref()).await;
        let policy = policy.header("content-security-policy").unwrap();
        assert!(!policy.contains("sha256") && !policy.contains("connect-src"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn a_browser_finds_a_picture_where_it_looks_for_one() {
    let server = TestServer::start().await;
    let icon = server.site.get(server.site.url("/favicon.ico").as_ref()).await;
    assert_eq!((icon.status, icon.media_type()), (200, "image/png"));
    assert!(icon.body.starts_with(b"\x89PNG"));
}

fn hash(content: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(openssl::sha::sha256(content.as_bytes())))
}
