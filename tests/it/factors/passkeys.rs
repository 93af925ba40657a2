//! PK: passkeys at the pages. The scripts of the pages do what these tests do by hand; Chromium runs them in the suites of
//! relying parties.

use sea_orm::EntityTrait;
use serde_json::{Value, json};
use signet::{
    crypto::secret::Secret,
    store::{passkey, password, recovery_code},
};

use super::{cookie, is_inside};
use crate::{
    accounts::signed_in::log,
    harness::{
        Answer, Browser, Call, Fixtures, Parameters, TestServer, assert, authenticator::Authenticator, fixtures,
        phone::phone, seed::Person,
    },
};

/// What a script of this page asks for, by the form of this button.
async fn ask(browser: &mut Browser, button: &str, path: &str, new: bool) -> Answer {
    let (_, _, form) = browser.form(button);
    let form = Parameters::new(&[("csrf", form.get("csrf").unwrap())]);
    let form = if new { form.also("new", "yes") } else { form };
    let here = browser.page().answer.url.origin().ascii_serialization();
    browser.request(Call::post(path).header("origin", &here).header("sec-fetch-site", "same-origin").form(&form)).await
}

/// Where the script asks at this page of a journey.
fn journey(browser: &Browser) -> String {
    let path = browser.page().path();
    format!("{}/passkey", path.rsplit_once('/').unwrap().0)
}

/// Sends the form of this button with what a passkey has answered.
async fn send(browser: &mut Browser, button: &str, more: &[(&str, &str)]) {
    let (action, method, form) = browser.form(button);
    let form = more.iter().fold(form.without("answer"), |form, (name, value)| form.without(name).also(name, value));
    browser.submit(&action, method, &form).await;
}

/// Somebody who is signed in makes a passkey on the page.
pub async fn enrol(browser: &mut Browser, authenticator: &mut Authenticator, name: &str) {
    browser.goto("/account/factors").await;
    let asked = ask(browser, "passkey-add", "/account/factors/passkey", true).await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    let asked = asked.json();
    let made = authenticator.make(&asked["publicKey"]).to_string();
    let ticket = asked["ticket"].as_str().unwrap();
    let fields = [("do", "add-passkey"), ("ticket", ticket), ("credential", &made), ("name", name)];
    send(browser, "passkey-add", &fields).await;
}

async fn with_passkey() -> (Fixtures, Authenticator, Vec<String>) {
    let f = fixtures().await;
    let (authenticator, codes) = passkey_of(&f, &f.u1, "u1").await;
    (f, authenticator, codes)
}

async fn passkey_of(f: &Fixtures, person: &Person, seed: &str) -> (Authenticator, Vec<String>) {
    let mut browser = f.signed_in(person).await;
    let mut authenticator = Authenticator::new(&f.site.issuer, seed);
    enrol(&mut browser, &mut authenticator, "my phone").await;
    assert!(browser.sees("recovery-codes"), "{}", browser.page());
    let codes = browser.page().read("recovery-codes").split_whitespace().map(str::to_owned).collect();
    (authenticator, codes)
}

/// Answers the login page with a passkey.
pub async fn sign_in(browser: &mut Browser, authenticator: &mut Authenticator) {
    let path = journey(browser);
    let asked = ask(browser, "login-submit", &path, false).await.json();
    let signed = authenticator.sign(&asked["publicKey"]).to_string();
    send(browser, "login-submit", &[("credential", &signed)]).await;
}

