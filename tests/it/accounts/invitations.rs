//! Invitations, made by an operator's machine: single use, hashed, good for a week (decision D8).

use reqwest::Method;
use serde_json::{Value, json};
use signet::{crypto::secret::Secret, flows::mail::Letter, store::invitation};
use tokio::task::JoinSet;

use super::{letters, token_of};
use crate::harness::{
    Call, TestServer,
    http::Answer,
    seed::{ClientSpec, NewPerson},
};

const PATH: &str = "/api/invitations";

async fn invited_only() -> TestServer {
    TestServer::with(&[("accounts.registration", "invitation")]).await
}

async fn operator(server: &TestServer) -> String {
    let spec = ClientSpec { scope: "signet:admin", ..ClientSpec::machine("ops") };
    server.client(spec).await.for_itself("signet:admin").await
}

async fn ask(server: &TestServer, operator: &str, new: &Value) -> Answer {
    let call = Call::post(PATH).bearer(operator).body("application/json", new.to_string());
    server.site.send(call).await
}

#[tokio::test]
async fn a_machine_of_the_operator_handles_invitations() {
    let server = invited_only().await;
    let operator = operator(&server).await;
    let made = ask(&server, &operator, &json!({ "email": "Eva@Example.com" })).await;
    assert_eq!((made.status, made.header("cache-control")), (201, Some("no-store")));
    let made = made.json();
    assert_eq!((&made["email"], &made["state"]), (&json!("eva@example.com"), &json!("open")));
    assert_eq!(made["expires_at"], server.now() + 7 * 86_400, "D8");
    let link = made["link"].as_str().unwrap();
    assert!(link.starts_with(&format!("{}/account/register?invitation=", server.site.issuer)), "{link}");
    assert!(token_of(link).len() >= 43, "256 bits");
    let listed = server.site.send(Call::get(PATH).bearer(&operator)).await;
    assert!(!listed.text().contains(&token_of(link)), "a link is shown once");
    assert_eq!(listed.json()["invitations"][0]["id"], made["id"]);
    assert!(letters(&server.app).await.is_empty(), "nobody asked to send it");
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let revoke =
        |path: String| async { server.site.send(Call::new(Method::DELETE, &{ path }).bearer(&operator)).await };
    assert_eq!(revoke(path.clone()).await.status, 204);
    let hash = Secret::presented(&token_of(link)).hash();
    assert!(!invitation::spend(&server.app.db, &hash, server.now()).await.unwrap());
    for unknown in [path, format!("{PATH}/x"), format!("{PATH}/7d9f4cbe-51ee-4f2a-9a3b-3d8b42c4d3f1")] {
        assert_eq!(revoke(unknown).await.status, 404);
    }
}

#[tokio::test]
async fn an_invitation_is_mailed_on_request() {
    let server = invited_only().await;
    let operator = operator(&server).await;
    let made = ask(&server, &operator, &json!({ "email": "eva@example.com", "send": true, "expires_in": 3600 })).await;
    let link = made.json()["link"].as_str().unwrap().to_owned();
    let letter = Letter::Invitation { link, inviter: None, days: 1 };
    assert_eq!(letters(&server.app).await, [("eva@example.com".to_owned(), letter)]);
}

#[tokio::test]
async fn an_invitation_is_refused_when() {
    let server = invited_only().await;
    let operator = operator(&server).await;
    let ada = server.user(NewPerson::named("ada")).await;
    for (reason, new, status, member) in [
        ("the address is none", json!({ "email": "eva" }), 400, "email"),
        ("it is good for too short", json!({ "expires_in": 1 }), 400, "expires_in"),
        ("it is good for too long", json!({ "expires_in": 86_400 * 400 }), 400, "expires_in"),
        ("it cannot be sent", json!({ "send": true }), 400, "send"),
        ("the person has an account", json!({ "email": ada.email }), 409, ""),
    ] {
        let answer = ask(&server, &operator, &new).await;
        assert_eq!((answer.status, answer.media_type()), (status, "application/problem+json"), "{reason}");
        assert_eq!(answer.json()["errors"][0]["member"].as_str().unwrap_or_default(), member, "{reason}");
    }
    for token in [None, Some("x")] {
        let call = Call::get(PATH);
        let call = token.map_or(call.clone(), |token| call.bearer(token));
        assert_eq!(server.site.send(call).await.status, 401);
    }
    let closed = TestServer::start().await;
    let answer = ask(&closed, &self::operator(&closed).await, &json!({})).await;
    assert_eq!(answer.status, 409, "an invitation to where nobody can register");
}

/// SEC-171: one link, one account, however many come at once.
#[tokio::test]
async fn sec_171_of_fifty_uses_of_an_invitation_one_wins() {
    let server = invited_only().await;
    let operator = operator(&server).await;
    let link = ask(&server, &operator, &json!({})).await.json()["link"].as_str().unwrap().to_owned();
    let hash = Secret::presented(&token_of(&link)).hash();
    let mut tries = JoinSet::new();
    for _ in 0..50 {
        let (app, hash) = (server.app.clone(), hash.clone());
        tries.spawn(async move {
            let now = app.now();
            let spent =
                app.writer.write(Box::new(move |db| Box::pin(async move { invitation::spend(db, &hash, now).await })));
            spent.await.unwrap()
        });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|won| *won).count(), 1);
    let listed = server.site.send(Call::get(PATH).bearer(&operator)).await.json();
    assert_eq!(listed["invitations"][0]["state"], "used");
}

#[tokio::test]
async fn an_old_invitation_opens_nothing() {
    let server = invited_only().await;
    let operator = operator(&server).await;
    let link = ask(&server, &operator, &json!({})).await.json()["link"].as_str().unwrap().to_owned();
    let hash = Secret::presented(&token_of(&link)).hash();
    server.clock.advance(7 * 86_400 - 1);
    assert!(invitation::find_open(&server.app.db, &hash, server.now()).await.unwrap().is_some());
    server.clock.advance(1);
    assert!(invitation::find_open(&server.app.db, &hash, server.now()).await.unwrap().is_none());
    assert!(!invitation::spend(&server.app.db, &hash, server.now()).await.unwrap());
}
