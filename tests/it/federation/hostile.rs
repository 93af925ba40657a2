//! A provider that lies, and people who tamper on the way: each ends as its case says, and the trace names the cause.

use serde_json::{Value, json};

use super::{HOSTS, OPEN, World, cookie, grace, is_inside, is_outside, world};
use crate::harness::{
    Call, Parameters, TestServer, assert,
    authority::AUTHORITY,
    upstream::{Lies, Mood, Upstream, back_with},
};

/// Case SEC-136.
#[tokio::test]
async fn sec_136_an_answer_belongs_to_one_way_of_one_browser() {
    let w = world(OPEN).await;
    let mut browser = w.f.browser();
    for query in ["", "code=x", "state=&code=x", "state=short&code=x", "state=a&state=b&code=x"] {
        browser.goto(&format!("/federation/harbor/callback?{query}")).await;
        is_outside(&browser, "provider-stale", 400);
        assert::page_headers(browser.page());
    }
    let unknown = "A".repeat(43);
    browser.goto(&format!("/federation/harbor/callback?code=x&state={unknown}")).await;
    is_outside(&browser, "provider-stale", 400);
    assert::does_not_echo(browser.page(), &unknown);

    w.leave(&mut browser, &w.f.c1).await;
    let landed = browser.landed().url.clone();
    let back = w.up.back(&landed, &grace());
    // Another browser: a victim who is sent the attacker's answer, or a thief who has seen it.
    let mut other = w.f.browser();
    other.goto(&w.f.c1.asks().url()).await.goto(&back).await;
    is_outside(&other, "provider-stale", 400);
    other.goto(&back.replace("/federation/harbor/", "/federation/ferry/")).await;
    is_outside(&other, "provider-stale", 400);
    assert_eq!(w.up.asked("/token").len(), 0, "the code was not even redeemed");
    assert_eq!(w.refusal().await.0, "upstream_state");
    // That has spent nothing.
    browser.goto(&back).await;
    assert!(is_inside(&browser), "{}", browser.page());
    let session = cookie(&browser, "session");
    let again = w.up.code(&landed, &json!({ "sub": "somebody else" }));
    browser.goto(&back_with(&landed, &[("code", &again)])).await;
    assert!(browser.sees("provider-stale"), "{}", browser.page());
    assert_eq!((cookie(&browser, "session"), w.links().await.len()), (session, 1));
}

#[tokio::test]
async fn sec_136_an_answer_that_comes_late_is_none() {
    let w = world(OPEN).await;
    let mut browser = w.f.browser();
    w.leave(&mut browser, &w.f.c1).await;
    let back = w.up.back(&browser.landed().url, &grace());
    w.f.clock.advance(601);
    browser.goto(&back).await;
    is_outside(&browser, "provider-stale", 400);
}

/// Of many who come back by one answer at once, one does.
#[tokio::test]
async fn sec_136_an_answer_has_one_winner() {
    let w = world(OPEN).await;
    let mut browser = w.f.browser();
    w.leave(&mut browser, &w.f.c1).await;
    let back = w.up.back(&browser.landed().url, &grace());
    let mut all: Vec<_> = (0..6).map(|_| browser.stolen()).collect();
    let answers = all.iter_mut().map(|one| one.request(Call::get(&back)));
    let answers = futures_util::future::join_all(answers).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert_eq!(w.up.asked("/token").len(), 1);
}

