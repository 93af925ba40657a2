//! AC9 and SEC-110: where somebody is signed in, and an end to it.
use std::fs;

use sea_orm::EntityTrait;
use signet::{
    flows::{
        Trouble, Why,
        account::sessions::{self, SignedIn},
    },
    jobs,
    store::{logout_delivery, mail, session},
};
use uuid::Uuid;

use super::{
    places,
    signed_in::{FIREFOX, SAFARI, at, log, signed_in_with},
};
use crate::{
    harness::{
        Browser, Fixtures, TestServer, assert, fixtures,
        seed::{ClientSpec, Person},
    },
    security::logout::is_signed_in,
};

async fn list(f: &Fixtures, browser: &Browser) -> Vec<SignedIn> {
    let (_, me) = at(f, browser).await;
    sessions::list(&f.app, &me, "de").await.unwrap()
}

fn is_missing<T>(result: Result<T, Trouble>) -> bool {
    matches!(result, Err(Trouble::NotFound(_)))
}

fn asks_for_the_password<T>(result: Result<T, Trouble>, why: &Why) -> bool {
    match result {
        Err(Trouble::Invalid(fields)) => {
            fields.len() == 1 && fields[0].name == "current_password" && fields[0].why == *why
        }
        _ => false,
    }
}

#[tokio::test]
async fn sec_110_the_list_shows_what_people_recognize() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.mmdb");
    fs::write(&path, places::file("Berlin")).unwrap();
    let server = TestServer::with(&[("accounts.geoip", path.to_str().unwrap())]).await;
    let f = server.fixtures().await;
    let first = signed_in_with(&f, &f.u1, FIREFOX).await;
    f.clock.advance(120);
    let second = signed_in_with(&f, &f.u1, SAFARI).await;
    signed_in_with(&f, &f.u2, SAFARI).await;
    f.continue_in(second.stolen(), &f.c1, f.c1.asks()).await;
    f.clock.advance(59);
    f.continue_in(second.stolen(), &f.c2, f.c2.asks()).await;

    let found = list(&f, &second).await;
    let said: Vec<_> = found.iter().map(|entry| entry.says.name().unwrap()).collect();
    assert_eq!(said, ["Safari 18, iOS 18", "Firefox 145, Windows"], "those in use first, and nobody else's");
    assert_eq!((found[0].is_this, found[1].is_this), (true, false));
    let apps: Vec<_> = found[0].apps.iter().map(|app| (app.client_id.as_str(), app.name.as_str())).collect();
    assert_eq!(apps, [("c1", "The c1 application"), ("c2", "The c2 application")]);
    assert!(found[1].apps.is_empty() && found.iter().all(|entry| !entry.is_program));
    for entry in &found {
        assert_eq!(entry.address.as_deref(), Some("127.0.0.1"));
        assert_eq!(entry.place.as_ref().map(ToString::to_string).as_deref(), Some("Berlin, Deutschland"));
    }
    let now = f.now();
    assert_eq!((found[0].created_at, found[0].last_used_at), (now - 59, now - 59), "a use is noted once a minute");
    assert_eq!((found[1].created_at, found[1].expires_at), (now - 179, now - 179 + 3600));
    f.clock.advance(1);
    assert!(list(&f, &second).await.iter().any(|entry| entry.is_this && entry.last_used_at == f.now()));

    // Whoever opens no page for an hour is not signed in any more.
    f.clock.advance(3600 - 180);
    assert_eq!(list(&f, &second).await.len(), 1);
    drop(first);
}

