//! Attacks as they are told of other servers: each goes a way that no single rule forbids.
use crate::harness::{
    Browser, Call, Fixtures, Parameters, TestServer, assert, fixtures,
    relying_party::random,
    seed::{self, ClientSpec},
};

/// The address of the page on the screen, without its last part: the journey's crossroads.
fn journey(browser: &Browser) -> String {
    let path = browser.page().path();
    path[..path.rfind('/').unwrap()].to_string()
}

fn consents(browser: &Browser) -> bool {
    browser.sees("consent-allow")
}

/// A posted request (K4) belongs to nobody until the first browser opens it; it never belongs to two.
#[tokio::test]
async fn a_posted_journey_belongs_to_the_first_browser_that_opens_it() {
    let f = fixtures().await;
    for attacker_first in [true, false] {
        let begun = Call::post("/authorize").form(&f.c1.asks().parameters);
        let address = f.site.send(begun).await.location().unwrap().to_string();
        let (mut attacker, mut victim) = (f.browser(), f.browser());
        if attacker_first {
            attacker.goto(&address).await;
            victim.goto(&address).await;
            assert_eq!(victim.page().status(), 400, "{}", victim.page());
            assert!(!victim.sees("login-submit"), "the victim would sign in for the attacker");
            continue;
        }
        victim.goto(&address).await.sign_in(&f.u1).await;
        assert!(consents(&victim), "{}", victim.page());
        for part in ["", "/login", "/account", "/consent"] {
            attacker.goto(&format!("{address}{part}")).await;
            assert!(!attacker.has_left() && attacker.page().status() == 400, "{part}: {}", attacker.page());
        }
        victim.press("consent-allow").await;
        attacker.goto(&address).await;
        assert!(!attacker.has_left() && attacker.page().status() == 410, "it is over: {}", attacker.page());
    }
}

/// Two tabs of one browser: both apps get their own answer, and no tab acts for a person that it did not show.
#[tokio::test]
async fn two_tabs_do_not_mix_up_their_apps() {
    let f = fixtures().await;
    let (one, two) = (f.c1.asks(), f.c4.asks());
    let mut first = f.browser();
    first.goto(&one.url()).await;
    let mut second = first.stolen();
    second.goto(&two.url()).await;
    let waiting = second.form("login-submit");
    first.sign_in(&f.u1).await;
    second.jar = first.jar.clone();
    // The second tab's form was for nobody's browser; now it is somebody's, and asks again.
    let form = waiting.2.with("username", &f.u2.username).with("password", &f.u2.password);
    second.submit(&waiting.0, waiting.1, &form).await;
    assert_eq!(second.page().status(), 403, "{}", second.page());
    first.press("consent-allow").await;
    let code = assert::granted(&first, &f.c1, &one);
    second.jar = first.jar.clone();
    second.goto(&journey(&second)).await.press("consent-allow").await;
    let other = assert::granted(&second, &f.c4, &two);
    assert_eq!(f.c1.redeem(&other, &one).await.status, 400, "a code of one app at the other");
    assert_eq!(f.c1.tokens(&code, &one).await.claims()["sub"], f.u1.id.as_str());
    assert_eq!(f.c4.tokens(&other, &two).await.claims()["sub"], f.u1.id.as_str());
}

/// Who agreed is who is asked: a page that shows one person cannot agree for the next who signed in.
#[tokio::test]
async fn a_page_of_one_person_does_not_agree_for_another() {
    let f = fixtures().await;
    let mut first = f.browser();
    first.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(consents(&first));
    let (action, method, form) = first.form("consent-allow");
    let mut second = first.stolen();
    second.goto(&f.c4.asks().with("prompt", "login").url()).await;
    second.press("login-another").await;
    second.fill("login-username", &f.u2.username).fill("login-password", &f.u2.password).press("login-submit").await;
    first.jar = second.jar.clone();
    first.submit(&action, method, &form).await;
    assert_eq!(first.page().status(), 403, "{}", first.page());
    let asked = f.c1.asks().with("prompt", "none");
    first.goto(&asked.url()).await;
    assert::redirect_of(&first, &f.c1, &asked, &["consent_required", "interaction_required"]);
}