/// Case SEC-137.
#[tokio::test]
async fn sec_137_an_id_token_is_refused_when() {
    let w = world(OPEN).await;
    let now = w.f.now();
    let says = |claims: Value| Lies { claims, ..Lies::default() };
    let signs = |alg, key| Lies { alg: Some(alg), key, ..Lies::default() };
    let heads = |header: Value| Lies { header, ..Lies::default() };
    let evil = "https://evil.example";
    for (why, lies, noted) in [
        ("iss is another", says(json!({ "iss": evil })), "iss is not the provider"),
        ("iss has a slash more", says(json!({ "iss": format!("{}/", w.up.issuer) })), "iss is not"),
        ("iss is missing", says(json!({ "iss": null })), "iss is not"),
        ("aud is another", says(json!({ "aud": "another-app" })), "aud is another app"),
        ("aud is missing", says(json!({ "aud": null })), "aud is missing"),
        ("aud is not text", says(json!({ "aud": [1] })), "aud is missing"),
        ("several aud, no azp", says(json!({ "aud": ["signet-there", "other"] })), "azp none"),
        ("azp is another", says(json!({ "azp": "other" })), "azp is another app"),
        ("azp is no text", says(json!({ "azp": 1 })), "azp is another app"),
        ("nonce is another", says(json!({ "nonce": "x" })), "nonce is that of another"),
        ("nonce is missing", says(json!({ "nonce": null })), "nonce is missing"),
        ("expired", says(json!({ "exp": now - 61 })), "has expired"),
        ("exp is missing", says(json!({ "exp": null })), "exp is missing"),
        ("exp is text", says(json!({ "exp": "soon" })), "exp is missing"),
        ("exp is endless", says(json!({ "exp": 1e300 })), "exp is missing"),
        ("iat is missing", says(json!({ "iat": null })), "iat is missing"),
        ("old", says(json!({ "iat": now - 400 })), "not issued just now"),
        ("of the future", says(json!({ "iat": now + 90 })), "not issued just now"),
        ("not yet", says(json!({ "nbf": now + 90 })), "not valid yet"),
        ("sub is missing", says(json!({ "sub": null })), "sub is missing"),
        ("sub is empty", says(json!({ "sub": "" })), "sub is missing"),
        ("sub is a number", says(json!({ "sub": 1 })), "sub is missing"),
        ("sub is long", says(json!({ "sub": "a".repeat(256) })), "longer than 255"),
        ("alg none", signs("none", 0), "algorithm none"),
        ("HS256 with the public key", signs("HS256", 0), "algorithm HS256"),
        (
            "another key under the known name",
            Lies { key: 1, header: json!({ "kid": "key-0" }), ..Lies::default() },
            "signature",
        ),
        ("a key that is not published", Lies { key: 1, ..Lies::default() }, "no known key"),
        ("another alg than the key's", heads(json!({ "alg": "ES256" })), "no known key"),
        ("crit", heads(json!({ "crit": ["x"], "x": 1 })), "crit"),
        ("made for another purpose", heads(json!({ "typ": "at+jwt" })), "another purpose"),
        ("no ID token", Lies { tokens: json!({ "id_token": null }), ..Lies::default() }, "no ID token"),
        ("no token at all", Lies { tokens: json!({ "id_token": "a.b.c" }), ..Lies::default() }, "three parts"),
        (
            "userinfo of another",
            Lies { userinfo: json!({ "sub": "other" }), claims: json!({ "name": null }), ..Lies::default() },
            "somebody else",
        ),
    ] {
        *w.up.lies() = lies;
        let mut browser = w.f.browser();
        w.come(&mut browser, &grace()).await;
        is_outside(&browser, "provider-failed", 400);
        assert!(!browser.page().text().contains(evil) && browser.sees("provider-back"), "{why}: {}", browser.page());
        let (rule, said) = w.refusal().await;
        assert!(rule == "upstream_token" && said.contains(noted), "{why}: {rule} {said}");
        assert!(w.links().await.is_empty(), "{why}");
    }
    w.up.repent();
    for (why, lies) in [
        ("our clock is behind", says(json!({ "iat": now + 30 }))),
        ("our clock is ahead", says(json!({ "exp": now - 30 }))),
        ("several aud, azp is us", says(json!({ "aud": ["x", "signet-there"], "azp": "signet-there" }))),
    ] {
        *w.up.lies() = lies;
        let mut browser = w.f.browser();
        w.come(&mut browser, &grace()).await;
        assert!(is_inside(&browser), "{why}: {}", browser.page());
    }
}

