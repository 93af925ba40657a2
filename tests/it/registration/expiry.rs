//! Clients that registered themselves live as long as somebody uses them.

use serde_json::json;
use signet::{
    jobs,
    store::client::{self, Client},
};

use super::{Open, least, until, with};
use crate::harness::{Userinfo, seed::ClientSpec};

const DAY: i64 = 86_400;

async fn row(server: &Open, id: &str) -> Option<Client> {
    client::find(&server.app.db, id).await.unwrap()
}

#[tokio::test]
async fn an_unused_client_is_removed_with_what_was_granted_to_it() {
    let server = Open::with(&[("registration.unused_for", "30d")]).await;
    server.client(ClientSpec::web("by-hand")).await;
    let never = server.registers(least()).await["client_id"].as_str().unwrap().to_owned();
    let more = json!({ "grant_types": ["authorization_code", "refresh_token"] });
    let (app, _) = server.app(with(more)).await;
    let asked = app.asks_to_stay();
    let mut browser = server.browser();
    server.clock.advance(10 * DAY);
    browser.goto(&asked.url()).await.walk(&server.ada).await;
    let tokens = app.tokens(&browser.landed().code(), &asked).await;
    let used = until(|| async { row(&server, &app.client_id).await?.last_used_at }).await;
    assert_eq!(used, server.now());

    server.clock.advance(20 * DAY - 1);
    jobs::run_all(&server.app).await;
    assert!(row(&server, &never).await.is_some(), "a second too early");
    server.clock.advance(1);
    jobs::run_all(&server.app).await;
    assert!(row(&server, &never).await.is_none());
    assert!(row(&server, &app.client_id).await.is_some(), "it was used 20 days ago");

    server.clock.advance(10 * DAY);
    jobs::run_all(&server.app).await;
    assert!(row(&server, &app.client_id).await.is_none());
    assert!(row(&server, "by-hand").await.is_some(), "the operator's own stay");
    assert_eq!(app.userinfo(&tokens.access, Userinfo::Get).await.status, 401);
    assert_eq!(app.refresh(tokens.refresh_token()).await.status, 401);
}

/// Refreshing is using; it is noted once an hour and no more.
#[tokio::test]
async fn a_use_is_noted_once_an_hour() {
    let server = Open::start().await;
    let more = json!({ "grant_types": ["authorization_code", "refresh_token"] });
    let (app, _) = server.app(with(more)).await;
    let asked = app.asks_to_stay();
    let mut browser = server.browser();
    browser.goto(&asked.url()).await.walk(&server.ada).await;
    let tokens = app.tokens(&browser.landed().code(), &asked).await;
    let first = until(|| async { row(&server, &app.client_id).await?.last_used_at }).await;
    server.clock.advance(600);
    let tokens = app.refreshed(tokens.refresh_token()).await;
    server.app.cache.forget_client(&app.client_id).await;
    server.clock.advance(3600);
    app.refreshed(tokens.refresh_token()).await;
    let second = until(|| async { row(&server, &app.client_id).await?.last_used_at.filter(|at| *at != first) }).await;
    assert_eq!(second, first + 4200, "and not at the refresh before");
    assert_eq!(server.now(), second);
}
