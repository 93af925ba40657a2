use serde_json::{Value, json};

use crate::{
    api::{Api, Session, api, blamed, refused},
    harness::{Call, Fixtures, Tokens, seed::ClientSpec},
};

async fn list(api: &Api, token: &str) -> Vec<Value> {
    api.get("/me/sessions", token).await.json()["items"].as_array().unwrap().clone()
}

/// Case SEC-110.
#[tokio::test]
async fn a_person_sees_their_devices_and_ends_one() {
    let api = api(&[]).await;
    let (person, here) = api.somebody("gus").await;
    let body = json!({ "login": person.email, "password": person.password }).to_string();
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    let call = Call::post("/api/v1/auth/login").header("user-agent", firefox).body("application/json", body);
    let there = Session::of(&api.site.send(call).await);

    let devices = list(&api, &here.access).await;
    assert_eq!(devices.len(), 2);
    let other = devices.iter().find(|device| device["is_current"] == false).unwrap();
    assert_eq!((&other["browser"], &other["system"]), (&json!("Firefox 145"), &json!("Linux")));
    assert_eq!((&other["kind"], &other["ip_address"]), (&json!("program"), &json!("127.0.0.1")));
    assert!(other["created_at"].as_i64().unwrap() <= other["last_used_at"].as_i64().unwrap());

    let id = other["id"].as_str().unwrap().to_owned();
    assert_eq!(api.delete(&format!("/me/sessions/{id}"), &here.access, None).await.status, 204);
    assert_eq!(refused(&api.get("/me", &there.access).await).0, 401);
    assert_eq!(refused(&api.auth("refresh", json!({ "refresh_token": there.refresh })).await).0, 401);
    assert_eq!(list(&api, &here.access).await.len(), 1);
    assert_eq!(refused(&api.delete(&format!("/me/sessions/{id}"), &here.access, None).await).0, 404);
}

#[tokio::test]
async fn ending_others_needs_the_password_unless_it_was_just_given() {
    let api = api(&[("second_factor.fresh", "5m")]).await;
    let (person, here) = api.somebody("hal").await;
    let there = api.sign_in(&person).await;
    api.wait(301).await;
    for body in [None, Some(json!({})), Some(json!({ "current_password": "wrong" }))] {
        assert_eq!(blamed(&api.delete("/me/sessions", &here.access, body).await), ["current_password"]);
    }
    assert_eq!(api.get("/me", &there.access).await.status, 200);
    let right = json!({ "current_password": person.password });
    assert_eq!(api.delete("/me/sessions", &here.access, Some(right)).await.status, 204);
    assert_eq!(refused(&api.get("/me", &there.access).await).0, 401);
    assert_eq!(api.get("/me", &here.access).await.status, 200);
}

/// Case SEC-144.
#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    let api = api(&[]).await;
    let (_, mine) = api.somebody("ida").await;
    let (_, theirs) = api.somebody("jon").await;
    let id = list(&api, &theirs.access).await[0]["id"].as_str().unwrap().to_owned();
    for id in [&*id, "00000000-0000-4000-8000-000000000000", "x", "%00", "..", "1 OR 1=1"] {
        let answer = api.delete(&format!("/me/sessions/{id}"), &mine.access, None).await;
        assert!(matches!(answer.status, 404 | 405), "{id}: {}", answer.text());
    }
    assert_eq!(api.get("/me", &theirs.access).await.status, 200);
    assert_eq!(api.auth("refresh", json!({ "refresh_token": theirs.refresh })).await.status, 200);
}

/// Apps with access, and an end to it.
#[tokio::test]
async fn a_person_revokes_an_app() {
    let f: Fixtures = crate::harness::TestServer::start().await.fixtures().await;
    let login = json!({ "login": f.u1.email, "password": f.u1.password }).to_string();
    let login = f.site.send(Call::post("/api/v1/auth/login").body("application/json", login)).await;
    let token = Session::of(&login).access;
    let apps = async || f.site.send(Call::get("/api/v1/me/apps").bearer(&token)).await.json()["items"].clone();
    assert_eq!(apps().await, json!([]), "this API itself is none");

    let shop = f.client(ClientSpec::web("shop")).await;
    let visit =
        f.visit_with(&shop, shop.asks().with("scope", "openid email offline_access").with("prompt", "consent")).await;
    let listed = apps().await;
    assert_eq!((&listed[0]["client_id"], &listed[0]["name"]), (&json!("shop"), &json!("The shop application")));
    assert_eq!((&listed[0]["scope"], &listed[0]["is_offline"]), (&json!("email offline_access openid"), &json!(true)));

    let revoke = async |id: &str| {
        f.site.send(Call::new(reqwest::Method::DELETE, &format!("/api/v1/me/apps/{id}")).bearer(&token)).await
    };
    assert_eq!(revoke("shop").await.status, 204);
    assert_eq!(apps().await, json!([]));
    assert_eq!(f.site.send(Call::get("/oauth2/userinfo").bearer(&visit.tokens.access)).await.status, 401);
    let refreshed = shop.refresh(visit.tokens.refresh_token()).await;
    assert_eq!(refreshed.status, 400, "{}", refreshed.text());
    for id in ["shop", "signet-api", "nobody"] {
        assert_eq!(refused(&revoke(id).await).0, 404, "{id}");
    }
    let _: &Tokens = &visit.tokens;
}
