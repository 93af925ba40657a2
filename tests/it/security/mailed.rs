//! RS: what is mailed on request, by whomever and for whomever.
use std::cell::Cell;

use serde_json::{Value, json};

use crate::{
    api::{Api, api},
    harness::{Answer, Call},
};

/// The `number`th of many addresses.
fn place(number: u8) -> [u8; 4] {
    [127, 0, 7, number + 1]
}

async fn ask(api: &Api, path: &str, body: Value, from: [u8; 4]) -> Answer {
    api.site
        .send(Call::post(&format!("/api/v1/auth/{path}")).body("application/json", body.to_string()).from(from))
        .await
}

async fn count(api: &Api, to: &str, kind: &str) -> usize {
    api.letters().await.iter().filter(|(address, letter)| address == to && letter.name() == kind).count()
}

/// How many of this kind went there. They are written after the answer, so this waits until no more come.
async fn came(api: &Api, to: &str, kind: &str) -> usize {
    let last = Cell::new(0);
    api.until(async || {
        let now = count(api, to, kind).await;
        (now > 0 && last.replace(now) == now).then_some(now)
    })
    .await
}

/// SEC-122: to one address, from everywhere.
#[tokio::test]
async fn sec_122_a_mailbox_is_not_filled_by_strangers() {
    let api = api(&[("limits", "on")]).await;
    let person = api.person("anna").await;
    let new = json!({ "email": "bea@example.com", "password": "seven quiet lighthouses" });
    assert_eq!(ask(&api, "register", new.clone(), place(0)).await.status, 201);
    for (path, body, kind) in [
        ("forgot-password", json!({ "email": person.email }), "reset_password"),
        ("resend-verification", json!({ "email": "bea@example.com" }), "verify_email"),
        ("register", json!({ "email": person.email, "password": "seven quiet lighthouses" }), "address_taken"),
    ] {
        let to = if kind == "verify_email" { "bea@example.com" } else { &person.email };
        let before = count(&api, to, kind).await;
        let mut told = Vec::new();
        for number in 0..50 {
            let answer = ask(&api, path, body.clone(), place(number)).await;
            told.push((answer.status, answer.text()));
        }
        assert!(told.iter().all(|answer| *answer == told[0]), "{path}: {told:?}");
        assert_eq!(came(&api, to, kind).await, before + 5, "{path}");
        api.clock.advance(3601);
        ask(&api, path, body, place(0)).await;
        api.until(async || (count(&api, to, kind).await == before + 6).then_some(())).await;
    }
}

/// SEC-122: from one address, to everywhere: known or not, the same answers until it has to wait.
#[tokio::test]
async fn sec_122_one_client_does_not_send_mail_to_everybody() {
    let api = api(&[("limits", "on")]).await;
    for (number, path) in ["forgot-password", "resend-verification"].into_iter().enumerate() {
        let from = place(u8::try_from(100 + number).unwrap());
        let mut statuses = Vec::new();
        for who in 0..200 {
            let answer = ask(&api, path, json!({ "email": format!("p{who}@example.com") }), from).await;
            if answer.status == 429 {
                assert!(answer.header("retry-after").is_some(), "{}", answer.text());
            }
            statuses.push(answer.status);
        }
        let waits = statuses.iter().position(|status| *status == 429).expect("it has to wait");
        assert!((30..50).contains(&waits), "{path}: after {waits}");
        assert!(statuses[..waits].iter().all(|status| *status == 202), "{statuses:?}");
        let other = ask(&api, path, json!({ "email": "p0@example.com" }), place(200)).await;
        assert_eq!(other.status, 202, "others are not held up");
    }
}

/// SEC-119: who opens dead links waits, and a link that works does so whatever others there have opened.
#[tokio::test]
async fn sec_119_dead_links_keep_no_good_one_shut() {
    let api = api(&[("limits", "on")]).await;
    let person = api.person("carl").await;
    ask(&api, "forgot-password", json!({ "email": person.email }), place(0)).await;
    let token = api.link(&person.email, "reset_password").await;
    let reset = async |token: &str| {
        let body = json!({ "token": token, "password": "seven quiet lighthouses" });
        ask(&api, "reset-password", body, place(1)).await.status
    };
    let mut statuses = Vec::new();
    for number in 0..9 {
        statuses.push(reset(&format!("dead{number}")).await);
    }
    assert_eq!((statuses[0], statuses[8]), (400, 429), "{statuses:?}");
    assert_eq!(reset(&token).await, 200);
}
