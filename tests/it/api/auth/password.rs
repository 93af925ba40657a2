use serde_json::json;

use crate::api::{api, blamed};

#[tokio::test]
async fn drawn_passwords_are_strong_and_never_the_same() {
    let api = api(&[]).await;
    let mut drawn = std::collections::BTreeSet::new();
    for body in
        [json!({}), json!({ "kind": "passphrase" }), json!({ "kind": "characters" }), json!({ "kind": "characters" })]
    {
        let answer = api.auth("password/generate", body).await;
        let password = answer.json()["password"].as_str().unwrap().to_owned();
        let judged = api.auth("password/strength", json!({ "password": password })).await.json();
        assert_eq!(
            (&judged["score"], &judged["acceptable"], &judged["problems"]),
            (&json!(4), &json!(true), &json!([]))
        );
        assert!(drawn.insert(password));
    }
    assert_eq!(blamed(&api.auth("password/generate", json!({ "kind": "emoji" })).await), ["kind"]);
}

#[tokio::test]
async fn a_weak_password_is_told_why() {
    let api = api(&[]).await;
    let judge = async |body| api.auth("password/strength", body).await.json();
    let weak = judge(json!({ "password": "password123" })).await;
    assert_eq!((&weak["acceptable"], &weak["verdict"]), (&json!(false), &json!("very_weak")));
    assert!(!weak["problems"].as_array().unwrap().is_empty());
    let own = judge(json!({ "password": "maximilian-mustermann", "about": ["Maximilian Mustermann"] })).await;
    assert_eq!(own["acceptable"], false);
    let many = vec!["word"; 21];
    assert_eq!(blamed(&api.auth("password/strength", json!({ "password": "x", "about": many })).await), ["about"]);
    assert_eq!(blamed(&api.auth("password/strength", json!({ "password": "x", "about": [7] })).await), ["about"]);
}
