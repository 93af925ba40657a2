//! WB: where answers lead, what they carry, and what they must not say.
use std::collections::BTreeSet;

use regex::Regex;
use reqwest::Method;
use signet::flows::set_up;

use super::pages::fill_set_up;
use crate::harness::{
    Answer, Browser, Call, Parameters, TestServer, assert, cookies::Cookie, fixtures, relying_party::random,
    seed::lose_storage,
};

/// Addresses that browsers read as another site's, though some do not look like it.
const ELSEWHERE: [&str; 17] = [
    "https://evil.test",
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "///evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "\u{1}//evil.test",
    " //evil.test",
    "https:evil.test",
    "http:/\\evil.test",
    "//evil。test",
    "//evil\u{ff0e}test",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/account\r\nLocation: https://evil.test",
    "@evil.test",
];

/// SEC-100, dex #4927, CVE-2024-39694, CVE-2026-5467: nobody is sent on to another site.
#[tokio::test]
async fn sec_100_no_parameter_leads_to_another_site() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    let names =
        ["back", "next", "return_to", "redirect", "redirect_uri", "post_logout_redirect_uri", "url", "continue"];
    for path in
        ["/language?lang=de", "/?", "/account?", "/account/login?", "/logged-out?", "/setup?", "/try?", "/logout?"]
    {
        for address in ELSEWHERE {
            let form = names.iter().fold(Parameters::default(), |form, name| form.also(name, address));
            let answer = browser.request(Call::get(&format!("{path}&{}", form.encoded()))).await;
            let Some(location) = answer.location() else { continue };
            assert!(f.site.is_ours(&answer.url.join(location).unwrap()), "{path} {address:?} leads to {location}");
            assert!(!location.contains("evil"), "{path} {address:?} leads to {location}");
        }
    }
    for back in ["/account", "/try?x=1", "/authorize/00000000-0000-0000-0000-000000000000/login"] {
        let form = Parameters::new(&[("lang", "de"), ("back", back)]);
        let answer = browser.request(Call::get(&format!("/language?{}", form.encoded()))).await;
        assert_eq!(answer.location(), Some(back), "a path of ours is one to return to");
    }
}

/// SEC-100 for the redirect URI itself: what is not registered byte for byte is not followed, however it is dressed.
#[tokio::test]
async fn sec_100_a_dressed_up_redirect_uri_is_not_followed() {
    let f = fixtures().await;
    for dressed in [
        "https://rp.example@evil.test/cb",
        "https://evil.test\\@rp.example/cb",
        "https://rp.example\\@evil.test/cb",
        "https://rp.example:443/cb",
        "https://rp.example./cb",
        "https://rp。example/cb",
        "https://rp\u{ff0e}example/cb",
        "https://rp%2eexample/cb",
        "HTTPS://rp.example/cb",
        "https://RP.example/cb",
        "https://rp.example/./cb",
        "https://rp.example/x/../cb",
        "https://rp.example/%63b",
        "https://rp.example/cb%00",
        "https://rp.example/cb%0d%0a",
        " https://rp.example/cb",
        "https://rp.example/cb ",
        "https:///rp.example/cb",
        "https:rp.example/cb",
        "//rp.example/cb",
        "https://rp.example/cb;x",
        "https://rp.example/cb?",
        "https://rp.example/cb#",
    ] {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().with("redirect_uri", dressed).url()).await;
        assert::page(&browser, 400);
        for loopback in ["http://127.0.0.1:1@evil.test/cb", "http://127.0.0.1:0/cb", "http://127.1:80/cb"] {
            browser.goto(&f.c3.asks().with("redirect_uri", loopback).url()).await;
            assert::page(&browser, 400);
        }
    }
}

/// An answer without what is fresh each time.
fn shape(answer: &Answer) -> String {
    let fresh = r"[\w-]{43}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(errors(/|%2F)|>|trace_id.{3})[0-9a-z]{16}\b";
    let name = |name: &str| !["date", "content-length", "x-request-id"].contains(&name);
    let headers = answer.headers.iter().filter(|(known, _)| name(known.as_str()));
    let headers = headers.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    let all = format!("{}\n{}\n{}", answer.status, headers.collect::<Vec<_>>().join("\n"), answer.text());
    Regex::new(fresh).unwrap().replace_all(&all, "~").into_owned()
}

