//! Back-channel logout. Plan: oidcc-backchannel-rp-initiated-logout-certification-test-plan.
use std::sync::Arc;

use serde_json::json;
use signet::{
    crypto::{
        jwe::{self, Opener},
        jwk,
    },
    flows::admin::clients,
    protocol::client_metadata::ClientMetadata,
};

use super::{fixtures_with, secure};
use crate::harness::{
    Browser, Fixtures, Receiver, RelyingParty, assert,
    documents::Documents,
    jwt::Token,
    receiver::Got,
    relying_party::{DISCOVERY, random},
    seed::ClientSpec,
};

const BYE: &str = "https://rp.example/bye";

/// Where apps live on loopback, which the server may call because its operator says so.
pub async fn server() -> Fixtures {
    fixtures_with(&[("outbound.allow_hosts", "127.0.0.1")]).await
}

pub async fn app(f: &Fixtures, name: &str, receiver: &Receiver) -> RelyingParty {
    f.client(ClientSpec { backchannel_logout_uri: Some(receiver.url()), ..ClientSpec::web(name) }).await
}

/// OpenID Connect Back-Channel Logout §2.4 to §2.6, as a relying party must check it.
pub async fn trusts(f: &Fixtures, client: &RelyingParty, got: &Got) {
    assert_eq!((got.method.as_str(), got.content_type.as_str()), ("POST", "application/x-www-form-urlencoded"));
    assert_eq!(got.form.names(), ["logout_token"], "only that parameter");
    assert!(!got.headers.iter().any(|name| name == "cookie" || name == "authorization"), "{:?}", got.headers);
    let token = got.token();
    assert_eq!(token.header["typ"], "logout+jwt");
    assert!(token.is_signed_by(&client.jwks().await), "{:?}", token.header);
    let claims = &token.claims;
    assert_eq!(claims["iss"], f.site.issuer.as_str());
    assert_eq!(claims["aud"], client.client_id.as_str());
    f.was_at(claims["iat"].as_i64().unwrap(), f.now());
    let life = claims["exp"].as_i64().unwrap() - f.now();
    assert!((1..=120).contains(&life), "{claims:?}");
    assert_eq!(claims["jti"].as_str().unwrap().len(), 22, "128 bits: {claims:?}");
    assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    assert!(!claims.contains_key("nonce"), "{claims:?}");
    assert!(claims["sub"].is_string() && claims["sid"].is_string(), "{claims:?}");
    assert_eq!(claims.len(), 8, "nothing else: {claims:?}");
}

#[tokio::test]
async fn oidcc_backchannel_discovery_endpoint_verification() {
    let server = secure().await;
    let metadata = server.site.get(DISCOVERY).await.json();
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
    assert_eq!(metadata["end_session_endpoint"], server.site.url("/logout").as_str());
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    let (f, receiver) = (server().await, Receiver::start(&[]).await);
    let client = app(&f, "told", &receiver).await;
    let mut visit = f.visit(&client).await;
    let (hint, state) = (visit.tokens.id.clone().unwrap(), random(128));
    let url = client.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", &state)]);
    visit.browser.goto(&url).await;
    assert_eq!(visit.browser.landed().raw, format!("{BYE}?state={state}"), "then it goes back, with state");
    let got = receiver.only();
    assert_eq!(got.path, "/told");
    trusts(&f, &client, &got).await;
    let (id_token, logout_token) = (visit.tokens.claims(), got.token().claims);
    assert_eq!((&logout_token["sub"], &logout_token["sid"]), (&id_token["sub"], &id_token["sid"]));
    let asked = client.asks().with("prompt", "none");
    visit.browser.goto(&asked.url()).await;
    assert::redirect(&visit.browser, &client, &asked, "login_required");
}

