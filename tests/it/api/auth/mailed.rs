//! `/api/v1/auth/magic-link` and codes by mail (requirement MF7).

use serde_json::{Value, json};
use signet::flows::mail::Letter;

use crate::{
    api::{Api, Session, api, blamed, refused},
    harness::{Answer, Call, phone::phone, seed::Person},
};

async fn with_links(more: &[(&str, &str)]) -> Api {
    api(&[&[("second_factor.magic_links", "true")], more].concat()).await
}

async fn with_codes(more: &[(&str, &str)]) -> Api {
    api(&[&[("second_factor.mail_codes", "true")], more].concat()).await
}

/// Asks for a link, and reads the mail.
async fn link(api: &Api, person: &Person) -> String {
    let asked = api.auth("magic-link", json!({ "login": person.email })).await;
    assert_eq!((asked.status, &asked.json()["status"]), (202, &json!("accepted")));
    api.link(&person.email, "sign_in_link").await
}

async fn from(api: &Api, address: [u8; 4], path: &str, body: Value) -> Answer {
    let call = Call::post(&format!("/api/v1/auth/{path}")).body("application/json", body.to_string());
    api.site.send(call.from(address)).await
}

/// The newest code that was mailed there.
async fn newest(api: &Api, to: &str) -> String {
    let codes = api.letters().await.into_iter().rev().filter(|(address, _)| address == to);
    let mut codes = codes.filter_map(|(_, letter)| match letter {
        Letter::MailCode { code, .. } => Some(code),
        _ => None,
    });
    codes.next().expect("a code")
}

/// Decision K11: strangers who ask for links leave some for a program that is known.
#[tokio::test]
async fn sec_122_strangers_leave_links_for_a_program_that_is_known() {
    let api = with_links(&[]).await;
    let person = api.person("gus").await;
    let known = api.sign_in(&person).await.device.expect("a device");
    let count = async |most: usize| {
        let links = api.letters().await.iter().filter(|(_, letter)| letter.name() == "sign_in_link").count();
        assert!(links <= most, "{links} links");
        (links == most).then_some(())
    };
    for most in 1..=5 {
        api.auth("magic-link", json!({ "login": person.email })).await;
        api.until(async || count(most).await).await;
    }
    for most in [6, 7] {
        api.auth("magic-link", json!({ "login": person.email })).await;
        api.auth("magic-link", json!({ "login": person.email, "device": known })).await;
        api.until(async || count(most).await).await;
    }
    let asked = api.auth("magic-link", json!({ "login": person.email, "email": person.email })).await;
    assert_eq!(asked.status, 400, "{}", asked.text());
}

/// Cases SEC-119, SEC-121: once, for ten minutes, and only for the program that has asked.
#[tokio::test]
async fn sec_119_a_mailed_link_signs_a_program_in_once() {
    let api = with_links(&[]).await;
    let person = api.person("gus").await;
    let token = link(&api, &person).await;
    let dead = (400, "invalid_link".to_owned());
    let body = json!({ "token": token });
    assert_eq!(refused(&from(&api, [127, 0, 0, 9], "magic-link/sign-in", body.clone()).await), dead, "from elsewhere");
    let mut browser = api.browser();
    browser.goto(&format!("/account/link?token={token}")).await;
    assert!(browser.sees("link-elsewhere"), "{}", browser.page());
    let session = Session::of(&api.auth("magic-link/sign-in", body.clone()).await);
    assert_eq!(api.get("/me", &session.access).await.status, 200);
    assert_eq!(refused(&api.auth("magic-link/sign-in", body).await), dead, "it was used");

    api.clock.advance(1);
    let older = link(&api, &person).await;
    api.clock.advance(1);
    api.auth("magic-link", json!({ "login": person.email })).await;
    let newer = api.until(async || Some(api.link(&person.email, "sign_in_link").await).filter(|new| *new != older));
    let newer = newer.await;
    assert_eq!(refused(&api.auth("magic-link/sign-in", json!({ "token": older })).await), dead, "there is a newer one");
    api.clock.advance(600);
    assert_eq!(refused(&api.auth("magic-link/sign-in", json!({ "token": newer })).await), dead, "it has expired");
}

/// Case SEC-131.
#[tokio::test]
async fn sec_131_a_mailed_link_does_not_go_round_the_second_step() {
    let api = with_links(&[("second_factor.mail_codes", "true")]).await;
    let person = api.person("gus").await;
    let phone = phone(&api.app, &person).await;
    api.wait(30).await;
    let token = link(&api, &person).await;
    let answer = api.auth("magic-link/sign-in", json!({ "token": token })).await;
    assert_eq!(refused(&answer), (403, "second_factor_needed".to_owned()));
    assert_eq!(answer.json()["factors"], json!(["totp", "recovery_code"]), "two mails are one factor");
    let ticket = answer.json()["ticket"].clone();
    let mail = api.auth("second-factor/mail", json!({ "ticket": ticket })).await;
    assert_eq!(refused(&mail), (401, "invalid_ticket".to_owned()));
    let code = phone.shows(api.now());
    Session::of(&api.auth("second-factor", json!({ "ticket": ticket, "totp": code })).await);
}