#[tokio::test]
async fn somebody_makes_a_passkey_and_signs_in_without_a_password() {
    let (f, mut authenticator, codes) = with_passkey().await;
    assert_eq!(codes.len(), 10);
    assert!(log(&f, &f.u1).await.contains(&"passkey_added".to_owned()));
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    browser.goto(&asked.url()).await;
    assert!(browser.page().answer.text().contains("username webauthn"), "the browser may fill it in");
    assert_eq!(browser.page().policy("connect-src"), Some(vec!["'self'".to_owned()]));
    let before = cookie(&browser, "session");
    sign_in(&mut browser, &mut authenticator).await;
    assert!(is_inside(&browser), "{}", browser.page());
    assert_ne!(cookie(&browser, "session"), before);
    browser.walk(&f.u1).await;
    let tokens = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await;
    let claims = tokens.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal2"), &json!(["hwk", "user", "mfa"])));
    assert_eq!(claims["sub"], f.u1.id.as_str());

    // The password alone is now one factor of two.
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(!browser.sees("factor-code") && browser.sees("factor-recovery"), "{}", browser.page());
    let path = journey(&browser);
    let options = ask(&mut browser, "factor-cancel", &path, false).await.json()["publicKey"].clone();
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
    let signed = authenticator.sign(&options).to_string();
    send(&mut browser, "factor-cancel", &[("credential", &signed)]).await;
    assert!(is_inside(&browser), "{}", browser.page());
    // Or a recovery code.
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await.press("factor-recovery").await;
    browser.fill("factor-code", &codes[4]).press("factor-submit").await;
    assert!(is_inside(&browser), "{}", browser.page());
}

#[tokio::test]
async fn a_synced_passkey_is_told_apart() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    let mut authenticator = Authenticator { synced: true, ..Authenticator::new(&f.site.issuer, "synced") };
    enrol(&mut browser, &mut authenticator, "").await;
    browser.press("codes-on").await;
    assert!(browser.page().text().contains("On all devices of its owner"), "{}", browser.page());
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    browser.goto(&asked.url()).await;
    sign_in(&mut browser, &mut authenticator).await;
    browser.walk(&f.u1).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!(claims["amr"], json!(["swk", "user", "mfa"]));
}

/// SEC-134, WebAuthn §7.2: one sentence for whatever is wrong, and nobody is signed in.
#[tokio::test]
async fn sec_134_a_passkey_is_refused_when() {
    let (f, mut right, _) = with_passkey().await;
    right.counter = 0;
    let (others, _) = passkey_of(&f, &f.u2, "u2").await;
    let mut stranger = Authenticator::new(&f.site.issuer, "u1");
    stranger.handle.clone_from(&right.handle);
    type Lie = Box<dyn Fn(&Authenticator) -> Authenticator>;
    let lies: Vec<(&str, Lie)> = vec![
        ("it is used at another page", Box::new(|a| Authenticator { origin: "http://localhost".into(), ..a.clone() })),
        ("it signs for another site", Box::new(|a| Authenticator { site: Some("example.com".into()), ..a.clone() })),
        ("it signs something else", Box::new(|a| Authenticator { kind: Some("webauthn.create"), ..a.clone() })),
        ("it made sure of nobody", Box::new(|a| Authenticator { verifies: false, ..a.clone() })),
        ("its key is another", Box::new(move |_| stranger.clone())),
        ("it says that it is somebody else's", {
            let handle = others.handle.clone();
            Box::new(move |a| Authenticator { handle: handle.clone(), ..a.clone() })
        }),
        ("it is nobody's", Box::new(|a| Authenticator { handle: Some(vec![7; 16]), ..a.clone() })),
        ("it says nothing of whose it is", Box::new(|a| Authenticator { handle: None, ..a.clone() })),
    ];
    for (when, lie) in lies {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().url()).await;
        sign_in(&mut browser, &mut lie(&right)).await;
        assert_eq!((browser.page().status(), browser.sees("login-problem")), (401, true), "{when}: {}", browser.page());
        assert!(browser.page().read("login-problem").starts_with("The passkey did not work."), "{when}");
        assert_eq!(cookie(&browser, "session"), None, "{when}");
    }
    for (when, answer) in [("nothing was asked", "{}"), ("it is no answer", "[1]")] {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().url()).await;
        send(&mut browser, "login-submit", &[("credential", answer)]).await;
        assert_eq!(browser.page().status(), 401, "{when}");
    }
    // The disabled are nobody.
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    sign_in(&mut browser, &mut right).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

