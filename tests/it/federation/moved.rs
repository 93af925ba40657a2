//! Providers that become others under the same name.

use reqwest::Method;
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};
use signet::{
    flows::start,
    store::{upstream, upstream_identity, upstream_link, upstream_login, upstream_logout, upstream_session},
};
use uuid::Uuid;

use super::{HOSTS, OPEN, World, grace, operators::Office, world};
use crate::harness::{
    Fixtures, TestServer,
    seed::Person,
    upstream::{CLIENT, SECRET, Upstream},
};

const THERE: &str = "https://there.example";

/// This subject of the issuer opens the person's account.
async fn connected(f: &Fixtures, person: &Person, (provider, issuer, subject): (&str, &str, &str)) -> Uuid {
    let row = upstream_link::UpstreamLink {
        id: Uuid::new_v4(),
        user_id: person.id.parse().unwrap(),
        identity: upstream_link::identity(issuer, subject),
        upstream: provider.to_owned(),
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        label: None,
        sealed_tokens: None,
        created_at: f.now(),
        last_used_at: f.now(),
    };
    upstream_link::insert(&f.app.db, row.clone()).await.unwrap();
    row.id
}

/// Of both kinds whose issuer is only a name: what says who somebody is, and what another would say.
fn kinds() -> [(Value, &'static str, Vec<Value>); 2] {
    let plain = json!({
        "name": "harbor", "kind": "oauth2", "client_id": CLIENT, "client_secret": SECRET, "claims": { "sub": "id" },
        "authorization_endpoint": format!("{THERE}/authorize"), "token_endpoint": format!("{THERE}/token"),
        "userinfo_endpoint": format!("{THERE}/me"),
    });
    let github = json!({
        "name": "harbor", "kind": "github", "client_id": CLIENT, "client_secret": SECRET, "issuer": THERE,
        "api_url": format!("{THERE}/api"),
    });
    let others = vec![
        json!({ "authorization_endpoint": "https://elsewhere.example/authorize" }),
        json!({ "token_endpoint": "https://elsewhere.example/token" }),
        json!({ "userinfo_endpoint": "https://elsewhere.example/me" }),
        json!({ "claims": { "sub": "login" } }),
        json!({ "issuer": "https://elsewhere.example" }),
    ];
    let api = json!({ "api_url": "https://elsewhere.example/api" });
    [(plain, "upstream:harbor", others), (github, THERE, vec![api, json!({ "issuer": "https://elsewhere.example" })])]
}

fn over(entry: &Value, change: &Value) -> Value {
    let mut all = entry.clone();
    all.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    all
}

/// Number 42 there is not number 42 elsewhere.
#[tokio::test]
async fn a_provider_that_opens_accounts_becomes_no_other() {
    for (entry, issuer, others) in kinds() {
        let o = Office::open().await;
        o.done(Method::POST, "", Some(&entry)).await;
        for change in &others {
            o.done(Method::PUT, "/harbor", Some(&over(&entry, change))).await;
            o.done(Method::PUT, "/harbor", Some(&entry)).await;
        }
        connected(&o.w.f, &o.w.f.u1, ("harbor", issuer, "42")).await;
        for change in &others {
            let change = over(change, &json!({ "client_secret": SECRET }));
            let (status, _, said) = o.refused(Method::PATCH, "/harbor", Some(&change)).await;
            assert!(status == 409 && said.contains("1 accounts are connected"), "{change}: {said}");
        }
        o.done(Method::PATCH, "/harbor", Some(&json!({ "button": "The Harbor", "claims": entry["claims"] }))).await;
    }
}

/// As `[[providers]]` has it.
fn declared(entry: &Value) -> String {
    let line = |(name, value): (&String, &Value)| match value {
        Value::Object(members) => {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            format!("{name} = {{ {} }}\n", members.join(", "))
        }
        value => format!("{name} = {value}\n"),
    };
    format!("\n[[providers]]\n{}", entry.as_object().unwrap().iter().map(line).collect::<String>())
}

/// A start does not do what no operator may, and says what may be done instead.
#[tokio::test]
async fn a_declared_provider_that_opens_accounts_becomes_no_other() {
    for (entry, issuer, others) in kinds() {
        let f = TestServer::declaring(&[], &declared(&entry)).await.fixtures().await;
        connected(&f, &f.u1, ("harbor", issuer, "42")).await;
        for is_left_out in [false, true] {
            if is_left_out {
                start::reconcile(&f.beside(2, &[], "").await).await.unwrap();
            }
            let before = upstream::all(&f.app.db).await.unwrap();
            assert_eq!(before[0].is_enabled(), !is_left_out);
            for change in &others {
                let node = f.beside(2, &[], &declared(&over(&entry, change))).await;
                let said = start::reconcile(&node).await.unwrap_err().to_string();
                assert!(said.starts_with("1 accounts are connected with the provider harbor"), "{said}");
                assert!(said.contains("`signet providers remove harbor --unlink`"), "{said}");
                assert_eq!(upstream::all(&f.app.db).await.unwrap(), before, "{change}");
            }
        }
        let node = f.beside(2, &[], &declared(&over(&entry, &json!({ "button": "The Harbor" })))).await;
        start::reconcile(&node).await.unwrap();
        assert!(upstream::all(&f.app.db).await.unwrap()[0].is_enabled(), "it is the same one");
    }
}

/// Another node has made it another one a moment ago, and this one does not know yet: nobody is connected by a number of the
/// one that it was.
#[tokio::test]
async fn nobody_is_connected_with_a_provider_that_is_another_by_now() {
    let w = world(OPEN).await;
    let mut signed_in = w.f.signed_in(&w.f.u1).await;
    signed_in.goto("/account/providers").await.press("connect-harbor").await;
    let mut new = w.f.browser();
    w.leave(&mut new, &w.f.c1).await;
    let backs = [&signed_in, &new].map(|browser| w.up.back(&browser.landed().url, &grace()));
    let row = upstream::all(&w.f.app.db).await.unwrap().remove(0);
    let mut settings = row.settings.clone();
    settings.issuer = Some("https://elsewhere.example".to_owned());
    let change = upstream::ActiveModel { id: Set(row.id), settings: Set(settings), ..Default::default() };
    upstream::Entity::update(change).exec(&w.f.app.db).await.unwrap();
    for (browser, back) in [&mut signed_in, &mut new].into_iter().zip(backs) {
        browser.goto(&back).await;
        assert!(w.links().await.is_empty(), "{}", browser.page());
    }
    assert!(signed_in.sees("provider-failed"), "{}", signed_in.page());
}

/// By an ID token nobody takes over what another issuer has opened: old connections are dead, and that is all.
#[tokio::test]
async fn a_declared_openid_provider_may_get_another_issuer() {
    let w = world(OPEN).await;
    w.enrolled().await;
    let moved = w.up.declared("harbor", OPEN).replace(&w.up.issuer, "https://elsewhere.example");
    let node = w.f.beside(2, &[HOSTS], &moved).await;
    start::reconcile(&node).await.unwrap();
    let row = upstream::all(&node.db).await.unwrap().remove(0);
    assert_eq!(row.settings.issuer.as_deref(), Some("https://elsewhere.example"));
    assert_eq!(w.links().await.len(), 1);
}

/// Who may not read a secret is not told it by another way.
#[tokio::test]
async fn a_secret_is_not_told_to_another_server() {
    let elsewhere = Upstream::start().await;
    for (entry, _, _) in kinds() {
        let o = Office::open().await;
        o.done(Method::POST, "", Some(&entry)).await;
        let there = &elsewhere.issuer;
        let own = match entry["kind"].as_str() {
            Some("github") => json!({ "api_url": there }),
            _ => json!({ "token_endpoint": format!("{there}/token") }),
        };
        let mut known = entry.clone();
        known.as_object_mut().unwrap().remove("client_secret");
        let mut tries = vec![(Method::PUT, json!({ "kind": "oidc", "issuer": there, "client_id": CLIENT }))];
        for change in [&json!({ "issuer": there }), &own] {
            tries.extend([(Method::PATCH, change.clone()), (Method::PUT, over(&known, change))]);
        }
        for (method, change) in tries {
            let (status, members, said) = o.refused(method, "/harbor", Some(&change)).await;
            assert_eq!((status, &*members), (400, &["client_secret".to_owned()][..]), "{change}: {said}");
        }
        o.done(Method::POST, "/harbor/check", None).await;
        assert!(elsewhere.got().is_empty(), "{:?}", elsewhere.got());
        let given = over(&own, &json!({ "client_secret": "another-one-77aa" }));
        o.done(Method::PATCH, "/harbor", Some(&given)).await;
        o.done(Method::PATCH, "/harbor", Some(&json!({ "button": "The Harbor" }))).await;
        // One without a secret tells nobody anything.
        let public = json!({ "client_secret": null, "token_endpoint_auth_method": "none", "issuer": THERE });
        o.done(Method::PATCH, "/harbor", Some(&public)).await;
    }
}

/// How much there is that only one provider is to know or to answer.
async fn open(f: &Fixtures) -> [usize; 4] {
    let db = &f.app.db;
    [
        upstream_login::Entity::find().all(db).await.unwrap().len(),
        upstream_identity::Entity::find().all(db).await.unwrap().len(),
        upstream_session::Entity::find().all(db).await.unwrap().len(),
        upstream_logout::Entity::find().all(db).await.unwrap().len(),
    ]
}

/// Somebody is on the way there, one waits, one was let in and another is being signed out.
async fn busy(w: &World) {
    let end = format!("{}/end", w.up.issuer);
    w.up.lies().discovery = json!({ "end_session_endpoint": end });
    w.enrolled().await.goto("/logout").await.press("logout-confirm").await;
    w.come(&mut w.f.browser(), &grace()).await;
    w.come(&mut w.f.browser(), &json!({ "sub": "nameless" })).await;
    w.leave(&mut w.f.browser(), &w.f.c1).await;
    assert_eq!(open(&w.f).await, [1, 1, 2, 1]);
}

/// An ID token of one provider is no hint for another of its name, and whom one knew comes in by no other.
#[tokio::test]
async fn another_provider_inherits_nothing() {
    let more = format!("{OPEN}\nlogout = true");
    let w = world(&more).await;
    busy(&w).await;
    let elsewhere = w.up.declared("harbor", &more).replace(&w.up.issuer, "https://elsewhere.example");
    start::reconcile(&w.f.beside(2, &[HOSTS], &elsewhere).await).await.unwrap();
    assert_eq!(open(&w.f).await, [0; 4], "of one that is declared");

    for removed in [true, false] {
        let o = Office::open().await;
        o.done(Method::POST, "", Some(&over(&o.harbor(), &json!({ "logout": true })))).await;
        busy(&o.w).await;
        if removed {
            o.done(Method::DELETE, "/harbor?unlink=true", None).await;
        } else {
            upstream_link::forget_of(&o.w.f.app.db, "harbor").await.unwrap();
            o.done(Method::PATCH, "/harbor", Some(&json!({ "button": "The Harbor" }))).await;
            assert_eq!(open(&o.w.f).await, [1, 1, 2, 1], "it is the same one");
            let moved = json!({ "issuer": "https://elsewhere.example", "client_secret": SECRET });
            o.done(Method::PATCH, "/harbor", Some(&moved)).await;
        }
        assert_eq!(open(&o.w.f).await, [0; 4], "removed: {removed}");
    }
}
