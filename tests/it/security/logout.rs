//! LO: logout that a relying party asks for.
use serde_json::json;

use crate::harness::{
    Browser, Fixtures, Sink, assert, fixtures,
    fixtures::Visit,
    jwt::{Token, forgeries},
};

pub const BYE: &str = "https://rp.example/bye";

/// Whether the server still knows this browser: a silent request of a client with consent tells.
pub async fn is_signed_in(f: &Fixtures, browser: &mut Browser) -> bool {
    let asked = f.c1.asks().with("scope", "openid").with("prompt", "none");
    browser.goto(&asked.url()).await;
    match browser.landed().get("error") {
        None => browser.landed().get("code").is_some(),
        Some("consent_required" | "interaction_required") => true,
        Some(error) => {
            assert_eq!(error, "login_required", "{}", browser.landed().raw);
            false
        }
    }
}

fn hint(visit: &Visit) -> &str {
    visit.tokens.id.as_deref().unwrap()
}

/// SEC-090, RP-Initiated Logout §2 and §3.
#[tokio::test]
async fn sec_090_a_logout_with_a_hint_ends_the_session() {
    let f = fixtures().await;
    let mut visit = f.visit(&f.c1).await;
    let mut thief = visit.browser.stolen();
    let hint = hint(&visit).to_string();
    let url = f.c1.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "a b&c=d")]);
    visit.browser.goto(&url).await;
    assert_eq!(visit.browser.landed().raw.split('?').next(), Some(BYE));
    assert_eq!(
        visit.browser.landed().parameters.0,
        [("state".to_string(), "a b&c=d".to_string())],
        "state and nothing else"
    );
    assert!(
        !visit.browser.cookies().iter().any(|cookie| cookie.name.ends_with("session")),
        "{:?}",
        visit.browser.cookies()
    );
    assert!(!is_signed_in(&f, &mut visit.browser).await);
    assert!(!is_signed_in(&f, &mut thief).await, "the session is over in the database too");
}

/// SEC-091, oidcc-rp-initiated-logout-bad-post-logout-redirect-uri and -query-added.
#[tokio::test]
async fn sec_091_a_logout_leads_nowhere_else() {
    let f = fixtures().await;
    let visit = f.visit(&f.c1).await;
    let hint = hint(&visit).to_string();
    let named =
        |uri: &'static str| vec![("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", uri), ("state", "s")];
    for (name, parameters) in [
        ("the address is not registered", named("https://evil.test/")),
        ("the address is a redirect_uri", named("https://rp.example/cb")),
        ("the address has a query added", named("https://rp.example/bye?x=1")),
        ("the address has a slash added", named("https://rp.example/bye/")),
        ("the address has a fragment", named("https://rp.example/bye#x")),
        ("the address is a script", named("javascript:alert(1)")),
        ("nobody vouches for the address", vec![("post_logout_redirect_uri", BYE), ("state", "s")]),
        ("the client is unknown", vec![("client_id", "nobody"), ("post_logout_redirect_uri", BYE)]),
        ("the client is not the hint's", [named(BYE), vec![("client_id", "c4")]].concat()),
    ] {
        eprintln!("when {name}");
        let mut browser = f.signed_in(&f.u1).await;
        browser.goto(&f.c1.logout_url(&parameters)).await;
        assert!(!browser.has_left(), "sent to {}", browser.landed().raw);
        let page = browser.page();
        assert!(page.has("logout-confirm") || page.has("logged-out") || page.has("error-code"), "{page}");
        assert!(page.status() < 500 && (page.has("error-code") == (page.status() >= 400)), "{page}");
        assert::page_headers(page);
        assert::does_not_echo(page, "evil.test");
        assert::does_not_echo(page, "alert(1)");
        if page.has("logout-confirm") {
            browser.press("logout-confirm").await;
            assert!(!browser.has_left(), "sent to {} after all", browser.landed().raw);
        }
    }
}

/// SEC-091: without a hint, a client that is named is enough once the person has agreed (RP-Initiated Logout §2).
#[tokio::test]
async fn sec_091_a_named_client_gets_its_person_back_after_a_yes() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    let url = f.c1.logout_url(&[("client_id", "c1"), ("post_logout_redirect_uri", BYE), ("state", "s")]);
    browser.goto(&url).await;
    assert!(browser.sees("logout-confirm"), "{}", browser.page());
    browser.press("logout-confirm").await;
    if browser.has_left() {
        assert_eq!(browser.landed().raw, format!("{BYE}?state=s"));
    } else {
        assert!(browser.sees("logged-out"), "{}", browser.page());
    }
    assert!(!is_signed_in(&f, &mut browser).await);
}

