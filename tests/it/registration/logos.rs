//! Logos: fetched once, kept, served from here and from nowhere else.

use sea_orm::ConnectionTrait;
use sea_orm_migration::MigratorTrait;
use serde_json::json;
use signet::{
    flows::admin::clients,
    jobs,
    migrations::Migrator,
    store::{client, trace_event},
};

use super::{
    Open, elsewhere,
    elsewhere::{Elsewhere, PNG},
    until, with,
};
use crate::harness::{Answer, Call, Sink, TestServer, seed::ClientSpec};

async fn logo(server: &TestServer, client_id: &str) -> Answer {
    server.site.get(&format!("/clients/{client_id}/logo")).await
}

/// A client of the operator with this logo; the job fetches it.
async fn with_logo(server: &TestServer, client_id: &str, uri: &str) {
    server.client(ClientSpec::web(client_id)).await;
    change(server, client_id, Some(uri)).await;
    jobs::run_all(&server.app).await;
}

async fn change(server: &TestServer, client_id: &str, uri: Option<&str>) {
    let known = clients::find(&server.app, client_id).await.unwrap();
    let mut metadata = known.metadata;
    metadata.logo_uri = uri.map(str::to_owned);
    clients::update(&server.app, client_id, metadata, known.policy).await.unwrap();
}

/// oidcc-registration-logo-uri: the page shows the picture, from our own address.
#[tokio::test]
async fn oidcc_registration_logo_uri() {
    let server = Open::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    let uri = there.has("/logo.png", "image/png", PNG);
    let (app, told) = server.app(with(json!({ "client_name": "Harbor Books", "logo_uri": uri }))).await;
    assert_eq!(told["logo_uri"], uri);
    let picture = until(|| async { Some(logo(&server, &app.client_id).await).filter(|it| it.status == 200) }).await;
    assert_eq!((picture.media_type(), &*picture.body), ("image/png", PNG));
    assert_eq!(picture.header("x-content-type-options"), Some("nosniff"));
    let policy = picture.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    assert_eq!(picture.header("cache-control"), Some("public, max-age=86400"));
    let etag = picture.header("etag").unwrap();
    let call = Call::get(&format!("/clients/{}/logo", app.client_id)).header("if-none-match", etag);
    let again = server.site.send(call).await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(etag)));

    let mut browser = server.browser();
    browser.goto(&app.asks().url()).await;
    for page in ["login", "consent"] {
        let html = browser.page().answer.text();
        let source = format!("src=\"/clients/{}/logo?v={}\"", app.client_id, etag.trim_matches('"'));
        assert!(html.contains(&source), "{page}: {html}");
        assert!(!html.contains(&uri), "{page}");
        let policy = browser.page().answer.header("content-security-policy").unwrap();
        assert!(policy.contains("img-src 'self';"), "{page}: {policy}");
        if page == "login" {
            browser.sign_in(&server.ada).await;
        }
    }
    assert_eq!(there.asked("/logo.png"), 1, "it is fetched once");
}

/// SEC-106, SEC-152, SEC-153: what is no picture, or not to be had, is a letter on the page.
#[tokio::test]
async fn sec_106_a_logo_is_not_kept_when() {
    let server = TestServer::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    let sink = Sink::open();
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    let large = [PNG, &vec![0; 513 * 1024]].concat();
    for (name, uri, why) in [
        ("svg", there.has("/logo.svg", "image/svg+xml", svg), "not a PNG"),
        ("svg-as-png", there.has("/svg.png", "image/png", svg), "not a PNG"),
        ("html-as-png", there.has("/html.png", "image/png", "<script>alert(1)</script>"), "not a PNG"),
        ("png-as-gif", there.has("/png.gif", "image/gif", PNG), "calls it image/gif"),
        ("png-as-text", there.has("/png.txt", "text/plain", PNG), "not a PNG"),
        ("large", there.has("/large.png", "image/png", large), "longer than"),
        ("redirect", there.has("/redirect.png", "redirect", there.url("/good.png")), "status 302"),
        ("missing", there.url("/missing.png"), "status 404"),
        ("private", sink.url(), "not a public address"),
        ("private-by-name", "https://127.0.0.1.nip.invalid/x.png".into(), ""),
    ] {
        with_logo(&server, name, &uri).await;
        assert_eq!(logo(&server, name).await.status, 404, "{name}");
        server.app.recorder.flush().await;
        let refusals = trace_event::refusals(&server.app.db, 100).await.unwrap();
        let refusal = refusals.iter().find(|event| event.client_id.as_deref() == Some(name));
        let checks = refusal.unwrap_or_else(|| panic!("no trace of {name}")).checks();
        let received = checks[0].received.as_ref().unwrap().as_str();
        assert_eq!(checks[0].rule, "logo", "{name}");
        assert!(received.starts_with(&uri) && received.contains(why), "{name}: {received}");
        let app = server.client(ClientSpec::web(&format!("beside-{name}"))).await;
        let asked = app.asks().with("client_id", name);
        let mut browser = server.browser();
        let html = browser.goto(&asked.url()).await.page().answer.text();
        assert!(!html.contains("/logo?v=") && html.contains("class=\"tile\""), "{name}");
    }
    sink.is_untouched();
    assert_eq!(there.asked("/good.png"), 0);
}

