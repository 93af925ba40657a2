//! OpenID Connect Registration §5: who may call itself part of a sector.

use serde_json::json;
use signet::{
    flows::admin::clients::{self, Kind, NewClient},
    store::trace_event,
};

use super::{CALLBACK, Open, elsewhere, elsewhere::Elsewhere, refused::registered, register, with};
use crate::harness::{Sink, TestServer, assert};

/// oidcc-registration-sector-uri: the document names the redirect URI, so the client is of the sector.
#[tokio::test]
async fn oidcc_registration_sector_uri() {
    let server = Open::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    let uri = there.has("/sector", "application/json", json!([CALLBACK, "https://other.example/cb"]).to_string());
    let told = server
        .registers(json!({
            "redirect_uris": [CALLBACK, "https://other.example/cb"],
            "subject_type": "pairwise",
            "sector_identifier_uri": uri,
        }))
        .await;
    assert_eq!((&told["subject_type"], &told["sector_identifier_uri"]), (&json!("pairwise"), &json!(uri)));
    assert_eq!(there.asked("/sector"), 1);
}

/// SEC-087, SEC-153, oidcc-registration-sector-bad.
#[tokio::test]
async fn oidcc_registration_sector_bad() {
    let server = Open::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    let json = "application/json";
    let named = json!([CALLBACK]).to_string();
    for (reason, uri, said) in [
        ("it lacks the address", there.has("/lacks", json, json!(["https://x.example/"]).to_string()), "does not name"),
        (
            "the address differs",
            there.has("/case", json, json!(["https://RP.example/cb"]).to_string()),
            "does not name",
        ),
        ("it is empty", there.has("/empty", json, "[]"), "does not name"),
        ("it is no list", there.has("/object", json, "{}"), "no JSON array"),
        ("it has other things in it", there.has("/mixed", json, json!([CALLBACK, 1]).to_string()), "no JSON array"),
        ("it is no JSON", there.has("/text", json, "x"), "no JSON array"),
        ("it is a page", there.has("/page", "text/html", named.clone()), "no JSON array"),
        ("it is elsewhere", there.has("/redirect", "redirect", there.url("/named")), "no JSON array"),
        ("it is not there", there.url("/missing"), "no JSON array"),
        ("it is too long", there.has("/long", json, " ".repeat(300 * 1024)), "no JSON array"),
    ] {
        let answer = register(&server.site, &with(json!({ "sector_identifier_uri": uri })), None).await;
        assert::json(&answer, 400, "invalid_client_metadata");
        let told = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert!(told.starts_with("sector_identifier_uri: ") && told.contains(said), "{reason}: {told}");
        assert_eq!(registered(&server).await, 0, "{reason}");
    }
    there.has("/named", json, named);
}

/// SEC-152: nobody makes this server look around in its network, and the trace says what was tried.
#[tokio::test]
async fn sec_152_a_sector_document_is_not_fetched_from_inside() {
    let server = Open::start().await;
    let sink = Sink::open();
    for uri in [sink.url(), sink.url().replace("127.0.0.1", "localhost"), "https://169.254.169.254/latest".into()] {
        let answer = register(&server.site, &with(json!({ "sector_identifier_uri": uri })), None).await;
        assert::json(&answer, 400, "invalid_client_metadata");
        let told = answer.json();
        assert_eq!(told["error_description"], "sector_identifier_uri: no JSON array of texts could be fetched there");
        server.app.recorder.flush().await;
        let events = trace_event::of(&server.app.db, told["trace_id"].as_str().unwrap()).await.unwrap();
        let checks = events.last().unwrap().checks();
        let last = checks.last().unwrap();
        assert_eq!(last.rule, "sector_identifier");
        let received = last.received.as_ref().unwrap().as_str();
        assert!(received.starts_with(&uri) && received.contains("public address"), "{received}");
    }
    sink.is_untouched();
}

/// The operator's own clients are held to it too, and the operator is told why.
#[tokio::test]
async fn sec_087_an_operators_client_is_of_its_sector_too() {
    let server = TestServer::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    let uri = there.has("/sector", "application/json", json!(["https://x.example/"]).to_string());
    let new = |uri: String| {
        let mut metadata = Kind::Web.defaults();
        metadata.redirect_uris = vec![CALLBACK.into()];
        metadata.sector_identifier_uri = Some(uri);
        NewClient { client_id: None, kind: Kind::Web, metadata, policy: Default::default(), secret: None }
    };
    let refused = clients::create(&server.app, new(uri)).await.unwrap_err().to_string();
    assert_eq!(refused, format!("sector_identifier_uri: the document does not name {CALLBACK}"));
    let refused = clients::create(&server.app, new(there.url("/none"))).await.unwrap_err().to_string();
    assert!(refused.contains("status 404"), "{refused}");
    let uri = there.has("/good", "application/json", json!([CALLBACK]).to_string());
    let (client, _) = clients::create(&server.app, new(uri)).await.unwrap();
    let mut metadata = client.metadata.clone();
    metadata.client_name = Some("Renamed".into());
    clients::update(&server.app, &client.client_id, metadata.clone(), client.policy.clone()).await.unwrap();
    assert_eq!(there.asked("/good"), 1, "nothing about the sector has changed");
    metadata.redirect_uris.push("https://rp.example/more".into());
    let refused = clients::update(&server.app, &client.client_id, metadata, client.policy).await.unwrap_err();
    assert!(refused.to_string().contains("does not name https://rp.example/more"), "{refused}");
}
