//! AC11, SEC-170: all that is kept of a person, for the person, and nothing else.

use futures_util::{StreamExt, TryStreamExt, pin_mut};
use serde_json::Value;
use signet::{
    flows::account::{export, log},
    store::{login_attempt, password, security_event},
};
use uuid::Uuid;

use super::me;
use crate::harness::{TestServer, fixtures, seed::Person};

async fn pieces(server: &TestServer, person: &Person) -> Vec<String> {
    let export = export::begin(&server.app, &me(&server.app, person).await).await.unwrap();
    export.pieces().try_collect().await.unwrap()
}

async fn exported(server: &TestServer, person: &Person) -> (String, Value) {
    let text = pieces(server, person).await.concat();
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (text, value)
}

#[tokio::test]
async fn sec_170_an_export_is_complete() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    let (text, all) = exported(&f, &f.u1).await;
    assert_eq!(
        (&all["account"]["id"], &all["account"]["email"]),
        (&f.u1.id.clone().into(), &f.u1.email.clone().into())
    );
    assert_eq!(all["profile"]["username"], "ada");
    assert_eq!(all["profile"]["phone_number"], "+442079460000");
    assert_eq!(all["profile"]["address"]["postal_code"], "SW1Y 4JH");
    assert_eq!(all["profile"]["birthdate"], "1815-12-10");
    assert_eq!(all["apps"][0]["client_id"], "c1");
    assert_eq!(all["apps"][0]["client_name"], "The c1 application");
    assert_eq!(all["sessions"][0]["kind"], "browser");
    assert_eq!(all["grants"][0]["client_id"], "c1");
    assert_eq!(all["grants"][0]["offline"], true);
    assert_eq!(all["security_log"][0]["event"], "data_exported", "the export is a line, too");
    assert_eq!(all["login_attempts"][0]["result"], "ok", "the sign-in that led here");
    for list in ["apps", "sessions", "grants", "login_attempts", "security_log", "mails"] {
        assert!(all[list].is_array(), "{list}");
    }
    assert!(!text.contains(visit.tokens.refresh_token()) && !text.contains(&visit.tokens.access));
    let lines = log::events(&f.app, f.u1.id.parse().unwrap(), None, 10).await.unwrap().items;
    assert_eq!(lines[0].kind, "data_exported");
}

/// SEC-170: nothing that opens anything, and nothing of anybody else.
#[tokio::test]
async fn sec_170_an_export_has_no_secrets_and_nobody_else() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    browser.goto(&f.c4.asks().url()).await;
    f.signed_in(&f.u2).await;
    let (text, all) = exported(&f, &f.u1).await;
    let phc = password::find(&f.app.db, f.u1.id.parse().unwrap()).await.unwrap().unwrap().phc.0;
    let mut secrets = vec![f.u1.password.clone(), phc, visit.code, visit.tokens.access.clone()];
    secrets.extend(visit.tokens.refresh.clone());
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in {text}");
    }
    for word in ["argon2", "hash", "nonce", "challenge", "redirect_uri"] {
        assert!(!text.contains(word), "{word} is in {text}");
    }
    for other in [&f.u2, &f.u5] {
        assert!(!text.contains(&other.id) && !text.contains(&other.email), "{}", other.username);
    }
    let (_, empty) = exported(&f, &f.u5).await;
    assert_eq!((&empty["apps"], &empty["grants"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    assert_eq!(all["sessions"].as_array().unwrap().len(), 2);
}

/// A long life is written in many pieces, none of them long, and no row twice.
#[tokio::test]
async fn an_export_is_written_piece_by_piece() {
    let f = fixtures().await;
    let user: Uuid = f.u1.id.parse().unwrap();
    for (number, kept) in [(399, 400), (1, 401)] {
        for i in 0..number {
            f.clock.advance(1);
            let line = security_event::SecurityEvent {
                id: f.app.ordered_id(),
                subject: user,
                at: f.now(),
                kind: format!("line {i}"),
                address: None,
                user_agent: Some("x".repeat(400)),
                client_id: None,
                trace_id: "0".repeat(16),
            };
            security_event::insert(&f.app.db, line).await.unwrap();
        }
        // Whole pieces, and one row more.
        let (_, all) = exported(&f, &f.u1).await;
        let lines = all["security_log"].as_array().unwrap();
        assert!(lines.len() >= kept, "{}", lines.len());
        let longest = pieces(&f, &f.u1).await.iter().map(String::len).max().unwrap();
        assert!(longest < 200 * 600, "{longest} bytes at once");
    }
    assert!(login_attempt::of(&f.app.db, user, None, 1).await.unwrap().is_empty());
}

/// A document that was cut off is not mistaken for a whole one.
#[tokio::test]
async fn an_export_that_fails_half_way_says_so() {
    let f = fixtures().await;
    let export = export::begin(&f.app, &me(&f.app, &f.u1).await).await.unwrap();
    let pieces = export.pieces();
    pin_mut!(pieces);
    pieces.next().await.unwrap().unwrap();
    crate::harness::seed::lose_storage(&f.app).await;
    assert!(pieces.next().await.unwrap().is_err());
}
