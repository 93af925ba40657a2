use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api::{api, blamed},
    harness::seed::{NewPerson, every_claim},
};

#[tokio::test]
async fn a_person_reads_and_changes_their_profile() {
    let api = api(&[]).await;
    let person = api.user(NewPerson::named("ada").claims(every_claim())).await;
    let token = api.sign_in(&person).await.access;
    let me = api.get("/me", &token).await.json();
    assert_eq!((&me["id"], &me["email"], &me["username"]), (&json!(person.id), &json!(person.email), &json!("ada")));
    assert_eq!(me["address"]["locality"], "London");

    let patch = async |body: Value| api.send(Method::PATCH, "/me", Some(&token), Some(body)).await;
    let changed =
        patch(json!({ "nickname": "Ada", "website": null, "address": { "locality": "Ockham" } })).await.json();
    assert_eq!((&changed["nickname"], &changed["website"]), (&json!("Ada"), &Value::Null));
    assert_eq!((&changed["address"]["locality"], &changed["address"]["country"]), (&json!("Ockham"), &json!("GB")));
    assert_eq!((&changed["gender"], &changed["bio"]), (&json!("female"), &Value::Null));

    let put = async |body: Value| api.send(Method::PUT, "/me", Some(&token), Some(body)).await;
    let mut whole = changed.clone();
    whole["bio"] = json!("Writes notes.");
    let replaced = put(whole).await;
    assert_eq!(replaced.status, 200, "what was read may be sent back: {}", replaced.text());
    assert_eq!(replaced.json()["bio"], "Writes notes.");
    let short = put(json!({ "username": "ada", "name": "Ada Lovelace" })).await.json();
    assert_eq!(
        (&short["name"], &short["nickname"], &short["address"]),
        (&json!("Ada Lovelace"), &Value::Null, &Value::Null)
    );
    assert_eq!(short["email"], person.email);
    assert_eq!(api.get("/me", &token).await.json(), short);
}

/// Case SEC-145.
#[tokio::test]
async fn what_is_not_theirs_is_never_stored() {
    let api = api(&[]).await;
    let (_, session) = api.somebody("bert").await;
    let before = api.get("/me", &session.access).await.json();
    for (member, value) in [
        ("role", json!("admin")),
        ("groups", json!(["admins"])),
        ("admin", json!(true)),
        ("disabled", json!(false)),
        ("password_hash", json!("$argon2id$")),
        ("mfa_enabled", json!(false)),
        ("id", json!("00000000-0000-4000-8000-000000000000")),
        ("email", json!("other@example.com")),
        ("email_verified", json!(false)),
        ("phone_number_verified", json!(true)),
        ("created_at", json!(1)),
        ("address.country_code", json!("x")),
    ] {
        for method in [Method::PUT, Method::PATCH] {
            let body = json!({ "username": "bert", member: value });
            let answer = api.send(method.clone(), "/me", Some(&session.access), Some(body)).await;
            assert_eq!(blamed(&answer), [member], "{method} {member}: {}", answer.text());
        }
    }
    assert_eq!(api.get("/me", &session.access).await.json(), before);
}

/// Case SEC-162.
#[tokio::test]
async fn text_that_nobody_can_see_is_refused_by_name() {
    let api = api(&[]).await;
    let (_, session) = api.somebody("cleo").await;
    for member in ["username", "name", "nickname", "given_name"] {
        for text in ["a\0b", "a\u{7}b", "a\u{202e}b", "a\u{200b}b"] {
            let answer = api.send(Method::PATCH, "/me", Some(&session.access), Some(json!({ member: text }))).await;
            assert_eq!(blamed(&answer), [member], "{text:?}: {}", answer.text());
        }
    }
    for (member, value) in [("name", json!(7)), ("name", json!({})), ("address", json!("here"))] {
        let answer = api.send(Method::PATCH, "/me", Some(&session.access), Some(json!({ member: value }))).await;
        assert_eq!(blamed(&answer), [member]);
    }
    let inside = json!({ "address": { "country": 7 } });
    assert_eq!(blamed(&api.send(Method::PATCH, "/me", Some(&session.access), Some(inside)).await), ["address.country"]);
}
