//! Who and what the API turns away, whatever the operation.

use reqwest::Method;
use serde_json::json;

use super::{api, is_problem, refused};
use crate::harness::{Call, TestServer};

/// Every operation of the API by method and path, and whether it asks for a token: from the contract itself.
fn operations() -> Vec<(Method, String, bool)> {
    let contract = signet::http::contract();
    let (mut found, mut path, mut part) = (Vec::<(Method, String, bool)>::new(), String::new(), "");
    for line in contract.lines() {
        if !line.starts_with(' ') {
            part = line;
        } else if part == "paths:" && line.starts_with("  /") {
            path = line.trim().trim_end_matches(':').to_owned();
        } else if part == "paths:" && line.starts_with("    ") && !line.starts_with("     ") {
            let method = line.trim().trim_end_matches(':').to_uppercase();
            found.push((method.parse().unwrap(), path.clone(), false));
        } else if line == "      security:" {
            found.last_mut().unwrap().2 = true;
        }
    }
    found.retain(|(_, path, _)| path.starts_with("/api/v1/"));
    found
}

fn call(method: &Method, path: &str) -> Call {
    let id = "00000000-0000-4000-8000-000000000000";
    Call::new(method.clone(), &path.replace("{id}", id).replace("{client_id}", "c1"))
}

/// Case SEC-143.
#[tokio::test]
async fn without_a_good_token_every_operation_of_an_account_is_401() {
    let api = api(&[]).await;
    let operations = operations();
    let guarded: Vec<_> = operations.iter().filter(|(.., guarded)| *guarded).collect();
    assert!(guarded.len() >= 17, "{guarded:?}");
    for (method, path, _) in &guarded {
        let broken = || call(method, path).body("application/json", "{");
        for (reason, call) in [
            ("nothing", call(method, path)),
            ("nothing, with a body that is wrong", broken()),
            ("junk", broken().bearer("junk")),
            ("another scheme", broken().basic("a", "b")),
            ("a cookie", broken().header("cookie", "signet-session=AAAA; __Host-signet-session=AAAA")),
            ("a token in the address", Call { url: format!("{path}?access_token=junk"), ..broken() }),
        ] {
            let answer = api.site.send(call).await;
            assert_eq!(refused(&answer), (401, "invalid_token".to_owned()), "{method} {path} with {reason}");
            assert!(answer.header("www-authenticate").is_some_and(|asks| asks.starts_with("Bearer")), "{path}");
            assert!(answer.header("set-cookie").is_none());
        }
    }
    // What asks for none is for those who have none yet.
    for (_, path, _) in operations.iter().filter(|(.., guarded)| !guarded) {
        assert!(path.starts_with("/api/v1/auth/") && !path.contains("logout"), "{path} asks for no token");
    }
}

/// Case SEC-143: a token of a person for an app, and one of a machine.
#[tokio::test]
async fn a_token_for_something_else_is_403_everywhere() {
    let f = TestServer::start().await.fixtures().await;
    let token = f.tokens(&f.c1).await.access;
    for (method, path, _) in operations().iter().filter(|(.., guarded)| *guarded) {
        let answer = f.site.send(call(method, path).bearer(&token)).await;
        assert_eq!(refused(&answer), (403, "insufficient_scope".to_owned()), "{method} {path}");
    }
}

/// Case SEC-151: whoever is signed in at the pages is nobody here.
#[tokio::test]
async fn the_cookies_of_the_pages_are_worth_nothing_here() {
    let f = TestServer::start().await.fixtures().await;
    let browser = f.signed_in(&f.u1).await;
    let cookies = browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value));
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    assert!(cookies.contains("session="), "{cookies}");
    for (method, path, guarded) in operations() {
        let answer = f.site.send(call(&method, &path).header("cookie", &cookies)).await;
        if guarded {
            assert_eq!(refused(&answer).0, 401, "{method} {path}");
        }
        assert!(answer.header("set-cookie").is_none(), "{method} {path}");
    }
    let form = "current_password=x&new_password=y";
    let forged = Call::post("/api/v1/me/password").header("cookie", &cookies).header("origin", "https://evil.example");
    let answer = f.site.send(forged.body("application/x-www-form-urlencoded", form)).await;
    assert_eq!(refused(&answer).0, 401);
}

