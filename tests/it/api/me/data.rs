use serde_json::json;

use crate::api::{api, blamed, refused};

/// Requirement AC11.
#[tokio::test]
async fn a_person_takes_their_data_along_and_nobody_elses() {
    let api = api(&[]).await;
    let (person, session) = api.somebody("pat").await;
    let (other, _) = api.somebody("quin").await;
    let answer = api.get("/me/export", &session.access).await;
    assert_eq!((answer.status, answer.media_type()), (200, "application/json"));
    assert!(answer.header("content-disposition").unwrap().starts_with("attachment"));
    let document = answer.json();
    assert_eq!(document["account"]["id"], person.id.as_str());
    for secret in [&person.password, "$argon2", &session.access, &session.refresh, &other.email, &other.id] {
        assert!(!answer.text().contains(secret), "the export has {secret}");
    }
}

#[tokio::test]
async fn a_deleted_account_is_over_at_once_and_comes_back_by_the_mailed_link_alone() {
    let api = api(&[]).await;
    let (person, session) = api.somebody("rex").await;
    assert_eq!(blamed(&api.delete("/me", &session.access, None).await), ["current_password"]);
    assert_eq!(
        blamed(&api.delete("/me", &session.access, Some(json!({ "current_password": "x" }))).await),
        ["current_password"]
    );
    let right = json!({ "current_password": person.password });
    let planned = api.delete("/me", &session.access, Some(right)).await;
    assert_eq!((planned.status, &planned.json()["status"]), (200, &json!("deletion_planned")));
    assert!(planned.json()["delete_at"].as_i64().unwrap() > api.now());
    assert_eq!(refused(&api.get("/me", &session.access).await).0, 401);
    assert_eq!(refused(&api.auth("refresh", json!({ "refresh_token": session.refresh })).await).0, 401);
    let login = json!({ "login": person.email, "password": person.password });
    assert_eq!(refused(&api.auth("login", login).await).0, 401);
}

#[tokio::test]
async fn without_time_to_think_it_over_an_account_is_gone() {
    let api = api(&[("accounts.deletion_grace", "0s")]).await;
    let (person, session) = api.somebody("sue").await;
    let gone = api.delete("/me", &session.access, Some(json!({ "current_password": person.password }))).await;
    assert_eq!(gone.json(), json!({ "status": "deleted", "delete_at": null }));
    assert_eq!(refused(&api.get("/me", &session.access).await).0, 401);
}
