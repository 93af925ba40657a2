//! Kinds of providers, and what is declared of them.

use serde_json::json;
use signet::{
    flows::{admin::providers, start, upstream::PROVIDERS},
    store::upstream,
};
use tokio::task::JoinSet;

use super::{HOSTS, is_inside, is_outside};
use crate::harness::{
    TestServer,
    upstream::{CLIENT, Mood, SECRET, Upstream},
};

fn plain(up: &Upstream, more: &str) -> String {
    let there = &up.issuer;
    format!(
        "\n[[providers]]\nname = 'harbor'\nkind = 'oauth2'\nclient_id = '{CLIENT}'\nclient_secret = '{SECRET}'\n\
         authorization_endpoint = '{there}/authorize'\ntoken_endpoint = '{there}/token'\n\
         userinfo_endpoint = '{there}/me'\nsign_up = true\nlink = 'verified_email'\n{more}\n"
    )
}

/// A provider that has its own way to say who somebody is: a number deep in its answer.
#[tokio::test]
async fn a_provider_without_id_tokens_is_mapped() {
    let up = Upstream::start().await;
    let claims = "claims = { sub = 'user.id', name = 'user.shown.name', email = 'mail', email_verified = 'mail_ok' }";
    let f = TestServer::declaring(&[HOSTS], &plain(&up, claims)).await.fixtures().await;
    up.live_by(&f.clock);
    let w = super::World { f, up };
    let me =
        |id| json!({ "user": { "id": id, "shown": { "name": "Grace" } }, "mail": "g@harbor.example", "mail_ok": true });
    for (id, inside) in
        [(json!(17), true), (json!("17"), true), (json!(null), false), (json!(1.5), false), (json!(""), false)]
    {
        w.up.lies().moods.insert("/me", Mood::Says(200, me(id.clone())));
        let mut browser = w.f.browser();
        w.come(&mut browser, &json!({})).await;
        if inside {
            assert!(is_inside(&browser), "{id}: {}", browser.page());
        } else {
            is_outside(&browser, "provider-failed", 400);
        }
    }
    let links = w.links().await;
    assert_eq!((links.len(), links[0].subject.as_str(), links[0].issuer.as_str()), (1, "17", "upstream:harbor"));
    let bearer = w.up.asked("/me")[0].authorization.clone().unwrap();
    assert!(bearer.starts_with("Bearer "), "{bearer}");
    w.up.lies().moods.insert("/me", Mood::Says(401, json!({ "error": "invalid_token" })));
    let mut browser = w.f.browser();
    w.come(&mut browser, &json!({})).await;
    is_outside(&browser, "provider-failed", 400);
    assert!(w.refusal().await.1.contains("401 invalid_token"), "{:?}", w.refusal().await);
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = PROVIDERS.iter().map(|provider| provider.kind()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["github", "google", "oauth2", "oidc"]);
}

/// The secret is sealed, and the row follows the settings.
#[tokio::test]
async fn a_declared_provider_is_a_row_with_a_sealed_secret() {
    let up = Upstream::start().await;
    let server = TestServer::declaring(&[HOSTS], &up.declared("harbor", "")).await;
    let all = upstream::all(&server.app.db).await.unwrap();
    assert_eq!((all.len(), all[0].origin.as_str(), all[0].is_enabled()), (1, "declared", true));
    let sealed = all[0].sealed_secret.clone().unwrap();
    assert!(!sealed.0.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()));
    start::reconcile(&server.app).await.unwrap();
    assert_eq!(upstream::all(&server.app.db).await.unwrap(), all, "nothing to do is nothing done");
}

/// Nodes that start at once with the same settings agree on one row, which each of them can open.
#[tokio::test]
async fn nodes_that_start_at_once_declare_a_provider_once() {
    let (server, up) = (TestServer::start().await, Upstream::start().await);
    let mut row: Option<upstream::Upstream> = None;
    for more in ["", "sign_up = true", "sign_up = true\nhidden = true"] {
        let declared = up.declared("harbor", more);
        let (mut nodes, mut starting) = (Vec::new(), JoinSet::new());
        for seed in 2..6 {
            nodes.push(server.beside(seed, &[HOSTS], &declared).await);
        }
        for node in nodes.clone() {
            starting.spawn(async move { start::reconcile(&node).await.map_err(|problem| problem.to_string()) });
        }
        assert_eq!(starting.join_all().await, [const { Ok(()) }; 4], "{more}");
        let all = upstream::all(&server.app.db).await.unwrap();
        assert_eq!((all.len(), all[0].settings.sign_up), (1, !more.is_empty()));
        for node in nodes {
            start::reconcile(&node).await.unwrap();
        }
        assert_eq!(upstream::all(&server.app.db).await.unwrap(), all, "its secret is known to all");
        assert!(row.replace(all[0].clone()).is_none_or(|row| row.id == all[0].id));
    }
}

/// Whoever waits for somebody else's change finds the provider when it is their turn.
#[tokio::test]
async fn changes_at_once_lose_no_provider() {
    let (server, up) = (TestServer::with(&[HOSTS]).await, Upstream::start().await);
    let entry =
        json!({ "name": "harbor", "kind": "oidc", "issuer": up.issuer, "client_id": CLIENT, "client_secret": SECRET });
    providers::create(&server.app, entry.as_object().unwrap().clone()).await.unwrap();
    let mut changing = JoinSet::new();
    for n in 0..12 {
        let app = server.app.clone();
        changing.spawn(async move { providers::set_disabled(&app, "harbor", n % 2 == 0).await.map(|_| ()) });
    }
    for done in changing.join_all().await {
        done.unwrap();
    }
}

/// However many are reading meanwhile.
#[tokio::test]
async fn a_change_is_seen_at_once_on_the_node_that_made_it() {
    let (server, up) = (TestServer::with(&[HOSTS]).await, Upstream::start().await);
    let entry =
        json!({ "name": "harbor", "kind": "oidc", "issuer": up.issuer, "client_id": CLIENT, "client_secret": SECRET });
    providers::create(&server.app, entry.as_object().unwrap().clone()).await.unwrap();
    for round in 0..60 {
        let mut reading = JoinSet::new();
        for _ in 0..8 {
            let app = server.app.clone();
            reading.spawn(async move {
                for _ in 0..3 {
                    app.cache.upstreams(&app.db).await.unwrap();
                }
            });
        }
        providers::set_disabled(&server.app, "harbor", round % 2 == 0).await.unwrap();
        reading.join_all().await;
        let shown = server.app.cache.upstreams(&server.app.db).await.unwrap().len();
        assert_eq!(shown, round % 2, "round {round}");
    }
}
