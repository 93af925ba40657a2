//! What comes in as JSON, and what is said of what is wrong with it.

use serde_json::json;

use super::{Api, api, blamed, is_problem, refused};
use crate::harness::{Answer, Call};

async fn login(api: &Api, body: impl Into<Vec<u8>>) -> Answer {
    api.site.send(Call::post("/api/v1/auth/login").body("application/json", body)).await
}

/// Case SEC-162, and the types.
#[tokio::test]
async fn a_body_is_refused_with_the_name_of_the_member_when() {
    let api = api(&[]).await;
    for (reason, body, members) in [
        ("it is unknown", r#"{"login":"a","password":"b","role":"admin"}"#, vec!["role"]),
        ("it is missing", r#"{"login":"a"}"#, vec!["password"]),
        ("there is nothing", "{}", vec!["password"]),
        ("it is null", r#"{"login":"a","password":null}"#, vec!["password"]),
        ("it is of another type", r#"{"login":"a","password":7}"#, vec!["password"]),
        ("several are", r#"{"login":["a"],"password":{}}"#, vec!["login", "password"]),
        ("it is there twice", r#"{"login":"a","password":"b","password":"c"}"#, vec!["password"]),
        ("it has a NUL", r#"{"login":"a\u0000","password":"b"}"#, vec!["login"]),
        ("it has half of a pair", r#"{"login":"a","password":"\ud83d"}"#, vec!["password"]),
        ("it has the other half", r#"{"login":"\ude00","password":"b"}"#, vec!["login"]),
        ("it is a number out of range", r#"{"login":"a","password":1e999999}"#, vec!["password"]),
        ("nobody is named", r#"{"password":"b"}"#, vec!["login"]),
        ("two are", r#"{"email":"a@example.com","username":"a","password":"b"}"#, vec!["login"]),
    ] {
        let answer = login(&api, body).await;
        assert_eq!(blamed(&answer), members, "{reason}: {}", answer.text());
        assert!(answer.json()["trace_id"].is_string() || reason.contains("are") || reason.contains("named"));
    }
    let not_utf8 = login(&api, *b"{\"login\":\"a\xff\",\"password\":\"b\"}").await;
    assert_eq!(blamed(&not_utf8), ["login"]);
}

#[tokio::test]
async fn what_is_no_object_is_refused() {
    let api = api(&[]).await;
    for body in ["", " ", "null", "[]", "7", "\"a\"", "{", "{\"a\":}", "{\"login\" \"a\"}", "{}{}", "\u{feff}{}"] {
        let answer = login(&api, body).await;
        assert_eq!(refused(&answer), (400, "invalid_request".to_owned()), "{body:?}");
    }
}

/// Case SEC-156.
#[tokio::test]
async fn deep_and_long_bodies_are_refused_quickly() {
    let api = api(&[]).await;
    let nested = |depth: usize| format!("{{\"login\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    for depth in [32, 100_000] {
        let began = std::time::Instant::now();
        let answer = login(&api, nested(depth)).await;
        assert_eq!(blamed(&answer), ["login", "password"], "{depth}");
        assert!(began.elapsed().as_millis() < 500, "{depth} took {:?}", began.elapsed());
    }
    let open = format!("{{\"login\":{}", "[".repeat(100_000));
    assert_eq!(refused(&login(&api, open).await).0, 400);
    let many = json!({ "login": vec!["a"; 300_000], "password": "b" }).to_string();
    assert_eq!(refused(&login(&api, many).await), (413, "too_large".to_owned()));
}

/// Nothing that was sent is repeated: it may be a password.
#[tokio::test]
async fn a_refusal_repeats_no_value() {
    let api = api(&[]).await;
    for body in [
        json!({ "login": "a", "password": ["three wet umbrellas"] }),
        json!({ "login": "a", "password": { "three wet umbrellas": 1 } }),
        json!({ "login": "a", "password": "b", "pin": "three wet umbrellas" }),
    ] {
        let answer = login(&api, body.to_string()).await;
        is_problem(&answer);
        assert!(!answer.text().contains("umbrellas"), "{}", answer.text());
    }
}

/// Case SEC-151: a form of another site sends none of the kinds that are accepted, and never asks first.
#[tokio::test]
async fn other_kinds_of_body_are_refused() {
    let api = api(&[]).await;
    let person = api.person("mia").await;
    let body = json!({ "login": person.email, "password": person.password }).to_string();
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"]
    {
        let answer = api.site.send(Call::post("/api/v1/auth/login").body(kind, body.clone())).await;
        assert_eq!(refused(&answer), (415, "unsupported_media_type".to_owned()), "{kind}");
    }
    let unnamed = Call { body: Some(body.clone().into()), ..Call::post("/api/v1/auth/login") };
    assert_eq!(refused(&api.site.send(unnamed).await).0, 415);
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(api.site.send(Call::post("/api/v1/auth/login").body(kind, body.clone())).await.status, 200);
    }
}
