//! The second step of a sign-in at the pages, without scripts.

use sea_orm::EntityTrait;
use signet::store::{recovery_code, session, totp};

use super::{cookie, half_way, is_inside, step, with_phone};
use crate::{
    accounts::signed_in::log,
    harness::{Call, Userinfo, assert, seed},
};

/// Case SEC-130, SEC-107: nobody is signed in after the password, and the cookie is new after the code.
#[tokio::test]
async fn sec_130_half_way_is_not_inside() {
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    assert_eq!(cookie(&browser, "session"), None, "no session yet");
    assert_eq!(session::Entity::find().all(&f.app.db).await.unwrap().len(), 0);
    let journey = browser.page().path().trim_end_matches("/second-factor").to_owned();
    let mut elsewhere = browser.stolen();
    for path in ["/account", "/account/factors", "/account/security"] {
        elsewhere.goto(path).await;
        assert!(elsewhere.sees("login-submit"), "{path}: {}", elsewhere.page());
    }
    for page in ["", "/consent", "/account"] {
        elsewhere.goto(&format!("{journey}{page}")).await;
        assert!(!elsewhere.has_left() && !elsewhere.sees("consent-allow"), "{page}: {}", elsewhere.page());
    }
    let none = f.c1.asks().with("prompt", "none");
    elsewhere.goto(&none.url()).await;
    assert::redirect(&elsewhere, &f.c1, &none, "login_required");
    // Another browser cannot go on with it.
    let mut thief = f.browser();
    thief.goto(&format!("{journey}/second-factor")).await;
    assert!(!thief.sees("factor-code"), "{}", thief.page());

    step(&mut browser, "000000").await;
    assert_eq!((browser.page().status(), browser.sees("factor-problem")), (401, true), "{}", browser.page());
    step(&mut browser, &phone.shows(f.now())).await;
    assert!(is_inside(&browser), "{}", browser.page());
    assert!(cookie(&browser, "session").is_some());
    assert_eq!(log(&f, &f.u1).await[..2], ["totp_added", "new_device"]);
}

/// Case SEC-131, RFC 8176: the tokens say what was done.
#[tokio::test]
async fn sec_131_the_tokens_say_how_somebody_signed_in() {
    let (f, phone) = with_phone().await;
    for (code, amr) in
        [(phone.shows(f.now()), ["pwd", "otp", "mfa"]), (phone.codes[0].clone(), ["pwd", "recovery_code", "mfa"])]
    {
        let (mut browser, asked) = (f.browser(), f.c1.asks());
        browser.goto(&asked.url()).await.sign_in(&f.u1).await;
        if code.len() > 6 {
            browser.press("factor-recovery").await;
        }
        step(&mut browser, &code).await;
        browser.walk(&f.u1).await;
        let tokens = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await;
        let claims = tokens.claims();
        assert_eq!((&claims["acr"], &claims["amr"]), (&"aal2".into(), &serde_json::json!(amr)));
        assert_eq!(claims["auth_time"], f.now());
        assert_eq!(f.c1.userinfo(&tokens.access, Userinfo::Get).await.status, 200);
    }
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    browser.goto(&asked.url()).await.walk(&f.u2).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&"aal1".into(), &serde_json::json!(["pwd"])));
}

/// Case SEC-128, decision D7, RFC 6238 §5.2.
#[tokio::test]
async fn sec_128_a_code_counts_once_and_in_its_time_when() {
    let (f, phone) = with_phone().await;
    for (when, at, right) in [
        ("it is shown now", 0, true),
        ("it was used", 0, false),
        ("it was shown before the one that was used", -30, false),
        ("it comes next", 30, false),
        ("it comes much later", 150, false),
    ] {
        let mut browser = f.browser();
        half_way(&f, &mut browser, &f.c1).await;
        step(&mut browser, &phone.shows(f.now() + at)).await;
        assert_eq!(is_inside(&browser), right, "{when}");
    }
    f.clock.advance(90);
    for (when, at, right) in [("it is two steps old", -60, false), ("it is one step old", -30, true)] {
        let mut browser = f.browser();
        half_way(&f, &mut browser, &f.c1).await;
        step(&mut browser, &phone.shows(f.now() + at)).await;
        assert_eq!(is_inside(&browser), right, "{when}");
    }
}

/// Case SEC-129: once, however it is typed; its person is told; and the database has only hashes.
#[tokio::test]
async fn sec_129_a_recovery_code_opens_once() {
    let (f, phone) = with_phone().await;
    assert_eq!(phone.codes.len(), 10);
    let sloppy = phone.codes[3].to_uppercase().replace('-', " ").replace('0', "O").replace('1', "l");
    for (code, right) in [(&sloppy, true), (&phone.codes[3], false), (&"7n2k-0qxz-m4vb-e8ra".to_owned(), false)] {
        let mut browser = f.browser();
        half_way(&f, &mut browser, &f.c1).await;
        browser.press("factor-recovery").await;
        step(&mut browser, code).await;
        assert_eq!(is_inside(&browser), right, "{code}");
    }
    let mails = seed::mailbox(&f.app, &f.u1.email).await;
    let told = mails.iter().find(|mail| mail.subject == "A recovery code was used").expect("a mail");
    assert!(told.text.contains("Codes that are left: 9"), "{}", told.text);
    let rows = recovery_code::Entity::find().all(&f.app.db).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.used_at.is_none()).count(), 9);
    let kept = totp::find(&f.app.db, f.u1.id.parse().unwrap()).await.unwrap().unwrap().secret;
    assert!(kept.0.len() > 20 + 28, "sealed");
}

/// The forms of the page are this browser's own (case SEC-092).
#[tokio::test]
async fn a_code_without_the_pages_token_counts_for_nothing() {
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    browser.fill("factor-code", &phone.shows(f.now()));
    let (action, _, form) = browser.form("factor-submit");
    let answer = browser.request(Call::post(&action).form(&form.without("csrf"))).await;
    assert_eq!(answer.status, 403);
    assert_eq!(cookie(&browser, "session"), None);
    step(&mut browser, &phone.shows(f.now())).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

#[tokio::test]
async fn whoever_is_half_way_can_leave() {
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    browser.press("factor-another").await;
    assert!(browser.sees("login-submit"), "{}", browser.page());
    browser.sign_in(&f.u2).await;
    assert!(browser.sees("consent-allow"), "{}", browser.page());

    // Half-way as somebody else than who is signed in: the app gets neither.
    let asked = f.c1.asks().with("prompt", "login");
    browser.goto(&asked.url()).await;
    browser.press("login-another").await;
    browser.sign_in(&f.u1).await;
    assert!(browser.sees("factor-code"), "{}", browser.page());
    step(&mut browser, &phone.shows(f.now())).await;
    browser.walk(&f.u1).await;
    let code = assert::granted(&browser, &f.c1, &asked);
    assert_eq!(f.c1.tokens(&code, &asked).await.claims()["sub"], f.u1.id.as_str());

    let asked = f.c1.asks().with("prompt", "login");
    browser.goto(&asked.url()).await.sign_in(&f.u1).await;
    browser.press("factor-cancel").await;
    assert::redirect(&browser, &f.c1, &asked, "access_denied");
}
