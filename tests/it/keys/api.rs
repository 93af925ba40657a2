use serde_json::json;

use super::{published, signer, text};
use crate::harness::{Answer, Call, Fixtures, Parameters, Tokens, fixtures, seed::ClientSpec};

/// A token of a machine that may administer, or of one that may not.
async fn token_for(f: &Fixtures, client_id: &str, scope: &'static str) -> String {
    let machine = f.client(ClientSpec { scope, ..ClientSpec::machine(client_id) }).await;
    let form = Parameters::new(&[("grant_type", "client_credentials"), ("scope", scope)]);
    Tokens::of(&machine.token(form).await).access
}

async fn post(f: &Fixtures, token: &str, body: serde_json::Value) -> Answer {
    f.site.send(Call::post("/api/keys/rotate").bearer(token).body("application/json", body.to_string())).await
}

#[tokio::test]
async fn a_machine_of_the_operator_rotates_the_keys() {
    let f = fixtures().await;
    let (old, token) = (signer(&f).await, token_for(&f, "ops", "signet:admin").await);
    let list = f.site.send(Call::get("/api/keys").bearer(&token)).await.json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["state"]), (1, &json!("signing")));
    assert!(list[0]["public_jwk"]["d"].is_null() && list[0]["private_key"].is_null());

    let rotated = post(&f, &token, json!({ "announce": 60 })).await.json();
    let new = text(&rotated["key"]["kid"]);
    assert_eq!((&rotated["key"]["state"], &rotated["dropped"]), (&json!("announced"), &json!([])));
    assert_eq!(published(&f).await, [old.clone(), new.clone()].into());

    let status = f.site.send(Call::get("/api/keys/status").bearer(&token)).await.json();
    assert_eq!((&status["keys"][0]["key"]["kid"], &status["keys"][1]["key"]["kid"]), (&json!(new), &json!(old)));
    assert_eq!(status["keys"][0]["unread_by"], json!([]));

    let emergency = post(&f, &token, json!({ "emergency": true })).await.json();
    assert_eq!(emergency["dropped"].as_array().unwrap().len(), 2);
    assert_eq!(published(&f).await, [text(&emergency["key"]["kid"])].into());
    assert_eq!(post(&f, &token, json!({})).await.status, 401, "the caller's own token is dead too");
}

#[tokio::test]
async fn nobody_else_does() {
    let f = fixtures().await;
    let other = token_for(&f, "other", "reports.read").await;
    assert_eq!(post(&f, &other, json!({})).await.status, 401, "a token for another API");
    for path in ["/api/keys", "/api/keys/status"] {
        assert_eq!(f.site.get(path).await.status, 401, "{path}");
    }
    let token = token_for(&f, "ops", "signet:admin").await;
    for body in [
        json!({ "algorithm": "HS256" }),
        json!({ "announce": -1 }),
        json!({ "announce": 2_592_001 }),
        json!({ "announce": 5, "emergency": true }),
        json!({ "algorithm": "ECDH-ES", "announce": 5 }),
        json!({ "anounce": 5 }),
    ] {
        let answer = post(&f, &token, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    assert_eq!(published(&f).await.len(), 1);
}

/// Nobody else is told what is wrong with a body, and whoever is told, is told so in RFC 9457's words.
#[tokio::test]
async fn a_body_is_read_only_for_those_who_may_send_it() {
    let f = fixtures().await;
    let token = token_for(&f, "ops", "signet:admin").await;
    let broken = || Call::post("/api/keys/rotate").body("application/json", "{");
    for (call, status) in [(broken(), 401), (broken().bearer(&token), 400)] {
        let answer = f.site.send(call).await;
        assert_eq!((answer.status, answer.media_type()), (status, "application/problem+json"));
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].is_string() && problem["trace_id"].is_string(), "{problem}");
    }
}
