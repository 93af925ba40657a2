//! Codes by mail as the second step of a sign-in (requirement MF7), where the operator lets them count.

use sea_orm::EntityTrait;
use serde_json::json;
use signet::{
    crypto::secret::Secret,
    flows::{
        admin::clients,
        factors::{Spent, mailed},
    },
    store::{sign_in, user},
};
use tokio::task::JoinSet;

use super::{cookie, half_way, is_inside, step};
use crate::harness::{
    Browser, Call, Fixtures, Parameters, TestServer, assert,
    phone::{Phone, find, phone},
    seed::{self, Person},
};

const SUBJECT: &str = "Your code to sign in";

async fn with(settings: &[(&str, &str)]) -> Fixtures {
    let settings = [&[("second_factor.mail_codes", "true")], settings].concat();
    TestServer::with(&settings).await.fixtures().await
}

/// U1 has an authenticator app, and could have a code mailed.
async fn with_both(settings: &[(&str, &str)]) -> (Fixtures, Phone) {
    let f = with(settings).await;
    let phone = phone(&f.app, &f.u1).await;
    f.clock.advance(30);
    (f, phone)
}

/// The texts of the codes that were mailed there, the newest first.
async fn letters(f: &Fixtures, person: &Person) -> Vec<String> {
    let mails = seed::mailbox(&f.app, &person.email).await.into_iter();
    mails.filter(|mail| mail.subject == SUBJECT).map(|mail| mail.text).collect()
}

/// The newest code that was mailed there.
async fn newest(f: &Fixtures, person: &Person) -> String {
    let letters = letters(f, person).await;
    let text = letters.first().unwrap_or_else(|| panic!("no code for {}", person.email));
    let line = text.lines().find_map(|line| line.strip_prefix("Code: ")).unwrap_or_else(|| panic!("no code in {text}"));
    assert!(line.len() == 6 && line.bytes().all(|digit| digit.is_ascii_digit()), "{line}");
    line.to_owned()
}

/// Another code than this.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// Presses the button, and reads the mail.
async fn have_mailed(f: &Fixtures, browser: &mut Browser, person: &Person) -> String {
    // The newest of two is the later one.
    f.clock.advance(1);
    browser.press("factor-mail").await;
    assert!(browser.page().text().contains("a…@example.com") || person.email != f.u1.email, "{}", browser.page());
    newest(f, person).await
}

/// Case SEC-131, RFC 8176, NIST SP 800-63B-4 §3.1.3.1: what came by mail is told, and is never two factors.
#[tokio::test]
async fn sec_131_a_code_by_mail_is_a_second_step_and_no_more() {
    let (f, _) = with_both(&[]).await;
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    browser.goto(&asked.url()).await.sign_in(&f.u1).await;
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    assert_eq!(cookie(&browser, "session"), None, "case SEC-130");
    step(&mut browser, &wrong(&code)).await;
    assert_eq!((browser.page().status(), browser.sees("factor-problem")), (401, true), "{}", browser.page());
    step(&mut browser, &format!("{} {}", &code[..3], &code[3..])).await;
    browser.walk(&f.u1).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal1"), &json!(["pwd", "email"])));
    // Case SEC-132: it does not take the other factor away.
    browser.goto("/account/factors").await;
    assert!(browser.sees("factors-again") && !browser.sees("factors-remove"), "{}", browser.page());
    browser.goto("/account/security/sign-ins").await;
    assert!(browser.page().text().contains("Right code"), "{}", browser.page());
}

/// Decision D16: where the operator has not switched it on, nothing is there.
#[tokio::test]
async fn a_code_is_not_mailed_unless_the_operator_says_so() {
    let (f, _) = super::with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    assert!(!browser.sees("factor-mail"), "{}", browser.page());
    let (action, method, form) = browser.form("factor-submit");
    browser.goto(&format!("{action}?by=mail")).await;
    assert!(browser.sees("factor-recovery"), "{}", browser.page());
    browser.submit(&action, method, &form.with("answer", "mail").with("code", "")).await;
    assert_eq!(browser.page().status(), 401, "{}", browser.page());
    assert!(letters(&f, &f.u1).await.is_empty());
}

