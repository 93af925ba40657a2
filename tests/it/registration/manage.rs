//! RFC 7592: a client handles its own registration, and nobody else's.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CALLBACK, Open, REGISTER, with};
use crate::harness::{Answer, Call, Userinfo, assert, seed::ClientSpec};

async fn manage(server: &Open, method: Method, id: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
    let mut call = Call::new(method, &format!("{REGISTER}/{id}"));
    if let Some(token) = token {
        call = call.bearer(token);
    }
    if let Some(body) = body {
        call = call.body("application/json", body.to_string());
    }
    server.site.send(call).await
}

fn id(told: &Value) -> &str {
    told["client_id"].as_str().unwrap()
}

fn token(told: &Value) -> &str {
    told["registration_access_token"].as_str().unwrap()
}

/// SEC-088, CVE-2020-27838: the token opens one registration and nothing else; who has none learns nothing.
#[tokio::test]
async fn sec_088_a_registration_is_its_own_clients_business() {
    let server = Open::start().await;
    server.client(ClientSpec::web("by-hand")).await;
    let (a, b) = (server.registers(with(json!({}))).await, server.registers(with(json!({}))).await);
    let body = with(json!({ "client_id": id(&b), "client_name": "Taken over" }));
    let mut answers = Vec::new();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        for (client, token) in [
            (id(&b), Some(token(&a))),
            (id(&b), None),
            (id(&b), Some("x")),
            (id(&b), b["client_secret"].as_str()),
            ("by-hand", Some(token(&a))),
            ("nobody", Some(token(&a))),
            ("signet-account", Some(token(&a))),
        ] {
            let answer = manage(&server, method.clone(), client, token, Some(&body)).await;
            assert_eq!(answer.status, 401, "{method} {client}: {}", answer.text());
            assert!(answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let text = answer.text();
            assert!(!text.contains("rp.example") && !text.contains(id(&b)), "{text}");
            let mut told = answer.json();
            told.as_object_mut().unwrap().remove("trace_id");
            answers.push(told);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "all are told the same");
    let b = manage(&server, Method::GET, id(&b), Some(token(&b)), None).await;
    assert_eq!((b.status, b.header("cache-control")), (200, Some("no-store")));
    assert_eq!(b.json().get("client_name"), None);
    assert_eq!(b.json().get("client_secret"), None, "nobody can show it again");
}

/// SEC-088, RFC 7592 §2.3: nothing of a client outlives it.
#[tokio::test]
async fn sec_088_a_removed_client_takes_everything_with_it() {
    let server = Open::start().await;
    let more = json!({ "grant_types": ["authorization_code", "refresh_token"] });
    let (app, told) = server.app(with(more)).await;
    let asked = app.asks_to_stay();
    let mut browser = server.browser();
    browser.goto(&asked.url()).await.walk(&server.ada).await;
    let tokens = app.tokens(&browser.landed().code(), &asked).await;
    browser.goto(&app.asks().url()).await;
    let unused = browser.landed().code();
    let gone = manage(&server, Method::DELETE, id(&told), Some(token(&told)), None).await;
    assert_eq!((gone.status, gone.header("cache-control"), gone.body.len()), (204, Some("no-store"), 0));
    assert_eq!(app.userinfo(&tokens.access, Userinfo::Get).await.status, 401);
    assert::json(&app.refresh(tokens.refresh_token()).await, 401, "invalid_client");
    assert::json(&app.redeem(&unused, &asked).await, 401, "invalid_client");
    let answer = browser.goto(&app.asks().url()).await.page().status();
    assert!((400..500).contains(&answer));
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let again = manage(&server, method, id(&told), Some(token(&told)), Some(&json!({}))).await;
        assert_eq!(again.status, 401);
    }
}