/// SEC-101, CVE-2025-64101, GHSA-93m4-mfpg-c3xf: the settings alone say who we are.
#[tokio::test]
async fn sec_101_a_stranger_does_not_tell_us_our_name() {
    let f = TestServer::at("https://id.example").await.fixtures().await;
    let link = set_up::link(&f.app, set_up::Older::AreVoid).await.unwrap();
    assert!(link.starts_with("https://id.example/setup?token="), "{link}");
    let asked = f.c1.asks();
    for path in [
        "/",
        "/account",
        "/account/login",
        "/try",
        "/logged-out",
        "/nothing",
        "/oauth2/nothing",
        "/language?lang=de&back=/account",
        "/.well-known/openid-configuration",
        "/openapi.yaml",
        &asked.url(),
        &asked.clone().with("prompt", "none").url(),
        &link,
    ] {
        let usual = f.site.get(path).await;
        for (name, value) in [
            ("host", "evil.test"),
            ("x-forwarded-host", "evil.test"),
            ("x-forwarded-server", "evil.test"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-prefix", "/evil.test"),
            ("x-original-url", "/evil.test"),
            ("x-rewrite-url", "/evil.test"),
            ("forwarded", "host=evil.test;proto=http"),
        ] {
            let answer = f.site.send(Call::get(path).header(name, value)).await;
            assert_eq!(shape(&answer), shape(&usual), "{name}: {value} changes {path}");
            assert!(!shape(&answer).contains("evil"), "{path} with {name}");
        }
    }
}

/// SEC-102, CWE-113, CVE-2024-11734: a line break in a value never becomes one in the head of an answer.
#[tokio::test]
async fn sec_102_a_line_break_does_not_split_an_answer() {
    let f = fixtures().await;
    let mut browser = f.visit(&f.c1).await.browser;
    let breaks =
        ["%0d%0aSet-Cookie:x=1", "%0aSet-Cookie:x=1", "%0d%0a%0d%0a<p>", "%e5%98%8a%e5%98%8dSet-Cookie:x=1", "%00"];
    let request = f.c1.asks().with("prompt", "none").with("scope", "openid").without("state").url();
    for text in breaks {
        for path in [
            format!("{request}&state={text}"),
            format!("{request}&nonce={text}"),
            format!("{request}&ui_locales={text}"),
            format!("{request}&redirect_uri={text}"),
            format!("{request}&response_mode=fragment&state={text}"),
            format!("/authorize?client_id={text}"),
            format!("/language?lang={text}&back=/account{text}"),
            format!("/language?lang=de%0d%0aX:y&back=/account?{text}"),
            format!("/logout?client_id=c1&post_logout_redirect_uri=https://rp.example/bye&state={text}"),
            format!("/logout?post_logout_redirect_uri={text}"),
            format!("/setup?token={text}"),
            format!("/errors/{text}"),
            format!("/static/{text}"),
            format!("/try/callback?state=account{text}"),
            format!("/nothing/{text}"),
            format!("/authorize/{text}/login"),
        ] {
            let answer = browser.request(Call::get(&path)).await;
            let mut cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
            assert!(cookies.all(|cookie| cookie.contains("signet-")), "{path}: {:?}", answer.headers);
            assert!(answer.headers.get("x").is_none(), "{path}: {:?}", answer.headers);
            let location = answer.location().unwrap_or_default().to_ascii_lowercase();
            assert!(location.is_ascii() && !location.contains("set-cookie:"), "{path} leads to {location}");
        }
    }
}

/// SEC-103, ASVS 14.3.2, CVE-2025-48947.
#[tokio::test]
async fn sec_103_what_is_somebodys_is_not_kept_by_caches() {
    let f = fixtures().await;
    let mut visit = f.visit(&f.c1).await;
    for path in [
        "/account",
        "/try",
        "/logout",
        "/logged-out",
        "/",
        "/account/login",
        "/setup?token=x",
        "/errors/0123456789abcdef",
        "/language?lang=de",
        "/nothing",
        "/oauth2/nothing",
        "/health/live",
        "/health/ready",
        "/oauth2/userinfo",
        &f.c1.asks().url(),
        &f.c1.asks().with("prompt", "none").url(),
        "/try/callback?state=account",
    ] {
        assert::not_stored(&visit.browser.request(Call::get(path)).await);
    }
    for answer in [
        f.c1.redeem(&visit.code, &visit.asked).await,
        f.c1.introspect(&visit.tokens.access).await,
        f.c1.revoke(&visit.tokens.access).await,
        f.c5.token(Parameters::new(&[("grant_type", "client_credentials")])).await,
        f.c1.userinfo(&visit.tokens.access, crate::harness::Userinfo::Get).await,
    ] {
        assert::not_stored(&answer);
    }
    for path in ["/static/signet.css", "/static/signet.js", "/oauth2/jwks", "/.well-known/openid-configuration"] {
        // With cookies and without: what is public is the same for everybody.
        for answer in [visit.browser.request(Call::get(path)).await, f.site.get(path).await] {
            assert!(answer.tokens_of("cache-control").contains(&"public".to_string()), "{path}");
            assert!(answer.headers.get("set-cookie").is_none(), "{path}");
        }
    }
}

/// SEC-104, ASVS 3.3.1 to 3.3.5: every cookie of a whole journey.
#[tokio::test]
async fn sec_104_cookies_are_for_this_host_and_no_script() {
    let f = TestServer::at("https://id.example").await.fixtures().await;
    let mut browser = f.browser();
    let mut seen: Vec<Cookie> = Vec::new();
    let mut note = |browser: &Browser| {
        let headers = browser.hops.iter().flat_map(|hop| hop.headers.get_all("set-cookie"));
        seen.extend(headers.map(|header| Cookie::parse(header.to_str().unwrap())));
    };
    note(browser.goto(&f.c1.asks().url()).await);
    note(browser.sign_in(&f.u1).await);
    note(browser.press("consent-allow").await);
    note(browser.goto("/language?lang=de").await);
    note(browser.goto("/logout").await);
    note(browser.press("logout-confirm").await);
    let mut other = f.browser();
    fill_set_up(&f, &mut other).await;
    note(other.press("setup-submit").await);
    let names: BTreeSet<&str> = seen.iter().map(|cookie| cookie.name.as_str()).collect();
    let all = ["browser", "known", "language", "session", "state"].map(|name| format!("__Host-signet-{name}"));
    assert_eq!(names, all.iter().map(String::as_str).collect());
    for cookie in &seen {
        // The one that an app's frame of ours must read, inside the app's page (OpenID Connect Session Management §3.2):
        // it is worth nothing, and sec_096 shows that nobody learns the session from it.
        let open = cookie.name == "__Host-signet-state";
        assert!(cookie.has("secure") && cookie.has("httponly") != open, "{cookie:?}");
        assert_eq!(cookie.attribute("samesite"), Some(if open { "None" } else { "Lax" }), "{cookie:?}");
        assert_eq!(cookie.attribute("path"), Some("/"), "{cookie:?}");
        assert!(!cookie.has("domain") && cookie.name.len() + cookie.value.len() < 4096, "{cookie:?}");
        for personal in [&f.u1.id, &f.u1.email, &f.u1.username] {
            assert!(!cookie.value.contains(personal.as_str()), "{cookie:?}");
        }
    }
    let session = seen.iter().find(|cookie| cookie.name.ends_with("session")).unwrap();
    assert!(!session.has("max-age") && !session.has("expires"), "a session is gone with the window: {session:?}");
    let script = std::fs::read_to_string("static/signet.js").unwrap();
    assert!(
        !script.contains("localStorage") && !script.contains("sessionStorage") && !script.contains("document.cookie")
    );
}

/// K8: plain http, which only this machine may use, has names of its own and the same care otherwise.
#[tokio::test]
async fn sec_104_plain_http_has_other_names() {
    let f = fixtures().await;
    let browser = f.visit(&f.c1).await.browser;
    assert!(browser.cookies().iter().all(|cookie| cookie.name.starts_with("signet-") && !cookie.has("secure")));
    let open = |name: &str| name == "signet-state";
    assert!(browser.cookies().iter().all(|c| c.has("httponly") != open(&c.name)));
    assert!(browser.cookies().iter().all(|c| c.attribute("samesite") == Some("Lax")));
}

/// SEC-105, ASVS 16.5.1: an error is a page or JSON, has an id, and tells nothing of how we are made.
#[tokio::test]
async fn sec_105_an_error_says_what_and_not_how() {
    let f = TestServer::with_limits().await.fixtures().await;
    let form = "application/x-www-form-urlencoded";
    let wrong = || Call::post("/oauth2/token").basic("c1", "wrong").body(form, "grant_type=client_credentials");
    for _ in 0..6 {
        f.site.send(wrong()).await;
    }
    let mut cases = Vec::new();
    for base in ["/account", "/oauth2/token"] {
        let to = |tail: &str| Call::get(&format!("{base}{tail}"));
        cases.extend([
            (404, to("/nothing")),
            (404, to("/%2e%2e/etc/passwd")),
            (405, Call::new(Method::PUT, base)),
            (414, to(&format!("?{}", random(17 * 1024)))),
            (431, to("").header("cookie", &format!("a={}", random(9 * 1024)))),
            (415, Call::post(base).header("content-encoding", "br").body(form, "a=b")),
            (413, Call::post(base).body(form, random(70 * 1024))),
        ]);
    }
    cases.push((429, wrong()));
    cases.push((400, Call::get("/authorize")));
    cases.push((400, Call::get("/authorize/x/login")));
    let mut answers = Vec::new();
    for (status, call) in cases {
        answers.push((status, call.url.chars().take(40).collect::<String>(), f.site.send(call).await));
    }
    lose_storage(&f.app).await;
    for call in [Call::get("/authorize?client_id=c7"), f.c7.call("/oauth2/token", Parameters::default())] {
        answers.push((503, call.url.clone(), f.site.send(call).await));
    }
    let made_of =
        Regex::new(r"(?i)poem|hyper|tokio|sqlx|sea-?orm|sqlite|\bselect\b.*\bfrom\b|panicked|\.rs:\d|/src/|rust")
            .unwrap();
    for (status, path, answer) in answers {
        let text = answer.text();
        assert_eq!(answer.status, status, "{path}: {text}");
        let request = answer.header("x-request-id").expect("an id of the request");
        assert!(request.len() >= 16, "{path}: {request}");
        let trace = match path.starts_with("/oauth2") {
            true => {
                assert_eq!(answer.media_type(), "application/json", "{path}: {text}");
                let body = answer.json();
                assert!(body["error"].is_string() && body["error_description"].is_string(), "{path}: {text}");
                body["trace_id"].as_str().unwrap().to_string()
            }
            false => {
                assert_eq!(answer.media_type(), "text/html", "{path}: {text}");
                let document = crate::harness::html::Document::parse(&text);
                document.elements[document.by_id("error-trace-id").unwrap()].text.clone()
            }
        };
        assert_eq!(trace.len(), 16, "{path}: {text}");
        assert!(!made_of.is_match(&text), "{path}: {:?} in {text}", made_of.find(&text));
        assert!(!text.contains(env!("CARGO_PKG_VERSION")), "{path}: {text}");
        for name in ["server", "x-powered-by", "via"] {
            assert!(answer.headers.get(name).is_none(), "{path}: {name}");
        }
        if [429, 503].contains(&status) {
            assert!(answer.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok_and(|s| s > 0)));
        }
        if status == 405 {
            assert!(answer.header("allow").is_some(), "{path}");
        }
    }
}
