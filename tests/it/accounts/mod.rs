//! What people do with their own accounts, by the flows behind pages and API.

mod apps;
mod attempts;
mod deletion;
mod export;
mod invitations;
mod names;
mod phone;
mod places;
mod profile;
mod sessions;
pub mod signed_in;
mod tokens;

use std::net::{IpAddr, Ipv4Addr};

use sea_orm::EntityTrait;
use signet::{
    app::{App, reseal::mail_context},
    flows::{
        account::me::Me,
        admin::users,
        mail::Letter,
        visitor::{Cookies, Device, Visitor},
    },
    protocol::assurance::Methods,
    store::mail,
};

use crate::harness::{RelyingParty, TestServer, seed::Person};

const PASSWORD: &str = "three wet umbrellas";

/// Whether the login page lets somebody in.
async fn gets_in(server: &TestServer, app: &RelyingParty, login: &str, password: &str) -> bool {
    let mut browser = server.browser();
    browser.goto(&app.asks().url()).await;
    browser.fill("login-username", login).fill("login-password", password).press("login-submit").await;
    let inside = browser.has_left() || browser.sees("consent-allow");
    assert!(inside || browser.page().status() == 401, "{}", browser.page());
    inside
}

fn device() -> Device {
    Device::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), Some("A browser of a test"))
}

pub fn visitor(app: &App) -> Visitor {
    Visitor::new(app, &Cookies::default(), device())
}

/// Somebody who has just signed in.
async fn me(app: &App, person: &Person) -> Me {
    let user = users::find(app, &person.id).await.unwrap();
    Me { user, session: None, grant: None, auth_time: app.now(), proved: Methods::password(), device: device() }
}

/// What was written to whom, oldest first; those that were sent are empty.
async fn letters(app: &App) -> Vec<(String, Letter)> {
    let mut rows = mail::Entity::find().all(&app.db).await.unwrap();
    rows.sort_by_key(|row| row.id);
    let open = |row: mail::Mail| {
        let content = row.content.expect("a letter that was not sent yet");
        let plain = app.master_key.open(&mail_context(row.id), &content.0).unwrap();
        (row.recipient, serde_json::from_slice(&plain).unwrap())
    };
    rows.into_iter().map(open).collect()
}

/// The token of a link.
fn token_of(link: &str) -> String {
    link.split_once('=').expect("a link with a token").1.to_owned()
}
