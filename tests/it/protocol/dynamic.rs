//! Dynamic OP: a client of its own for each module, by private_key_jwt. Plan: oidcc-dynamic-certification-test-plan.
use serde_json::{Value, json};

use super::{
    fixtures_with,
    registering::{Client, OPEN, Site},
};
use crate::harness::{
    Call, Tokens, Userinfo, assert,
    jwt::{CLIENTS_KEY, FOREIGN_KEY, Pair, Token, unsigned},
    relying_party::{ASSERTION_TYPE, DISCOVERY, TOKEN, random},
    seed::rotate_keys,
};

async fn site() -> Site {
    Site::new(fixtures_with(&OPEN).await).await
}

/// The plan is run for each response type.
#[tokio::test]
async fn oidcc_server() {
    let site = site().await;
    for kind in ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"] {
        eprintln!("when the response type is {kind}");
        let grants = ["authorization_code", "implicit", "refresh_token"];
        let client = site.registers(json!({ "response_types": [kind], "grant_types": grants })).await;
        let flow = site.f.flow(&client.party, client.party.asks().with("response_type", kind)).await;
        assert_eq!(flow.claims().contains_key("name"), kind == "id_token");
        client.is_deleted().await;
    }
}

#[tokio::test]
async fn oidcc_idtoken_rs256() {
    let site = site().await;
    let client = site.registers(json!({ "id_token_signed_response_alg": "RS256" })).await;
    let flow = site.f.flow(&client.party, client.party.asks()).await;
    assert_eq!(Token::read(flow.hint()).alg(), "RS256");
}

/// Skipped by the plan, for `none` is not listed; who registers it all the same is told.
#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let site = site().await;
    let listed = site.f.c1.discovery().await["id_token_signing_alg_values_supported"].clone();
    assert!(!listed.as_array().unwrap().contains(&json!("none")));
    let answer = site.tries(json!({ "id_token_signed_response_alg": "none" })).await;
    assert::json(&answer, 400, "invalid_client_metadata");
}

#[tokio::test]
async fn oidcc_userinfo_rs256() {
    let site = site().await;
    let client = site.registers(json!({ "userinfo_signed_response_alg": "RS256" })).await.party;
    let asked = client.asks();
    let visit = site.f.visit_with(&client, asked).await;
    let answer = client.userinfo(&visit.tokens.access, Userinfo::Get).await;
    assert_eq!((answer.status, answer.media_type()), (200, "application/jwt"));
    let token = Token::read(&answer.text());
    assert_eq!(token.alg(), "RS256");
    assert!(token.is_signed_by(&client.jwks().await));
    assert_eq!(token.claims["iss"], client.site.issuer.as_str());
    assert_eq!(token.claims["aud"], client.client_id.as_str());
    assert_eq!(token.claims["sub"], visit.tokens.claims()["sub"]);
    assert!(!token.claims.contains_key("nonce"));
}

/// Two redirect URIs, or one: which is meant is never guessed.
#[tokio::test]
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let site = site().await;
    for uris in [&["https://rp.example/cb", "https://rp.example/other"][..], &["https://rp.example/cb"]] {
        let client = site.registers(json!({ "redirect_uris": uris })).await.party;
        let mut browser = site.f.browser();
        browser.goto(&client.asks().without("redirect_uri").url()).await;
        assert::page(&browser, 400);
    }
}

#[tokio::test]
async fn oidcc_redirect_uri_query_ok() {
    let site = site().await;
    let client = site.registers(json!({ "redirect_uris": ["https://rp.example/cb?foo=bar"] })).await.party;
    let flow = site.f.flow(&client, client.asks()).await;
    assert!(flow.browser.landed().raw.starts_with("https://rp.example/cb?foo=bar&"), "{}", flow.browser.landed().raw);
}

async fn address_is_refused(registered: &str, sent: &str) {
    let site = site().await;
    let client = site.registers(json!({ "redirect_uris": [registered] })).await.party;
    let mut browser = site.f.browser();
    browser.goto(&client.asks().with("redirect_uri", sent).url()).await;
    assert::page(&browser, 400);
    assert!(browser.page().text().to_lowercase().contains("redirect"), "a reviewer reads why: {}", browser.page());
}

#[tokio::test]
async fn oidcc_redirect_uri_query_mismatch() {
    address_is_refused("https://rp.example/cb?foo=bar", "https://rp.example/cb?foo=other").await;
}

#[tokio::test]
async fn oidcc_redirect_uri_query_added() {
    address_is_refused("https://rp.example/cb", "https://rp.example/cb?foo=bar").await;
}

