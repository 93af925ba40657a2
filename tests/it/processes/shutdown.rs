//! SEC-174: a server that is told to stop finishes what it has begun, keeps what it recorded, and ends.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use signet::store::trace_event;
use tokio::{task::JoinSet, time::sleep};

use super::program::{Place, Server};
use crate::harness::{Browser, RelyingParty, assert, relying_party::TOKEN, seed::Person};

/// Asks until nobody listens any more. Every answer is a refusal with the id of its trace.
async fn ask_until_the_end(client: RelyingParty, stopping: Arc<AtomicBool>) -> Vec<String> {
    let mut traces = Vec::new();
    loop {
        let told_before = stopping.load(Ordering::SeqCst);
        let call = client.call(TOKEN, client.refreshing("not a token"));
        match client.site.try_send(call).await {
            Ok(answer) => {
                assert::json(&answer, 400, "invalid_grant");
                traces.push(answer.json()["trace_id"].as_str().unwrap().to_string());
            }
            Err(error) => {
                assert!(stopping.load(Ordering::SeqCst), "nobody told the server to stop: {error:?}");
                assert!(told_before || error.is_connect(), "a request in flight was lost: {error:?}");
                return traces;
            }
        }
    }
}

/// A browser whose person has typed the password.
async fn about_to_sign_in(server: &Server, person: &Person) -> Browser {
    let mut browser = Browser::new(&server.site);
    browser.goto(&server.shop().asks().url()).await;
    browser.fill("login-username", &person.username).fill("login-password", &person.password);
    browser
}

#[tokio::test]
async fn sec_174_a_stop_loses_no_request_in_flight() {
    let place = Place::new().await;
    let mut server = place.server().await;
    let ada = place.person().await;
    let mut browsers = Vec::new();
    for _ in 0..4 {
        browsers.push(about_to_sign_in(&server, &ada).await);
    }
    let stopping = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        clients.spawn(ask_until_the_end(server.shop(), stopping.clone()));
    }
    sleep(Duration::from_millis(200)).await;
    // Hashing takes a while, so these are at work when the signal comes.
    let mut logins = JoinSet::new();
    for mut browser in browsers {
        let (action, method, form) = browser.form("login-submit");
        assert_eq!(method, "POST");
        let call = crate::harness::Call::post(&action).header("origin", &server.site.issuer).form(&form);
        logins.spawn(async move { browser.request(call).await });
    }
    sleep(Duration::from_millis(30)).await;
    stopping.store(true, Ordering::SeqCst);
    server.terminate();

    for answer in logins.join_all().await {
        assert_eq!(answer.status, 303, "{}", answer.text());
    }
    let traces = clients.join_all().await.concat();
    let (status, took) = server.end().await;
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert!(took < Duration::from_secs(10), "{took:?}");

    assert!(traces.len() > 20, "{} answers", traces.len());
    let db = place.database().await;
    for trace in &traces {
        assert_eq!(trace_event::of(&db, trace).await.unwrap().len(), 1, "the trace {trace} was not written");
    }
}