/// SEC-134: a challenge is answered once, by the browser that was asked, whatever the answer was worth.
#[tokio::test]
async fn sec_134_a_challenge_is_answered_once() {
    let (f, mut authenticator, _) = with_passkey().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    let path = journey(&browser);
    let options = ask(&mut browser, "login-submit", &path, false).await.json()["publicKey"].clone();
    let signed = authenticator.sign(&options).to_string();

    let mut wrong = authenticator.clone();
    wrong.verifies = false;
    let lie = wrong.sign(&options).to_string();
    send(&mut browser, "login-submit", &[("credential", &lie)]).await;
    assert_eq!(browser.page().status(), 401);
    send(&mut browser, "login-submit", &[("credential", &signed)]).await;
    assert_eq!(browser.page().status(), 401, "it was answered already");

    // Another journey's challenge, and another browser's.
    let options = ask(&mut browser, "login-submit", &path, false).await.json()["publicKey"].clone();
    let signed = authenticator.sign(&options).to_string();
    let mut elsewhere = f.browser();
    elsewhere.goto(&f.c1.asks().url()).await;
    let there = journey(&elsewhere);
    ask(&mut elsewhere, "login-submit", &there, false).await;
    send(&mut elsewhere, "login-submit", &[("credential", &signed)]).await;
    assert_eq!(elsewhere.page().status(), 401);

    // Of many at once one signs in.
    let (action, _, form) = browser.form("login-submit");
    let form = form.without("answer").also("credential", &signed);
    let call = Call::post(&action).header("origin", &f.site.issuer).header("sec-fetch-site", "same-origin").form(&form);
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (mut twin, call) = (browser.stolen(), call.clone());
        tries.spawn(async move { twin.request(call).await });
    }
    let answers = tries.join_all().await;
    let inside = |answer: &&Answer| answer.tokens_of("set-cookie").iter().any(|cookie| cookie.contains("session="));
    assert_eq!(answers.iter().filter(inside).count(), 1);
    assert!(!answers.iter().any(|answer| answer.status == 500));
}

/// SEC-134, WebAuthn §6.1.1: a counter that goes back is a copy; alerts and the person hear of it.
#[tokio::test]
async fn sec_134_a_counter_that_goes_back_is_refused_and_told() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    let mut authenticator = Authenticator { counter: 5, ..Authenticator::new(&f.site.issuer, "counts") };
    enrol(&mut browser, &mut authenticator, "key ring").await;
    let mut copy = authenticator.clone();
    for (which, right) in [(&mut authenticator, true), (&mut copy, false)] {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().url()).await;
        sign_in(&mut browser, which).await;
        assert_eq!(is_inside(&browser), right, "{}", browser.page());
    }
    assert!(log(&f, &f.u1).await.contains(&"passkey_copied".to_owned()));
    let mut browser = f.signed_in_with(&f.u1, &mut authenticator).await;
    browser.goto("/account/security").await;
    assert!(browser.page().text().contains("there may be a copy of it"), "{}", browser.page());
}

