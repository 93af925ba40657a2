//! Connected providers, as programs see them.

use reqwest::Method;
use serde_json::{Value, json};
use signet::store::password;

use super::{World, grace, world_with};
use crate::harness::{Answer, Call};

/// Shorter than an access token lives.
const FRESH: [(&str, &str); 1] = [("second_factor.fresh", "5m")];

impl World {
    async fn call(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Answer {
        let call = Call::new(method, &format!("/api/v1{path}")).bearer(token);
        let call = match body {
            Some(body) => call.body("application/json", body.to_string()),
            None => call,
        };
        self.f.site.send(call).await
    }

    /// A program of U1, who has lost the password since.
    async fn program(&self) -> String {
        let body = json!({ "login": self.f.u1.email, "password": self.f.u1.password }).to_string();
        let answer = self.f.site.send(Call::post("/api/v1/auth/login").body("application/json", body)).await;
        let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
        password::remove(&self.f.app.db, self.f.u1.id.parse().unwrap()).await.unwrap();
        token
    }
}

#[tokio::test]
async fn programs_list_and_disconnect_providers() {
    let w = world_with(&FRESH, "").await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    for person in [grace(), json!({ "sub": "2", "preferred_username": "two" })] {
        browser.goto("/account/providers").await.press("connect-harbor").await;
        let back = w.up.back(&browser.landed().url, &person);
        browser.goto(&back).await;
    }
    let token = w.program().await;
    let list = w.call(Method::GET, "/me/providers", &token, None).await.json();
    assert_eq!(list["offered"], json!([{ "provider": "harbor", "title": "Harbor" }]), "{list}");
    assert_eq!(list["connect_at"], format!("{}/account/providers", w.f.site.issuer));
    let connected = list["connected"].as_array().unwrap();
    assert_eq!(connected.len(), 2);
    assert_eq!((&connected[0]["title"], &connected[0]["works"]), (&json!("Harbor"), &json!(true)), "{list}");
    let labels: Vec<&str> = connected.iter().map(|one| one["label"].as_str().unwrap()).collect();
    assert!(labels.contains(&"grace@harbor.example") && labels.contains(&"two"), "{list}");
    let ids: Vec<&str> = connected.iter().map(|one| one["id"].as_str().unwrap()).collect();

    let delete = async |id: &str| {
        let answer = w.call(Method::DELETE, &format!("/me/providers/{id}"), &token, None).await;
        match answer.status {
            204 => "done".to_owned(),
            status => format!("{status} {}", answer.json()["code"].as_str().unwrap()),
        }
    };
    assert_eq!(delete("nothing").await, "404 not_found");
    assert_eq!(delete(ids[0]).await, "done");
    assert_eq!(delete(ids[1]).await, "409 conflict", "the last way in");
    w.f.clock.advance(301);
    assert_eq!(delete(ids[1]).await, "401 insufficient_user_authentication");
    assert_eq!(w.links().await.len(), 1);
}

#[tokio::test]
async fn programs_of_who_has_no_password_need_a_fresh_sign_in() {
    let w = world_with(&FRESH, "").await;
    let token = w.program().await;
    let have = w.call(Method::GET, "/me/factors", &token, None).await.json();
    assert_eq!(have["has_password"], false, "{have}");
    let change = json!({ "email": "other@example.com" });
    assert_eq!(w.call(Method::POST, "/me/email", &token, Some(change)).await.status, 202);
    let weak = w.call(Method::POST, "/me/password", &token, Some(json!({ "new_password": "short" }))).await;
    assert_eq!(weak.status, 400, "{}", weak.text());
    let set =
        w.call(Method::POST, "/me/password", &token, Some(json!({ "new_password": "seven violet lanterns" }))).await;
    assert_eq!(set.status, 204, "{}", set.text());
    let again =
        w.call(Method::POST, "/me/password", &token, Some(json!({ "new_password": "seven violet lanterns" }))).await;
    assert_eq!(again.status, 400, "now there is one: {}", again.text());
    let have = w.call(Method::GET, "/me/factors", &token, None).await.json();
    assert_eq!(have["has_password"], true, "{have}");

    password::remove(&w.f.app.db, w.f.u1.id.parse().unwrap()).await.unwrap();
    w.f.clock.advance(299);
    let late = w.call(Method::DELETE, "/me", &token, Some(json!({}))).await;
    assert_eq!(late.status, 200, "{}", late.text());
    assert_eq!(late.json()["status"], "deletion_planned");
}

/// Long after the sign-in, none of it is done.
#[tokio::test]
async fn programs_that_signed_in_long_ago_change_nothing() {
    let w = world_with(&FRESH, "").await;
    let token = w.program().await;
    w.f.clock.advance(301);
    for (method, path, body) in [
        (Method::POST, "/me/password", json!({ "new_password": "seven violet lanterns" })),
        (Method::POST, "/me/email", json!({ "email": "other@example.com" })),
        (Method::DELETE, "/me", json!({})),
    ] {
        let answer = w.call(method, path, &token, Some(body)).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
        assert!(answer.text().contains("insufficient_user_authentication"), "{path}: {}", answer.text());
    }
}
