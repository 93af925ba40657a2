//! What operators do about accounts at providers that open somebody's.

use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use signet::{flows::factors, store::session};

use super::{World, grace, is_inside, like, operators::Office, world};
use crate::{
    accounts::signed_in::log,
    harness::{Browser, seed, seed::Person},
};

async fn subjects(w: &World, person: &Person) -> Vec<String> {
    seed::mailbox(&w.f.app, &person.email).await.into_iter().map(|mail| mail.subject).collect()
}

/// Somebody is in the account, by whatever means, and connects what is theirs.
async fn connect(w: &World, browser: &mut Browser, person: &Value) {
    browser.goto("/account/providers").await.press("connect-harbor").await;
    let back = w.up.back(&browser.landed().url, person);
    browser.goto(&back).await;
}

async fn sessions(w: &World, person: &Person) -> usize {
    let all = session::Entity::find().all(&w.f.app.db).await.unwrap();
    all.iter().filter(|session| session.user_id.to_string() == person.id).count()
}

async fn comes_in(w: &World, person: &Value) -> bool {
    let mut browser = w.f.browser();
    w.come(&mut browser, person).await;
    is_inside(&browser)
}

/// Who has a session for a moment does not keep the account by it.
#[tokio::test]
async fn a_thief_does_not_come_back_by_their_own_provider() {
    for keeps in [false, true] {
        let w = world("").await;
        let mut thief = w.f.signed_in(&w.f.u1).await;
        connect(&w, &mut thief, &grace()).await;
        connect(&w, &mut thief, &like(&w.f.u1)).await;
        assert!(comes_in(&w, &grace()).await);
        let removed = factors::reset(&w.f.app, w.f.u1.id.parse().unwrap(), keeps).await.unwrap();
        let left = w.links().await.len();
        assert_eq!((removed, left), if keeps { (0, 2) } else { (2, 0) });
        assert_eq!(sessions(&w, &w.f.u1).await, 0);
        assert_eq!(comes_in(&w, &grace()).await, keeps);
        let (told, log) = (subjects(&w, &w.f.u1).await, log(&w.f, &w.f.u1).await);
        assert!(told.contains(&"Your second factors were removed".to_owned()), "{told:?}");
        assert_eq!(told.contains(&"A way into your account was closed".to_owned()), !keeps, "{told:?}");
        assert!(log.contains(&"factors_reset".to_owned()) && log.contains(&"provider_unlinked".to_owned()) != keeps);
    }
}

#[tokio::test]
async fn a_machine_says_whether_connections_stay() {
    let o = Office::of(world("").await).await;
    let path = format!("/api/users/{}/reset-factors", o.w.f.u1.id);
    let mut browser = o.w.f.signed_in(&o.w.f.u1).await;
    connect(&o.w, &mut browser, &grace()).await;
    let kept = o.call(Method::POST, &path, Some(&json!({ "keep_providers": true }))).await;
    assert_eq!((kept.status, kept.json()), (200, json!({ "providers_removed": 0 })));
    let gone = o.call(Method::POST, &path, None).await;
    assert_eq!((gone.status, gone.json()), (200, json!({ "providers_removed": 1 })));
    assert!(o.w.links().await.is_empty());
}
