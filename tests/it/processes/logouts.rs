//! Back-channel logout by the real program: what was queued outlives the server that queued it, and several servers share
//! the work without doing any of it twice at a time.
use std::time::{Duration, Instant};

use tokio::{task::JoinSet, time::sleep};

use super::program::{Place, Server};
use crate::harness::{Browser, Mood, Receiver, RelyingParty, assert, seed::Person};

/// A lease, the time that a node looks after, and what a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(90);

async fn place(receivers: &[(&str, String)]) -> Place {
    let mut settings = "\n[outbound]\nallow_hosts = [\"127.0.0.1\"]\n".to_string();
    for (name, uri) in receivers {
        settings += &format!(
            "\n[[clients]]\nclient_id = \"{name}\"\nname = \"{name}\"\nkind = \"web\"\n\
             client_secret = \"a-secret-of-forty-characters-at-the-least\"\nredirect_uris = [\"https://rp.example/cb\"]\n\
             first_party = true\nconsent = \"skip\"\nbackchannel_logout_uri = \"{uri}\"\n"
        );
    }
    Place::and(&settings).await
}

fn app(server: &Server, name: &str) -> RelyingParty {
    RelyingParty { client_id: name.into(), ..server.shop() }
}

/// A browser of this person in which every app has an answer.
async fn visited(server: &Server, person: &Person, apps: &[&str]) -> Browser {
    let mut browser = Browser::new(&server.site);
    for name in apps {
        let (client, asked) = (app(server, name), app(server, name).asks());
        browser.goto(&asked.url()).await.walk(person).await;
        assert::granted(&browser, &client, &asked);
    }
    browser
}

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "not yet: {what}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// State, attempts and answer of each delivery, as `signet logouts list` has them.
async fn report(place: &Place, client: &str) -> Vec<(String, i64, String)> {
    let listed = place.run(&["logouts", "list", "--client", client], "").await;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_string();
    let line =
        |row: &serde_json::Value| (text(&row["state"]), row["attempts"].as_i64().unwrap(), text(&row["last_answer"]));
    listed.as_array().unwrap().iter().map(line).collect()
}

/// The server dies while one app has taken the request and said nothing, and another is down: both are told in the end.
#[tokio::test]
async fn sec_094_what_is_queued_outlives_a_kill() {
    let hangs = Receiver::start(&[Mood::Hangs]).await;
    let (well, port) = (Receiver::start(&[]).await, Receiver::nowhere());
    let receivers = [("hangs", hangs.url()), ("well", well.url()), ("down", format!("http://127.0.0.1:{port}/told"))];
    let place = place(&receivers).await;
    let server = place.server().await;
    let mut browser = visited(&server, &place.person().await, &["hangs", "well", "down"]).await;
    let begun = Instant::now();
    browser.goto("/account").await.press("account-sign-out").await;
    assert!(begun.elapsed() < Duration::from_secs(6), "two pages took {:?}", begun.elapsed());
    assert!(browser.sees("logged-out-apps"), "{}", browser.page());
    until("the app that hangs has the request", async || hangs.got().len() == 1).await;
    server.kill();
    let down = Receiver::at(port, &[]).await;
    let server = place.server().await;
    until("all are told", async || {
        let told = async |name: &str| report(&place, name).await.iter().all(|(state, ..)| state == "told");
        told("hangs").await && told("well").await && told("down").await
    })
    .await;
    assert_eq!((hangs.got().len(), well.got().len(), down.got().len()), (2, 1, 1));
    assert_eq!(report(&place, "well").await, [("told".to_string(), 1, "status 200".to_string())]);
    assert_eq!(report(&place, "hangs").await, [("told".to_string(), 2, "status 200".to_string())]);
    let trace = place.run(&["logouts", "list", "--client", "down"], "").await[0]["trace_id"].clone();
    until("the trace has the attempts", async || {
        let events = place.run(&["trace", trace.as_str().unwrap()], "").await["events"].clone();
        events.as_array().unwrap().iter().filter(|event| event["kind"] == "logout_delivery").count() >= 3
    })
    .await;
    assert!(server.log().contains("logout_delivery told"), "{}", server.log());
}

/// Killed in the middle of many: each session that is over has been told of, whether its browser learned of it or not.
#[tokio::test]
async fn sec_094_a_kill_among_many_loses_none() {
    const BROWSERS: usize = 12;
    let receiver = Receiver::start(&[Mood::Takes(Duration::from_millis(40)); BROWSERS]).await;
    let place = place(&[("told", receiver.url())]).await;
    let server = place.server().await;
    let person = place.person().await;
    let mut browsers = Vec::new();
    for _ in 0..BROWSERS {
        browsers.push(visited(&server, &person, &["told"]).await);
    }
    let mut leaving = JoinSet::new();
    for browser in &browsers {
        let (mut browser, site) = (browser.stolen(), server.site.clone());
        leaving.spawn(async move {
            // The server may be dead by then: the form is what `press` would send.
            let page = browser.goto("/logout").await.form("logout-confirm");
            let call = crate::harness::Call::post(&page.0).header("origin", &site.issuer).form(&page.2);
            let cookies = browser.jar.header(&site.url("/logout"), false).unwrap();
            (site, call.header("cookie", &cookies))
        });
    }
    let mut sending = JoinSet::new();
    for (site, call) in leaving.join_all().await {
        sending.spawn(async move { site.try_send(call).await.is_ok() });
    }
    until("some are told", async || receiver.got().len() >= 2).await;
    server.kill();
    sending.join_all().await;
    let server = place.server().await;
    let mut over = 0;
    for browser in &browsers {
        let mut browser = browser.led_to(&server.site);
        over += usize::from(
            browser.goto(&server.shop().asks().with("prompt", "none").url()).await.landed().get("code").is_none(),
        );
    }
    assert!(over >= 2, "{over} sessions are over");
    until("each is told", async || {
        let mut sids = receiver.sids();
        sids.sort();
        sids.dedup();
        let listed = report(&place, "told").await;
        listed.len() == over && listed.iter().all(|(state, ..)| state == "told") && sids.len() == over
    })
    .await;
}

/// Two servers look for the same deliveries: each is tried by one of them, however close they come.
#[tokio::test]
async fn sec_171_two_servers_never_tell_an_app_twice_at_a_time() {
    const SESSIONS: usize = 6;
    let moods = [[Mood::Answers(500); SESSIONS], [Mood::Takes(Duration::from_millis(400)); SESSIONS]].concat();
    let receiver = Receiver::start(&moods).await;
    let place = place(&[("told", receiver.url())]).await;
    let (first, second) = (place.server().await, place.server().await);
    let person = place.person().await;
    for _ in 0..SESSIONS {
        visited(&first, &person, &["told"]).await;
    }
    place.run(&["users", "disable", &person.username], "").await;
    until("each is told", async || report(&place, "told").await.iter().all(|(state, ..)| state == "told")).await;
    let sids = receiver.sids();
    assert_eq!((sids.len(), receiver.twins()), (2 * SESSIONS, 0), "{sids:?}");
    for sid in &sids {
        assert_eq!(sids.iter().filter(|other| *other == sid).count(), 2, "refused once, then told");
    }
    drop((first, second));
}
