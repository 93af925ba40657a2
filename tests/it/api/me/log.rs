use serde_json::{Value, json};

use crate::api::{Api, api, blamed};

async fn part(api: &Api, list: &str, query: &str, token: &str) -> Value {
    let answer = api.get(&format!("/me/{list}?{query}"), token).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn a_person_sees_who_tried_to_sign_in() {
    let api = api(&[]).await;
    let person = api.person("kim").await;
    api.auth("login", json!({ "login": person.email, "password": "wrong" })).await;
    let session = api.sign_in(&person).await;
    let attempts = part(&api, "login-attempts", "", &session.access).await;
    let said: Vec<_> =
        attempts["items"].as_array().unwrap().iter().map(|one| (&one["result"], &one["reason"])).collect();
    assert_eq!(said[0], (&json!("ok"), &json!("right_password")));
    assert_eq!(said[1], (&json!("refused"), &json!("wrong_password")));
    assert_eq!((said.len(), &attempts["next_cursor"]), (2, &Value::Null));
    assert_eq!(attempts["items"][1]["ip_address"], "127.0.0.1");
    assert!(!attempts.to_string().contains(&person.password));
}

#[tokio::test]
async fn a_person_sees_what_happened_to_their_account() {
    let api = api(&[]).await;
    let (person, session) = api.somebody("lou").await;
    api.wait(1).await;
    let body = json!({ "current_password": person.password, "new_password": "eight green armchairs" });
    api.post("/me/password", &session.access, body).await;
    let log = part(&api, "security-log", "", &session.access).await;
    assert_eq!(log["items"][0]["event"], "password_changed");
    let (_, other) = api.somebody("max").await;
    let theirs = part(&api, "security-log", "", &other.access).await;
    assert!(!theirs.to_string().contains("password_changed"), "{theirs}");
}

/// Case SEC-150.
#[tokio::test]
async fn lists_come_in_parts_that_only_this_server_can_name() {
    let api = api(&[]).await;
    let (person, session) = api.somebody("nia").await;
    for _ in 0..4 {
        api.auth("login", json!({ "login": person.email, "password": "wrong" })).await;
        api.wait(1).await;
    }
    let token = &*session.access;
    let (mut seen, mut query, mut parts) = (Vec::new(), "limit=2".to_owned(), 0);
    loop {
        let part = part(&api, "login-attempts", &query, token).await;
        seen.extend(part["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        parts += 1;
        let Some(next) = part["next_cursor"].as_str() else { break };
        query = format!("limit=2&cursor={next}");
    }
    let mut sorted = seen.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    sorted.dedup();
    assert_eq!((parts, seen.len(), &seen), (3, 5, &sorted), "each once, the newest first");

    let cursor = part(&api, "login-attempts", "limit=1", token).await["next_cursor"].as_str().unwrap().to_owned();
    for at in 0..cursor.len() {
        let mut changed = cursor.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let answer = api.get(&format!("/me/login-attempts?cursor={changed}"), token).await;
        assert_eq!(blamed(&answer), ["cursor"], "{changed}");
    }
    for other in ["", "x", "' OR 1=1 --", "%00", &"A".repeat(4000)] {
        let answer = api.get(&format!("/me/login-attempts?cursor={}", other.replace(' ', "%20")), token).await;
        assert_eq!(blamed(&answer), ["cursor"], "{other}");
    }
    let elsewhere = api.get(&format!("/me/security-log?cursor={cursor}"), token).await;
    assert_eq!(blamed(&elsewhere), ["cursor"], "another list");
    let (_, other) = api.somebody("ole").await;
    let theirs = api.get(&format!("/me/login-attempts?cursor={cursor}"), &other.access).await;
    assert_eq!(blamed(&theirs), ["cursor"], "somebody else's list");

    for (limit, length) in
        [("0", 1), ("-1", 1), ("1000000000", 5), ("99999999999999999999999", 5), ("-99999999999999999999999", 1)]
    {
        let part = part(&api, "login-attempts", &format!("limit={limit}"), token).await;
        assert_eq!(part["items"].as_array().unwrap().len(), length, "{limit}");
    }
    for limit in ["", "x", "1e9", "1;drop", "%27", "1.5", "+1"] {
        assert_eq!(blamed(&api.get(&format!("/me/login-attempts?limit={limit}"), token).await), ["limit"], "{limit}");
    }
    assert_eq!(api.get("/me/login-attempts?sort=%3Bdrop&filter=%27%25", token).await.status, 200);
}
