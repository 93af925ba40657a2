//! Two servers that start at the same moment on the same empty database.
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, Statement};
use sea_orm_migration::MigratorTrait;
use signet::{
    migrations::Migrator,
    store::{client, lease, resource, sealed_secret, signing_key},
};

use super::program::{Place, Unspent};
use crate::harness::{Call, relying_party::JWKS, server::Clock};

/// OPS3: the schema is made once, and so is everything that there must be one of.
#[tokio::test]
async fn two_servers_that_start_at_once_agree() {
    let place = Place::new().await;
    let (first, second) = (place.begin(), place.begin());
    let (first, second) = tokio::join!(first.await_readiness(), second.await_readiness());
    let db = place.database().await;

    let versions = Statement::from_string(db.get_database_backend(), "SELECT version FROM seaql_migrations");
    assert_eq!(db.query_all_raw(versions).await.unwrap().len(), Migrator::migrations().len());
    assert_eq!(signing_key::Entity::find().count(&db).await.unwrap(), 1, "one signing key");
    assert_eq!(sealed_secret::Entity::find().count(&db).await.unwrap(), 3);
    assert_eq!(resource::Entity::find().count(&db).await.unwrap(), 1);
    assert!(client::find(&db, "shop").await.unwrap().is_some());

    // Each prints a link, for nobody knows which output is read.
    for server in [&first, &second] {
        let link = server.set_up_link().expect("a set-up link");
        let page = server.site.send(Call::get(&link)).await;
        assert_eq!(page.status, 200, "{link}");
    }

    // What one does, the other knows.
    let person = place.person().await;
    let browser = first.signed_in(&person).await;
    let mut there = browser.led_to(&second.site);
    let asked = second.shop().asks();
    there.goto(&asked.url()).await;
    assert!(there.has_left(), "the session of one server is one at the other, but there is {}", there.page());
    let unspent = Unspent::get(&first.shop(), &browser).await;
    let tokens = unspent.tokens(&second.shop()).await;
    assert!(first.shop().may_read_userinfo(&tokens.access).await);
}

/// A server that died while it made the first signing key does not keep the next one from it for long.
#[tokio::test]
async fn a_first_start_that_was_cut_short_is_made_up_for() {
    let place = Place::new().await;
    place.run(&["migrate", "up"], "").await;
    let db = place.database().await;
    let now = Clock::System.now();
    assert!(lease::take(&db, "first-signing-key", "a server that died", now, now + 3).await.unwrap());
    let server = place.server().await;
    assert_eq!(signing_key::Entity::find().count(&db).await.unwrap(), 1);
    assert_eq!(server.site.get(JWKS).await.json()["keys"].as_array().unwrap().len(), 1);
}