/// SEC-135.
#[tokio::test]
async fn sec_135_a_passkey_is_not_kept_when() {
    let (f, mut authenticator, _) = with_passkey().await;
    let mut browser = f.signed_in(&f.u2).await;
    // Somebody else's, under a new name.
    let mut same = Authenticator::new(&f.site.issuer, "u1");
    enrol(&mut browser, &mut same, "mine now").await;
    assert_eq!((browser.page().status(), browser.sees("passkey-problem")), (422, true), "{}", browser.page());
    // It is not sure of its owner.
    let mut careless = Authenticator { verifies: false, ..Authenticator::new(&f.site.issuer, "careless") };
    enrol(&mut browser, &mut careless, "").await;
    assert_eq!(browser.page().status(), 422);
    // The answer comes twice, or in another session.
    browser.goto("/account/factors").await;
    let asked = ask(&mut browser, "passkey-add", "/account/factors/passkey", true).await.json();
    let ticket = asked["ticket"].as_str().unwrap().to_owned();
    let made = Authenticator::new(&f.site.issuer, "fresh").make(&asked["publicKey"]).to_string();
    let fields = [("do", "add-passkey"), ("ticket", &*ticket), ("credential", &*made), ("name", "")];
    let mut elsewhere = f.signed_in(&f.u2).await;
    elsewhere.goto("/account/factors").await;
    send(&mut elsewhere, "passkey-add", &fields).await;
    assert!(!elsewhere.sees("recovery-codes"), "{}", elsewhere.page());
    send(&mut browser, "passkey-add", &fields).await;
    assert!(browser.sees("recovery-codes"), "{}", browser.page());
    browser.goto("/account/factors").await;
    send(&mut browser, "passkey-add", &fields).await;
    let rows = passkey::Entity::find().all(&f.app.db).await.unwrap();
    assert_eq!(rows.len(), 2);
    // The sign-in was too long ago.
    f.clock.advance(600);
    browser.goto("/account/factors").await;
    assert!(browser.sees("factors-again") && !browser.sees("passkey-add"), "{}", browser.page());
    // A name that is no name.
    let mut browser = f.signed_in_with(&f.u1, &mut authenticator).await;
    browser.goto("/account/factors").await;
    let id = passkey_id(&f, &f.u1).await;
    send(&mut browser, &format!("save-name-{id}"), &[("name", &"x".repeat(101)), ("do", "rename-passkey")]).await;
    assert_eq!(browser.page().status(), 422);
}

/// Twenty are enough for anybody.
#[tokio::test]
async fn sec_135_there_is_an_end_to_passkeys() {
    let (f, mut authenticator, _) = with_passkey().await;
    let row = passkey::Entity::find().one(&f.app.db).await.unwrap().unwrap();
    for n in 1..19 {
        let row =
            passkey::Passkey { id: f.app.id(), credential: Secret::presented(&n.to_string()).hash(), ..row.clone() };
        passkey::insert(&f.app.db, row).await.unwrap();
    }
    // Asked for while there was room, and answered when there is none.
    let mut browser = f.signed_in_with(&f.u1, &mut authenticator).await;
    browser.goto("/account/factors").await;
    let asked = ask(&mut browser, "passkey-add", "/account/factors/passkey", true).await.json();
    let last = passkey::Passkey { id: f.app.id(), credential: Secret::presented("last").hash(), ..row };
    passkey::insert(&f.app.db, last).await.unwrap();
    let made = Authenticator::new(&f.site.issuer, "fresh").make(&asked["publicKey"]).to_string();
    let fields = [("do", "add-passkey"), ("ticket", asked["ticket"].as_str().unwrap()), ("credential", &*made)];
    send(&mut browser, "passkey-add", &fields).await;
    assert_eq!(passkey::Entity::find().all(&f.app.db).await.unwrap().len(), 20);
    browser.goto("/account/factors").await;
    assert_eq!(ask(&mut browser, "passkey-add", "/account/factors/passkey", true).await.status, 409);
}

async fn passkey_id(f: &Fixtures, person: &Person) -> String {
    passkey::all_of(&f.app.db, person.id.parse().unwrap()).await.unwrap()[0].id.to_string()
}

