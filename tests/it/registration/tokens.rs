//! Initial access tokens (RFC 7591 §3), and the API by which operators make them.

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::{TOKENS, least, operator, refused::registered, register, token};
use crate::harness::{Call, TestServer, assert, fixtures, relying_party::random, seed::ClientSpec};

async fn by_token() -> TestServer {
    TestServer::with(&[("registration.mode", "token")]).await
}

/// SEC-085: without a good token nothing is stored.
#[tokio::test]
async fn sec_085_a_client_is_not_let_in_when() {
    let server = by_token().await;
    let spent = token(&server, json!({ "name": "spent" })).await;
    let spent = spent["token"].as_str().unwrap();
    assert_eq!(register(&server.site, &least(), Some(spent)).await.status, 201);
    let old = token(&server, json!({ "name": "old", "expires_in": 60 })).await;
    let revoked = token(&server, json!({ "name": "revoked" })).await;
    let path = format!("{TOKENS}/{}", revoked["id"].as_str().unwrap());
    let call = Call::new(Method::DELETE, &path).bearer(&operator(&server).await);
    assert_eq!(server.site.send(call).await.status, 204);
    server.clock.advance(60);
    for (reason, token) in [
        ("it has no token", None),
        ("its token is wrong", Some("x")),
        ("its token is used up", Some(spent)),
        ("its token has expired", old["token"].as_str()),
        ("its token was revoked", revoked["token"].as_str()),
        ("it shows the id of a token", revoked["id"].as_str()),
        ("it shows an access token", Some(&*operator(&server).await)),
    ] {
        let answer = register(&server.site, &least(), token).await;
        assert::json(&answer, 401, "invalid_token");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert_eq!(registered(&server).await, 1, "{reason}");
    }
}

/// A body that is refused costs no use, and is not read before the token.
#[tokio::test]
async fn a_refused_registration_spends_nothing() {
    let server = by_token().await;
    let made = token(&server, json!({ "name": "one" })).await;
    let good = made["token"].as_str();
    assert::json(&register(&server.site, &json!({}), None).await, 401, "invalid_token");
    assert::json(&register(&server.site, &json!({}), good).await, 400, "invalid_redirect_uri");
    assert_eq!(register(&server.site, &least(), good).await.status, 201);
    assert::json(&register(&server.site, &least(), good).await, 401, "invalid_token");
}

/// SEC-171: a token is good for as many clients as it says, however many come at once.
#[tokio::test]
async fn sec_171_of_fifty_registrations_as_many_win_as_there_are_uses() {
    let server = by_token().await;
    for uses in [1, 7] {
        let before = registered(&server).await;
        let made = token(&server, json!({ "name": "few", "uses": uses })).await;
        let mut tries = JoinSet::new();
        for _ in 0..50 {
            let (site, token) = (server.site.clone(), made["token"].as_str().unwrap().to_owned());
            tries.spawn(async move { register(&site, &least(), Some(&token)).await.status });
        }
        let answers = tries.join_all().await;
        let won = answers.iter().filter(|status| **status == 201).count();
        let lost = answers.iter().filter(|status| **status == 401).count();
        assert_eq!((won, lost), (uses, 50 - uses));
        assert_eq!(registered(&server).await - before, uses);
    }
}

/// D6: whoever guesses tokens waits.
#[tokio::test]
async fn guesses_are_counted() {
    let server = TestServer::with(&[("registration.mode", "token"), ("limits", "on")]).await;
    let mut statuses = Vec::new();
    for _ in 0..60 {
        statuses.push(register(&server.site, &least(), Some(&random(43))).await.status);
    }
    assert_eq!((statuses[0], statuses[59]), (401, 429));
}

