//! What somebody who got into an account, or knows its password, cannot keep; and what strangers cannot do to it.
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use signet::{
    flows::{
        admin::users,
        login::{self, Proof},
    },
    protocol::{assurance::Methods, trace::Kind},
    store::session::Model,
};

use crate::{
    accounts::visitor,
    api::{Api, Session, api, refused},
    harness::{Answer, Call, phone::phone},
};

const NEW: &str = "seven violet lanterns";

async fn ask_for(api: &Api, thief: &Session, email: &str) {
    let asked = api.post("/me/email", &thief.access, json!({ "email": email })).await;
    assert_eq!(asked.status, 202, "{}", asked.text());
}

async fn confirm(api: &Api, email: &str, password: &str) -> Answer {
    let token = api.link(email, "confirm_new_address").await;
    api.auth("confirm-email-change", json!({ "token": token, "password": password })).await
}

async fn forgotten(api: &Api, email: &str, new: &str) -> Answer {
    api.auth("forgot-password", json!({ "email": email })).await;
    let token = api.link(email, "reset_password").await;
    api.auth("reset-password", json!({ "token": token, "password": new })).await
}

async fn may_sign_in(api: &Api, email: &str, password: &str) -> bool {
    api.auth("login", json!({ "email": email, "password": password })).await.status == 200
}

/// The page behind the link to the old address.
async fn keep(api: &Api, token: &str) -> u16 {
    let mut browser = api.browser();
    browser.goto(&format!("/account/email/keep?token={token}")).await;
    if !browser.sees("question-submit") {
        return browser.page().status();
    }
    browser.press("question-submit").await;
    browser.page().status()
}

/// SEC-123: whoever has taken an account over cannot close the owner's way back: not by another change, not by a new
/// password, and not by giving the account up.
#[tokio::test]
async fn sec_123_a_thief_does_not_close_the_way_back() {
    for gives_up in [false, true] {
        let api = api(&[]).await;
        let (owner, thief) = api.somebody("anna").await;
        ask_for(&api, &thief, "evil1@example.com").await;
        let way_back = api.link(&owner.email, "address_changing").await;
        assert_eq!(confirm(&api, "evil1@example.com", &owner.password).await.status, 200);
        api.clock.advance(1);
        ask_for(&api, &thief, "evil2@example.com").await;
        let thiefs_way_back = api.link("evil1@example.com", "address_changing").await;
        assert_eq!(forgotten(&api, "evil1@example.com", NEW).await.status, 200);
        if gives_up {
            let thief = Session::of(&api.auth("login", json!({ "email": "evil1@example.com", "password": NEW })).await);
            let body = json!({ "current_password": NEW });
            assert!(api.delete("/me", &thief.access, Some(body)).await.status < 300);
        }
        assert_eq!(keep(&api, &way_back).await, 200, "gives up: {gives_up}");
        assert_eq!(keep(&api, &thiefs_way_back).await, 410, "what came later leads nowhere");
        assert!(!may_sign_in(&api, &owner.email, NEW).await && !may_sign_in(&api, &owner.email, &owner.password).await);
        let token = api.link(&owner.email, "reset_password").await;
        let reset = json!({ "token": token, "password": "eleven copper umbrellas" });
        assert_eq!(api.auth("reset-password", reset).await.status, 200);
        assert!(may_sign_in(&api, &owner.email, "eleven copper umbrellas").await, "the account is its owner's");
    }
}

/// SEC-123: a thief's second factor goes with the thief's address; one that the owner had before stays.
#[tokio::test]
async fn sec_123_a_thiefs_factor_does_not_keep_the_owner_out() {
    for owners in [false, true] {
        let api = api(&[]).await;
        let (owner, thief) = api.somebody("dora").await;
        if owners {
            phone(&api.app, &owner).await;
        }
        api.clock.advance(1);
        ask_for(&api, &thief, "evil@example.com").await;
        let way_back = api.link(&owner.email, "address_changing").await;
        assert_eq!(confirm(&api, "evil@example.com", &owner.password).await.status, 200);
        if !owners {
            phone(&api.app, &owner).await;
        }
        assert_eq!(keep(&api, &way_back).await, 200);
        let token = api.link(&owner.email, "reset_password").await;
        let reset = json!({ "token": token, "password": NEW });
        assert_eq!(api.auth("reset-password", reset).await.status, 200);
        let answer = api.auth("login", json!({ "email": owner.email, "password": NEW })).await;
        assert_eq!(answer.status, if owners { 403 } else { 200 }, "the owner's: {owners}");
    }
}