/// Case SEC-137: keys that a token brings along are not looked at, nor gone to.
#[tokio::test]
async fn sec_137_a_token_does_not_bring_its_key() {
    let w = world(OPEN).await;
    let there = Upstream::start().await;
    for name in ["jku", "x5u"] {
        let header = json!({ name: format!("{}/jwks", there.issuer), "kid": "key-1" });
        *w.up.lies() = Lies { key: 1, header, ..Lies::default() };
        let mut browser = w.f.browser();
        w.come(&mut browser, &grace()).await;
        is_outside(&browser, "provider-failed", 400);
    }
    assert!(there.got().is_empty());
}

/// RFC 9700 §4.5: a code that was stolen at the provider is no good in another way.
#[tokio::test]
async fn a_swapped_code_is_refused() {
    let w = world(OPEN).await;
    for (careless, rule, noted) in [(false, "upstream_answer", "invalid_grant"), (true, "upstream_token", "nonce")] {
        w.up.lies().careless = careless;
        let (mut victim, mut attacker) = (w.f.browser(), w.f.browser());
        w.leave(&mut victim, &w.f.c1).await;
        w.leave(&mut attacker, &w.f.c1).await;
        let stolen = w.up.code(&victim.landed().url, &grace());
        let back = back_with(&attacker.landed().url, &[("code", &stolen)]);
        attacker.goto(&back).await;
        is_outside(&attacker, "provider-failed", 400);
        let (by, said) = w.refusal().await;
        assert!(by == rule && said.contains(noted), "{by} {said}");
        assert!(!attacker.page().answer.text().contains("not for people"), "{}", attacker.page());
    }
}

