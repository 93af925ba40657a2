use signet::{
    app::readers::MOST,
    flows::{
        admin::{
            key_status::{self, Seen},
            keys,
        },
        readers::flush,
    },
};

use super::signer;
use crate::harness::{
    Answer, Call, Fixtures, Parameters, Proof, RelyingParty, TestServer, Tokens, fixtures,
    relying_party::{JWKS, TOKEN, encoded},
    seed::{rotate_keys, run_jobs},
};

/// Gets a token, as a program of this name, from an address.
async fn gets_token(f: &Fixtures, client: &RelyingParty, agent: &str, from: [u8; 4]) {
    let call = client.call(TOKEN, Parameters::new(&[("grant_type", "client_credentials")]));
    Tokens::of(&f.site.send(call.header("user-agent", agent).from(from)).await);
}

async fn fetches(f: &Fixtures, agent: &str, from: [u8; 4]) -> Answer {
    f.site.send(Call::get(JWKS).header("user-agent", agent).from(from)).await
}

/// What the operator is told of a client, about the newest key; and when the client fetched last.
async fn told(f: &Fixtures, client: &RelyingParty) -> Option<(&'static str, Option<i64>)> {
    flush(&f.app).await.unwrap();
    let newest = key_status::status(&f.app).await.unwrap().keys.remove(0);
    let app = newest.apps.into_iter().find(|app| app.client_id == client.client_id)?;
    Some((app.seen.as_str(), app.fetched_at.map(|at| at - f.now())))
}

const HERE: [u8; 4] = [127, 0, 0, 1];
const THERE: [u8; 4] = [127, 0, 0, 2];

#[tokio::test]
async fn an_app_has_seen_a_key_when_it_fetched_it_from_where_it_gets_tokens() {
    let f = fixtures().await;
    gets_token(&f, &f.c5, "app/1", HERE).await;
    assert_eq!(told(&f, &f.c5).await, Some(("unknown", None)));
    fetches(&f, "app/1", THERE).await;
    fetches(&f, "app/2", HERE).await;
    assert_eq!(told(&f, &f.c5).await, Some(("unknown", None)), "another address, another program");
    fetches(&f, "app/1", HERE).await;
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));

    f.clock.advance(100);
    rotate_keys(&f.app).await;
    assert_eq!(told(&f, &f.c5).await, Some(("not seen", Some(-100))));
    let behind = key_status::behind(&f.app, keys::FIRST).await.unwrap();
    assert_eq!(behind.iter().map(|app| (&*app.client_id, app.seen)).collect::<Vec<_>>(), [("c5", Seen::No)]);
    assert_eq!(told(&f, &f.rs1).await, None, "it has no traffic");
    fetches(&f, "app/1", HERE).await;
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));
    assert!(key_status::behind(&f.app, keys::FIRST).await.unwrap().is_empty());
    f.clock.advance(31 * 86_400);
    assert_eq!(told(&f, &f.c5).await, None, "no traffic for a month");
}

#[tokio::test]
async fn a_fetch_before_the_first_token_counts_too() {
    let f = fixtures().await;
    fetches(&f, "app/1", HERE).await;
    gets_token(&f, &f.c5, "app/1", HERE).await;
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));
}

#[tokio::test]
async fn an_answer_that_nothing_has_changed_is_a_fetch() {
    let f = fixtures().await;
    gets_token(&f, &f.c5, "app/1", HERE).await;
    rotate_keys(&f.app).await;
    let tag = f.site.get(JWKS).await.header("etag").unwrap().to_string();
    let again = Call::get(JWKS).header("if-none-match", &tag).header("user-agent", "app/1");
    assert_eq!(f.site.send(again).await.status, 304);
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));
}

#[tokio::test]
async fn an_app_may_say_who_it_is_and_is_never_refused() {
    let f = fixtures().await;
    let Proof::Basic(secret) = &f.c5.proof else { panic!("c5 has a secret") };
    let fetch = |secret: &str| Call::get(JWKS).basic("c5", &encoded(secret)).from(THERE);
    gets_token(&f, &f.c5, "app/1", HERE).await;
    assert_eq!(f.site.send(fetch("wrong")).await.status, 200);
    assert_eq!(f.site.send(Call::get(JWKS).header("authorization", "Basic %")).await.status, 200);
    assert_eq!(told(&f, &f.c5).await, Some(("unknown", None)));
    let answer = f.site.send(fetch(secret)).await;
    assert_eq!((answer.status, answer.text()), (200, f.site.get(JWKS).await.text()));
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));
}

/// An app on two machines, of which one has not fetched the new key, would break on that one.
#[tokio::test]
async fn every_place_of_an_app_counts() {
    let f = fixtures().await;
    rotate_keys(&f.app).await;
    for place in [HERE, THERE] {
        gets_token(&f, &f.c5, "app/1", place).await;
        fetches(&f, "app/1", place).await;
    }
    flush(&f.app).await.unwrap();
    f.clock.advance(4000);
    rotate_keys(&f.app).await;
    f.clock.advance(100);
    for place in [HERE, THERE] {
        gets_token(&f, &f.c5, "app/1", place).await;
    }
    fetches(&f, "app/1", HERE).await;
    assert_eq!(told(&f, &f.c5).await, Some(("not seen", Some(0))));
    fetches(&f, "app/1", THERE).await;
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));
}

