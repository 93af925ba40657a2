use serde_json::json;

use crate::api::{Session, api, blamed, refused};

const NEW: &str = "eight green armchairs";

/// Requirement AC6.
#[tokio::test]
async fn sec_115_a_new_password_needs_the_old_one_and_ends_other_sessions() {
    let api = api(&[]).await;
    let (person, here) = api.somebody("emil").await;
    let there = api.sign_in(&person).await;
    let change = async |current: &str, new: &str| {
        api.post("/me/password", &here.access, json!({ "current_password": current, "new_password": new })).await
    };
    assert_eq!(blamed(&change("wrong", NEW).await), ["current_password"]);
    assert_eq!(blamed(&change("", NEW).await), ["current_password"]);
    assert_eq!(blamed(&change(&person.password, "short").await), ["new_password"]);
    assert_eq!(blamed(&change(&person.password, &person.password).await), ["new_password"]);
    assert_eq!(api.get("/me", &there.access).await.status, 200);

    assert_eq!(change(&person.password, NEW).await.status, 204);
    assert_eq!(api.get("/me", &here.access).await.status, 200, "this one goes on");
    assert_eq!(api.auth("refresh", json!({ "refresh_token": here.refresh })).await.status, 200);
    assert_eq!(refused(&api.get("/me", &there.access).await).0, 401);
    assert_eq!(refused(&api.auth("refresh", json!({ "refresh_token": there.refresh })).await).0, 401);
    Session::of(&api.auth("login", json!({ "login": "emil", "password": NEW })).await);
    assert!(api.letters().await.iter().any(|(to, letter)| *to == person.email && letter.name() == "password_changed"));
}

#[tokio::test]
async fn sec_115_guesses_at_the_current_password_are_counted() {
    let api = api(&[("limits", "on")]).await;
    let (_, session) = api.somebody("fay").await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let body = json!({ "current_password": "wrong", "new_password": NEW });
        statuses.push(api.post("/me/password", &session.access, body).await.status);
    }
    assert_eq!((statuses[0], statuses[6]), (400, 429));
}
