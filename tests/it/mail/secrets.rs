//! SEC-163, SEC-164, SEC-167: what a mail says is for its recipient alone.
use std::fs;

use sea_orm::EntityTrait;
use signet::{config::DatabaseUrl, flows::mail::Letter, store::mail};

use super::{ADA, LINK, beside, both, later, queue, send};
use crate::{
    commands::Place,
    harness::{
        seed,
        smtp::{PASSWORD, Stage, Turn},
    },
};

const CANARY: &str = "a-canary-that-opens-an-account";

/// While it waits, when it is sent, when it is given up.
#[tokio::test]
async fn sec_163_a_link_never_lies_in_the_database_in_clear() {
    let (_smtp, server) = both(&[Turn::Says(Stage::End, "451 not now"), Turn::Takes]).await;
    queue(&server).await;
    for sent in [false, true] {
        later(&server, 5).await;
        let rows = mail::Entity::find().all(&server.app.db).await.unwrap();
        assert_eq!(rows[0].content.is_none(), sent, "nothing is left of it once it was taken");
        assert!(!format!("{rows:?}").contains(CANARY));
        let DatabaseUrl::Sqlite(path) = &server.app.config.database.url else { continue };
        let bytes = ["", "-wal"].map(|suffix| fs::read(format!("{}{suffix}", path.display())).unwrap()).concat();
        let found = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(found(ADA), "what is there is found");
        assert!(!found(CANARY) && !found(PASSWORD), "sent: {sent}");
    }
}

/// A letter opens in its own row only.
#[tokio::test]
async fn sec_163_a_letter_does_not_open_elsewhere() {
    let (smtp, server) = both(&[]).await;
    queue(&server).await;
    queue(&server).await;
    let rows = mail::sealed(&server.app.db).await.unwrap();
    let [one, two] = [0, 1].map(|n| rows[n].content.clone().unwrap());
    assert_ne!(one, two);
    mail::reseal(&server.app.db, rows[0].id, &one, two).await.unwrap();
    send(&server).await;
    smtp.only();
    assert_eq!(super::report(&server.app).await.iter().filter(|row| row.0 == "waiting").count(), 1);
}

/// SEC-164: what waits when the master key is replaced can be sent after that.
#[tokio::test(flavor = "multi_thread")]
async fn sec_164_a_letter_that_waits_is_sealed_anew() {
    let keys = ["Q6ajWxsLIqGWzJ2tFpkPhGYXjSXXVKp4RVQgJF0r3qw=", "bN4oX1J9m0yVtq3kq2rXG2h8nQy7C5y0u1pP6s0wKjE="];
    let [old, new] = keys.map(|key| ("SIGNET_KEYS_MASTER_KEY", key));
    let place = Place::new();
    place.run_with(&["users", "create", "--username", "ada"], &[old]).succeeded();
    let letter = Letter::ResetPassword { link: LINK.into(), minutes: 30 };
    seed::letter(&beside(&place, &[old]).await, ADA, None, letter).await;
    let both = [new, ("SIGNET_KEYS_PREVIOUS_MASTER_KEY", keys[0])];
    place.run_with(&["keys", "list"], &both).succeeded();
    let app = beside(&place, &[new]).await;
    assert!(seed::mailbox(&app, ADA).await[0].text.contains(LINK));
}