/// §2.3: only those that know of the session, each by its own name, and once however often it was asked.
#[tokio::test]
async fn every_app_of_the_session_is_told_and_no_other() {
    let f = server().await;
    let (one, two, three) = (Receiver::start(&[]).await, Receiver::start(&[]).await, Receiver::start(&[]).await);
    let (first, second) = (app(&f, "first", &one).await, app(&f, "second", &two).await);
    let stranger = app(&f, "stranger", &three).await;
    let visit = f.visit(&first).await;
    let visit = f.continue_in(visit.browser, &second, second.asks()).await;
    let sid_of_second = visit.tokens.claims()["sid"].clone();
    let mut visit = f.continue_in(visit.browser, &first, first.asks()).await;
    f.visit(&stranger).await;
    visit.browser.goto("/logout").await.press("logout-confirm").await;
    assert!(visit.browser.sees("logged-out"), "{}", visit.browser.page());
    let sid = visit.tokens.claims()["sid"].clone();
    for (client, receiver, sid) in [(&first, &one, &sid), (&second, &two, &sid_of_second)] {
        let got = receiver.only();
        trusts(&f, client, &got).await;
        assert_eq!(got.token().claims["sid"], *sid);
    }
    assert_ne!(sid, sid_of_second, "two apps have nothing to compare");
    assert!(three.got().is_empty(), "another browser's session lives on");
    assert_ne!(one.only().token().claims["jti"], two.only().token().claims["jti"]);
    assert_eq!(visit.browser.page().read("logged-out-apps"), "2 apps were told that you have signed out.");
}

/// §2.4, §2.6: as the client is registered for ID tokens, so it gets its logout tokens: its own name for the person,
/// encrypted, or not at all where it has no key for it.
#[tokio::test]
async fn a_logout_token_is_made_as_id_tokens_are() {
    let (f, receiver) = (server().await, Receiver::start(&[]).await);
    let client = app(&f, "private", &receiver).await;
    let registered = async |change: &dyn Fn(&mut ClientMetadata)| {
        let known = clients::find(&f.app, "private").await.unwrap();
        let mut metadata = known.metadata;
        change(&mut metadata);
        clients::update(&f.app, "private", metadata, known.policy).await.unwrap();
    };
    let leave = async |mut browser: Browser| {
        browser.goto("/logout").await.press("logout-confirm").await;
    };
    registered(&|metadata| metadata.subject_type = "pairwise".into()).await;
    let visit = f.visit(&client).await;
    let sub = visit.tokens.claims()["sub"].clone();
    leave(visit.browser).await;
    assert_ne!(sub, f.u1.id.as_str());
    assert_eq!(receiver.only().token().claims["sub"], sub);

    let visit = f.visit(&client).await;
    let key = jwk::generate("RSA-OAEP-256", 2048).unwrap();
    let mut public = jwk::public_jwk(&key, "RSA-OAEP-256").unwrap();
    public.as_object_mut().unwrap().retain(|name, _| name != "use" && name != "alg");
    registered(&|metadata| {
        metadata.jwks = Some(json!({ "keys": [public] }));
        metadata.id_token_encrypted_response_alg = Some("RSA-OAEP-256".into());
    })
    .await;
    leave(visit.browser).await;
    let got = receiver.got().pop().unwrap();
    let opener = Arc::new(Opener::new(&key, "RSA-OAEP-256").unwrap());
    let opened = jwe::decrypt(got.form.get("logout_token").unwrap(), &|_| Some(opener.clone())).unwrap();
    let token = Token::read(&opened);
    assert_eq!((&token.header["typ"], &token.claims["sub"]), (&"logout+jwt".into(), &sub));
}

/// An app that is called over https, as all but those on the operator's list are: its certificate is checked.
#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout_over_https() {
    let trusting = [("outbound.allow_hosts", "localhost"), ("outbound.root_certificates", "authority.pem")];
    for (settings, told) in [(&trusting[..], true), (&trusting[..1], false)] {
        let f = fixtures_with(settings).await;
        let there = Documents::start().await;
        let backchannel_logout_uri = Some(there.put("/told", "text/plain", ""));
        let client = f.client(ClientSpec { backchannel_logout_uri, ..ClientSpec::web("told") }).await;
        let mut browser = f.visit(&client).await.browser;
        browser.goto("/logout").await.press("logout-confirm").await;
        assert_eq!(there.times_asked("/told") == 1, told, "{}", browser.page());
    }
}
