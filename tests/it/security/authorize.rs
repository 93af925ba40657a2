//! AZ, first part: who asks, and where the answer may go.
use reqwest::Method;

use crate::harness::{
    Call, Parameters, RelyingParty, assert,
    browser::Page,
    fixtures,
    relying_party::{DISCOVERY, METADATA},
    seed::{ClientSpec, disable_client, try_client},
};

/// What a person sees, without what differs from run to run.
fn seen(page: &Page) -> (String, String) {
    (page.title(), page.text().replace(&page.read("error-trace-id"), "TRACE"))
}

/// SEC-001, RFC 6749 §4.1.2.1.
#[tokio::test]
async fn sec_001_a_client_that_is_not_known_gets_a_page() {
    let f = fixtures().await;
    disable_client(&f.app, &f.c4).await;
    let mut pages = Vec::new();
    for (name, asked) in [
        ("it does not exist", f.c1.asks().with("client_id", "nobody")),
        ("it is disabled", f.c4.asks()),
        ("it has the name of another in other letters", f.c1.asks().with("client_id", "C1")),
        ("it is not named", f.c1.asks().without("client_id")),
        ("its name is empty", f.c1.asks().with("client_id", "")),
    ] {
        eprintln!("when {name}");
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::page(&browser, 400);
        assert::does_not_echo(browser.page(), "rp.example");
        assert::does_not_echo(browser.page(), asked.get("state").unwrap());
        pages.push(seen(browser.page()));
    }
    assert_eq!(pages[0], pages[1], "unknown and disabled look the same");
    assert_eq!(pages[3], pages[4], "empty is absent");
}

/// SEC-002, OpenID Connect Core §3.1.2.1, oidcc-ensure-redirect-uri-in-authorization-request.
#[tokio::test]
async fn sec_002_no_redirect_uri_is_ever_chosen_for_a_client() {
    let f = fixtures().await;
    for client in [&f.c7, &f.c1] {
        for asked in [client.asks().without("redirect_uri"), client.asks().with("redirect_uri", "")] {
            let mut browser = f.browser();
            browser.goto(&asked.url()).await;
            assert::page(&browser, 400);
            assert::does_not_echo(browser.page(), "rp.example");
        }
    }
}

async fn is_no_address_of(client: &RelyingParty, redirect_uri: &str) {
    eprintln!("when {} asks with {redirect_uri}", client.client_id);
    let mut browser = crate::harness::Browser::new(&client.site);
    browser.goto(&client.asks().with("redirect_uri", redirect_uri).url()).await;
    assert::page(&browser, 400);
    assert::does_not_echo(browser.page(), redirect_uri);
}

/// SEC-003, RFC 9700 §2.1, oidcc-ensure-registered-redirect-uri.
#[tokio::test]
async fn sec_003_redirect_uris_are_compared_byte_for_byte() {
    let f = fixtures().await;
    for wrong in [
        "https://rp.example/other",
        "https://rp.example/",
        "https://rp.example",
        "https://rp.example/cb/",
        "https://rp.example/cbx",
        "https://rp.example/cb?x=1",
        "https://rp.example/cb?",
        "http://rp.example/cb",
        "https://rp.example:8443/cb",
        "https://rp.example:443/cb",
        "https://RP.example/cb",
        "HTTPS://rp.example/cb",
        "https://rp.example/CB",
        "https://rp.example/%63b",
        "https://rp.example//cb",
        "https://rp.example/x/../cb",
        "https://www.rp.example/cb",
        " https://rp.example/cb",
        "https://rp.example/cb ",
        "/cb",
        "javascript:alert(1)",
    ] {
        is_no_address_of(&f.c1, wrong).await;
    }
}

/// SEC-004, CVE-2026-28512, CVE-2023-6291, CVE-2026-41569, oidcc-redirect-uri-query-mismatch and -added.
#[tokio::test]
async fn sec_004_no_trick_makes_another_address_look_registered() {
    let f = fixtures().await;
    for wrong in [
        "https://rp.example.evil.test/cb",
        "https://rp.example@evil.test/cb",
        "https://rp.example:pass@evil.test/cb",
        "https://evil.test/?u=https://rp.example/cb",
        "https://evil.test/cb",
        "https://evil.test#https://rp.example/cb",
        "https://evil.test\\@rp.example/cb",
        "//rp.example/cb",
    ] {
        is_no_address_of(&f.c1, wrong).await;
    }
    for wrong in [
        "https://rp.example/cb?a=2",
        "https://rp.example/cb",
        "https://rp.example/cb?a=1&b=2",
        "https://rp.example/cb?A=1",
        "https://rp.example/cb?a=1#",
    ] {
        is_no_address_of(&f.c1q, wrong).await;
    }
    let visit = f.visit(&f.c1q).await;
    assert_eq!(visit.browser.landed().get("a"), Some("1"), "the registered query survives");
}

/// SEC-005, RFC 6749 §3.1.2, oidcc-redirect-uri-regfrag.
#[tokio::test]
async fn sec_005_a_redirect_uri_has_no_fragment() {
    let f = fixtures().await;
    is_no_address_of(&f.c1, "https://rp.example/cb#x").await;
    is_no_address_of(&f.c1, "https://rp.example/cb#").await;
    for uri in ["https://rp.example/cb#x", "https://rp.example/cb#"] {
        let spec = ClientSpec { redirect_uris: vec![uri], ..ClientSpec::web("fragmentary") };
        let error = try_client(&f, spec).await.err();
        assert!(error.is_some_and(|error| error.contains("redirect_uri")), "{uri} was registered");
    }
}