#[tokio::test]
async fn oidcc_redirect_uri_regfrag() {
    let site = site().await;
    let answer = site.tries(json!({ "redirect_uris": ["https://rp.example/cb#foobar"] })).await;
    assert::json(&answer, 400, "invalid_redirect_uri");
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let site = site().await;
    let metadata = site.f.site.get(DISCOVERY).await.json();
    assert_eq!(metadata["registration_endpoint"], site.f.site.url("/oauth2/register").as_str());
    let lists = |name: &str, value: &str| metadata[name].as_array().unwrap().contains(&json!(value));
    for kind in ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"] {
        assert!(lists("response_types_supported", kind), "{kind}");
    }
    assert!(lists("grant_types_supported", "authorization_code") && lists("grant_types_supported", "implicit"));
    assert!(lists("token_endpoint_auth_methods_supported", "private_key_jwt"));
    assert!(lists("subject_types_supported", "pairwise"));
}

/// The first page shows the picture, from our own address: no other origin is asked by the browser.
#[tokio::test]
async fn oidcc_registration_logo_uri() {
    let site = site().await;
    let png = b"\x89PNG\r\n\x1a\n and so on";
    let uri = site.there.put("/logo.png", "image/png", png);
    let client = site.registers(json!({ "logo_uri": uri })).await.party;
    let path = format!("/clients/{}/logo", client.client_id);
    let picture = site.f.until(async || Some(site.f.site.get(&path).await).filter(|answer| answer.status == 200)).await;
    assert_eq!((picture.media_type(), &picture.body[..]), ("image/png", &png[..]));
    let mut browser = site.f.browser();
    browser.goto(&client.asks().url()).await;
    let page = browser.page();
    let shown: Vec<_> = page.document.named("img").filter_map(|image| image.attribute("src")).collect();
    assert!(shown.iter().any(|source| source.starts_with(&path)), "{shown:?}");
    assert!(page.policy("img-src").unwrap().contains(&"'self'".into()));
}

async fn is_linked(member: &str) {
    let site = site().await;
    let address = format!("https://rp.example/{member}");
    let client = site.registers(json!({ member: address })).await.party;
    let mut browser = site.f.browser();
    browser.goto(&client.asks().url()).await;
    let page = browser.page();
    assert!(page.document.named("a").any(|link| link.attribute("href") == Some(&address)), "{page}");
}

#[tokio::test]
async fn oidcc_registration_policy_uri() {
    is_linked("policy_uri").await;
}

#[tokio::test]
async fn oidcc_registration_tos_uri() {
    is_linked("tos_uri").await;
}

#[tokio::test]
async fn oidcc_registration_jwks_uri() {
    let site = site().await;
    let uri = site.there.put_json("/jwks", &json!({ "keys": [CLIENTS_KEY.jwk()] }));
    let client = site.registers(json!({ "jwks_uri": uri, "jwks": null })).await.party;
    site.f.flow(&client, client.asks()).await;
    assert_eq!(site.there.times_asked("/jwks"), 1);
}

/// The same person is the same for apps of one sector, and for no others.
#[tokio::test]
async fn oidcc_registration_sector_uri() {
    let site = site().await;
    let uris = ["https://rp.example/cb", "https://other.example/cb"];
    let sector = site.there.put_json("/sector", &json!(uris));
    let mut subs = Vec::new();
    for uri in uris {
        let sector = json!({ "redirect_uris": [uri], "subject_type": "pairwise", "sector_identifier_uri": sector });
        let client = site.registers(sector).await.party;
        subs.push(site.f.flow(&client, client.asks()).await.claims()["sub"].clone());
    }
    let client = site.registers(json!({ "subject_type": "pairwise" })).await.party;
    let elsewhere = site.f.flow(&client, client.asks()).await.claims()["sub"].clone();
    assert_eq!(subs[0], subs[1]);
    assert!(subs[0] != site.f.u1.id.as_str() && elsewhere != site.f.u1.id.as_str() && subs[0] != elsewhere);
}

#[tokio::test]
async fn oidcc_registration_sector_bad() {
    let site = site().await;
    let sector = site.there.put_json("/sector", &json!(["https://other.example/cb"]));
    let answer = site.tries(json!({ "subject_type": "pairwise", "sector_identifier_uri": sector })).await;
    assert::json(&answer, 400, "invalid_client_metadata");
}

/// The operator rotates while the server runs: the new key is there, and the old one stays.
#[tokio::test]
async fn oidcc_server_rotate_keys() {
    let site = site().await;
    let client = site.registers(json!({})).await.party;
    let kids = async || -> Vec<String> {
        let keys = client.jwks().await["keys"].as_array().unwrap().clone();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_string()).collect()
    };
    let before = kids().await;
    rotate_keys(&site.f.app).await;
    let after = site.f.until(async || Some(kids().await).filter(|kids| kids.len() > before.len())).await;
    assert!(before.iter().all(|kid| after.contains(kid)), "{before:?}, then {after:?}");
    site.f.flow(&client, client.asks()).await;
}