/// Decision D16.
#[tokio::test]
async fn where_it_is_not_offered_there_is_nothing() {
    let api = api(&[("accounts.api", "false")]).await;
    for (method, path, _) in operations() {
        for method in [method, Method::DELETE, Method::OPTIONS] {
            let preflight = call(&method, &path)
                .header("origin", "https://spa.example")
                .header("access-control-request-method", "POST");
            let answer = api.site.send(preflight).await;
            assert_eq!(refused(&answer), (404, "not_found".to_owned()), "{method} {path}");
        }
    }
    let contract = api.site.get("/openapi.yaml").await.text();
    assert!(!contract.contains("/api/v1/") && contract.contains("/oauth2/token"), "it is in the contract");
}

#[tokio::test]
async fn what_no_operation_answers_is_a_problem_too() {
    let api = api(&[]).await;
    let unknown = api.site.get("/api/v1/nothing").await;
    assert_eq!(refused(&unknown), (404, "not_found".to_owned()));
    for (path, allowed) in [
        ("/api/v1/me", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/api/v1/me/sessions", "GET, HEAD, DELETE"),
        ("/api/v1/me/sessions/x", "DELETE"),
        ("/api/v1/me/apps/x", "DELETE"),
        ("/api/v1/me/apps", "GET, HEAD"),
        ("/api/v1/me/export", "GET, HEAD"),
        ("/api/v1/me/password", "POST"),
        ("/api/v1/me/providers", "GET, HEAD"),
        ("/api/v1/me/providers/x", "DELETE"),
        ("/api/v1/me/email", "POST"),
        ("/api/v1/me/security-log", "GET, HEAD"),
        ("/api/v1/users/x", "GET, HEAD"),
        ("/api/v1/auth/login", "POST"),
        ("/api/v1/auth/password/strength", "POST"),
    ] {
        let wrong = Method::from_bytes(b"PROPFIND").unwrap();
        let answer = api.site.send(Call::new(wrong, path)).await;
        assert_eq!((refused(&answer), answer.header("allow")), ((405, "method_not_allowed".to_owned()), Some(allowed)));
    }
    let large = json!({ "login": "a".repeat(300_000), "password": "b" }).to_string();
    let answer = api.site.send(Call::post("/api/v1/auth/login").body("application/json", large)).await;
    assert_eq!(refused(&answer), (413, "too_large".to_owned()));
    let squeezed = Call::post("/api/v1/auth/login").header("content-encoding", "gzip").body("application/json", "{}");
    assert_eq!(refused(&api.site.send(squeezed).await), (415, "unsupported_media_type".to_owned()));
}

/// Fetch §3.2: scripts of registered origins, and never with cookies.
#[tokio::test]
async fn scripts_of_registered_origins_may_call() {
    let f = TestServer::start().await.fixtures().await;
    let preflight = async |path: &str, origin: &str, method: &str| {
        let call = Call::new(Method::OPTIONS, path).header("origin", origin);
        let call = call.header("access-control-request-method", method);
        f.site.send(call.header("access-control-request-headers", "authorization, content-type")).await
    };
    for (path, method) in [("/api/v1/me", "PATCH"), ("/api/v1/me/sessions/x", "DELETE"), ("/api/v1/auth/login", "POST")]
    {
        let known = preflight(path, "https://spa.example", method).await;
        assert_eq!((known.status, known.header("access-control-allow-origin")), (204, Some("https://spa.example")));
        assert!(known.tokens_of("access-control-allow-methods").contains(&method.to_lowercase()), "{method}");
        assert!(known.header("access-control-allow-credentials").is_none());
        let stranger = preflight(path, "https://evil.example", method).await;
        assert!(stranger.header("access-control-allow-origin").is_none());
        assert!(stranger.header("access-control-allow-methods").is_none());
    }
    let answer = f.site.send(Call::get("/api/v1/me").header("origin", "https://spa.example")).await;
    is_problem(&answer);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://spa.example"));
    assert!(answer.tokens_of("access-control-expose-headers").contains(&"retry-after".to_owned()));
    assert!(answer.tokens_of("vary").contains(&"origin".to_owned()));
}

/// The contract says where tools get a token, under the issuer's path too.
#[tokio::test]
async fn the_contract_says_how_to_get_a_token() {
    let server = TestServer::at("http://localhost:8080/id").await;
    let contract = server.site.get("/id/openapi.yaml").await.text();
    assert!(contract.contains("tokenUrl: /id/api/v1/auth/token"), "the path of the issuer is missing");
    let page = server.site.get("/id/docs").await.text();
    assert!(page.contains("\"tokenUrl\": \"/id/api/v1/auth/token\""));
    assert!(signet::http::contract().contains("tokenUrl: /api/v1/auth/token"));
}