/// SEC-119, SEC-123: what a thief has asked for ends with what the owner does about it.
#[tokio::test]
async fn sec_119_a_pending_change_ends_with_the_password_and_the_sessions() {
    for way in ["password", "everywhere"] {
        let api = api(&[]).await;
        let (owner, thief) = api.somebody("bea").await;
        let here = api.sign_in(&owner).await;
        ask_for(&api, &thief, "evil@example.com").await;
        let token = api.link("evil@example.com", "confirm_new_address").await;
        match way {
            "password" => {
                let body = json!({ "current_password": owner.password, "new_password": NEW });
                assert_eq!(api.post("/me/password", &here.access, body).await.status, 204);
            }
            _ => assert_eq!(api.post("/auth/logout-all", &here.access, Value::Null).await.status, 204),
        }
        for password in [&*owner.password, NEW] {
            let body = json!({ "token": token, "password": password });
            assert_eq!(
                refused(&api.auth("confirm-email-change", body).await),
                (400, "invalid_link".to_owned()),
                "{way}"
            );
        }
    }
}

/// A mail that asks to confirm an address makes nobody give theirs to somebody else's account.
#[tokio::test]
async fn sec_123_nobody_confirms_an_address_for_somebody_else() {
    let api = api(&[]).await;
    let (_, eve) = api.somebody("eve").await;
    ask_for(&api, &eve, "victim@example.com").await;
    let token = api.link("victim@example.com", "confirm_new_address").await;
    let mut victim = api.browser();
    victim.goto(&format!("/account/email/confirm?token={token}")).await;
    victim.fill("question-password", "the victim's own").press("question-submit").await;
    assert_eq!((victim.page().status(), victim.sees("question-password-problem")), (422, true), "{}", victim.page());
    assert_eq!(api.get("/me", &eve.access).await.json()["email"], "eve@example.com");
}

/// SEC-108: a sign-in that was on its way when the password was replaced opens nothing afterwards.
#[tokio::test]
async fn sec_108_a_sign_in_on_its_way_does_not_outlive_the_password() {
    for round in 0..3 {
        let api = api(&[("passwords.threads", "8")]).await;
        let (person, here) = api.somebody("carl").await;
        // Another second than that in which the first was set.
        api.clock.advance(1);
        let sign_in = || api.auth("login", json!({ "email": person.email, "password": person.password }));
        let body = json!({ "current_password": person.password, "new_password": NEW });
        let change = api.post("/me/password", &here.access, body);
        let (answers, change) = tokio::join!(join_all((0..8).map(|_| sign_in())), change);
        assert_eq!(change.status, 204, "{}", change.text());
        for answer in answers {
            if answer.status == 200 {
                let got = Session::of(&answer);
                assert_eq!(api.get("/me", &got.access).await.status, 401, "round {round}");
                let again = api.auth("refresh", json!({ "refresh_token": got.refresh })).await;
                assert_eq!(refused(&again).0, 401, "round {round}");
            }
        }
        assert!(may_sign_in(&api, &person.email, NEW).await);
    }
}

/// SEC-108: between the proof of a password and the session that it begins, anything may happen to the account.
#[tokio::test]
async fn sec_108_a_proof_is_worth_nothing_once_the_account_is_another() {
    for meanwhile in ["nothing", "another password", "disabled and enabled", "disabled"] {
        let api = api(&[]).await;
        let (app, person) = (&api.app, api.person("hans").await);
        let id = person.id.parse().unwrap();
        let visitor = visitor(app);
        let mut trace = app.trace(Kind::Login);
        let proof = login::prove(app, &visitor, &person.email, &person.password, &mut trace).await.unwrap();
        let Proof::Right(user, standing) = proof else { panic!("the password is right") };
        api.clock.advance(1);
        match meanwhile {
            "another password" => users::set_password(app, id, NEW).await.unwrap(),
            "disabled and enabled" => {
                users::set_disabled(app, id, true).await.unwrap();
                users::set_disabled(app, id, false).await.unwrap();
            }
            "disabled" => users::set_disabled(app, id, true).await.unwrap(),
            _ => {}
        }
        let begun =
            login::start_session(app, &visitor, None, (&user, &Methods::password(), None), standing, &trace).await;
        assert_eq!(begun.is_ok(), meanwhile == "nothing", "{meanwhile}");
        let sessions = signet::store::session::Entity::find().all(&app.db).await.unwrap();
        assert_eq!(sessions.len(), usize::from(meanwhile == "nothing"), "{meanwhile}");
    }
}