/// SEC-006, RFC 8252 §7.3.
#[tokio::test]
async fn sec_006_only_the_port_of_a_loopback_address_may_vary() {
    let f = fixtures().await;
    for right in ["http://127.0.0.1:51004/cb", "http://[::1]:49152/cb", "http://127.0.0.1/cb", "com.example.app:/cb"] {
        let asked = f.c3.asks().with("redirect_uri", right);
        let visit = f.visit_with(&f.c3, asked).await;
        assert!(visit.browser.landed().raw.starts_with(&format!("{right}?")), "{}", visit.browser.landed().raw);
    }
    for wrong in [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb?x=1",
        "http://127.0.0.1:51004/cb/",
        "https://127.0.0.1:51004/cb",
        "http://127.0.0.2:51004/cb",
        "http://localhost:51004/cb",
        "http://127.0.0.1.evil.test:51004/cb",
        "http://127.0.0.1:51004@evil.test/cb",
        "http://127.0.0.1:x/cb",
        "http://127.0.0.1:510040/cb",
        "http://127.1:51004/cb",
        "com.example.app:1/cb",
        "com.example.app://cb",
    ] {
        is_no_address_of(&f.c3, wrong).await;
    }
    is_no_address_of(&f.c1, "https://rp.example:51004/cb").await;
    let spec = ClientSpec { redirect_uris: vec!["https://rp.example:8443/cb"], ..ClientSpec::web("ported") };
    let ported = f.client(spec).await;
    is_no_address_of(&ported, "https://rp.example:8444/cb").await;
}

/// SEC-011, RFC 6749 §3.1: repeats of what decides the address end on a page, all others at the client.
#[tokio::test]
async fn sec_011_a_parameter_is_given_once() {
    let f = fixtures().await;
    for (name, value) in [("client_id", "c1"), ("client_id", "c4"), ("redirect_uri", "https://rp.example/cb")] {
        eprintln!("when {name} is repeated");
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().also(name, value).url()).await;
        assert::page(&browser, 400);
    }
    let repeated = ["scope", "response_type", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age"];
    for name in repeated {
        eprintln!("when {name} is repeated");
        let asked = f.c1.asks().with("prompt", "login").with("max_age", "100");
        let mut browser = f.browser();
        browser.goto(&asked.clone().also(name, asked.get(name).unwrap()).url()).await;
        assert::redirect(&browser, &f.c1, &asked, "invalid_request");
    }
    let asked = f.c1.asks();
    let mut browser = f.browser();
    browser.goto(&asked.clone().also("state", "another").url()).await;
    assert::redirect(&browser, &f.c1, &asked.without("state"), "invalid_request");
}

/// SEC-011: once in the query and once in the body is twice.
#[tokio::test]
async fn sec_011_query_and_body_count_together() {
    let f = fixtures().await;
    let mut browser = f.browser();
    let asked = f.c1.asks();
    browser.post_from_elsewhere("/authorize?client_id=c1", &asked.parameters).await;
    assert::page(&browser, 400);
    let scope = Parameters::new(&[("scope", "openid")]).encoded();
    browser.post_from_elsewhere(&format!("/authorize?{scope}"), &asked.parameters).await;
    assert::redirect(&browser, &f.c1, &asked, "invalid_request");
    let state = Parameters::new(&[("state", "other")]).encoded();
    browser.post_from_elsewhere(&format!("/authorize?{state}"), &asked.parameters).await;
    assert::redirect(&browser, &f.c1, &asked.without("state"), "invalid_request");
}

/// SEC-020, RFC 9207: tests of every other case check `iss` too; here it meets the metadata.
#[tokio::test]
async fn sec_020_every_answer_names_the_issuer_of_the_metadata() {
    let f = fixtures().await;
    let issuer = f.c1.discovery().await["issuer"].as_str().unwrap().to_string();
    for document in [DISCOVERY, METADATA] {
        let metadata = f.site.get(document).await.json();
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true, "{document}");
        assert_eq!(metadata["issuer"], issuer, "{document}");
    }
    let success = f.visit(&f.c1).await;
    assert_eq!(success.browser.landed().get("iss"), Some(issuer.as_str()));
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("prompt", "none").url()).await;
    assert!(browser.landed().get("error").is_some());
    assert_eq!(browser.landed().get("iss"), Some(issuer.as_str()));
}

/// SEC-023, RFC 9700 §2.6: the endpoint is for browsers that navigate, not for scripts.
#[tokio::test]
async fn sec_023_authorize_is_get_and_post_and_never_cross_origin() {
    let f = fixtures().await;
    let url = f.c2.asks().url();
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE, Method::OPTIONS] {
        let call = Call::new(method.clone(), &url).header("origin", "https://spa.example");
        let answer = f.site.send(call.header("access-control-request-method", "GET")).await;
        assert_eq!(answer.status, 405, "{method}");
        let allowed = answer.tokens_of("allow");
        assert!(allowed.contains(&"get".into()) && allowed.contains(&"post".into()), "{method}: {allowed:?}");
        has_no_cors(&answer);
    }
    has_no_cors(&f.site.send(Call::get(&url).header("origin", "https://spa.example")).await);
}

fn has_no_cors(answer: &crate::harness::Answer) {
    let found = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    assert!(found.is_none(), "{found:?} on {}", answer.url);
}