/// SEC-135: named, and removed, but not where nothing else opens the account.
#[tokio::test]
async fn sec_135_a_passkey_can_be_named_and_removed_unless_it_is_the_last_way_in() {
    let (f, mut authenticator, _) = with_passkey().await;
    let id = passkey_id(&f, &f.u1).await;
    let mut browser = f.signed_in_with(&f.u1, &mut authenticator).await;
    browser.goto("/account/factors").await;
    assert!(browser.page().text().contains("my phone"), "{}", browser.page());
    browser.fill(&format!("new-name-{id}"), "the blue one").press(&format!("save-name-{id}")).await;
    assert!(browser.page().text().contains("the blue one"), "{}", browser.page());

    let person = f.u1.id.parse().unwrap();
    let kept = password::find(&f.app.db, person).await.unwrap().unwrap();
    password::remove(&f.app.db, person).await.unwrap();
    browser.press(&format!("remove-{id}")).await;
    assert_eq!(browser.page().status(), 409, "{}", browser.page());
    assert!(browser.page().text().contains("the only way into your account"), "{}", browser.page());
    password::set(&f.app.db, person, kept.phc, kept.changed_at).await.unwrap();
    browser.goto("/account/factors").await.press(&format!("remove-{id}")).await;
    assert!(browser.page().text().contains("The passkey is removed."), "{}", browser.page());
    assert!(log(&f, &f.u1).await.contains(&"passkey_removed".to_owned()));
    assert_eq!(recovery_code::left(&f.app.db, person).await.unwrap(), 0, "they stood in for it");
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    sign_in(&mut browser, &mut authenticator).await;
    assert_eq!(browser.page().status(), 401);
    browser.sign_in(&f.u1).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

/// SEC-131: only whoever has no factor sets one up with nothing but the password.
#[tokio::test]
async fn sec_131_a_passkey_is_set_up_in_a_sign_in_by_who_has_no_factor() {
    let server = TestServer::with(&[("second_factor.required", "everybody")]).await;
    let f = server.fixtures().await;
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    browser.goto(&asked.url()).await.sign_in(&f.u2).await;
    assert!(browser.sees("factor-secret"), "{}", browser.page());
    let mut authenticator = Authenticator::new(&f.site.issuer, "u2");
    let path = journey(&browser);
    let options = ask(&mut browser, "factor-submit", &path, true).await.json()["publicKey"].clone();
    let made = authenticator.make(&options).to_string();
    send(&mut browser, "factor-submit", &[("credential", &made)]).await;
    assert!(browser.sees("recovery-codes"), "{}", browser.page());
    browser.press("codes-on").await;
    browser.walk(&f.u2).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal2"), &json!(["pwd", "hwk", "user", "mfa"])));

    phone(&f.app, &f.u1).await;
    let mut thief = f.browser();
    thief.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    let path = journey(&thief);
    assert_eq!(ask(&mut thief, "factor-submit", &path, true).await.status, 404);
    let made = Authenticator::new(&f.site.issuer, "thief").make(&options_of(&f)).to_string();
    send(&mut thief, "factor-submit", &[("by", "first"), ("credential", &made)]).await;
    assert_eq!(cookie(&thief, "session"), None, "{}", thief.page());
    assert!(passkey::all_of(&f.app.db, f.u1.id.parse().unwrap()).await.unwrap().is_empty());
}

fn options_of(f: &Fixtures) -> Value {
    json!({ "rp": { "id": "localhost" }, "user": { "id": "AAAA" }, "challenge": "AAAA", "origin": f.site.issuer })
}

/// WebAuthn knows names and TLS, or `localhost`; elsewhere nothing is offered (decision D16).
#[tokio::test]
async fn where_browsers_know_no_passkeys_none_are_offered() {
    let f = TestServer::with(&[("issuer", "http://127.0.0.1:4000")]).await.fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    assert!(browser.sees("login-submit") && !browser.page().has("login-passkey"), "{}", browser.page());
    let path = journey(&browser);
    assert_eq!(ask(&mut browser, "login-submit", &path, false).await.status, 404);
}

/// The fixtures' person signs in with the passkey, for a fresh session at the account.
impl Fixtures {
    async fn signed_in_with(&self, person: &Person, authenticator: &mut Authenticator) -> Browser {
        let mut browser = self.browser();
        browser.goto("/account").await;
        sign_in(&mut browser, authenticator).await;
        assert!(browser.page().path().starts_with("/account"), "{} {}", person.username, browser.page());
        browser
    }
}
