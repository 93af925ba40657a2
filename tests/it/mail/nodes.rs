//! Several servers, one of which may die: each mail leaves, and leaves once.
use sea_orm::DbErr;
use signet::{
    app::{
        App,
        open::{self, Surroundings},
        random::Random,
    },
    crypto::password::Cost,
    flows::mail::{self, Letter, Outgoing},
};
use tokio::time::{Duration, sleep};

use super::{ADA, both, later, queue, report, send};
use crate::harness::{
    TestServer, seed,
    smtp::{Stage, Turn},
};

/// Another server on the same database.
async fn another(server: &TestServer) -> App {
    let config = server.app.config.clone();
    let connected = open::connect(&config).await.unwrap();
    let around = Surroundings {
        clock: server.clock.clone(),
        random: Random::seeded(7),
        password_cost: Cost { memory_kib: 8, iterations: 1, parallelism: 1 },
    };
    open::open(config, around, connected).await.unwrap()
}

#[tokio::test]
async fn two_servers_send_each_mail_once() {
    const MAILS: usize = 24;
    let (smtp, server) = both(&[]).await;
    let second = another(&server).await;
    for n in 0..MAILS {
        seed::letter(&server.app, &format!("n{n:02}@example.com"), None, Letter::Test).await;
    }
    while report(&server.app).await.iter().any(|(state, ..)| *state != "sent") {
        let (one, two) = tokio::join!(mail::run_due(&server.app), mail::run_due(&second));
        one.and(two).unwrap();
    }
    let mut to: Vec<_> = smtp.came().into_iter().flat_map(|came| came.to).collect();
    to.sort();
    let expected: Vec<_> = (0..MAILS).map(|n| format!("n{n:02}@example.com")).collect();
    assert_eq!(to, expected);
}

/// The node is gone in the middle of a mail: another one sends it when the time of the first is up, and not before.
#[tokio::test]
async fn a_mail_outlives_the_server_that_was_sending_it() {
    let (smtp, server) = both(&[Turn::Hangs(Stage::Data)]).await;
    queue(&server).await;
    let dying = server.app.clone();
    let task = tokio::spawn(async move { mail::run_due(&dying).await });
    while !smtp.has_begun() {
        sleep(Duration::from_millis(10)).await;
    }
    task.abort();
    let second = another(&server).await;
    server.clock.advance(49);
    mail::run_due(&second).await.unwrap();
    assert_eq!(smtp.came().len(), 0, "somebody may be at it");
    server.clock.advance(1);
    mail::run_due(&second).await.unwrap();
    assert_eq!(smtp.only().to, [ADA]);
    later(&server, 86_400).await;
    smtp.only();
}

#[tokio::test]
async fn a_mail_whose_cause_was_undone_was_never_there() {
    let (smtp, server) = both(&[]).await;
    let app = server.app.clone();
    let undone = server.app.writer.write::<()>(Box::new(move |db| {
        Box::pin(async move {
            let letter = Outgoing { to: ADA.into(), locale: None, user_id: None, letter: Letter::Test };
            mail::queue(&app, db, letter).await?;
            Err(DbErr::Custom("undone".into()))
        })
    }));
    undone.await.unwrap_err();
    send(&server).await;
    assert_eq!((smtp.came().len(), report(&server.app).await.len()), (0, 0));
}