/// An app that is disabled, or changed, while a person is at its page gets nothing any more.
#[tokio::test]
async fn a_client_that_is_disabled_on_the_way_gets_no_code() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    seed::disable_client(&f.app, &f.c1).await;
    browser.press("consent-allow").await;
    assert!(!browser.has_left() && browser.page().status() == 400, "{}", browser.page());
}

/// A person who is disabled while at a page gets no further.
#[tokio::test]
async fn a_person_who_is_disabled_on_the_way_gets_no_further() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    seed::disable_user(&f.app, &f.u1, true).await;
    browser.press("consent-allow").await;
    assert!(!browser.has_left(), "{}", browser.landed().raw);
    browser.goto("/account").await;
    assert!(!browser.page().text().contains(&f.u1.email), "{}", browser.page());
}

/// RFC 9207, RFC 9700 §4.4: every answer names us, errors too, so that no app takes it for another server's.
#[tokio::test]
async fn no_answer_can_be_taken_for_that_of_another_server() {
    let f = fixtures().await;
    for mode in ["query", "fragment", "form_post"] {
        let asked = f.c1.asks().with("response_mode", mode).with("prompt", "none").with("iss", "https://evil.test");
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c1, &asked, "login_required");
        let asked = f.c1.asks().with("response_mode", mode).with("state", "x&iss=https://evil.test&code=y#&error=z");
        browser.goto(&asked.url()).await.walk(&f.u1).await;
        assert::granted(&browser, &f.c1, &asked);
    }
}

/// A code that an attacker got for himself is of no use in the victim's browser or client (RFC 9700 §4.5).
#[tokio::test]
async fn a_code_of_the_attacker_does_not_sign_the_victim_in() {
    let f = fixtures().await;
    let mut attacker = f.browser();
    attacker.goto("/try").await.press("try-start").await;
    attacker.sign_in(&f.u2).await;
    // The attacker keeps the address of the answer instead of opening it.
    let (action, _, form) = attacker.form("consent-allow");
    let crossroads = attacker.request(Call::post(&action).form(&form)).await;
    let answer = attacker.request(Call::get(crossroads.location().unwrap())).await;
    let stolen = answer.location().unwrap().to_string();
    assert!(stolen.contains("/try/callback?code="), "{stolen}");
    let mut victim = f.signed_in(&f.u1).await;
    victim.goto(&stolen).await;
    assert!(!victim.page().has("try-result") && !victim.page().text().contains(&f.u2.email), "{}", victim.page());
    attacker.goto(&stolen).await;
    assert!(attacker.page().has("try-result"), "where it was begun it works: {}", attacker.page());
}

/// SEC-001 and G5: a page of ours says nothing that a stranger has written into its address.
#[tokio::test]
async fn no_stranger_writes_on_our_pages() {
    let f = fixtures().await;
    let words = "Call 0800 123 now";
    let encoded = "Call+0800+123+now";
    for path in [
        format!("/authorize?client_id={encoded}"),
        format!("/authorize?client_id=c1&redirect_uri=https://{}", encoded.replace('+', "-")),
        format!("/authorize?client_id=c1&{encoded}=1&{encoded}=2"),
        format!("/logout?{encoded}=1&{encoded}=2"),
        format!("/logout?post_logout_redirect_uri={encoded}&client_id={encoded}"),
        format!("/logout?id_token_hint={encoded}&state={encoded}"),
        format!("/setup?token={encoded}&error={encoded}"),
        format!("/try/callback?error={encoded}&error_description={encoded}&state=a.b"),
        format!("/account?error={encoded}"),
        format!("/{}", encoded.replace('+', "%20")),
        format!("/errors/{}", encoded.replace('+', "%20")),
    ] {
        for mut browser in [f.browser(), f.signed_in(&f.u2).await] {
            browser.goto(&path).await;
            assert!(!browser.has_left(), "{path}");
            let page = browser.page();
            for said in [words.to_string(), encoded.replace('+', "-")] {
                assert!(!page.text().contains(&said), "{path}: {page}");
                // A form of ours may carry it, for the app to which it goes back.
                assert!(page.status() == 200 || !page.answer.text().contains(&said), "{path}: {page}");
            }
        }
    }
}

