//! PW, RS: what holds for a password holds at every door where one is given or set; and what ends a link, or a code.
use sea_orm::EntityTrait;
use serde_json::json;
use signet::{
    flows::admin::users,
    jobs,
    store::{security_event, session, user},
};

use crate::{
    api::{Api, Session, api, blamed, refused},
    harness::{Answer, assert, fixtures},
};

const NEW: &str = "seven violet lanterns";

/// Where a new password is set, and by which member.
const DOORS: [(&str, &str); 3] = [("register", "password"), ("change", "new_password"), ("reset", "password")];

/// Somebody who may set a new password at a door.
struct Setting<'a> {
    api: &'a Api,
    door: &'a str,
    email: String,
    session: Session,
    password: String,
    token: String,
}

impl Setting<'_> {
    async fn at<'a>(api: &'a Api, door: &'a str) -> Setting<'a> {
        let (person, session) = api.somebody("dorothea").await;
        api.auth("forgot-password", json!({ "email": person.email })).await;
        let token = api.link(&person.email, "reset_password").await;
        Setting { api, door, email: person.email, session, password: person.password, token }
    }

    async fn set(&self, new: &str) -> Answer {
        match self.door {
            "register" => {
                let account = json!({ "email": "theodora@example.com", "username": "theodora", "password": new });
                self.api.auth("register", account).await
            }
            "change" => {
                let change = json!({ "current_password": self.password, "new_password": new });
                self.api.post("/me/password", &self.session.access, change).await
            }
            _ => self.api.auth("reset-password", json!({ "token": self.token, "password": new })).await,
        }
    }
}

/// SEC-112 at every door: the same words are refused, and long ones of any characters are taken.
#[tokio::test]
async fn sec_112_every_door_asks_the_same_of_a_new_password() {
    let long = [format!("{:0<64}", "64 characters, é 🦀 "), format!("{:-<128}", "128 \"characters\" & spaces ")];
    for (door, member) in DOORS {
        for taken in &long {
            let api = api(&[("passwords.minimum_length", "8")]).await;
            let setting = Setting::at(&api, door).await;
            let own = if door == "register" { "theodora@example.com" } else { &setting.email };
            let name = if door == "register" { "theodora1" } else { "dorothea1" };
            for weak in ["kwq7!zx", "password123", own, name, "signet2026"] {
                assert_eq!(blamed(&setting.set(weak).await), [member], "{door}: {weak}");
            }
            let done = setting.set(taken).await;
            assert!(done.status < 300, "{door}: {} {}", done.status, done.text());
        }
    }
}

/// SEC-113 at every door: what is too long costs nothing, to set or to try.
#[tokio::test]
async fn sec_113_no_door_hashes_an_endless_password() {
    for (door, _) in DOORS {
        let api = api(&[]).await;
        let setting = Setting::at(&api, door).await;
        for (length, status) in [(1025, 400), (1 << 20, 413)] {
            let before = api.app.hashing.blocks_filled();
            let answer = setting.set(&"xyz ".repeat(length / 4 + 1)).await;
            assert_eq!(answer.status, status, "{door}: {}", answer.text());
            // The current password is proved before the new one is looked at.
            let proves = door == "change" && status == 400;
            assert!(proves || api.app.hashing.blocks_filled() == before, "{door}, {length}");
        }
    }
    let api = api(&[]).await;
    let (person, session) = api.somebody("emil").await;
    for length in [1025, 1 << 20] {
        let endless = "x".repeat(length);
        let before = api.app.hashing.blocks_filled();
        let login = api.auth("login", json!({ "email": person.email, "password": endless })).await.status;
        let change = json!({ "current_password": endless, "new_password": NEW });
        let change = api.post("/me/password", &session.access, change).await.status;
        assert!([(401, 400), (413, 413)].contains(&(login, change)), "{login} {change}");
        assert_eq!(api.app.hashing.blocks_filled(), before);
    }
}

/// SEC-119: a link for a new password is dead once the password or the address is another, whoever changed it.
#[tokio::test]
async fn sec_119_a_reset_link_ends_with_what_it_was_for() {
    for cause in ["the person changed the password", "an operator set it", "the address changed", "disabled"] {
        let api = api(&[]).await;
        let mut setting = Setting::at(&api, "reset").await;
        let id = api.get("/me", &setting.session.access).await.json()["id"].as_str().unwrap().parse().unwrap();
        match cause {
            "the person changed the password" => {
                setting.door = "change";
                assert_eq!(setting.set(NEW).await.status, 204);
                setting.door = "reset";
            }
            "an operator set it" => users::set_password(&api.app, id, NEW).await.unwrap(),
            "the address changed" => {
                api.post("/me/email", &setting.session.access, json!({ "email": "other@example.com" })).await;
                let token = api.link("other@example.com", "confirm_new_address").await;
                let proof = json!({ "token": token, "password": setting.password });
                assert_eq!(api.auth("confirm-email-change", proof).await.status, 200);
            }
            _ => users::set_disabled(&api.app, id, true).await.unwrap(),
        }
        let dead = setting.set("eleven copper umbrellas").await;
        assert_eq!(refused(&dead), (400, "invalid_link".to_owned()), "{cause}");
    }
}

/// SEC-120: a reset is told by mail.
#[tokio::test]
async fn sec_120_a_reset_is_told() {
    let api = api(&[]).await;
    let setting = Setting::at(&api, "reset").await;
    assert_eq!(setting.set(NEW).await.status, 200);
    let letters = api.letters().await;
    assert!(letters.iter().any(|(to, letter)| *to == setting.email && letter.name() == "password_changed"));
}

/// SEC-108: a code that is on its way when its session ends is worth nothing, and nobody is accused of having used it.
#[tokio::test]
async fn sec_108_a_code_ends_with_its_session() {
    let f = fixtures().await;
    for asked in [f.c1.asks(), f.c1.asks_to_stay()] {
        let code = f.code_for(&f.c1, &asked).await;
        // As whoever ends it does while the code is being written: what is not there yet is not revoked.
        session::Entity::delete_many().exec(&f.app.db).await.unwrap();
        let answer = f.c1.redeem(&code, &asked).await;
        assert::json(&answer, 400, "invalid_grant");
        assert!(answer.text().contains("the sign-in that the code came from is over"), "{}", answer.text());
    }
}

/// SEC-170: of an account that nobody confirmed nothing is left, not even what happened to it.
#[tokio::test]
async fn sec_170_an_account_that_nobody_confirmed_leaves_nothing() {
    let api = api(&[]).await;
    let new = json!({ "email": "nobody@example.com", "password": NEW });
    assert_eq!(api.auth("register", new).await.status, 201);
    let log = async || security_event::Entity::find().all(&api.app.db).await.unwrap().len();
    assert_eq!(log().await, 1);
    api.clock.advance(7 * 86_400 + 1);
    jobs::run_all(&api.app).await;
    assert!(user::Entity::find().all(&api.app.db).await.unwrap().is_empty());
    assert_eq!(log().await, 0);
}