#[tokio::test]
async fn sec_110_one_session_ends_or_all_the_others() {
    let f = TestServer::with(&[("second_factor.fresh", "5m")]).await.fixtures().await;
    let mut browsers = Vec::new();
    for _ in 0..4 {
        browsers.push(signed_in_with(&f, &f.u1, FIREFOX).await);
    }
    let mut tokens = Vec::new();
    for browser in &browsers {
        tokens.push(f.continue_in(browser.stolen(), &f.c1, f.c1.asks_to_stay()).await.tokens);
        tokens.push(f.continue_in(browser.stolen(), &f.c2, f.c2.asks()).await.tokens);
    }
    f.clock.advance(f.app.config.second_factor.fresh.get());
    let (visitor, me) = at(&f, &browsers[0]).await;
    let (_, last) = at(&f, &browsers[3]).await;
    let id = last.session.unwrap();
    let end = async |password: Option<&str>| sessions::end(&f.app, &visitor, &me, id, password).await;
    assert!(asks_for_the_password(end(None).await, &Why::Missing), "the sign-in is not fresh any more");
    assert!(asks_for_the_password(end(Some("wrong")).await, &Why::Wrong));
    end(Some(&f.u1.password)).await.unwrap();
    assert!(is_missing(end(Some(&f.u1.password)).await), "it has ended");
    let live = async |browsers: &mut Vec<Browser>| {
        let mut live = Vec::new();
        for browser in browsers {
            live.push(is_signed_in(&f, browser).await);
        }
        live
    };
    assert_eq!(live(&mut browsers).await, [true, true, true, false]);

    let others = async |password: Option<&str>| sessions::end_others(&f.app, &visitor, &me, password).await;
    assert!(asks_for_the_password(others(None).await, &Why::Missing));
    others(Some(&f.u1.password)).await.unwrap();
    assert_eq!(live(&mut browsers).await, [true, false, false, false]);
    assert_eq!(log(&f, &f.u1).await[4..], ["session_ended"; 2]);

    // The documented rule: with the session end the tokens that live by it, not those of offline_access.
    for (index, tokens) in tokens.iter().enumerate() {
        let (client, survives) = if index % 2 == 0 { (&f.c1, true) } else { (&f.c2, index == 1) };
        assert_eq!(client.may_read_userinfo(&tokens.access).await, survives, "of browser {}", index / 2);
    }
    sessions::end(&f.app, &visitor, &me, me.session.unwrap(), None).await.unwrap();
    assert_eq!(live(&mut browsers).await, [false; 4], "one's own needs no password");
}

#[tokio::test]
async fn sec_110_a_fresh_sign_in_needs_no_password() {
    let f = fixtures().await;
    let mut other = signed_in_with(&f, &f.u1, FIREFOX).await;
    let browser = signed_in_with(&f, &f.u1, SAFARI).await;
    let (visitor, me) = at(&f, &browser).await;
    sessions::end_others(&f.app, &visitor, &me, None).await.unwrap();
    assert!(!is_signed_in(&f, &mut other).await);
}

#[tokio::test]
async fn sec_144_nobody_ends_the_session_of_somebody_else() {
    let f = fixtures().await;
    let mut theirs = signed_in_with(&f, &f.u2, FIREFOX).await;
    let (_, them) = at(&f, &theirs).await;
    let mine = signed_in_with(&f, &f.u1, FIREFOX).await;
    let (visitor, me) = at(&f, &mine).await;
    for id in [them.session.unwrap(), Uuid::new_v4(), Uuid::nil()] {
        assert!(is_missing(sessions::end(&f.app, &visitor, &me, id, Some(&f.u1.password)).await));
    }
    sessions::end_others(&f.app, &visitor, &me, None).await.unwrap();
    sessions::end_all(&f.app, &visitor, &me).await.unwrap();
    assert!(is_signed_in(&f, &mut theirs).await);
    assert_eq!(log(&f, &f.u2).await, ["new_device"], "nothing of this is in their log");
}