/// An unknown kid makes the server look again where the client's keys are.
#[tokio::test]
async fn oidcc_refresh_token_rp_key_rotation() {
    let site = site().await;
    let uri = site.there.put_json("/jwks", &json!({ "keys": [CLIENTS_KEY.jwk()] }));
    let mut client = site.registers(json!({ "jwks_uri": uri, "jwks": null })).await.party;
    let flow = site.f.flow(&client, client.asks_to_stay()).await;
    let refresh = flow.tokens.as_ref().unwrap().refresh_token().to_string();
    let next = Pair::of("the-next-key", "RS256");
    site.there.put_json("/jwks", &json!({ "keys": [next.jwk()] }));
    client.proof = crate::harness::Proof::PrivateKeyJwt(next);
    Tokens::of(&client.refresh(&refresh).await);
    assert_eq!(site.there.times_asked("/jwks"), 2);
}

/// Skipped by the plan, for unsigned objects are not listed.
#[tokio::test]
async fn oidcc_request_uri_unsigned() {
    let site = site().await;
    let metadata = site.f.c1.discovery().await;
    assert_eq!(metadata["request_uri_parameter_supported"], true);
    assert!(!metadata["request_object_signing_alg_values_supported"].to_string().contains("none"));
    let uri = site.there.url("/request.jwt");
    let client = site.registers(json!({ "request_uris": [uri] })).await.party;
    let asked = client.asks();
    site.there.put("/request.jwt", "application/jwt", unsigned(&inside(&client, &asked)));
    let mut browser = site.f.browser();
    browser.goto(&asked.clone().with("request_uri", &uri).url()).await;
    assert::redirect(&browser, &client, &asked, "invalid_request_object");
}

fn inside(client: &crate::harness::RelyingParty, asked: &crate::harness::Asked) -> Value {
    let parameters = asked.parameters.0.iter().map(|(name, value)| (name.clone(), json!(value)));
    let about = json!({ "iss": client.client_id, "aud": client.site.issuer, "exp": client.clock.now() + 60 });
    Value::Object(parameters.chain(about.as_object().unwrap().clone()).collect())
}

/// By reference, with a fragment that is not the hash of the content, and another content each time.
#[tokio::test]
async fn oidcc_request_uri_signed_rs256() {
    let site = site().await;
    let uri = format!("{}#{}", site.there.url("/request.jwt"), random(43));
    let registered = json!({ "request_uris": [uri], "request_object_signing_alg": "RS256" });
    let client = site.registers(registered).await.party;
    for _ in 0..2 {
        let asked = client.asks();
        site.there.put("/request.jwt", "application/jwt", CLIENTS_KEY.sign(&inside(&client, &asked)));
        let outside = client.asks().without("state").without("nonce").without_pkce().with("request_uri", &uri);
        let mut browser = site.f.browser();
        browser.goto(&outside.url()).await.walk(&site.f.u1).await;
        site.f.arrived(browser, &client, asked).await;
    }
    let asked = client.asks();
    site.there.put("/request.jwt", "application/jwt", FOREIGN_KEY.sign(&inside(&client, &asked)));
    let mut browser = site.f.browser();
    browser.goto(&asked.clone().with("request_uri", &uri).url()).await;
    assert::redirect(&browser, &client, &asked, "invalid_request_object");
}

/// The address inside a signed object counts; a wrong one outside is no way to anywhere.
#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let site = site().await;
    let client = site.registers(json!({ "request_object_signing_alg": "RS256" })).await.party;
    let asked = client.asks();
    let wrong = asked.clone().with("redirect_uri", "https://rp.example/cb_invalid");
    let mut browser = site.f.browser();
    let signed = wrong.clone().with("request", &CLIENTS_KEY.sign(&inside(&client, &asked)));
    browser.goto(&signed.url()).await.walk(&site.f.u1).await;
    site.f.arrived(browser, &client, asked.clone()).await;
    let mut browser = site.f.browser();
    browser.goto(&wrong.with("request", &unsigned(&inside(&client, &asked))).url()).await;
    assert::page(&browser, 400);
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let site = site().await;
    let (client, other) = (site.registers(json!({})).await.party, site.registers(json!({})).await.party);
    let first = site.f.flow(&client, client.asks_to_stay()).await.tokens.unwrap();
    let others = site.f.flow(&other, other.asks_to_stay()).await.tokens.unwrap();
    site.f.wait(1).await;
    let second = client.refreshed(first.refresh_token()).await;
    assert_ne!(second.claims()["iat"], first.claims()["iat"]);
    assert_eq!(second.claims()["auth_time"], first.claims()["auth_time"]);
    assert::json(&client.refresh(others.refresh_token()).await, 400, "invalid_grant");
}

/// The audience of an assertion is the issuer, alone or in a list of one.
#[tokio::test]
async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds() {
    let site = site().await;
    let Client { party: client, .. } = site.registers(json!({})).await;
    let asked = client.asks();
    let mut browser = site.f.browser();
    browser.goto(&asked.url()).await.walk(&site.f.u1).await;
    let assertion = client.assertion(|claims| claims["aud"] = json!(client.site.issuer));
    let form = client.redemption(&browser.landed().code(), &asked);
    let form = form.with("client_assertion_type", ASSERTION_TYPE).with("client_assertion", &assertion);
    Tokens::of(&site.f.site.send(Call::post(TOKEN).form(&form)).await);
}