/// Case SEC-119, decision D8: once, for ten minutes, in the sign-in that it was mailed for, and not after a newer one.
#[tokio::test]
async fn sec_119_a_mailed_code_is_worth_nothing_when() {
    let (f, _) = with_both(&[]).await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    let used = have_mailed(&f, &mut browser, &f.u1).await;
    step(&mut browser, &used).await;
    assert!(is_inside(&browser), "{}", browser.page());

    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    let older = have_mailed(&f, &mut browser, &f.u1).await;
    let newer = have_mailed(&f, &mut browser, &f.u1).await;
    let mut elsewhere = f.browser();
    half_way(&f, &mut elsewhere, &f.c1).await;
    let theirs = have_mailed(&f, &mut elsewhere, &f.u1).await;
    for (code, when) in [(&used, "it was used"), (&older, "there is a newer one"), (&theirs, "it is another sign-in's")]
    {
        step(&mut browser, code).await;
        assert!(browser.sees("factor-problem"), "{when}: {}", browser.page());
    }
    step(&mut browser, &newer).await;
    assert!(is_inside(&browser), "the newest is right: {}", browser.page());
    f.clock.advance(600);
    step(&mut elsewhere, &theirs).await;
    assert!(!is_inside(&elsewhere), "it has expired: {}", elsewhere.page());

    // The sign-in waits for the code, however late it was asked for.
    f.clock.advance(3600);
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    f.clock.advance(600);
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    f.clock.advance(599);
    step(&mut browser, &code).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

/// Case SEC-129: the database has nothing from which so short a code could be found.
#[tokio::test]
async fn sec_129_a_mailed_code_is_kept_under_a_key() {
    let (f, _) = with_both(&[]).await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    let rows = sign_in::Entity::find().all(&f.app.db).await.unwrap();
    let kept = rows[0].code_hash.clone().expect("a tag");
    assert!(kept.0.len() == 32 && kept != Secret::presented(&code).hash());
    assert!(!format!("{rows:?}").contains(&code));
}

/// Case SEC-125: five tries of whatever kind, then the password is asked for again, and the code is gone.
#[tokio::test]
async fn sec_125_a_mailed_code_shares_the_five_tries() {
    let (f, _) = with_both(&[]).await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    step(&mut browser, "000000").await;
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    browser.fill("factor-code", &code);
    let (action, _, form) = browser.form("factor-submit");
    for _ in 0..3 {
        step(&mut browser, &wrong(&code)).await;
        assert!(browser.sees("factor-problem"), "{}", browser.page());
    }
    step(&mut browser, &wrong(&code)).await;
    assert!(browser.sees("login-submit"), "{}", browser.page());
    let late = browser.request(Call::post(&action).form(&form)).await;
    assert_eq!(late.status, 303, "{}", late.text());
    assert_eq!(cookie(&browser, "session"), None, "the sixth try is none");
}

/// Case SEC-125: neither a right password nor another code resets what wrong codes have counted.
#[tokio::test]
async fn sec_125_beginning_again_does_not_help_with_mailed_codes() {
    let (f, _) = with_both(&[("limits", "on")]).await;
    let (mut judged, mut waits) = (0, 0);
    for _ in 0..12 {
        let mut browser = f.browser();
        half_way(&f, &mut browser, &f.c1).await;
        let code = have_mailed(&f, &mut browser, &f.u1).await;
        step(&mut browser, &wrong(&code)).await;
        match browser.page().status() {
            401 => judged += 1,
            429 => waits += 1,
            status => panic!("{status}: {}", browser.page()),
        }
    }
    assert!(judged <= 7 && waits >= 5, "{judged} judged, {waits} waited");
}

/// Case SEC-122: one more letter in the hour is not written, and the page is the same.
#[tokio::test]
async fn sec_122_a_mailbox_is_not_filled_with_codes() {
    let (f, _) = with_both(&[]).await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    for _ in 0..8 {
        f.clock.advance(1);
        browser.press("factor-mail").await;
        assert_eq!((browser.page().status(), browser.sees("factor-code")), (200, true), "{}", browser.page());
    }
    assert_eq!(letters(&f, &f.u1).await.len(), 5);
    step(&mut browser, &newest(&f, &f.u1).await).await;
    assert!(is_inside(&browser), "the last one that came is right: {}", browser.page());
}

/// Whom the operator or an app asks for a second step, and who has none, need not set an app up.
#[tokio::test]
async fn whoever_must_have_a_second_step_can_have_a_code_mailed_instead() {
    let f = with(&[("second_factor.required", "everybody")]).await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(browser.sees("factor-qr"), "{}", browser.page());
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    assert!(!browser.sees("factor-qr") && browser.sees("factor-app"), "{}", browser.page());
    step(&mut browser, &code).await;
    assert!(is_inside(&browser), "{}", browser.page());

    let f = with(&[]).await;
    let known = clients::find(&f.app, "c4").await.unwrap();
    let mut policy = known.policy.clone();
    policy.require_second_factor = true;
    clients::update(&f.app, "c4", known.metadata.clone(), policy).await.unwrap();
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(browser.sees("consent-allow"), "nobody else is asked: {}", browser.page());
    let asked = f.c4.asks();
    browser.goto(&asked.url()).await;
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    step(&mut browser, &code).await;
    browser.walk(&f.u1).await;
    let claims = f.c4.tokens(&assert::granted(&browser, &f.c4, &asked), &asked).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal1"), &json!(["pwd", "email"])));
}

/// Case SEC-084: whom two factors are essential to is not helped by a mail, so none is offered there, and none is sent.
#[tokio::test]
async fn sec_084_a_mail_is_not_offered_where_two_factors_are_wanted() {
    let (f, phone) = with_both(&[]).await;
    let essential = json!({ "id_token": { "acr": { "essential": true, "values": ["aal2"] } } }).to_string();
    for (name, value) in [("claims", essential.as_str()), ("acr_values", "aal2")] {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().with(name, value).url()).await.sign_in(&f.u1).await;
        assert!(browser.sees("factor-code") && !browser.sees("factor-mail"), "{}", browser.page());
        let (action, method, form) = browser.form("factor-another");
        browser.submit(&action, method, &form.with("answer", "mail")).await;
        assert!(browser.sees("factor-code") && !browser.sees("factor-mail"), "{}", browser.page());
    }
    assert!(letters(&f, &f.u1).await.is_empty());
    // A sign-in with one is stepped up, like one with a password.
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    step(&mut browser, &code).await;
    let asked = f.c1.asks().with("claims", &essential);
    browser.goto(&asked.url()).await;
    assert!(browser.sees("factor-code") && !browser.sees("factor-mail"), "{}", browser.page());
    f.clock.advance(30);
    step(&mut browser, &phone.shows(f.now())).await;
    browser.walk(&f.u1).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal2"), &json!(["pwd", "otp", "email", "mfa"])));
}

