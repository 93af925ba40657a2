use signet::{
    flows::{admin::keys, nodes},
    store::{
        node::{self, Node},
        signing_key::State,
    },
};

use super::{key, published, signer};
use crate::harness::{Call, Fixtures, fixtures, relying_party::JWKS, seed::run_jobs};

/// Another server says that it is there, and what it has read.
async fn beat(f: &Fixtures, id: &str, kids: &[&str]) {
    let node = Node { id: id.into(), seen_at: f.now(), kids: kids.join(" ") };
    node::beat(&f.app.db, node).await.unwrap();
}

async fn rotate(f: &Fixtures, announce: i64) -> String {
    keys::rotate(&f.app, keys::FIRST, announce).await.unwrap().kid
}

#[tokio::test]
async fn a_key_signs_once_every_server_has_read_it() {
    let f = fixtures().await;
    nodes::join(&f.app).await.unwrap();
    let old = signer(&f).await;
    beat(&f, "another", &[&old]).await;
    let new = rotate(&f, 3600).await;
    for _ in 0..20 {
        f.clock.advance(200);
        beat(&f, "another", &[&old]).await;
        run_jobs(&f.app).await;
    }
    assert_eq!(signer(&f).await, old, "its time has passed, but a server lacks it");
    assert_eq!(key(&f.app, &new).await.state(f.now()), State::Announced);
    assert_eq!(published(&f).await.len(), 2);
    assert_eq!(key(&f.app, &old).await.retired_at, None, "it signs for as long as it takes");

    beat(&f, "another", &[&new, &old]).await;
    run_jobs(&f.app).await;
    // Answers of the other server without the key may be kept for a while.
    let kept = f.app.config.keys.kept().get();
    assert_eq!(key(&f.app, &new).await.signs_from, f.now() + kept);
    f.clock.advance(kept - 1);
    assert_eq!(signer(&f).await, old);
    f.clock.advance(1);
    assert_eq!(signer(&f).await, new, "without reading anything again");
    // The last token of the old key was signed a second ago, and lives for an hour at the most.
    f.clock.advance(3600);
    run_jobs(&f.app).await;
    assert!(published(&f).await.contains(&old), "removal is counted from the real change-over");
    f.clock.advance(90);
    run_jobs(&f.app).await;
    assert!(!published(&f).await.contains(&old));
}

#[tokio::test]
async fn a_server_that_died_is_waited_for_half_a_minute() {
    let f = fixtures().await;
    nodes::join(&f.app).await.unwrap();
    let old = signer(&f).await;
    beat(&f, "another", &[&old]).await;
    let new = rotate(&f, 0).await;
    f.clock.advance(29);
    run_jobs(&f.app).await;
    assert_eq!(signer(&f).await, old);
    f.clock.advance(1);
    run_jobs(&f.app).await;
    assert_eq!(signer(&f).await, new);
}

#[tokio::test]
async fn a_server_that_stops_in_good_order_is_not_waited_for() {
    let f = fixtures().await;
    let old = signer(&f).await;
    beat(&f, "another", &[&old]).await;
    let new = rotate(&f, 0).await;
    assert_eq!(signer(&f).await, old);
    node::leave(&f.app.db, "another").await.unwrap();
    run_jobs(&f.app).await;
    assert_eq!(signer(&f).await, new);

    nodes::join(&f.app).await.unwrap();
    assert_eq!(nodes::present(&f.app).await.unwrap().len(), 1);
    nodes::leave(&f.app).await.unwrap();
    assert!(nodes::present(&f.app).await.unwrap().is_empty());
}

/// Nobody can open with a key that they have not read, so nobody may encrypt for it yet.
#[tokio::test]
async fn what_others_encrypt_with_is_published_once_every_server_can_open_it() {
    let f = fixtures().await;
    keys::ensure_of(&f.app, "ECDH-ES").await.unwrap();
    let rows = keys::all(&f.app).await.unwrap();
    let old = rows.iter().find(|key| key.algorithm == "ECDH-ES").unwrap().kid.clone();
    beat(&f, "another", &[&old]).await;
    let new = keys::rotate(&f.app, "ECDH-ES", 0).await.unwrap().kid;
    let is_published = |kids: &std::collections::BTreeSet<String>| (kids.contains(&old), kids.contains(&new));
    assert_eq!(is_published(&published(&f).await), (true, false));
    assert!(f.app.keys.ring().opener(&new).is_some(), "whoever was faster may use it");
    beat(&f, "another", &[&old, &new]).await;
    run_jobs(&f.app).await;
    assert_eq!(is_published(&published(&f).await), (false, true));
    f.clock.advance(f.app.config.keys.announce.get() + 3600);
    run_jobs(&f.app).await;
    assert!(f.app.keys.ring().opener(&old).is_some(), "apps may have kept it for as long as keys are announced");
    f.clock.advance(90);
    run_jobs(&f.app).await;
    assert!(f.app.keys.ring().opener(&old).is_none());
}

/// The first key of an algorithm is waited for, so that a client can go to any server with its registration.
#[tokio::test]
async fn a_first_key_is_waited_for() {
    let f = fixtures().await;
    beat(&f, "another", &[]).await;
    let reads_soon = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let rows = keys::all(&f.app).await.unwrap();
        let kids: Vec<&str> = rows.iter().map(|key| &*key.kid).collect();
        beat(&f, "another", &kids).await;
    };
    let (made, ()) = tokio::join!(keys::ensure_of(&f.app, "ES256"), reads_soon);
    made.unwrap();
    assert!(f.app.keys.ring().signer("ES256", f.now()).is_ok());
    let ring = f.app.keys.ring();
    assert!(ring.rows().find(|key| key.algorithm == "ES256").unwrap().agreed_at.is_some());
}

/// oidcc-server-rotate-keys: the new key appears beside the old one, while the server runs.
#[tokio::test]
async fn oidcc_server_rotate_keys() {
    let f = fixtures().await;
    nodes::join(&f.app).await.unwrap();
    let before = f.site.send(Call::get(JWKS)).await;
    let known = published(&f).await;
    let new = rotate(&f, f.app.config.keys.announce.get()).await;
    let after = f.site.send(Call::get(JWKS)).await;
    let mut both = known.clone();
    both.insert(new);
    assert_eq!(published(&f).await, both);
    assert_ne!(before.header("etag"), after.header("etag"));
    assert_eq!(after.json()["keys"][0]["kid"].as_str().unwrap(), known.first().unwrap(), "what signs comes first");
}