/// RFC 9207 §2.4.
#[tokio::test]
async fn an_answer_of_another_provider_is_a_mix_up() {
    let w = world(OPEN).await;
    let own = w.up.issuer.clone();
    for (promised, iss, inside) in [
        (false, None, true),
        (false, Some(&*own), true),
        (false, Some("https://evil.example"), false),
        (true, Some(&*own), true),
        (true, None, false),
    ] {
        let up = Upstream::start().await;
        up.lies().discovery = json!({ "authorization_response_iss_parameter_supported": promised });
        let f = TestServer::declaring(&[HOSTS], &up.declared("harbor", OPEN)).await.fixtures().await;
        up.live_by(&f.clock);
        let w = World { f, up };
        let mut browser = w.f.browser();
        w.leave(&mut browser, &w.f.c1).await;
        let landed = browser.landed().url.clone();
        let code = w.up.code(&landed, &grace());
        let iss = iss.map(|iss| if iss == own { w.up.issuer.clone() } else { iss.to_string() });
        let mut back = vec![("code", code.as_str())];
        back.extend(iss.as_deref().map(|iss| ("iss", iss)));
        browser.goto(&back_with(&landed, &back)).await;
        if inside {
            assert!(is_inside(&browser), "{promised} {iss:?}: {}", browser.page());
        } else {
            is_outside(&browser, "provider-failed", 400);
            assert_eq!(w.refusal().await.0, "upstream_issuer");
            assert!(w.up.asked("/token").is_empty(), "the code stays here");
        }
    }
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_told_in_our_words() {
    let w = world(OPEN).await;
    for (error, id, status) in [
        ("access_denied", "provider-denied", 403),
        ("server_error", "provider-failed", 400),
        ("<script>alert(1)</script>", "provider-failed", 400),
    ] {
        let mut browser = w.f.browser();
        w.leave(&mut browser, &w.f.c1).await;
        let told = [("error", error), ("error_description", "<b>call 0900</b>")];
        browser.goto(&back_with(&browser.landed().url.clone(), &told)).await;
        is_outside(&browser, id, status);
        assert!(!browser.page().answer.text().contains("0900"), "{}", browser.page());
        let (rule, said) = w.refusal().await;
        assert!(rule == "upstream_answer" && !said.contains('<'), "{said}");
        browser.press("provider-back").await;
        assert!(browser.sees("login-submit"), "the other ways in: {}", browser.page());
    }
    let mut browser = w.f.browser();
    w.leave(&mut browser, &w.f.c1).await;
    browser.goto(&back_with(&browser.landed().url.clone(), &[("code", "a"), ("error", "b")])).await;
    is_outside(&browser, "provider-failed", 400);
}

/// Decision K5: our cookies do not come along with a form of the provider, and nothing of it stays in clear.
#[tokio::test]
async fn an_answer_can_be_posted() {
    let w = world(OPEN).await;
    let mut browser = w.f.browser();
    w.leave(&mut browser, &w.f.c1).await;
    let landed = browser.landed().url.clone();
    let code = w.up.code(&landed, &grace());
    let state = Parameters::parse(landed.query().unwrap()).get("state").unwrap().to_string();
    let form = Parameters::default().with("code", &code).with("state", &state).with("id_token", "not.read.here");
    let (mut other, path) = (w.f.browser(), "/federation/harbor/callback");
    // Whoever else posts it, with or without another browser, brings it nowhere.
    other.post_from_elsewhere(path, &Parameters::default().with("code", "x").with("state", &"B".repeat(43))).await;
    is_outside(&other, "provider-stale", 400);
    browser.post_from_elsewhere(path, &form).await;
    assert!(is_inside(&browser), "{}", browser.page());
    assert!(!browser.hops.iter().any(|hop| hop.url.as_str().contains(&code)), "the code is in no address");
    browser.post_from_elsewhere(path, &form).await;
    assert!(browser.sees("provider-stale"), "{}", browser.page());
}

/// Case SEC-142.
#[tokio::test]
async fn sec_142_a_discovery_document_is_refused_when() {
    let http = "http://login.evil.example/x";
    for (why, lies, rule) in [
        ("it is of another issuer", json!({ "issuer": "https://evil.example" }), "upstream_metadata"),
        ("it names no issuer", json!({ "issuer": null }), "upstream_metadata"),
        ("an endpoint is http", json!({ "token_endpoint": http }), "upstream_metadata"),
        ("people are sent to http", json!({ "authorization_endpoint": http }), "upstream_metadata"),
        ("keys are at http", json!({ "jwks_uri": http }), "upstream_metadata"),
        ("userinfo is at http", json!({ "userinfo_endpoint": http }), "upstream_metadata"),
        ("keys are within", json!({ "jwks_uri": "https://10.0.0.1/jwks" }), "upstream_metadata"),
        ("a script is an endpoint", json!({ "authorization_endpoint": "javascript:alert(1)" }), "upstream_metadata"),
        ("there are no keys", json!({ "jwks_uri": null }), "upstream_metadata"),
    ] {
        let up = Upstream::start().await;
        up.lies().discovery = lies;
        let f = TestServer::declaring(&[HOSTS], &up.declared("harbor", OPEN)).await.fixtures().await;
        up.live_by(&f.clock);
        let w = World { f, up };
        let mut browser = w.f.browser();
        browser.goto(&w.f.c1.asks().url()).await.press("login-provider-harbor").await;
        is_outside(&browser, "provider-failed", 400);
        assert_eq!(w.refusal().await.0, rule, "{why}");
        browser.press("provider-back").await.sign_in(&w.f.u1).await;
        assert!(is_inside(&browser), "{why}: the other ways in are there");
    }
}

/// Cases SEC-142, SEC-153: each document of the provider in turn is no document.
#[tokio::test]
async fn sec_153_a_document_of_a_provider_is_refused_when() {
    let internal = Upstream::start().await;
    let elsewhere = format!("{}/.well-known/openid-configuration", internal.issuer);
    for path in ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"] {
        for (why, mood, noted) in [
            ("it is an error", Mood::Status(500), "status 500"),
            ("it is a page", Mood::Page, "not JSON|JSON content type"),
            ("it leads elsewhere", Mood::Redirects(elsewhere.clone()), "status 302"),
            ("it never ends", Mood::Endless, "longer than 262144 bytes"),
            ("it is large", Mood::Large, "longer than 262144 bytes"),
            ("it is no object", Mood::Says(200, json!("text")), "not an object|no JSON object|another issuer"),
            ("it comes byte by byte", Mood::Hangs, "no whole answer within 5 seconds"),
        ] {
            let w = world(&format!("{OPEN}\ngroups_claim = 'groups'\nadmin_groups = ['wheel']")).await;
            w.up.lies().moods.insert(path, mood);
            let mut browser = w.f.browser();
            browser.goto(&w.f.c1.asks().url()).await.press("login-provider-harbor").await;
            if browser.has_left() {
                let back = w.up.back(&browser.landed().url, &grace());
                browser.goto(&back).await;
            }
            assert!(
                browser.sees("provider-away") || browser.sees("provider-failed"),
                "{path} {why}: {}",
                browser.page()
            );
            assert_eq!((cookie(&browser, "session"), w.links().await.len()), (None, 0), "{path} {why}");
            let (rule, said) = w.refusal().await;
            assert!(rule.starts_with("upstream_"), "{path} {why}: {rule}");
            assert!(noted.split('|').any(|cause| said.contains(cause)), "{path} {why}: {said}");
            browser.press("provider-back").await.sign_in(&w.f.u1).await;
            assert!(is_inside(&browser), "{path} {why}: the other ways in are there");
        }
    }
    assert!(internal.got().is_empty());
}