/// RFC 7592 §2.2: what is not said is taken away, and secrets are not chosen.
#[tokio::test]
async fn a_registration_is_replaced() {
    let server = Open::start().await;
    let first = with(json!({ "client_name": "First", "tos_uri": "https://rp.example/terms" }));
    let (app, told) = server.app(first).await;
    let (id, token) = (id(&told), token(&told));
    let new = json!({
        "client_id": id,
        "client_secret": told["client_secret"],
        "redirect_uris": [CALLBACK, "https://rp.example/other"],
        "client_name": "Second",
        "tos_uri": null,
    });
    let answer = manage(&server, Method::PUT, id, Some(token), Some(&new)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{}", answer.text());
    let now = answer.json();
    assert_eq!(now["client_name"], "Second");
    assert_eq!(now["redirect_uris"][1], "https://rp.example/other");
    assert_eq!((now.get("tos_uri"), now.get("client_secret")), (None, None));
    assert_eq!(now["registration_access_token"], token);
    assert_eq!(now["client_id_issued_at"], told["client_id_issued_at"]);
    let mut browser = server.browser();
    let asked = app.asks().with("redirect_uri", "https://rp.example/other");
    browser.goto(&asked.url()).await.walk(&server.ada).await;
    app.tokens(&browser.landed().code(), &asked).await;

    let change = |more: Value| {
        let mut change = with(json!({ "client_id": id }));
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        change
    };
    for (reason, body, code, member) in [
        ("it names no client", with(json!({})), "invalid_client_metadata", "client_id"),
        ("it names another", change(json!({ "client_id": "other" })), "invalid_client_metadata", "client_id"),
        ("it chooses a secret", change(json!({ "client_secret": "mine" })), "invalid_client_metadata", "client_secret"),
        ("its address is wrong", change(json!({ "redirect_uris": ["/x"] })), "invalid_redirect_uri", "redirect_uris"),
        ("it wants more than others", change(json!({ "scope": "signet:admin" })), "invalid_client_metadata", "scope"),
    ] {
        let answer = manage(&server, Method::PUT, id, Some(token), Some(&body)).await;
        assert::json(&answer, 400, code);
        assert!(answer.json()["error_description"].as_str().unwrap().contains(member), "{reason}: {}", answer.text());
    }
    let same = manage(&server, Method::GET, id, Some(token), None).await.json();
    assert_eq!(same, now);
}

/// A client that could not use the secret that it has gets one, and one that needs none has none.
#[tokio::test]
async fn a_secret_comes_and_goes_with_the_method() {
    let server = Open::start().await;
    let (app, told) = server.app(with(json!({ "token_endpoint_auth_method": "none" }))).await;
    assert_eq!((told.get("client_secret"), told.get("client_secret_expires_at")), (None, None));
    let put = |method: &str| {
        let body = with(json!({ "client_id": id(&told), "token_endpoint_auth_method": method }));
        let (server, told) = (&server, &told);
        async move { manage(server, Method::PUT, id(told), Some(token(told)), Some(&body)).await.json() }
    };
    let confidential = put("client_secret_post").await;
    assert!(confidential["client_secret"].is_string());
    assert_eq!(confidential["client_secret_expires_at"], 0);
    assert_eq!(put("client_secret_basic").await.get("client_secret"), None, "it keeps the one that it has");
    let by_signature = put("client_secret_jwt").await;
    assert!(by_signature["client_secret"].is_string(), "only a hash was kept, which checks no signature");
    assert_eq!(put("client_secret_jwt").await.get("client_secret"), None);
    assert_eq!(put("none").await.get("client_secret"), None);
    let asked = app.asks();
    let mut browser = server.browser();
    browser.goto(&asked.url()).await.walk(&server.ada).await;
    app.tokens(&browser.landed().code(), &asked).await;
}

/// A client that the operator has disabled is nobody's to change.
#[tokio::test]
async fn a_disabled_client_has_no_say() {
    let server = Open::start().await;
    let (app, told) = server.app(with(json!({}))).await;
    crate::harness::seed::disable_client(&server.app, &app).await;
    let answer = manage(&server, Method::GET, id(&told), Some(token(&told)), None).await;
    assert_eq!(answer.status, 401);
}