/// What an operator's machine does with tokens: make, list, revoke.
#[tokio::test]
async fn a_machine_of_the_operator_handles_tokens() {
    let server = by_token().await;
    let made = token(&server, json!({ "name": "Partners", "uses": 3, "expires_in": 3600 })).await;
    assert_eq!((&made["uses"], &made["used"], &made["state"]), (&json!(3), &json!(0), &json!("good")));
    assert_eq!(made["expires_at"], server.now() + 3600);
    let secret = made["token"].as_str().unwrap();
    assert!(secret.len() >= 43);
    register(&server.site, &least(), Some(secret)).await;
    let operator = operator(&server).await;
    let list = || async { server.site.send(Call::get(TOKENS).bearer(&operator)).await };
    let listed = list().await;
    assert_eq!((listed.status, listed.header("cache-control")), (200, Some("no-store")));
    assert!(!listed.text().contains(secret), "a token is shown once");
    let listed = listed.json();
    assert_eq!(listed["registration_tokens"].as_array().unwrap().len(), 1);
    assert_eq!(listed["registration_tokens"][0]["used"], 1);
    let path = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
    for _ in 0..2 {
        let revoked = server.site.send(Call::new(Method::DELETE, &path).bearer(&operator)).await;
        assert_eq!((revoked.status, revoked.body.len()), (204, 0));
    }
    assert_eq!(list().await.json()["registration_tokens"][0]["state"], "revoked");
    for unknown in ["x", "7d9f4cbe-51ee-4f2a-9a3b-3d8b42c4d3f1"] {
        let call = Call::new(Method::DELETE, &format!("{TOKENS}/{unknown}")).bearer(&operator);
        let answer = server.site.send(call).await;
        assert_eq!((answer.status, answer.media_type()), (404, "application/problem+json"));
    }
    for (new, member) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": "x", "uses": 0 }), "uses"),
        (json!({ "name": "x", "uses": -1 }), "uses"),
        (json!({ "name": "x", "uses": 10_000_000_000_i64 }), "uses"),
        (json!({ "name": "x", "expires_in": 1 }), "expires_in"),
    ] {
        let call = Call::post(TOKENS).bearer(&operator).body("application/json", new.to_string());
        let answer = server.site.send(call).await;
        assert_eq!((answer.status, answer.media_type()), (400, "application/problem+json"), "{new}");
        assert_eq!(answer.json()["errors"][0]["member"], member, "{new}");
    }
    let call = Call::post(TOKENS).bearer(&operator).body("application/json", "{}");
    assert_eq!(server.site.send(call).await.status, 400);
}

/// The API is for machines that the operator registered for `signet:admin`, and for nobody else.
#[tokio::test]
async fn the_api_lets_nobody_else_in() {
    let f = fixtures().await;
    let person = f.visit(&f.c1).await.tokens.access;
    let reports = f.c5.for_itself("reports.read").await;
    let admin = ClientSpec { scope: "openid signet:admin", ..ClientSpec::web("admin-app") };
    let app = f.client(admin).await;
    let of_a_person = f.visit_with(&app, app.asks().with("scope", "openid signet:admin")).await.tokens.access;
    let good = operator(&f).await;
    let call = |token: Option<&str>| {
        let call = Call::get(TOKENS);
        let call = token.map_or(call.clone(), |token| call.bearer(token));
        let site = f.site.clone();
        async move { site.send(call).await }
    };
    for (reason, token, status) in [
        ("it has no token", None, 401),
        ("it guesses", Some("x"), 401),
        ("its token is a person's", Some(&*person), 403),
        ("its token is for another API", Some(&*reports), 401),
        ("a person has consented", Some(&*of_a_person), 403),
        ("it may", Some(&*good), 200),
    ] {
        let answer = call(token).await;
        assert_eq!(answer.status, status, "{reason}: {}", answer.text());
        if status != 200 {
            assert_eq!(answer.media_type(), "application/problem+json", "{reason}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{reason}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    let challenge = call(Some(&person)).await;
    assert!(challenge.header("www-authenticate").unwrap().contains("scope=\"signet:admin\""));
}

/// What the operator takes away works at once, also for tokens that are still good.
#[tokio::test]
async fn a_machine_that_is_no_longer_trusted_is_out() {
    let server = by_token().await;
    let spec = ClientSpec { scope: "signet:admin", ..ClientSpec::machine("ops") };
    let machine = server.client(spec).await;
    let token = machine.for_itself("signet:admin").await;
    let list = || async { server.site.send(Call::get(TOKENS).bearer(&token)).await.status };
    assert_eq!(list().await, 200);
    let known = signet::flows::admin::clients::find(&server.app, "ops").await.unwrap();
    let mut metadata = known.metadata;
    metadata.scope = "reports.read".parse().unwrap();
    signet::flows::admin::clients::update(&server.app, "ops", metadata, known.policy).await.unwrap();
    assert_eq!(list().await, 403);
}
