use signet::{
    flows::{Trouble, admin::keys},
    store::signing_key::State,
};

use super::{key, published, signer, token};
use crate::harness::{fixtures, seed::rotate_keys};

#[tokio::test]
async fn after_an_emergency_nothing_of_the_old_keys_is_believed() {
    let f = fixtures().await;
    let visit = f.visit(&f.c1).await;
    let leaked = signer(&f).await;
    let access = token(&f).await;
    rotate_keys(&f.app).await;
    assert!(f.rs1.finds_active(&access).await);

    let dropped = keys::replace_at_once(&f.app, keys::FIRST).await.unwrap();
    let new = dropped.successor.unwrap();
    assert_eq!((dropped.kids.len(), dropped.kids.contains(&leaked)), (2, true), "the announced one lay beside it");
    assert_eq!(new.state(f.now()), State::Signing);
    assert_eq!(published(&f).await, [new.kid.clone()].into());
    assert_eq!(signer(&f).await, new.kid);
    assert!(!f.rs1.finds_active(&access).await);
    assert!(!f.c1.may_read_userinfo(&visit.tokens.access).await);
    let mut browser = visit.browser;
    let hint = visit.tokens.id.as_deref().unwrap();
    browser.goto(&f.c1.asks().with("id_token_hint", hint).url()).await;
    assert!(browser.sees("error-page") || browser.has_left(), "a hint of the old key proves nothing");
    let tokens = keys::all(&f.app).await.unwrap();
    assert_eq!(tokens.len(), 1, "not even the sealed halves are left");
}

#[tokio::test]
async fn in_the_place_of_a_dropped_key_comes_the_one_that_apps_may_know() {
    let f = fixtures().await;
    let leaked = signer(&f).await;
    rotate_keys(&f.app).await;
    let announced = keys::all(&f.app).await.unwrap()[0].kid.clone();
    f.clock.advance(600);
    let dropped = keys::drop_at_once(&f.app, &leaked).await.unwrap();
    assert_eq!((dropped.kids, dropped.successor.unwrap().kid), (vec![leaked], announced.clone()));
    assert_eq!(signer(&f).await, announced);
    assert_eq!(published(&f).await, [announced.clone()].into());

    let dropped = keys::drop_at_once(&f.app, &announced).await.unwrap();
    let new = dropped.successor.unwrap().kid;
    assert_eq!(signer(&f).await, new, "without an announced one, a new one");
    assert_eq!(published(&f).await, [new].into());
}

#[tokio::test]
async fn without_the_announced_key_the_one_before_signs_on() {
    let f = fixtures().await;
    let signing = signer(&f).await;
    rotate_keys(&f.app).await;
    assert!(key(&f.app, &signing).await.retired_at.is_some());
    let announced = keys::all(&f.app).await.unwrap()[0].kid.clone();
    let dropped = keys::drop_at_once(&f.app, &announced).await.unwrap();
    assert_eq!(dropped.successor, None);
    assert_eq!(key(&f.app, &signing).await.retired_at, None);
    f.clock.advance(2 * f.app.config.keys.announce.get());
    assert_eq!(signer(&f).await, signing);
    let gone = keys::drop_at_once(&f.app, &announced).await;
    assert!(matches!(gone, Err(Trouble::NotFound("key"))), "{gone:?}");
}

#[tokio::test]
async fn a_retired_key_proves_until_it_is_removed_or_dropped() {
    let f = fixtures().await;
    let (old, access) = (signer(&f).await, token(&f).await);
    keys::rotate(&f.app, keys::FIRST, 0).await.unwrap();
    assert_ne!(signer(&f).await, old);
    assert!(f.rs1.finds_active(&access).await);
    keys::drop_at_once(&f.app, &old).await.unwrap();
    assert!(!f.rs1.finds_active(&access).await);
}
