//! Mails: what they say, how they leave, and what becomes of those that nobody takes (AC10).

mod letters;
mod nodes;
mod outbox;
mod report;
mod secrets;
mod sending;
mod trust;

use signet::{
    app::{App, open::Surroundings},
    config::{self, LoadArgs},
    flows::{
        admin::mails::{self, State, Wanted},
        mail::{self, Letter},
        start,
    },
};

use crate::{
    commands::Place,
    harness::{
        TestServer, seed,
        smtp::{Guard, Smtp, Turn},
    },
};

pub const ADA: &str = "ada@example.com";
pub const LINK: &str = "http://localhost:8080/account/reset?token=a-canary-that-opens-an-account";

/// A server that sends its mails there.
pub async fn server(smtp: &Smtp, tls: &'static str, more: &[(&str, &str)]) -> TestServer {
    let settings = smtp.settings(tls);
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    for (key, value) in more {
        settings.retain(|(known, _)| known != key);
        settings.push((key, value));
    }
    settings.retain(|(_, value)| !value.is_empty());
    TestServer::with(&settings).await
}

/// Both, as they should be.
pub async fn both(turns: &[Turn]) -> (Smtp, TestServer) {
    let smtp = Smtp::start(Guard::Starttls, turns).await;
    let server = server(&smtp, "starttls", &[]).await;
    (smtp, server)
}

/// The database and the keys of a place, without the program that runs there.
pub async fn beside(place: &Place, variables: &[(&str, &str)]) -> App {
    let flags = vec![("data_dir".to_string(), place.path("data").display().to_string())];
    let args = LoadArgs { config_file: None, flags, directory: place.path(".") };
    let config = config::load(&args, variables.iter().copied()).unwrap();
    let around = Surroundings::real(&config);
    start::open(config, around, start::Schema::Leave).await.unwrap()
}

pub async fn queue(server: &TestServer) {
    seed::letter(&server.app, ADA, None, Letter::ResetPassword { link: LINK.into(), minutes: 30 }).await;
}

/// What is due is tried.
pub async fn send(server: &TestServer) {
    mail::run_due(&server.app).await.unwrap();
}

pub async fn later(server: &TestServer, seconds: i64) {
    server.clock.advance(seconds);
    send(server).await;
}

/// State, attempts, answer, and seconds to the next attempt, the newest first.
pub async fn report(app: &App) -> Vec<(&'static str, i32, String, Option<i64>)> {
    let found = mails::list(app, Wanted { most: 100, ..Wanted::default() }).await.unwrap();
    let line = |mail: &mails::Mail| {
        let answer = mail.last_answer.clone().unwrap_or_default();
        (State::of(mail).as_str(), mail.attempts, answer, mail.next_at.map(|at| at - app.now()))
    };
    found.iter().map(line).collect()
}