/// Case SEC-154: nothing is asked of a server that nobody vouches for, and no secret reaches it.
#[tokio::test]
async fn sec_154_a_provider_is_not_believed_without_its_certificate() {
    for (why, host, certificate, roots, inside) in [
        ("all is well", "localhost", &AUTHORITY.server_certificate, "authority.pem", true),
        ("nobody vouches for it", "localhost", &AUTHORITY.server_certificate, "", false),
        ("it vouches for itself", "localhost", &AUTHORITY.own_certificate, "authority.pem", false),
        ("it has expired", "localhost", &AUTHORITY.expired_certificate, "authority.pem", false),
        ("it is another's", "127.0.0.1", &AUTHORITY.server_certificate, "authority.pem", false),
    ] {
        let up = Upstream::over_tls(host, certificate).await;
        let settings = [("outbound.allow_hosts", "localhost, 127.0.0.1"), ("outbound.root_certificates", roots)];
        let f = TestServer::declaring(&settings, &up.declared("harbor", OPEN)).await.fixtures().await;
        up.live_by(&f.clock);
        let w = World { f, up };
        let mut browser = w.f.browser();
        browser.goto(&w.f.c1.asks().url()).await.press("login-provider-harbor").await;
        if inside {
            let back = w.up.back(&browser.landed().url, &grace());
            browser.goto(&back).await;
            assert!(is_inside(&browser), "{why}: {}", browser.page());
            continue;
        }
        is_outside(&browser, "provider-away", 503);
        let (rule, said) = w.refusal().await;
        assert!(rule == "upstream_reached" && said.contains("certificate"), "{why}: {said}");
        assert!(w.up.got().is_empty(), "{why}");
    }
}

/// Case SEC-152: what is private is refused before anybody connects to it, and a declared provider already at the start.
#[tokio::test]
async fn sec_152_a_provider_within_is_not_reached() {
    let up = Upstream::start().await;
    let issuer = up.issuer.replace("http://", "https://");
    let more = up.declared("harbor", OPEN).replace(&up.issuer, &issuer);
    let f = TestServer::declaring(&[], &more).await.fixtures().await;
    let w = World { f, up };
    let mut browser = w.f.browser();
    browser.goto(&w.f.c1.asks().url()).await.press("login-provider-harbor").await;
    is_outside(&browser, "provider-away", 503);
    let (rule, said) = w.refusal().await;
    assert!(rule == "upstream_reached" && said.contains("not a public address"), "{said}");
    assert!(w.up.got().is_empty() && !browser.page().text().contains("public address"), "{}", browser.page());
}