/// K11: the cookie of a known device helps its own browser and person, not whoever has another one.
#[tokio::test]
async fn a_known_device_of_one_person_is_none_of_another() {
    let f = TestServer::with_limits().await.fixtures().await;
    let mut home = f.signed_in(&f.u1).await;
    let mut attacker = f.signed_in(&f.u2).await;
    let known = |browser: &Browser| {
        browser.cookies().iter().find(|cookie| cookie.name.ends_with("known")).unwrap().value.clone()
    };
    let (of_home, of_attacker) = (known(&home), known(&attacker));
    let guess = async |browser: &mut Browser| {
        browser.goto(&f.c1.asks().with("prompt", "login").url()).await;
        if browser.sees("login-another") {
            browser.press("login-another").await;
        }
        browser.fill("login-username", &f.u1.username).fill("login-password", "wrong").press("login-submit").await;
        browser.page().status()
    };
    for _ in 0..12 {
        guess(&mut attacker).await;
    }
    assert_eq!(guess(&mut attacker).await, 429);
    for value in [of_home, format!("{of_attacker}.{of_attacker}"), random(43), "..".into(), ".".repeat(150)] {
        for cookie in attacker.jar.0.iter_mut().filter(|cookie| cookie.name.ends_with("known")) {
            cookie.value = value.clone();
        }
        assert_eq!(guess(&mut attacker).await, 429, "{value}");
    }
    home.goto(&f.c1.asks().with("prompt", "login").url()).await.sign_in(&f.u1).await;
    assert!(consents(&home) || home.has_left(), "at home the door stays open: {}", home.page());
}

/// RFC 9700 §4.14: nothing of an app's token can be had through another app's client_id or through the wrong endpoint.
#[tokio::test]
async fn a_token_of_one_kind_is_none_of_another() {
    let f: Fixtures = fixtures().await;
    let opaque = f.client(ClientSpec { opaque_access_tokens: true, ..ClientSpec::web("opaque") }).await;
    let visit = f.visit_with(&opaque, opaque.asks_to_stay()).await;
    let (access, refresh) = (&visit.tokens.access, visit.tokens.refresh_token());
    let session = visit.browser.cookies().iter().find(|c| c.name.ends_with("session")).unwrap().value.clone();
    for (name, value) in [("an access token", access.as_str()), ("a session", &session), ("a code", &visit.code)] {
        assert_eq!(opaque.refresh(value).await.status, 400, "{name} as a refresh token");
    }
    for (name, value) in [("a refresh token", refresh), ("a session", &session), ("a code", &visit.code)] {
        assert!(!opaque.may_read_userinfo(value).await, "{name} as an access token");
    }
    for (name, value) in [("an access token", access.as_str()), ("a refresh token", refresh), ("a code", &visit.code)] {
        let mut browser = f.browser();
        let call = Call::get("/account").header("cookie", &format!("signet-session={value}"));
        assert_eq!(browser.request(call).await.location(), Some("/account/login"), "{name} as a session");
        let form = Parameters::new(&[("grant_type", "authorization_code"), ("code", value)]);
        let form = form.also("redirect_uri", "https://rp.example/cb").also("code_verifier", &visit.asked.verifier);
        assert_eq!(opaque.token(form).await.status, 400, "{name} as a code");
    }
}