/// What failed is tried again, less and less often, and not for ever.
#[tokio::test]
async fn a_logo_is_tried_again() {
    let server = TestServer::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    let uri = there.has("/logo", "image/png", "not yet");
    with_logo(&server, "shop", &uri).await;
    assert_eq!(there.asked("/logo"), 1);
    jobs::run_all(&server.app).await;
    assert_eq!(there.asked("/logo"), 1, "not at once");
    server.clock.advance(61);
    jobs::run_all(&server.app).await;
    assert_eq!(there.asked("/logo"), 2);
    server.clock.advance(61);
    jobs::run_all(&server.app).await;
    assert_eq!(there.asked("/logo"), 2, "the second pause is longer");
    there.has("/logo", "image/png", PNG);
    server.clock.advance(300);
    jobs::run_all(&server.app).await;
    assert_eq!(logo(&server, "shop").await.status, 200);
    server.clock.advance(90 * 86_400);
    jobs::run_all(&server.app).await;
    assert_eq!(there.asked("/logo"), 3, "what is here is not fetched again");

    there.has("/never", "image/png", "never");
    change(&server, "shop", Some(&there.url("/never"))).await;
    for _ in 0..20 {
        jobs::run_all(&server.app).await;
        server.clock.advance(2 * 86_400);
    }
    assert_eq!(there.asked("/never"), 7, "it ends");
}

/// A newer address replaces the picture; none takes it away; a client that goes takes it along.
#[tokio::test]
async fn a_newer_logo_replaces_the_old_one() {
    let server = TestServer::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    with_logo(&server, "shop", &there.has("/one", "image/png", PNG)).await;
    let one = logo(&server, "shop").await;
    let gif = b"GIF89a and so on".to_vec();
    change(&server, "shop", Some(&there.has("/two", "image/gif", gif.clone()))).await;
    assert_eq!(logo(&server, "shop").await.status, 404, "the old picture is not the app's any more");
    jobs::run_all(&server.app).await;
    let two = logo(&server, "shop").await;
    assert_eq!((two.media_type(), &two.body), ("image/gif", &gif));
    assert_ne!(one.header("etag"), two.header("etag"));
    change(&server, "shop", Some(&there.url("/two"))).await;
    assert_eq!(logo(&server, "shop").await.status, 200, "nothing has changed");
    change(&server, "shop", None).await;
    assert_eq!(logo(&server, "shop").await.status, 404);
    change(&server, "shop", Some(&there.url("/one"))).await;
    jobs::run_all(&server.app).await;
    assert_eq!(logo(&server, "shop").await.status, 200);
    clients::delete(&server.app, "shop").await.unwrap();
    assert_eq!(logo(&server, "shop").await.status, 404);
}

/// Declared clients have logos too, whatever is in their ids.
#[tokio::test]
async fn any_client_has_a_logo() {
    let server = TestServer::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    let uri = there.has("/jpeg", "image/jpeg", b"\xff\xd8\xff and so on".to_vec());
    let odd = "a/b?c=d&e%2f";
    server.client(ClientSpec::web(odd)).await;
    let known = client::find(&server.app.db, odd).await.unwrap().unwrap();
    let mut declared = client::Client { origin: client::DECLARED.into(), ..known };
    declared.metadata.logo_uri = Some(uri);
    clients::put(&server.app, declared).await.unwrap();
    jobs::run_all(&server.app).await;
    let picture = logo(&server, "a%2Fb%3Fc%3Dd%26e%252f").await;
    assert_eq!((picture.status, picture.media_type()), (200, "image/jpeg"));
    for unknown in ["nobody", "%00", "..%2f.."] {
        assert_eq!(logo(&server, unknown).await.status, 404, "{unknown}");
    }
}

/// Clients that were there before logos were kept get theirs too.
#[tokio::test]
async fn a_logo_from_before_is_fetched() {
    let server = TestServer::with(&[elsewhere::ALLOWED]).await;
    let there = Elsewhere::start().await;
    server.client(ClientSpec::web("plain")).await;
    server.client(ClientSpec::web("shop")).await;
    change(&server, "shop", Some(&there.has("/logo", "image/png", PNG))).await;
    let db = server.app.db.unlimited();
    for table in ["client_logo", "registration_token"] {
        db.execute_unprepared(&format!("DROP TABLE {table}")).await.unwrap();
    }
    let name = "m20261120_000008_registration";
    db.execute_unprepared(&format!("DELETE FROM seaql_migrations WHERE version = '{name}'")).await.unwrap();
    Migrator::up(db, None).await.unwrap();
    jobs::run_all(&server.app).await;
    assert_eq!(logo(&server, "shop").await.status, 200);
    assert_eq!(logo(&server, "plain").await.status, 404);
}