/// SEC-092, RP-Initiated Logout §6: nobody is signed out by an image on a page.
#[tokio::test]
async fn sec_092_a_logout_without_a_hint_asks_first() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    for parameters in
        [&[][..], &[("state", "x")], &[("client_id", "c1")], &[("logout_hint", "ada")], &[("confirm", "yes")]]
    {
        eprintln!("with {parameters:?}");
        browser.goto(&f.c1.logout_url(parameters)).await;
        assert!(browser.sees("logout-confirm"), "{}", browser.page());
        assert!(is_signed_in(&f, &mut browser).await, "signed out by a GET");
    }
    browser.goto("/logout").await;
    let (action, method, form) = browser.form("logout-confirm");
    assert_eq!(method, "POST");
    let page = browser.page().answer.clone();
    let (_, value) = form.0.iter().find(|(name, _)| name.contains("csrf")).expect("a CSRF token").clone();
    let name = form.0.iter().find(|(_, other)| *other == value).unwrap().0.clone();
    for wrong in [
        form.clone().without(&name),
        form.clone().with(&name, ""),
        form.clone().with(&name, &value.replace(|c: char| c.is_ascii_lowercase(), "A")),
    ] {
        browser.goto(page.url.as_str()).await;
        browser.submit(&action, method.clone(), &wrong).await;
        assert_eq!(browser.page().status(), 403, "{}", browser.page());
        assert!(is_signed_in(&f, &mut browser).await, "signed out without the token");
    }
    browser.post_from_elsewhere("/logout", &form).await;
    assert!(is_signed_in(&f, &mut browser).await, "signed out by a form of another site");
    browser.goto("/logout").await.press("logout-confirm").await;
    assert!(browser.sees("logged-out"), "{}", browser.page());
    assert!(!is_signed_in(&f, &mut browser).await);
}

/// SEC-092: the token of one browser is worth nothing in another.
#[tokio::test]
async fn sec_092_a_csrf_token_belongs_to_one_browser() {
    let f = fixtures().await;
    let mut mallory = f.signed_in(&f.u2).await;
    mallory.goto("/logout").await;
    let (action, method, form) = mallory.form("logout-confirm");
    let mut victim = f.visit(&f.c1).await.browser;
    victim.goto("/logout").await.submit(&action, method, &form).await;
    assert_eq!(victim.page().status(), 403, "{}", victim.page());
    assert!(is_signed_in(&f, &mut victim).await);
}

/// SEC-093, oidcc-rp-initiated-logout-modified-id-token-hint and -bad-id-token-hint.
#[tokio::test]
async fn sec_093_a_forged_hint_is_no_hint() {
    let (f, sink) = (fixtures().await, Sink::open());
    let mut visit = f.visit(&f.c1).await;
    let genuine = hint(&visit).to_string();
    let read = Token::read(&genuine);
    let keys = f.c1.jwks().await;
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == read.kid()).unwrap();
    for (name, forged) in forgeries(&genuine, &json!(read.claims), key, &sink.url()) {
        eprintln!("when it is {name}");
        let url = f.c1.logout_url(&[("id_token_hint", &forged), ("post_logout_redirect_uri", BYE), ("state", "s")]);
        visit.browser.goto(&url).await;
        assert!(!visit.browser.has_left(), "sent to {}", visit.browser.landed().raw);
        let page = visit.browser.page();
        assert!(page.has("logout-confirm") || page.has("error-code"), "{page}");
        assert!(is_signed_in(&f, &mut visit.browser).await, "signed out by a forged hint");
    }
    sink.is_untouched();
}

/// SEC-093: a genuine hint may be old (RP-Initiated Logout §2), if it names the person of this session.
#[tokio::test]
async fn sec_093_an_expired_hint_is_still_a_hint() {
    let f = fixtures().await;
    let mut visit = f.visit(&f.c1).await;
    f.clock.advance(3000);
    let hint = hint(&visit).to_string();
    let url = f.c1.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "s")]);
    let mut another = f.signed_in(&f.u2).await;
    another.goto(&url).await;
    assert!(another.sees("logout-confirm"), "a hint at somebody else: {}", another.page());
    assert!(is_signed_in(&f, &mut another).await);
    visit.browser.goto(&url).await;
    assert_eq!(visit.browser.landed().raw, format!("{BYE}?state=s"));
    assert!(!is_signed_in(&f, &mut visit.browser).await);
}
