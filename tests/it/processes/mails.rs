//! Mails by the real program: what a person asked for outlives the server that was sending it, and the link in it works.
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::program::{Place, Server};
use crate::harness::{
    Browser,
    seed::Person,
    smtp::{Came, Guard, Smtp, Stage, Turn},
};

/// A lease, the time that a node looks after, and what a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(90);

async fn place(smtp: &Smtp) -> Place {
    let mail = format!("\n[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\ntimeout = \"5s\"\n", smtp.port);
    Place::and(&mail).await
}

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "not yet: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn forgets(server: &Server, person: &Person) {
    let mut browser = Browser::new(&server.site);
    browser.goto("/account/forgot").await.fill("forgot-login", &person.username).press("forgot-submit").await;
    assert_eq!(browser.page().status(), 200, "{}", browser.page());
}

/// Where the mail leads, without the name of the server.
fn path(came: &Came, server: &Server) -> String {
    let text = came.text();
    let link = text.lines().find(|line| line.contains("token=")).expect("a link");
    link.strip_prefix(&server.site.issuer).expect("a link to the issuer").to_string()
}

#[tokio::test]
async fn a_mail_outlives_a_kill_and_its_link_works() {
    let smtp = Smtp::start(Guard::Nothing, &[Turn::Hangs(Stage::Data)]).await;
    let place = place(&smtp).await;
    let server = place.server().await;
    let person = place.person().await;
    forgets(&server, &person).await;
    until("the mail is on its way", async || smtp.has_begun()).await;
    server.kill();
    let (one, two) = (place.server().await, place.server().await);
    until("the mail is here", async || !smtp.came().is_empty()).await;
    let mut browser = Browser::new(&one.site);
    browser.goto(&path(&smtp.only(), &one)).await;
    assert_eq!(browser.page().status(), 200, "{}", browser.page());
    let listed = place.run(&["mails", "list"], "").await;
    assert_eq!((&listed[0]["state"], &listed[0]["attempts"]), (&"sent".into(), &2.into()), "{listed}");
    assert_eq!(listed[0]["user_id"], person.id);
    drop((one, two));
    smtp.only();
}

/// Two servers, a mail server that wants each mail twice: each arrives once.
#[tokio::test]
async fn two_servers_share_the_mails() {
    const MAILS: usize = 4;
    let smtp = Smtp::start(Guard::Nothing, &[Turn::Says(Stage::Recipient, "451 come again"); MAILS]).await;
    let place = place(&smtp).await;
    let (one, two) = (place.server().await, place.server().await);
    let mut people = Vec::new();
    for n in 0..MAILS {
        let (username, email) = (format!("person{n}"), format!("person{n}@example.com"));
        let create = ["users", "create", "--email", &email, "--username", &username, "--password-stdin"];
        let made = place.run(&create, "many wet umbrellas").await;
        let id = made["id"].as_str().unwrap().to_string();
        people.push(Person { id, email, username, password: "many wet umbrellas".into() });
    }
    for (n, person) in people.iter().enumerate() {
        forgets(if n % 2 == 0 { &one } else { &two }, person).await;
    }
    until("all are here", async || smtp.came().len() == MAILS).await;
    sleep(Duration::from_secs(6)).await;
    let mut to: Vec<_> = smtp.came().into_iter().flat_map(|came| came.to).collect();
    to.sort();
    assert_eq!(to, people.iter().map(|person| person.email.clone()).collect::<Vec<_>>());
    drop((one, two));
}