/// SEC-124: many guesses at once get no more tries than one after the other.
#[tokio::test]
async fn sec_124_guesses_at_once_are_no_more_than_guesses_in_turn() {
    let api = api(&[("limits", "on")]).await;
    let person = api.person("dora").await;
    let guess = |number: u8| {
        let body = json!({ "email": person.email, "password": format!("a wrong one {number}") });
        let call = Call::post("/api/v1/auth/login").body("application/json", body.to_string());
        api.site.send(call.from([127, 0, 9, number + 1]))
    };
    // The free ones, and as many that began beside them; later one at a time.
    for expected in [8, 1] {
        let statuses: Vec<_> = join_all((0..40).map(guess)).await.iter().map(|answer| answer.status).collect();
        let judged = statuses.iter().filter(|status| **status == 401).count();
        assert!((1..=expected).contains(&judged), "{judged} of {statuses:?}");
        api.clock.advance(900);
    }
}

/// SEC-124, K11: while strangers guess, whoever is signed in can still prove who they are.
#[tokio::test]
async fn sec_124_strangers_do_not_keep_a_person_from_their_own_account() {
    let api = api(&[("limits", "on")]).await;
    let (person, session) = api.somebody("emil").await;
    for _ in 0..12 {
        api.auth("login", json!({ "email": person.email, "password": "a wrong one" })).await;
    }
    assert_eq!(api.auth("login", json!({ "email": person.email, "password": "a wrong one" })).await.status, 423);
    let body = json!({ "current_password": person.password, "new_password": NEW });
    assert_eq!(api.post("/me/password", &session.access, body).await.status, 204);
}

/// SEC-124: whoever has somebody's telephone number as their own does not end the wait for that number.
#[tokio::test]
async fn sec_124_a_new_password_ends_the_wait_for_ones_own_names_only() {
    let api = api(&[("limits", "on"), ("accounts.verification", "optional")]).await;
    let number = "+442079460000";
    for (email, phone) in [("victim@example.com", number), ("eve@example.com", number)] {
        let new = json!({ "email": email, "password": "seven quiet lighthouses", "phone_number": phone });
        assert_eq!(api.auth("register", new).await.status, 201);
    }
    let guess = async || api.auth("login", json!({ "phone_number": number, "password": "a wrong one" })).await.status;
    while guess().await != 423 {}
    assert_eq!(forgotten(&api, "eve@example.com", NEW).await.status, 200);
    assert_eq!(guess().await, 423);
}

/// A tool that signs in by the form again and again is one device.
#[tokio::test]
async fn a_tool_that_comes_back_is_no_news() {
    let api = api(&[]).await;
    let person = api.person("fay").await;
    let form =
        format!("grant_type=password&username={}&password={}", person.username, person.password.replace(' ', "+"));
    for _ in 0..3 {
        let call = Call::post("/api/v1/auth/token").body("application/x-www-form-urlencoded", form.clone());
        assert_eq!(api.site.send(call).await.status, 200);
    }
    let told = api.letters().await.iter().filter(|(_, letter)| letter.name() == "new_device").count();
    assert!(told <= 1, "{told} mails");
}

/// SEC-110: whoever has very many sessions, as of a tool that signs in all day, is signed out of them like anybody.
#[tokio::test]
async fn sec_110_a_thousand_sessions_end_at_once() {
    let api = api(&[]).await;
    let (person, here) = api.somebody("gus").await;
    let model = signet::store::session::Entity::find().one(&api.app.db).await.unwrap().unwrap();
    let rows = (0..1000u16).map(|number| {
        let hash = signet::crypto::secret::Secret::presented(&format!("session {number}")).hash();
        signet::store::session::ActiveModel::from(Model { id: api.app.id(), hash, ..model.clone() })
    });
    for some in rows.collect::<Vec<_>>().chunks(200) {
        let insert = signet::store::session::Entity::insert_many(some.to_vec());
        insert.exec_without_returning(&api.app.db).await.unwrap();
    }
    let body = json!({ "current_password": person.password, "new_password": NEW });
    assert_eq!(api.post("/me/password", &here.access, body).await.status, 204);
    let left = signet::store::session::Entity::find().all(&api.app.db).await.unwrap();
    assert_eq!(left.len(), 1, "this one stays");
}
