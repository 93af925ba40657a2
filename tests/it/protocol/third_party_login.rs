//! Sign-ins that begin elsewhere. Plan: oidcc-3rdparty-init-login-certification-test-plan.
use serde_json::json;

use super::{
    fixtures_with,
    registering::{OPEN, Site},
};
use crate::harness::{Call, assert};

async fn site() -> Site {
    Site::new(fixtures_with(&OPEN).await).await
}

/// The address is in the 201, and in what the client reads of itself afterwards.
#[tokio::test]
async fn oidcc_3rd_party_init_login() {
    let site = site().await;
    let address = "https://rp.example/login";
    let client = site.registers(json!({ "initiate_login_uri": address })).await;
    assert_eq!(client.told["initiate_login_uri"], address);
    let uri = client.told["registration_client_uri"].as_str().unwrap();
    let token = client.told["registration_access_token"].as_str().unwrap();
    let read = site.f.site.send(Call::get(uri).bearer(token)).await;
    assert_eq!((read.status, read.media_type()), (200, "application/json"));
    assert_eq!(read.json()["initiate_login_uri"], address);
    site.f.flow(&client.party, client.party.asks()).await;
    client.is_deleted().await;
}

#[tokio::test]
async fn oidcc_3rd_party_init_login_nohttps() {
    let site = site().await;
    let answer = site.tries(json!({ "initiate_login_uri": "http://rp.example/login" })).await;
    assert::json(&answer, 400, "invalid_client_metadata");
}