/// Of many who use one code at once, one wins.
#[tokio::test]
async fn sec_128_a_mailed_code_has_one_winner() {
    let (f, _) = with_both(&[]).await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    browser.fill("factor-code", &code);
    let (action, _, form) = browser.form("factor-submit");
    assert_eq!(sessions_of(&browser, &action, &form).await, 1);
}

/// Who sends the right code twice has guessed nothing: it is over, and not wrong.
#[tokio::test]
async fn sec_125_a_right_code_that_comes_second_is_no_guess() {
    let (f, _) = with_both(&[]).await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    let user = find(&f.app, &f.u1).await;
    let row = sign_in::Entity::find().one(&f.app.db).await.unwrap().unwrap();
    let spend = async |code: &str| mailed::finish(&f.app, &user, &row, code).await.unwrap();
    assert_eq!(spend(&wrong(&code)).await, Spent::Wrong);
    assert_eq!((spend(&code).await, spend(&code).await), (Spent::Well, Spent::Over));
    assert_eq!(spend(&wrong(&code)).await, Spent::Wrong, "a guess counts though the sign-in is over");
}

/// However often a code is mailed for it, a sign-in waits for its second step for 25 minutes at most.
#[tokio::test]
async fn sec_130_mailed_codes_do_not_keep_a_sign_in_open() {
    let (f, _) = with_both(&[]).await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    f.clock.advance(800);
    have_mailed(&f, &mut browser, &f.u1).await;
    f.clock.advance(590);
    let code = have_mailed(&f, &mut browser, &f.u1).await;
    f.clock.advance(110);
    step(&mut browser, &code).await;
    assert!(!is_inside(&browser), "{}", browser.page());
}

/// How many of many who send this at once get a session.
pub async fn sessions_of(browser: &Browser, action: &str, form: &Parameters) -> usize {
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let (mut browser, call) = (browser.stolen(), Call::post(action).form(form));
        tries.spawn(async move {
            browser.request(call).await;
            cookie(&browser, "session").is_some()
        });
    }
    tries.join_all().await.into_iter().filter(|won| *won).count()
}

/// A change of what somebody signs in with, between the steps, voids what was mailed.
#[tokio::test]
async fn sec_119_a_mailed_code_is_void_after() {
    for change in ["a new password", "another address", "disabling", "another factor"] {
        let (f, _) = with_both(&[]).await;
        let mut browser = f.browser();
        half_way(&f, &mut browser, &f.c1).await;
        let code = have_mailed(&f, &mut browser, &f.u1).await;
        let id = f.u1.id.parse().unwrap();
        match change {
            "a new password" => seed::set_password(&f.app, &f.u1, "eleven narrow bridges").await,
            "another address" => user::set_email(&f.app.db, id, "other@example.com", f.now()).await.unwrap(),
            "disabling" => seed::disable_user(&f.app, &f.u1, true).await,
            _ => drop(signet::flows::factors::reset(&f.app, id, false).await.unwrap()),
        }
        browser.fill("factor-code", &code).press("factor-submit").await;
        assert!(!is_inside(&browser) && cookie(&browser, "session").is_none(), "{change}: {}", browser.page());
    }
}

/// An address that nobody has confirmed proves nothing.
#[tokio::test]
async fn nothing_is_mailed_to_an_address_that_is_not_confirmed() {
    let (f, _) = with_both(&[]).await;
    let unconfirmed = user::ActiveModel { email_verified: sea_orm::Set(false), ..Default::default() };
    user::Entity::update_many().set(unconfirmed).exec(&f.app.db).await.unwrap();
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    assert!(!browser.sees("factor-mail"), "{}", browser.page());
    let (action, method, form) = browser.form("factor-another");
    browser.submit(&action, method, &form.with("answer", "mail")).await;
    assert!(letters(&f, &f.u1).await.is_empty());
}
