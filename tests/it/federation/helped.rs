//! What operators do about accounts at providers that open somebody's.

use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use signet::{
    flows::{Trouble, admin::connections, factors},
    store::{password, session},
};
use tokio::task::JoinSet;

use super::{World, grace, is_inside, like, operators::Office, world};
use crate::{
    accounts::signed_in::log,
    harness::{Browser, Call, seed, seed::Person},
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

/// Whoever comes by a connection in the moment in which it is cut, comes in before and is sent away, or does not come in.
#[tokio::test]
async fn nobody_comes_by_a_connection_that_is_cut_at_that_moment() {
    let w = world("").await;
    let id = w.f.u1.id.parse().unwrap();
    for round in 0..12 {
        let mut own = w.f.signed_in(&w.f.u1).await;
        connect(&w, &mut own, &grace()).await;
        let link = w.links().await[0].id;
        let mut ways = Vec::new();
        for _ in 0..4 {
            let mut browser = w.f.browser();
            w.leave(&mut browser, &w.f.c1).await;
            let back = w.up.back(&browser.landed().url, &grace());
            ways.push((browser, back));
        }
        let mut come = JoinSet::new();
        for (mut browser, back) in ways {
            come.spawn(async move { browser.request(Call::get(&back)).await.status });
        }
        // Not before they have redeemed their codes: that is when it is decided whose account it is.
        let until = w.up.asked("/token").len() + 1 + round % 4;
        while w.up.asked("/token").len() < until {
            tokio::task::yield_now().await;
        }
        let cut = connections::disconnect(&w.f.app, id, link).await;
        let statuses = come.join_all().await;
        cut.unwrap();
        assert_eq!((sessions(&w, &w.f.u1).await, w.links().await.len()), (0, 0), "{statuses:?}");
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

fn path(person: &Person) -> String {
    format!("/api/users/{}/providers", person.id)
}

impl Office {
    async fn connections(&self, person: &Person) -> Vec<Value> {
        let listed = self.call(Method::GET, &path(person), None).await;
        assert_eq!((listed.status, listed.header("cache-control")), (200, Some("no-store")), "{}", listed.text());
        listed.json()["providers"].as_array().unwrap().clone()
    }
}

/// Who comes from another system signs in as they did there, from the first day.
#[tokio::test]
async fn somebody_is_brought_along_with_their_provider() {
    let o = Office::of(world("").await).await;
    let (person, new) = (&o.w.f.u1, json!({ "provider": "harbor", "subject": "g-1906" }));
    assert!(!comes_in(&o.w, &grace()).await);
    let made = o.call(Method::POST, &path(person), Some(&new)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made["issuer"], o.w.up.issuer);
    assert_eq!((&made["provider"], &made["subject"], made.get("label")), (&new["provider"], &new["subject"], None));
    assert_eq!(o.connections(person).await, std::slice::from_ref(&made));
    assert_eq!(subjects(&o.w, person).await, ["A new way into your account"]);
    assert_eq!(log(&o.w.f, person).await, ["provider_linked"]);

    assert!(comes_in(&o.w, &grace()).await);
    assert_eq!(o.w.links().await[0].user_id.to_string(), person.id);
    assert_eq!(o.connections(person).await[0]["label"], "grace@harbor.example");
    for who in [person, &o.w.f.u2] {
        assert_eq!(o.call(Method::POST, &path(who), Some(&new)).await.status, 409, "it is one account's");
    }
}

#[tokio::test]
async fn nobody_is_connected_when() {
    let o = Office::of(world("").await).await;
    let github = json!({ "name": "hub", "kind": "github", "client_id": "us", "client_secret": "f3c19be07d" });
    o.done(Method::POST, "", Some(&github)).await;
    let own = path(&o.w.f.u1);
    for (reason, path, body, status) in [
        ("there is nobody", "/api/users/x/providers", json!({ "provider": "harbor", "subject": "1" }), 404),
        ("there is no such provider", &*own, json!({ "provider": "ferry", "subject": "1" }), 400),
        ("the subject is empty", &own, json!({ "provider": "harbor", "subject": "" }), 400),
        ("nobody can be called that", &own, json!({ "provider": "harbor", "subject": "a".repeat(256) }), 400),
        ("a name changes hands", &own, json!({ "provider": "hub", "subject": "octocat" }), 400),
        ("a number is written once", &own, json!({ "provider": "hub", "subject": "042" }), 400),
        ("something is missing", &own, json!({ "provider": "hub" }), 400),
    ] {
        let answer = o.call(Method::POST, path, Some(&body)).await;
        assert_eq!(answer.status, status, "{reason}: {}", answer.text());
    }
    let number = json!({ "provider": "hub", "subject": "42" });
    assert_eq!(o.call(Method::POST, &own, Some(&number)).await.json()["issuer"], "https://github.com");
    for (method, path) in
        [(Method::GET, own.clone()), (Method::POST, own.clone()), (Method::DELETE, format!("{own}/x"))]
    {
        let stranger = o.w.f.site.send(Call::new(method, &path)).await;
        assert_eq!(stranger.status, 401);
    }
    assert_eq!(o.call(Method::GET, "/api/users/x/providers", None).await.status, 404);
    let refused = o.call(Method::PUT, &own, None).await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, POST")));
    let refused = o.call(Method::GET, &format!("{own}/x"), None).await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("DELETE")));
}

/// What somebody else has connected is cut off, with all who came by it, whatever else opens the account.
#[tokio::test]
async fn what_an_operator_disconnects_opens_nothing() {
    let o = Office::of(world("").await).await;
    let person = &o.w.f.u1;
    let mut thief = o.w.f.signed_in(person).await;
    connect(&o.w, &mut thief, &grace()).await;
    password::remove(&o.w.f.app.db, person.id.parse().unwrap()).await.unwrap();
    let id = o.connections(person).await[0]["id"].as_str().unwrap().to_owned();
    let elsewhere =
        [format!("{}/{id}", path(&o.w.f.u2)), format!("{}/x", path(person)), format!("/api/users/x/providers/{id}")];
    for path in elsewhere {
        assert_eq!(o.call(Method::DELETE, &path, None).await.status, 404, "{path}");
    }
    assert_eq!((o.w.links().await.len(), sessions(&o.w, person).await), (1, 1));

    let path = format!("{}/{id}", path(person));
    assert_eq!(o.call(Method::DELETE, &path, None).await.status, 204);
    assert_eq!((o.w.links().await.len(), sessions(&o.w, person).await), (0, 0));
    assert!(thief.goto("/account").await.sees("login-submit"), "{}", thief.page());
    assert!(!comes_in(&o.w, &grace()).await);
    assert_eq!(subjects(&o.w, person).await[0], "A way into your account was closed");
    assert!(log(&o.w.f, person).await.contains(&"provider_unlinked".to_owned()));
    assert_eq!(o.call(Method::DELETE, &path, None).await.status, 404);
}

/// However many say at once whose it is.
#[tokio::test]
async fn a_subject_is_connected_with_one_account() {
    let w = world("").await;
    let mut connecting = JoinSet::new();
    for n in 0..8 {
        let (app, person) = (w.f.app.clone(), if n % 2 == 0 { &w.f.u1 } else { &w.f.u2 });
        let person = person.id.parse().unwrap();
        connecting.spawn(async move { connections::connect(&app, person, "harbor", "g-1906").await });
    }
    let done = connecting.join_all().await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    assert!(done.iter().all(|done| matches!(done, Ok(_) | Err(Trouble::Conflict(_)))), "{done:?}");
    assert_eq!(w.links().await.len(), 1);
}