/// Case SEC-118, and SEC-122: the same answers until somebody has to wait.
#[tokio::test]
async fn sec_122_asking_for_links_tells_nothing_and_has_an_end() {
    let api = with_links(&[("limits", "on")]).await;
    let person = api.person("gus").await;
    let mut told = Vec::new();
    for number in 0..60 {
        let login = if number % 2 == 0 { person.email.clone() } else { format!("p{number}@example.com") };
        let answer = from(&api, [127, 0, 7, 1], "magic-link", json!({ "login": login })).await;
        told.push((answer.status, answer.text()));
    }
    let waits = told.iter().position(|(status, _)| *status == 429).expect("it has to wait");
    assert!((30..50).contains(&waits) && told[..waits].iter().all(|answer| *answer == told[0]), "{told:?}");
    assert_eq!(told[0].0, 202);
}

/// A code by mail as the second call.
#[tokio::test]
async fn sec_119_a_mailed_code_goes_with_its_ticket() {
    let api = with_codes(&[]).await;
    let person = api.person("gus").await;
    phone(&api.app, &person).await;
    let login = json!({ "login": person.email, "password": person.password });
    let first = api.auth("login", login.clone()).await;
    assert_eq!(first.json()["factors"], json!(["totp", "recovery_code", "mail_code"]));
    let ticket = first.json()["ticket"].clone();
    let with = |code: &str| json!({ "ticket": ticket, "mail_code": code });
    assert_eq!(refused(&api.auth("second-factor", with("000000")).await).1, "wrong_code", "none was mailed");
    let theirs = from(&api, [127, 0, 0, 9], "second-factor/mail", json!({ "ticket": ticket })).await;
    assert_eq!(refused(&theirs), (401, "invalid_ticket".to_owned()));
    assert_eq!(api.auth("second-factor/mail", json!({ "ticket": ticket })).await.status, 202);
    let older = newest(&api, &person.email).await;
    api.clock.advance(1);
    assert_eq!(api.auth("second-factor/mail", json!({ "ticket": ticket })).await.status, 202);
    let newer = newest(&api, &person.email).await;
    assert_eq!(refused(&api.auth("second-factor", with(&older)).await).1, "wrong_code", "there is a newer one");
    let other = api.auth("login", login).await.json()["ticket"].clone();
    let elsewhere = json!({ "ticket": other, "mail_code": newer });
    assert_eq!(refused(&api.auth("second-factor", elsewhere).await).1, "wrong_code", "it is another sign-in's");
    api.clock.advance(400);
    let session = Session::of(&api.auth("second-factor", with(&newer)).await);
    assert_eq!(api.get("/me", &session.access).await.status, 200);
    assert_eq!(refused(&api.auth("second-factor", with(&newer)).await).1, "invalid_ticket", "it was used");
}

/// Whom the operator asks for a second step, and who has set none up.
#[tokio::test]
async fn a_mailed_code_is_a_way_through_for_who_has_no_factor() {
    let api = with_codes(&[("second_factor.required", "everybody")]).await;
    let person = api.person("gus").await;
    let first = api.auth("login", json!({ "login": person.email, "password": person.password })).await;
    assert_eq!((refused(&first).0, &first.json()["factors"]), (403, &json!(["mail_code"])));
    let ticket = first.json()["ticket"].clone();
    api.auth("second-factor/mail", json!({ "ticket": ticket })).await;
    let code = newest(&api, &person.email).await;
    Session::of(&api.auth("second-factor", json!({ "ticket": ticket, "mail_code": code })).await);
}

/// Decision D16: where the operator has not switched it on, nothing is there.
#[tokio::test]
async fn nothing_is_mailed_unless_the_operator_says_so() {
    let api = api(&[]).await;
    let person = api.person("gus").await;
    phone(&api.app, &person).await;
    let first = api.auth("login", json!({ "login": person.email, "password": person.password })).await.json();
    assert_eq!(first["factors"], json!(["totp", "recovery_code"]));
    let absent = (404, "not_found".to_owned());
    assert_eq!(refused(&api.auth("second-factor/mail", json!({ "ticket": first["ticket"] })).await), absent);
    assert_eq!(refused(&api.auth("magic-link", json!({ "login": person.email })).await), absent);
    assert_eq!(refused(&api.auth("magic-link/sign-in", json!({ "token": "x" })).await), absent);
    let with_code = json!({ "ticket": first["ticket"], "mail_code": "000000" });
    assert_eq!(blamed(&api.auth("second-factor", with_code).await), ["totp"]);
    let letters = api.letters().await;
    assert!(!letters.iter().any(|(_, letter)| matches!(letter.name(), "mail_code" | "sign_in_link")));
}