/// What one server was asked for tokens, and another for keys, is put together in the database.
#[tokio::test]
async fn servers_know_together_what_none_of_them_knows_alone() {
    let f = fixtures().await;
    gets_token(&f, &f.c5, "app/1", HERE).await;
    flush(&f.app).await.unwrap();
    let caller = f.app.caller("127.0.0.2".parse().unwrap(), "app/1");
    let elsewhere = signet::app::readers::Readers::default();
    elsewhere.used("c5", caller, f.now());
    let uses = elsewhere.news().uses;
    signet::store::token_caller::note(&f.app.db, uses).await.unwrap();
    fetches(&f, "app/1", THERE).await;
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));
}

/// Behind a trusted proxy it is the client's address that counts.
#[tokio::test]
async fn the_address_is_the_one_that_a_trusted_proxy_names() {
    let f = TestServer::with(&[("trusted_proxies", "127.0.0.0/8")]).await.fixtures().await;
    let call = f.c5.call(TOKEN, Parameters::new(&[("grant_type", "client_credentials")]));
    f.site.send(call.header("user-agent", "app/1").header("x-forwarded-for", "192.0.2.1")).await;
    let fetch = |address: &str| Call::get(JWKS).header("user-agent", "app/1").header("x-forwarded-for", address);
    f.site.send(fetch("192.0.2.2")).await;
    assert_eq!(told(&f, &f.c5).await, Some(("unknown", None)));
    f.site.send(fetch("192.0.2.1")).await;
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));
}

/// Anybody may fetch the keys under any name: memory and table stay small, and those who are known stay known.
#[tokio::test]
async fn strangers_fill_nothing() {
    use sea_orm::{EntityTrait, PaginatorTrait};
    let f = fixtures().await;
    gets_token(&f, &f.c5, "app/1", HERE).await;
    fetches(&f, "app/1", HERE).await;
    let fetch = signet::app::readers::Fetch { at: f.now(), newest: 0 };
    for stranger in 0..3 * MOST {
        f.app.readers.fetched(stranger.to_string(), fetch);
    }
    assert!(f.app.readers.len() <= MOST, "{}", f.app.readers.len());
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));
    let rows = signet::store::key_fetch::Entity::find().count(&f.app.db).await.unwrap();
    assert_eq!(rows, 257, "of strangers, 256 in one write");
    for person in 0..3 * MOST {
        f.app.readers.used("c2", person.to_string(), f.now());
    }
    assert!(f.app.readers.len() <= MOST, "{}", f.app.readers.len());
    let news = f.app.readers.news();
    assert_eq!(news.uses.len(), 8, "an app in browsers is in as many places as people, and a few tell enough");
}

/// Places that are many are forgotten from the oldest on, and old ones after a year.
#[tokio::test]
async fn what_is_known_of_readers_is_bounded() {
    use sea_orm::{EntityTrait, PaginatorTrait};
    use signet::store::{
        key_fetch::{self, KeyFetch},
        token_caller::{self, TokenCaller},
    };
    let f = fixtures().await;
    let place = |number: i64, used_at: i64| TokenCaller {
        client_id: if number < 100 { "c2".into() } else { "c5".into() },
        caller: format!("{number}"),
        used_at,
    };
    let mut places: Vec<TokenCaller> = (0..100).map(|number| place(number, f.now() - number)).collect();
    places.extend((100..110).map(|number| place(number, f.now() - 366 * 86_400 * (number % 2))));
    token_caller::note(&f.app.db, places).await.unwrap();
    let fetch = |number: i64| KeyFetch {
        caller: format!("{number}"),
        fetched_at: f.now() - 366 * 86_400 * (number % 2),
        newest_key: 0,
    };
    key_fetch::note(&f.app.db, (0..100).map(fetch).collect()).await.unwrap();
    signet::flows::forget::expired(&f.app).await.unwrap();
    assert_eq!(token_caller::Entity::find().count(&f.app.db).await.unwrap(), 64 + 5);
    assert_eq!(key_fetch::Entity::find().count(&f.app.db).await.unwrap(), 50);
    key_fetch::forget_beyond(&f.app.db, 10).await.unwrap();
    assert!(key_fetch::Entity::find().count(&f.app.db).await.unwrap() <= 50);
}

/// The database is away for a while: who fetched meanwhile is not forgotten, and the keys are answered.
#[tokio::test]
async fn what_could_not_be_written_is_written_later() {
    let f = fixtures().await;
    gets_token(&f, &f.c5, "app/1", HERE).await;
    fetches(&f, "app/1", HERE).await;
    assert_eq!(f.app.readers.news().uses.len(), 1, "taken, and then the write fails");
    f.app.readers.write_again();
    assert_eq!(told(&f, &f.c5).await, Some(("seen", Some(0))));
    assert!(f.app.readers.news().uses.is_empty(), "written once an hour");
    f.clock.advance(3600);
    gets_token(&f, &f.c5, "app/1", HERE).await;
    assert_eq!(f.app.readers.news().uses.len(), 1);
    run_jobs(&f.app).await;
    let _ = signer(&f).await;
}
