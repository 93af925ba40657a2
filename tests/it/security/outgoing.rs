//! SF: what apps can make the server fetch for them. The fetching itself is tested with the outgoing client; here, that
//! each way to it holds, answers plainly and in time, and tells the operator what was fetched and why it was refused.
use std::time::{Duration, Instant};

use poem::{Request, Response, endpoint::make, http::StatusCode};
use serde_json::json;
use signet::{
    http::listener::{Limits, serve},
    store::trace_event,
};
use tokio::{net::TcpListener, sync::oneshot};

use crate::harness::{
    Parameters, Proof, RelyingParty, Sink, TestServer, assert, relying_party::with_assertion, seed::ClientSpec,
};

/// A client that signs, with its keys at that address.
async fn signs_with_keys_at(server: &TestServer, id: &str, uri: &str) -> RelyingParty {
    let more = json!({ "jwks": null, "jwks_uri": uri });
    server.client(ClientSpec { auth_method: "private_key_jwt", more, ..ClientSpec::web(id) }).await
}

async fn requests_at(server: &TestServer, id: &str, uri: &str) -> RelyingParty {
    let more = json!({ "request_uris": [uri] });
    server.client(ClientSpec { auth_method: "private_key_jwt", more, ..ClientSpec::web(id) }).await
}

/// What the operator reads of the last refusal of that client.
async fn told(server: &TestServer, id: &str) -> (String, String) {
    server.app.recorder.flush().await;
    let refusals = trace_event::refusals(&server.app.db, 100).await.unwrap();
    let refusal = refusals.iter().find(|event| event.client_id.as_deref() == Some(id));
    let checks = refusal.unwrap_or_else(|| panic!("no trace of {id}")).checks();
    let last = checks.last().unwrap();
    (last.rule.to_string(), last.received.as_ref().map(|shown| shown.as_str().to_owned()).unwrap_or_default())
}

/// Both ways to a document of the client's: what comes back to it, and what the operator is told.
async fn is_refused(server: &TestServer, id: &str, uri: &str, why: &str) {
    let began = Instant::now();
    let app = signs_with_keys_at(server, &format!("{id}-keys"), uri).await;
    let Proof::PrivateKeyJwt(_) = &app.proof else { panic!("it signs") };
    let form = with_assertion(Parameters::new(&[("grant_type", "authorization_code")]), &app.assertion(|_| {}));
    assert::json(&app.site.send(crate::harness::Call::post("/oauth2/token").form(&form)).await, 401, "invalid_client");
    let (rule, received) = told(server, &app.client_id).await;
    assert_eq!(rule, "client_assertion");
    assert!(received.starts_with(uri) && received.contains(why), "{id}: {received}");

    // Another address, for a failure is remembered a while.
    let uri = format!("{uri}?again");
    let app = requests_at(server, &format!("{id}-requests"), &uri).await;
    let asked = app.asks().with("request_uri", &uri);
    let mut browser = server.browser();
    browser.goto(&asked.url()).await;
    assert::redirect(&browser, &app, &asked, "invalid_request_uri");
    let (rule, received) = told(server, &app.client_id).await;
    assert_eq!(rule, "request_object");
    assert!(received.starts_with(&uri) && received.contains(why), "{id}: {received}");
    assert!(began.elapsed() < Duration::from_secs(25), "{id} took {:?}", began.elapsed());
}

/// SEC-152, CVE-2020-10770: the sink hears nothing, and the app learns nothing of what is inside.
#[tokio::test]
async fn sec_152_keys_and_requests_are_not_fetched_from_inside() {
    let (server, sink) = (TestServer::start().await, Sink::open());
    for (id, uri, why) in [
        ("address", sink.url(), "not a public address"),
        ("name", sink.url().replace("127.0.0.1", "localhost"), "no public address"),
        ("metadata", "https://169.254.169.254/latest".into(), "not a public address"),
        ("private", "https://10.0.0.1/keys".into(), "not a public address"),
        ("six", "https://[::ffff:127.0.0.1]/keys".into(), "not a public address"),
    ] {
        is_refused(&server, id, &uri, why).await;
    }
    sink.is_untouched();
}

async fn hostile(request: Request) -> Response {
    let kind = if request.uri().query().is_some() { "application/oauth-authz-req+jwt" } else { "application/json" };
    match request.uri().path() {
        "/redirect" => {
            Response::builder().status(StatusCode::FOUND).header("location", "http://169.254.169.254/").finish()
        }
        "/broken" => StatusCode::INTERNAL_SERVER_ERROR.into(),
        "/page" => Response::builder().content_type("text/html").body("{}"),
        "/endless" => {
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 4096]));
            Response::builder().content_type(kind).body(poem::Body::from_bytes_stream(chunks))
        }
        "/slow" => {
            let bytes = futures_util::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Some((Ok::<_, std::io::Error>(vec![b' ']), ()))
            });
            Response::builder().content_type(kind).body(poem::Body::from_bytes_stream(bytes))
        }
        _ => Response::builder().content_type(kind).body("a".repeat(10 * 1024 * 1024)),
    }
}

/// SEC-153: no redirect is followed, nothing is read beyond the bounds of D12, nobody waits longer than it says.
#[tokio::test]
async fn sec_153_a_hostile_server_is_cut_off() {
    let server = TestServer::with(&[("outbound.allow_hosts", "127.0.0.1")]).await;
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = tcp.local_addr().unwrap().port();
    let (_stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(serve(tcp, make(hostile), None, Limits::default(), async { drop(stopped.await) }));
    for (path, why) in [
        ("redirect", "status 302"),
        ("broken", "status 500"),
        ("page", "the answer is"),
        ("endless", "longer than"),
        ("slow", "no whole answer within 5 seconds"),
        ("large", "longer than"),
    ] {
        is_refused(&server, path, &format!("http://127.0.0.1:{port}/{path}"), why).await;
    }
}
