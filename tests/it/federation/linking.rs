//! Connecting accounts at providers with one's own, and disconnecting them (cases SEC-138 to SEC-140).

use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};
use signet::{
    crypto::secret::Secret,
    flows::{
        account::{me::Me, providers},
        factors,
        visitor::Device,
    },
    protocol::assurance::{Method, Methods},
    store::{
        passkey::{self, Passkey},
        password, upstream, upstream_link, user,
    },
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{OPEN, World, cookie, grace, is_inside, like, world, world_with};
use crate::{
    accounts::signed_in::log,
    harness::{Browser, Call, Parameters, TestServer, seed, seed::Person},
};

impl World {
    /// From the page of the account to the provider.
    async fn set_out(&self, browser: &mut Browser) {
        browser.goto("/account/providers").await.press("connect-harbor").await;
        assert!(browser.has_left(), "{}", browser.page());
    }

    /// There and back again, as this person there.
    async fn connect(&self, browser: &mut Browser, person: &Value) {
        self.set_out(browser).await;
        let back = self.up.back(&browser.landed().url, person);
        browser.goto(&back).await;
    }

    async fn person(&self, person: &Person) -> user::User {
        user::find(&self.f.app.db, person.id.parse().unwrap()).await.unwrap().unwrap()
    }

    async fn subjects(&self, person: &Person) -> Vec<String> {
        seed::mailbox(&self.f.app, &person.email).await.into_iter().map(|mail| mail.subject).collect()
    }

    async fn without_password(&self, person: &Person) {
        password::remove(&self.f.app.db, person.id.parse().unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn who_is_signed_in_connects_an_account_and_signs_in_by_it() {
    let w = world("").await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    w.set_out(&mut browser).await;
    let address = browser.landed().url.clone();
    assert!(address.query().unwrap().contains("prompt=select_account"), "{address}");
    let back = w.up.back(&address, &grace());
    browser.goto(&back).await;
    assert_eq!(browser.page().path(), "/account/providers");
    assert!(browser.page().text().contains("The account is connected."), "{}", browser.page());
    assert!(browser.page().text().contains("grace@harbor.example"), "{}", browser.page());
    let links = w.links().await;
    assert_eq!((links.len(), links[0].user_id.to_string()), (1, w.f.u1.id.clone()));
    assert!(w.subjects(&w.f.u1).await.contains(&"A new way into your account".to_owned()));
    assert!(log(&w.f, &w.f.u1).await.contains(&"provider_linked".to_owned()));
    // Her profile is her own.
    assert_ne!(w.person(&w.f.u1).await.claims.name.as_deref(), Some("Grace Hopper"));

    let mut another = w.f.browser();
    w.come(&mut another, &grace()).await;
    assert!(is_inside(&another), "{}", another.page());
    assert_eq!(w.links().await.len(), 1);
}

/// FD2: several for each account, several of one provider.
#[tokio::test]
async fn several_of_one_provider_open_one_account() {
    let w = world("").await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    w.connect(&mut browser, &grace()).await;
    w.connect(&mut browser, &like(&w.f.u1)).await;
    assert_eq!(w.links().await.len(), 2);
    // What is there already is not there twice, and nobody is told twice.
    w.connect(&mut browser, &grace()).await;
    assert!(browser.page().text().contains("was connected with yours already"), "{}", browser.page());
    assert_eq!(w.links().await.len(), 2);
    let told = w.subjects(&w.f.u1).await;
    assert_eq!(told.iter().filter(|subject| *subject == "A new way into your account").count(), 2, "{told:?}");
    for person in [grace(), like(&w.f.u1)] {
        let mut another = w.f.browser();
        w.come(&mut another, &person).await;
        assert!(is_inside(&another), "{}", another.page());
    }
}

#[tokio::test]
async fn there_is_an_end_to_how_many_one_account_has() {
    let w = world("").await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    for n in 0..20 {
        w.connect(&mut browser, &json!({ "sub": format!("s-{n}") })).await;
    }
    assert_eq!(w.links().await.len(), 20);
    browser.goto("/account/providers").await.press("connect-harbor").await;
    assert!(browser.sees("provider-full"), "{}", browser.page());
    browser.press("provider-back").await;
    assert_eq!(browser.page().path(), "/account/providers");
}

/// Case SEC-139: an identity is one person's.
#[tokio::test]
async fn what_opens_somebody_elses_account_is_not_connected() {
    let w = world(OPEN).await;
    w.enrolled().await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    w.connect(&mut browser, &grace()).await;
    assert_eq!((browser.page().status(), browser.sees("provider-taken")), (409, true), "{}", browser.page());
    let text = browser.page().text().to_owned();
    assert!(!text.contains("Grace") && !text.contains("grace@") && !text.contains("g-1906"), "{text}");
    let (rule, noted) = w.refusal().await;
    assert_eq!((&*rule, noted.contains("somebody else")), ("upstream_account", true), "{noted}");
    let links = w.links().await;
    assert!(links.len() == 1 && links[0].user_id.to_string() != w.f.u1.id);
    browser.press("provider-back").await;
    assert_eq!(browser.page().path(), "/account/providers");
}

/// Two people come back with the same identity at once: one has it.
#[tokio::test]
async fn of_two_people_who_connect_the_same_at_once_one_does() {
    let w = world("").await;
    let mut both = JoinSet::new();
    for person in [&w.f.u1, &w.f.u2] {
        let mut browser = w.f.signed_in(person).await;
        w.set_out(&mut browser).await;
        let back = w.up.back(&browser.landed().url, &grace());
        both.spawn(async move {
            browser.goto(&back).await;
            browser.page().status()
        });
    }
    let mut statuses = both.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses, w.links().await.len()), (vec![200, 409], 1));
}

/// Case SEC-140: an address that somebody else gives to a victim's browser connects nothing, and neither does a form.
#[tokio::test]
async fn sec_140_nobody_connects_theirs_with_another_account() {
    let w = world("").await;
    // The way back of an attacker, in the browser of a victim.
    let mut attacker = w.f.signed_in(&w.f.u2).await;
    w.set_out(&mut attacker).await;
    let back = w.up.back(&attacker.landed().url, &grace());
    let mut victim = w.f.signed_in(&w.f.u1).await;
    victim.goto(&back).await;
    assert_eq!((victim.page().status(), victim.sees("provider-stale")), (400, true), "{}", victim.page());
    assert!(w.links().await.is_empty());

    victim.goto("/account/providers").await;
    let (action, method, form) = victim.form("connect-harbor");
    for forged in [form.clone().without("csrf"), Parameters::default()] {
        victim.goto("/account/providers").await.submit(&action, method.clone(), &forged).await;
        assert_eq!(victim.page().status(), 403, "{}", victim.page());
    }
    victim.post_from_elsewhere(&action, &form).await;
    assert_eq!(victim.page().status(), 403, "{}", victim.page());
    victim.goto(&action).await;
    assert_eq!(victim.page().status(), 405, "no address alone begins it");
    let mut stranger = w.f.browser();
    stranger.goto("/account/providers").await;
    assert!(stranger.sees("login-submit"), "{}", stranger.page());
}

/// Whoever set out must be there still: the same person in the same session.
#[tokio::test]
async fn who_comes_back_is_who_set_out() {
    for other in [None, Some("u2"), Some("u1")] {
        let w = world("").await;
        let mut browser = w.f.signed_in(&w.f.u1).await;
        w.set_out(&mut browser).await;
        let back = w.up.back(&browser.landed().url, &grace());
        browser.goto("/account").await.press("account-sign-out").await;
        match other {
            Some("u1") => w.f.sign_in(&mut browser, &w.f.u1).await,
            Some(_) => w.f.sign_in(&mut browser, &w.f.u2).await,
            None => {}
        }
        browser.goto(&back).await;
        assert_eq!(
            (browser.page().status(), browser.sees("provider-stale")),
            (400, true),
            "{other:?} {}",
            browser.page()
        );
        assert!(w.links().await.is_empty(), "{other:?}");
    }
}

/// Case SEC-140: somebody who finds a browser open opens no way in of their own, and closes none.
#[tokio::test]
async fn sec_140_who_signed_in_long_ago_signs_in_again_first() {
    let w = world("").await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    w.connect(&mut browser, &grace()).await;
    let id = w.links().await[0].id;
    browser.goto("/account/providers").await;
    let forms = [browser.form("connect-harbor"), browser.form(&format!("disconnect-{id}"))];
    w.f.clock.advance(600);
    browser.goto("/account/providers").await;
    assert!(!browser.sees("connect-harbor") && !browser.sees(&format!("disconnect-{id}")), "{}", browser.page());
    for (action, method, form) in forms {
        browser.goto("/account/providers").await.submit(&action, method, &form).await;
        assert!(browser.sees("login-password"), "{}", browser.page());
    }
    assert_eq!(w.links().await.len(), 1);
    browser.goto("/account/providers").await.press("providers-again").await.sign_in(&w.f.u1).await;
    assert_eq!(browser.page().path(), "/account/providers");
    browser.press(&format!("disconnect-{id}")).await;
    assert!(browser.page().text().contains("The account is disconnected."), "{}", browser.page());
    assert!(w.links().await.is_empty());
}

/// Case SEC-132: a password alone does not get round a second factor.
#[tokio::test]
async fn one_factor_of_two_connects_nothing() {
    let w = world("").await;
    let mut thief = w.f.signed_in(&w.f.u1).await;
    thief.goto("/account/providers").await;
    let (action, method, form) = thief.form("connect-harbor");
    w.set_out(&mut thief).await;
    let back = w.up.back(&thief.landed().url, &grace());
    crate::harness::phone::phone(&w.f.app, &w.f.u1).await;
    thief.goto(&back).await;
    assert!(w.links().await.is_empty(), "it is looked at again in the write: {}", thief.page());
    thief.goto("/account/providers").await.submit(&action, method, &form).await;
    assert!(thief.sees("login-password"), "{}", thief.page());
}

#[tokio::test]
async fn the_rules_of_the_provider_hold_for_who_is_signed_in_too() {
    for (rule, person) in [
        ("email_domains = ['example.org']", grace()),
        ("groups_claim = 'groups'\nallowed_groups = ['staff']", json!({ "sub": "g", "groups": ["guests"] })),
    ] {
        let w = world(rule).await;
        let mut browser = w.f.signed_in(&w.f.u1).await;
        w.connect(&mut browser, &person).await;
        assert_eq!((browser.page().status(), browser.sees("provider-unwelcome")), (403, true), "{}", browser.page());
        assert!(browser.page().text().contains("Harbor was not connected"), "{}", browser.page());
        assert!(w.links().await.is_empty());
    }
}

/// What a provider answers badly ends at the account, and counts once.
#[tokio::test]
async fn sec_136_an_answer_counts_once_and_is_believed_only_if_it_is_right() {
    let w = world("").await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    w.set_out(&mut browser).await;
    let denied = crate::harness::upstream::back_with(&browser.landed().url, &[("error", "access_denied")]);
    browser.goto(&denied).await;
    assert!(browser.sees("provider-denied") && browser.page().status() == 403, "{}", browser.page());
    browser.goto(&denied).await;
    assert!(browser.sees("provider-stale"), "{}", browser.page());

    w.up.lies().claims = json!({ "nonce": "another" });
    w.connect(&mut browser, &grace()).await;
    assert!(browser.sees("provider-failed"), "{}", browser.page());
    assert!(w.links().await.is_empty());
    w.up.repent();
    w.connect(&mut browser, &grace()).await;
    assert_eq!(w.links().await.len(), 1);
}

/// The person is told, and it opens nothing any more.
#[tokio::test]
async fn what_is_disconnected_opens_nothing() {
    let w = world("").await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    w.connect(&mut browser, &grace()).await;
    let id = w.links().await[0].id;
    let mut other = w.f.signed_in(&w.f.u2).await;
    other.goto("/account/providers").await;
    let csrf = other.form("connect-harbor").2.get("csrf").unwrap().to_owned();
    let form = Parameters::default().also("csrf", &csrf).also("remove", &id.to_string());
    other.request(Call::post("/account/providers").form(&form)).await;
    assert_eq!(w.links().await.len(), 1, "it is not theirs");

    browser.press(&format!("disconnect-{id}")).await;
    assert!(w.links().await.is_empty());
    assert!(w.subjects(&w.f.u1).await.contains(&"A way into your account was closed".to_owned()));
    assert!(log(&w.f, &w.f.u1).await.contains(&"provider_unlinked".to_owned()));
    browser.goto("/account/security").await;
    assert!(browser.page().text().contains("Way to sign in disconnected"), "{}", browser.page());
    let mut another = w.f.browser();
    w.come(&mut another, &grace()).await;
    assert_eq!(cookie(&another, "session"), None, "{}", another.page());
}

/// Case SEC-140: what else opens the account counts, and nothing that does not.
#[tokio::test]
async fn sec_140_the_last_way_in_stays() {
    let magic = ("second_factor.magic_links", "true");
    for (why, settings, second, verified, goes) in [
        ("nothing else", &[][..], "", true, false),
        ("a link by mail", &[magic], "", true, true),
        ("a link by mail to an address that is not confirmed", &[magic], "", false, false),
        ("another account at a provider", &[], "works", true, true),
        ("one at a provider that is switched off", &[], "is off", true, false),
        ("one of an issuer that has moved", &[], "has moved", true, false),
    ] {
        let w = world_with(settings, "").await;
        let mut browser = w.f.signed_in(&w.f.u1).await;
        w.connect(&mut browser, &grace()).await;
        let id = w.links().await[0].id;
        if !second.is_empty() {
            w.connect(&mut browser, &like(&w.f.u1)).await;
        }
        if second == "has moved" {
            let of = w.links().await.into_iter().find(|link| link.id != id).unwrap();
            let change = upstream_link::ActiveModel { issuer: Set("https://old.example".into()), ..of.into() };
            upstream_link::Entity::update(change).exec(&w.f.app.db).await.unwrap();
        }
        if second == "is off" {
            let mut other = upstream::all(&w.f.app.db).await.unwrap().remove(0);
            let of = w.links().await.into_iter().find(|link| link.id != id).unwrap();
            // The other one came by a provider that is no more.
            other.settings.issuer = Some("https://gone.example".to_owned());
            let issuer = Set("https://gone.example".to_owned());
            let change = upstream_link::ActiveModel { upstream: Set("gone".to_owned()), issuer, ..of.into() };
            upstream_link::Entity::update(change).exec(&w.f.app.db).await.unwrap();
            (other.id, other.name, other.disabled_at) = (Uuid::new_v4(), "gone".to_owned(), Some(1));
            upstream::insert(&w.f.app.db, other).await.unwrap();
        }
        let change = user::ActiveModel { email_verified: Set(verified), ..Default::default() };
        let all = user::Entity::update_many().set(change);
        all.exec(&w.f.app.db).await.unwrap();
        w.without_password(&w.f.u1).await;
        browser.goto("/account/providers").await.press(&format!("disconnect-{id}")).await;
        let gone = !w.links().await.iter().any(|link| link.id == id);
        assert_eq!(gone, goes, "{why}: {}", browser.page());
        if !goes {
            assert_eq!(browser.page().status(), 409, "{why}");
            assert!(browser.page().text().contains("the only way into your account"), "{why}: {}", browser.page());
        }
    }
}

/// Case SEC-135: a passkey and an account at a provider stand in for one another, but not at once.
#[tokio::test]
async fn sec_140_of_two_last_ways_that_are_closed_at_once_one_stays() {
    for round in 0..6 {
        let w = world("").await;
        let mut browser = w.f.signed_in(&w.f.u1).await;
        w.connect(&mut browser, &grace()).await;
        let with_passkey = round % 2 == 0;
        match with_passkey {
            true => passkey::insert(&w.f.app.db, some_passkey(&w.f.u1)).await.unwrap(),
            false => w.connect(&mut browser, &like(&w.f.u1)).await,
        }
        w.without_password(&w.f.u1).await;
        let me = Me {
            user: w.person(&w.f.u1).await,
            session: None,
            grant: None,
            auth_time: w.f.now(),
            proved: Methods::of([Method::DevicePasskey, Method::UserVerified]),
            device: Device::new("127.0.0.1".parse().unwrap(), None),
        };
        let mut both = JoinSet::new();
        for link in w.links().await {
            let (app, me) = (w.f.app.clone(), me.clone());
            both.spawn(async move { providers::remove(&app, &me, link.id).await.is_ok() });
        }
        for key in passkey::all_of(&w.f.app.db, me.user.id).await.unwrap() {
            let (app, me) = (w.f.app.clone(), me.clone());
            both.spawn(async move { factors::passkey::remove(&app, &me, key.id).await.is_ok() });
        }
        let gone = both.join_all().await.into_iter().filter(|gone| *gone).count();
        let left = w.links().await.len() + passkey::all_of(&w.f.app.db, me.user.id).await.unwrap().len();
        assert_eq!((gone, left), (1, 1), "{round}");
    }
}

fn some_passkey(person: &Person) -> Passkey {
    Passkey {
        id: Uuid::new_v4(),
        user_id: person.id.parse().unwrap(),
        credential: Secret::presented("a credential").hash(),
        record: "{}".to_owned(),
        name: "my phone".to_owned(),
        synced: true,
        created_at: 0,
        last_used_at: None,
    }
}

/// The section is there where it is of use.
#[tokio::test]
async fn without_a_provider_there_is_no_section() {
    let f = TestServer::start().await.fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto("/account").await;
    assert!(!browser.page().answer.text().contains("/account/providers"));
    let w = world("hidden = true").await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    browser.goto("/account").await;
    assert!(!browser.page().answer.text().contains("/account/providers"), "nobody is shown what is hidden");
}
