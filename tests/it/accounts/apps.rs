//! Apps with access: what each may see, since when, last used; and an end to it.
use signet::flows::{
    Trouble,
    account::{
        apps::{self, Access},
        me::Me,
    },
};

use super::signed_in::{FIREFOX, at, log, signed_in_with};
use crate::harness::{Fixtures, assert, fixtures, seed::ClientSpec};

async fn list(f: &Fixtures, me: &Me) -> Vec<Access> {
    apps::list(&f.app, me).await.unwrap()
}

#[tokio::test]
async fn the_list_says_what_each_app_has() {
    let f = fixtures().await;
    let own = f.client(ClientSpec { first_party: true, ..ClientSpec::web("own") }).await;
    let browser = signed_in_with(&f, &f.u1, FIREFOX).await;
    let (_, me) = at(&f, &browser).await;
    assert!(list(&f, &me).await.is_empty());
    let first = f.now();
    let asked = f.c1.asks_to_stay().with("scope", "openid email offline_access");
    let stays = f.continue_in(browser.stolen(), &f.c1, asked).await.tokens;
    f.clock.advance(600);
    f.continue_in(browser.stolen(), &f.c2, f.c2.asks().with("scope", "openid profile")).await;
    f.continue_in(browser.stolen(), &own, own.asks().with("scope", "openid")).await;
    f.visit_as(&f.u2, &f.c3).await;

    let found = list(&f, &me).await;
    let names: Vec<_> = found.iter().map(|access| access.client.client_id.as_str()).collect();
    assert_eq!(names, ["c2", "own", "c1"], "those used last come first; nobody else's, and not the server's own");
    let c1 = &found[2];
    assert_eq!((c1.scope.to_string().as_str(), c1.is_offline), ("email offline_access openid", true));
    assert_eq!((c1.since, c1.last_used_at), (first, Some(first)));
    assert_eq!((found[0].scope.to_string().as_str(), found[0].is_offline), ("openid profile", false));
    assert_eq!(found[1].last_used_at, Some(f.now()), "one that need not ask is seen while it holds something");

    f.clock.advance(60);
    f.c1.refreshed(stays.refresh_token()).await;
    let found = list(&f, &me).await;
    assert_eq!((found[0].client.client_id.as_str(), found[0].last_used_at), ("c1", Some(f.now())));
    assert_eq!(found[0].since, first);
    // What was agreed to stays, long after the tokens.
    f.clock.advance(30 * 60);
    let found = list(&f, &me).await;
    let names: Vec<_> = found.iter().map(|access| (access.client.client_id.as_str(), access.last_used_at)).collect();
    assert_eq!(names, [("c1", Some(first + 660)), ("c2", Some(first + 600))]);
}

#[tokio::test]
async fn revoking_an_app_ends_its_tokens_and_it_asks_again() {
    let f = fixtures().await;
    let browser = signed_in_with(&f, &f.u1, FIREFOX).await;
    let (visitor, me) = at(&f, &browser).await;
    let stays = f.continue_in(browser.stolen(), &f.c1, f.c1.asks_to_stay()).await.tokens;
    let other = f.continue_in(browser.stolen(), &f.c2, f.c2.asks()).await.tokens;
    let theirs = f.visit_as(&f.u2, &f.c1).await.tokens;
    f.clock.advance(1);
    apps::revoke(&f.app, &visitor, &me, "c1").await.unwrap();
    assert!(!f.c1.may_read_userinfo(&stays.access).await);
    assert::json(&f.c1.refresh(stays.refresh_token()).await, 400, "invalid_grant");
    assert!(f.c2.may_read_userinfo(&other.access).await && f.c1.may_read_userinfo(&theirs.access).await);
    assert_eq!(log(&f, &f.u1).await, ["new_device", "app_revoked"]);
    let mut again = browser.stolen();
    again.goto(&f.c1.asks().url()).await;
    assert!(again.sees("consent-allow"), "it must ask again: {}", again.page());
}

#[tokio::test]
async fn sec_144_an_app_that_has_nothing_of_the_person_is_not_there() {
    let f = fixtures().await;
    let browser = signed_in_with(&f, &f.u1, FIREFOX).await;
    let (visitor, me) = at(&f, &browser).await;
    let theirs = f.visit_as(&f.u2, &f.c1).await.tokens;
    for client in ["c1", "nothing", "signet-account", "signet-api", "", "a\0b"] {
        let revoked = apps::revoke(&f.app, &visitor, &me, client).await;
        assert!(matches!(revoked, Err(Trouble::NotFound("app"))), "{client:?}: {revoked:?}");
    }
    assert!(f.c1.may_read_userinfo(&theirs.access).await);
    assert_eq!(log(&f, &f.u1).await, ["new_device"]);
}