/// AC9: every token that was issued before is dead, at every endpoint, also those of `offline_access` and of no session.
#[tokio::test]
async fn signing_out_everywhere_calls_everything_back() {
    let f = fixtures().await;
    let told = Some("https://rp.example/told".to_string());
    let told = f.client(ClientSpec { backchannel_logout_uri: told, ..ClientSpec::web("told") }).await;
    let mut browser = signed_in_with(&f, &f.u1, FIREFOX).await;
    let stays = f.continue_in(browser.stolen(), &f.c1, f.c1.asks_to_stay()).await.tokens;
    let goes = f.continue_in(browser.stolen(), &told, told.asks()).await.tokens;
    let asked = f.c7.asks();
    let code = f.code_for_in(browser.stolen(), &f.c7, &asked).await;
    let (visitor, me) = at(&f, &browser).await;
    let others = f.visit_as(&f.u2, &f.c1).await.tokens;

    f.clock.advance(1);
    sessions::end_all(&f.app, &visitor, &me).await.unwrap();
    for (client, tokens) in [(&f.c1, &stays), (&told, &goes)] {
        assert!(!client.may_read_userinfo(&tokens.access).await);
        assert!(!client.finds_active(&tokens.access).await);
    }
    assert!(!f.c1.finds_active(stays.refresh_token()).await);
    assert::json(&f.c1.refresh(stays.refresh_token()).await, 400, "invalid_grant");
    assert::json(&f.c7.redeem(&code, &asked).await, 400, "invalid_grant");
    assert!(!is_signed_in(&f, &mut browser).await);
    assert!(session::Entity::find().all(&f.app.db).await.unwrap().iter().all(|row| row.user_id != me.user.id));
    let deliveries = logout_delivery::Entity::find().all(&f.app.db).await.unwrap();
    assert_eq!(deliveries.iter().map(|row| row.client_id.as_str()).collect::<Vec<_>>(), ["told"]);
    assert_eq!(log(&f, &f.u1).await.last().map(String::as_str), Some("signed_out_everywhere"));
    assert!(f.c1.may_read_userinfo(&others.access).await, "other people's tokens are as good as before");
    assert!(f.c1.may_read_userinfo(&f.visit(&f.c1).await.tokens.access).await, "and so are new ones");
}

async fn letters(f: &Fixtures) -> Vec<(String, String)> {
    let all = mail::Entity::find().all(&f.app.db).await.unwrap();
    all.into_iter().map(|mail| (mail.recipient, mail.letter)).collect()
}

async fn switch_to(f: &Fixtures, browser: &mut Browser, person: &Person) {
    browser.goto(&f.c4.asks().with("prompt", "login").url()).await;
    browser.press("login-another").await.sign_in(person).await;
    assert!(browser.has_left() || browser.sees("consent-allow"), "not signed in, but on {}", browser.page());
}

/// ASVS 6.3.7: a mail for each browser that the person has not used before, but for the first of all.
#[tokio::test]
async fn a_new_device_is_told_once() {
    let f = fixtures().await;
    let mut first = signed_in_with(&f, &f.u1, FIREFOX).await;
    assert_eq!(letters(&f).await, []);
    assert_eq!(log(&f, &f.u1).await, ["new_device"], "the log has the first one too");
    f.sign_in(&mut first, &f.u1).await;
    assert_eq!(log(&f, &f.u1).await.len(), 1, "this one is known");
    let mut second = signed_in_with(&f, &f.u1, SAFARI).await;
    f.sign_in(&mut second, &f.u1).await;
    let told = [(f.u1.email.clone(), "new_device".to_string())];
    assert_eq!((letters(&f).await, log(&f, &f.u1).await.len()), (told.to_vec(), 2));
    // Somebody else at the same browser is new there.
    switch_to(&f, &mut second, &f.u2).await;
    assert_eq!((letters(&f).await.len(), log(&f, &f.u2).await.len()), (1, 1));
    switch_to(&f, &mut second, &f.u1).await;
    assert_eq!(letters(&f).await.len(), 1);
    // Whose account is older than the log does not sign in for the first time.
    f.clock.advance(366 * 86_400);
    jobs::run_all(&f.app).await;
    assert_eq!(log(&f, &f.u2).await.len(), 0);
    signed_in_with(&f, &f.u2, FIREFOX).await;
    let told = letters(&f).await;
    assert!(told.contains(&(f.u2.email.clone(), "new_device".to_string())), "{told:?}");
}
