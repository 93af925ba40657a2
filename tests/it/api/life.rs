//! The whole life of an account, by the API alone.

use reqwest::Method;
use serde_json::json;

use super::{Session, api, refused};
use crate::harness::{
    Call,
    seed::{ClientSpec, Person},
};

#[tokio::test]
async fn an_account_from_its_first_day_to_its_last() {
    let api = api(&[]).await;
    let email = "nora@example.com";
    let first = "seven quiet lighthouses";
    // Day one: she registers, confirms her address and signs in.
    let made = api.auth("register", json!({ "email": email, "username": "nora", "password": first })).await;
    assert_eq!(made.status, 201);
    let token = api.link(email, "verify_email").await;
    assert_eq!(api.auth("verify-email", json!({ "token": token, "password": first })).await.status, 200);
    let login = async |password: &str| api.auth("login", json!({ "email": email, "password": password })).await;
    let phone = Session::of(&login(first).await);
    let laptop = Session::of(&login(first).await);
    let me = api.get("/me", &laptop.access).await.json();
    assert_eq!((&me["email"], &me["email_verified"]), (&json!(email), &json!(true)));
    let named = api.send(Method::PATCH, "/me", Some(&laptop.access), Some(json!({ "name": "Nora Nord" }))).await;
    assert_eq!(named.json()["name"], "Nora Nord");

    // She uses an app, at a browser.
    let shop = api.client(ClientSpec::web("shop")).await;
    let nora = Person {
        id: me["id"].as_str().unwrap().into(),
        email: email.into(),
        username: "nora".into(),
        password: first.into(),
    };
    let mut browser = api.browser();
    let asked = shop.asks();
    browser.goto(&asked.url()).await;
    browser.walk(&nora).await;
    let code = crate::harness::assert::granted(&browser, &shop, &asked);
    let of_shop = shop.tokens(&code, &asked).await;

    // Another password ends what she has elsewhere, and only that.
    let second = "eight green armchairs";
    let change = json!({ "current_password": first, "new_password": second });
    assert_eq!(api.post("/me/password", &laptop.access, change).await.status, 204);
    assert_eq!(refused(&api.get("/me", &phone.access).await).0, 401);
    assert_eq!(api.get("/me", &laptop.access).await.status, 200);
    assert_eq!(api.site.send(Call::get("/oauth2/userinfo").bearer(&of_shop.access)).await.status, 401);

    // She forgets it, and gets another one by mail.
    api.auth("forgot-password", json!({ "email": email })).await;
    let token = api.link(email, "reset_password").await;
    let third = "nine purple umbrellas";
    assert_eq!(api.auth("reset-password", json!({ "token": token, "password": third })).await.status, 200);
    assert_eq!(refused(&login(second).await).0, 401);

    // Two devices again; she ends one.
    let (phone, laptop) = (Session::of(&login(third).await), Session::of(&login(third).await));
    let devices = api.get("/me/sessions", &laptop.access).await.json();
    let other = devices["items"].as_array().unwrap().iter().find(|device| device["is_current"] == false).unwrap();
    let id = other["id"].as_str().unwrap();
    assert_eq!(api.delete(&format!("/me/sessions/{id}"), &laptop.access, None).await.status, 204);
    assert_eq!(refused(&api.get("/me", &phone.access).await).0, 401);

    // She revokes the app, looks at the log, takes her data along and leaves.
    let apps = api.get("/me/apps", &laptop.access).await.json();
    assert_eq!(apps["items"][0]["client_id"], "shop");
    assert_eq!(api.delete("/me/apps/shop", &laptop.access, None).await.status, 204);
    let log = api.get("/me/security-log?limit=100", &laptop.access).await.json();
    let events: Vec<&str> = log["items"].as_array().unwrap().iter().map(|one| one["event"].as_str().unwrap()).collect();
    for event in [
        "registered",
        "email_verified",
        "profile_changed",
        "password_changed",
        "password_reset",
        "session_ended",
        "app_revoked",
    ] {
        assert!(events.contains(&event), "{event} is not in {events:?}");
    }
    assert_eq!(api.get("/me/export", &laptop.access).await.json()["account"]["email"], email);
    let gone = api.delete("/me", &laptop.access, Some(json!({ "current_password": third }))).await;
    assert_eq!(gone.json()["status"], "deletion_planned");
    assert_eq!(refused(&api.get("/me", &laptop.access).await).0, 401);
    assert_eq!(refused(&login(third).await).0, 401);
}
