//! LO: apps that are told of a logout, and those that do not answer.
use std::time::{Duration, Instant};

use signet::{
    flows::{admin::logouts, admin::logouts::Wanted, logout_delivery},
    jobs,
    store::logout_delivery as row,
};

use crate::{
    harness::{
        Browser, Call, Fixtures, Mood, Parameters, Receiver, RelyingParty, Sink, Tokens, assert, fixtures,
        seed::{ClientSpec, delete_client, delete_user, disable_user, set_password_for_a_moment, try_client},
    },
    protocol::{
        backchannel_logout::{app, server, trusts},
        frontchannel_logout::frames,
    },
};

const HOUR: i64 = 3600;

/// What the report says of a client's deliveries, the newest first: state, attempts, answer, seconds to the next.
pub async fn report(f: &Fixtures, client_id: &str) -> Vec<(String, i32, Option<String>, Option<i64>)> {
    let wanted = Wanted { client_id: Some(client_id.into()), most: 100, ..Wanted::default() };
    let found = logouts::list(&f.app, wanted).await.unwrap();
    let line = |delivery: &logouts::Delivery| {
        let state = logouts::State::of(delivery).as_str().to_string();
        (state, delivery.attempts, delivery.last_answer.clone(), delivery.next_at.map(|at| at - f.now()))
    };
    found.iter().map(line).collect()
}

fn line(
    state: &str,
    attempts: i32,
    answer: &str,
    next: Option<i64>,
) -> Vec<(String, i32, Option<String>, Option<i64>)> {
    vec![(state.into(), attempts, Some(answer.into()), next)]
}

/// Signs out by hand and shows the page after it; how long that took.
async fn sign_out(browser: &mut Browser) -> Duration {
    browser.goto("/logout").await;
    let begun = Instant::now();
    browser.press("logout-confirm").await;
    assert!(browser.sees("logged-out"), "{}", browser.page());
    begun.elapsed()
}

async fn later(f: &Fixtures, seconds: i64) {
    f.clock.advance(seconds);
    logout_delivery::run_due(&f.app).await.unwrap();
}

/// SEC-094: one that hangs, one that answers 500 twice, one that is down for a minute, one that is well: the page answers
/// in time, all are told in the end, and the report is right.
#[tokio::test]
async fn sec_094_no_app_holds_up_the_page_and_none_is_forgotten() {
    let f = server().await;
    let hangs = Receiver::start(&[Mood::Hangs]).await;
    let fails = Receiver::start(&[Mood::Answers(500), Mood::Answers(500)]).await;
    let well = Receiver::start(&[]).await;
    let port = Receiver::nowhere();
    let (a, b, c) = (app(&f, "hangs", &hangs).await, app(&f, "fails", &fails).await, app(&f, "well", &well).await);
    let uri = Some(format!("http://127.0.0.1:{port}/told"));
    let d = f.client(ClientSpec { backchannel_logout_uri: uri, ..ClientSpec::web("down") }).await;
    let mut browser = f.browser();
    for client in [&a, &b, &c, &d] {
        browser = f.continue_in(browser, client, client.asks()).await.browser;
    }
    let took = sign_out(&mut browser).await;
    assert!(took < Duration::from_secs(3), "the page took {took:?}");
    trusts(&f, &c, &well.only()).await;
    let apps = browser.page().read("logged-out-apps");
    assert!(apps.contains("1 app was told") && apps.contains("3 apps have not been reached yet"), "{apps}");
    assert_eq!(report(&f, "well").await, line("told", 1, "status 200", None));
    assert_eq!(report(&f, "fails").await, line("waiting", 1, "status 500", Some(5)));
    assert_eq!(report(&f, "down").await, line("waiting", 1, "could not be reached", Some(5)));
    // The first attempt goes on without the person, until it is cut off.
    let begun = Instant::now();
    while report(&f, "hangs").await[0].2.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "an attempt without end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(report(&f, "hangs").await, line("waiting", 1, "no answer in time", Some(5)));
    later(&f, 5).await;
    assert_eq!(report(&f, "hangs").await, line("told", 2, "status 200", None));
    assert_eq!(report(&f, "fails").await, line("waiting", 2, "status 500", Some(15)));
    later(&f, 15).await;
    assert_eq!(report(&f, "fails").await, line("told", 3, "status 200", None));
    assert_eq!(report(&f, "down").await, line("waiting", 3, "could not be reached", Some(60)));
    let back = Receiver::at(port, &[]).await;
    later(&f, 59).await;
    assert!(back.got().is_empty(), "not before its time");
    later(&f, 1).await;
    assert_eq!(report(&f, "down").await, line("told", 4, "status 200", None));
    // Each attempt is a token of its own, good for two minutes from then.
    let tokens: Vec<_> = fails.got().iter().map(|got| got.token().claims).collect();
    assert!(tokens.len() == 3 && tokens[0]["jti"] != tokens[1]["jti"] && tokens[0]["sid"] == tokens[2]["sid"]);
    trusts(&f, &d, &back.only()).await;
    let here = browser.page().answer.url.to_string();
    assert_eq!(browser.goto(&here).await.page().read("logged-out-apps"), "4 apps were told that you have signed out.");
}

/// SEC-094: bounded retries. Who refuses is asked three times, who never answers for a day.
#[tokio::test]
async fn sec_094_an_app_is_given_up_in_the_end() {
    let f = server().await;
    let refuses = Receiver::start(&[Mood::Answers(400); 9]).await;
    let broken = Receiver::start(&[Mood::Answers(503); 99]).await;
    let (a, b) = (app(&f, "refuses", &refuses).await, app(&f, "broken", &broken).await);
    let mut browser = f.visit(&a).await.browser;
    browser = f.continue_in(browser, &b, b.asks()).await.browser;
    sign_out(&mut browser).await;
    later(&f, 5).await;
    later(&f, 15).await;
    assert_eq!(report(&f, "refuses").await, line("given up", 3, "status 400", None));
    let mut waited = 20;
    while let Some(next) = report(&f, "broken").await[0].3 {
        assert!(next > 0 && waited + next <= 24 * HOUR + 20, "{next} after {waited}");
        later(&f, next).await;
        waited += next;
    }
    assert!(waited > 20 * HOUR, "given up after {waited} s");
    let (state, attempts, answer, _) = report(&f, "broken").await.remove(0);
    assert_eq!((state.as_str(), answer.as_deref()), ("given up", Some("status 503")));
    assert!((10..=20).contains(&attempts), "{attempts} attempts");
    assert_eq!((refuses.got().len(), broken.got().len()), (3, attempts as usize));
    later(&f, 24 * HOUR).await;
    assert_eq!(refuses.got().len(), 3, "over is over");
    let wanted = Wanted { failed: true, most: 100, ..Wanted::default() };
    assert_eq!(logouts::list(&f.app, wanted).await.unwrap().len(), 2);
    // And in the end forgotten.
    f.clock.advance(7 * 24 * HOUR);
    jobs::run_all(&f.app).await;
    assert!(report(&f, "broken").await.is_empty());
}

/// Everything that ends a session tells its apps; whoever proves again who they are ends nothing.
#[tokio::test]
async fn sec_094_every_end_of_a_session_is_told() {
    let f = server().await;
    let receiver = Receiver::start(&[]).await;
    let client = app(&f, "told", &receiver).await;
    let mut expected = 0;
    for (way, by) in ["account", "another person", "password", "disabled", "deleted"].into_iter().enumerate() {
        eprintln!("when the session ends by: {by}");
        let mut visit = f.visit(&client).await;
        visit = f.continue_in(visit.browser, &client, client.asks().with("prompt", "login")).await;
        assert_eq!(receiver.got().len(), expected, "the same person has signed in again");
        let mut browser = visit.browser;
        match way {
            0 => {
                browser.goto("/account").await.press("account-sign-out").await;
            }
            1 => {
                let asked = f.c4.asks().with("prompt", "login");
                browser.goto(&asked.url()).await.press("login-another").await.sign_in(&f.u2).await;
            }
            2 => set_password_for_a_moment(&f.app, &f.u1).await,
            3 => {
                disable_user(&f.app, &f.u1, true).await;
                disable_user(&f.app, &f.u1, false).await;
            }
            _ => delete_user(&f.app, &f.u1).await,
        }
        logout_delivery::run_due(&f.app).await.unwrap();
        expected += 1;
        assert_eq!(receiver.got().len(), expected, "{by}");
        let told = receiver.got().pop().unwrap().token().claims;
        let session = visit.tokens.claims();
        assert_eq!((&told["sub"], &told["sid"]), (&session["sub"], &session["sid"]), "{by}");
    }
}

/// What is not committed is not told, and what is over is not told twice.
#[tokio::test]
async fn sec_094_a_session_ends_once() {
    let f = server().await;
    let receiver = Receiver::start(&[Mood::Takes(Duration::from_millis(300)); 4]).await;
    let client = app(&f, "told", &receiver).await;
    let visit = f.visit(&client).await;
    let hint = visit.tokens.id.clone().unwrap();
    let url = client.logout_url(&[("id_token_hint", &hint)]);
    let (mut one, mut two) = (visit.browser.stolen(), visit.browser.stolen());
    tokio::join!(one.goto(&url), two.goto(&url));
    logout_delivery::run_due(&f.app).await.unwrap();
    assert_eq!(receiver.got().len(), 1);
    assert_eq!(report(&f, "told").await.len(), 1);
}

/// However many look at once, one of them tries; and a node that died leaves its work to others.
#[tokio::test]
async fn sec_094_one_at_a_time_has_a_delivery() {
    let f = server().await;
    let receiver = Receiver::start(&[Mood::Answers(500), Mood::Takes(Duration::from_millis(300))]).await;
    let client = app(&f, "told", &receiver).await;
    let mut browser = f.visit(&client).await.browser;
    sign_out(&mut browser).await;
    f.clock.advance(5);
    let tries = (0..8).map(|_| logout_delivery::run_due(&f.app));
    futures_util::future::join_all(tries).await.into_iter().for_each(Result::unwrap);
    assert_eq!((receiver.got().len(), receiver.most_at_once()), (2, 1));
    assert_eq!(report(&f, "told").await, line("told", 2, "status 200", None));

    let mut browser = f.visit(&client).await.browser;
    drop(receiver);
    sign_out(&mut browser).await;
    f.clock.advance(5);
    let [mine, ..] = &row::soonest(&f.app.db, 9).await.unwrap()[..] else { panic!("one is due") };
    let until = f.now() + 30;
    let seen = mine.clone();
    let claimed =
        f.app.writer.write_one(Box::new(move |db| Box::pin(async move { row::claim(db, &seen, until).await })));
    assert!(claimed.await.unwrap(), "and then this node dies");
    let seen = mine.clone();
    let claimed =
        f.app.writer.write_one(Box::new(move |db| Box::pin(async move { row::claim(db, &seen, until).await })));
    assert!(!claimed.await.unwrap(), "nobody else has it meanwhile");
    later(&f, 29).await;
    assert_eq!(report(&f, "told").await[0].1, 2, "the lease holds");
    later(&f, 1).await;
    assert_eq!(report(&f, "told").await[0].1, 3, "tried again once the lease is over");
}

/// SEC-152 for this fetcher: an address inside the network is not called, and the app learns no more than that.
#[tokio::test]
async fn sec_152_an_app_cannot_make_us_call_inside() {
    let (f, sink) = (fixtures().await, Sink::open());
    let inside = ClientSpec { backchannel_logout_uri: Some(sink.url()), ..ClientSpec::web("inside") };
    let client = f.client(inside).await;
    let mut browser = f.visit(&client).await.browser;
    sign_out(&mut browser).await;
    sink.is_untouched();
    assert_eq!(report(&f, "inside").await, line("waiting", 1, "the address may not be called from here", Some(5)));
}

/// The page after a logout answers to the browser that signed out, for some minutes.
#[tokio::test]
async fn sec_094_what_became_of_a_logout_is_for_that_browser() {
    let f = server().await;
    let receiver = Receiver::start(&[]).await;
    let client = app(&f, "told", &receiver).await;
    let mut browser = f.visit(&client).await.browser;
    sign_out(&mut browser).await;
    let here = browser.page().answer.url.to_string();
    assert!(here.contains("/logged-out?of="), "{here}");
    let mut other = f.browser();
    other.goto("/").await.goto(&here).await;
    assert!(other.sees("logged-out") && !other.sees("logged-out-apps"), "another browser's logout");
    for wrong in ["/logged-out?of=", "/logged-out?of=AAAA", &format!("{here}A"), &here.replace("of=A", "of=B")] {
        browser.goto(wrong).await;
        assert!(browser.sees("logged-out"), "{}", browser.page());
    }
    assert!(browser.goto(&here).await.sees("logged-out-apps"));
    f.clock.advance(600);
    assert!(!browser.goto(&here).await.sees("logged-out-apps"), "for minutes only");
    // Who had no session has nothing to be told of.
    assert!(!f.browser().goto("/logged-out").await.sees("logged-out-apps"));
}

/// A client that is gone is told no more; one that changed its address is told there.
#[tokio::test]
async fn sec_094_the_registration_counts_when_it_is_tried() {
    let f = server().await;
    let (old, new) = (Receiver::start(&[Mood::Answers(500)]).await, Receiver::start(&[]).await);
    let client = app(&f, "moves", &old).await;
    let gone = Receiver::start(&[Mood::Answers(500)]).await;
    let leaves = app(&f, "leaves", &gone).await;
    let mut browser = f.visit(&client).await.browser;
    browser = f.continue_in(browser, &leaves, leaves.asks()).await.browser;
    sign_out(&mut browser).await;
    let known = signet::flows::admin::clients::find(&f.app, "moves").await.unwrap();
    let mut metadata = known.metadata;
    metadata.backchannel_logout_uri = Some(new.url());
    signet::flows::admin::clients::update(&f.app, "moves", metadata, known.policy).await.unwrap();
    delete_client(&f.app, &leaves).await;
    later(&f, 5).await;
    assert_eq!((old.got().len(), new.got().len(), gone.got().len()), (1, 1, 1));
    assert_eq!(report(&f, "moves").await, line("told", 2, "status 200", None));
    assert!(report(&f, "leaves").await.is_empty());
}

/// SEC-095: a frame stands only where the client's own pages stand.
#[tokio::test]
async fn sec_095_a_frame_is_refused_at_registration_when() {
    let f = fixtures().await;
    for (name, uri) in [
        ("it is of another host", "https://evil.test/out"),
        ("it is plain http", "http://rp.example/out"),
        ("it is of another port", "https://rp.example:8443/out"),
        ("it is of a host below", "https://a.rp.example/out"),
        ("it has a fragment", "https://rp.example/out#x"),
        ("it is a script", "javascript:alert(1)"),
        ("it is data", "data:text/html,x"),
        ("it is no address", "/out"),
    ] {
        let spec = ClientSpec { frontchannel_logout_uri: Some(uri.into()), ..ClientSpec::web("framed") };
        let refused = try_client(&f, spec).await.err().unwrap_or_else(|| panic!("registered, though {name}"));
        assert!(refused.contains("frontchannel_logout_uri"), "{name}: {refused}");
    }
    for uri in ["javascript:alert(1)", "http://rp.example/told", "https://rp.example/told#x", "ftp://rp.example/"] {
        let spec = ClientSpec { backchannel_logout_uri: Some(uri.into()), ..ClientSpec::web("told") };
        let refused = try_client(&f, spec).await.err().unwrap_or_else(|| panic!("registered with {uri}"));
        assert!(refused.contains("backchannel_logout_uri"), "{uri}: {refused}");
    }
}

async fn framed(f: &Fixtures, name: &str, uris: [&'static str; 2]) -> RelyingParty {
    let [redirect_uri, out] = uris;
    let spec = ClientSpec {
        redirect_uris: vec![redirect_uri],
        frontchannel_logout_uri: Some(out.into()),
        ..ClientSpec::web(name)
    };
    f.client(spec).await
}

/// SEC-095: the policy names the origins of this session's apps, each once, and no page else has any.
#[tokio::test]
async fn sec_095_frames_lead_to_registered_addresses_alone() {
    let f = fixtures().await;
    let one = framed(&f, "one", ["https://one.example/cb", "https://one.example/out"]).await;
    let two = framed(&f, "two", ["https://two.example:8443/cb", "https://two.example:8443/out"]).await;
    let three = framed(&f, "three", ["https://one.example/cb3", "https://one.example/out3"]).await;
    let mut browser = f.browser();
    for client in [&one, &two, &three] {
        browser = f.continue_in(browser, client, client.asks()).await.browser;
        assert_eq!(browser.goto("/account").await.page().policy("frame-src"), None);
    }
    browser.goto("/logout").await.press("logout-confirm").await;
    let page = browser.page().clone();
    assert::page_headers(&page);
    assert_eq!(page.policy("frame-src").unwrap(), ["https://one.example", "https://two.example:8443"]);
    let frames = frames(&page);
    assert_eq!(frames.len(), 3);
    for frame in &frames {
        let registered = ["https://one.example/out?", "https://two.example:8443/out?", "https://one.example/out3?"];
        assert!(registered.iter().any(|start| frame.starts_with(start)), "{frame}");
        assert!(frame.contains("iss=http%3A%2F%2Flocalhost") && frame.contains("&sid="), "{frame}");
    }
    for element in page.document.named("iframe") {
        // An app's page in a frame must not lead the person away.
        assert!(!element.attribute("sandbox").unwrap().contains("top-navigation"));
    }
}

/// The report over HTTP is for the operator's machines, page by page.
#[tokio::test]
async fn the_report_is_for_operators_alone() {
    const PATH: &str = "/api/logout-deliveries";
    let f = server().await;
    let (well, broken) = (Receiver::start(&[]).await, Receiver::start(&[Mood::Answers(503); 9]).await);
    let (a, b) = (app(&f, "well", &well).await, app(&f, "broken", &broken).await);
    for _ in 0..2 {
        let browser = f.visit(&a).await.browser;
        let mut visit = f.continue_in(browser, &b, b.asks()).await;
        assert_eq!(f.site.send(Call::get(PATH).bearer(&visit.tokens.access)).await.status, 403);
        sign_out(&mut visit.browser).await;
        f.clock.advance(1);
    }
    assert_eq!(f.site.get(PATH).await.status, 401);
    let operator = f.client(ClientSpec { scope: "signet:admin", ..ClientSpec::machine("operator") }).await;
    let form = Parameters::new(&[("grant_type", "client_credentials"), ("scope", "signet:admin")]);
    let access = Tokens::of(&operator.token(form).await).access;
    let get = async |query: &str| {
        let answer = f.site.send(Call::get(&format!("{PATH}{query}")).bearer(&access)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let all = get("").await["logout_deliveries"].as_array().unwrap().clone();
    assert_eq!(all.len(), 4);
    assert!(all[0]["signed_out_at"].as_i64() > all[3]["signed_out_at"].as_i64(), "the newest first");
    let failed = get("?failed=true&client_id=broken").await;
    let first = &failed["logout_deliveries"][0];
    assert_eq!(failed["logout_deliveries"].as_array().unwrap().len(), 2);
    assert_eq!((&first["state"], &first["last_answer"]), (&"waiting".into(), &"status 503".into()));
    assert_eq!(first["next_at"], f.now() - 1 + 5);
    let (mut seen, mut query) = (Vec::new(), "?limit=3".to_string());
    loop {
        let page = get(&query).await;
        seen.extend(page["logout_deliveries"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=3&after={next}");
    }
    assert_eq!(seen, all, "page by page as at once");
    for wrong in ["?limit=0", "?limit=1001", "?limit=x", "?after=x", "?failed=perhaps"] {
        let answer = f.site.send(Call::get(&format!("{PATH}{wrong}")).bearer(&access)).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
    }
}
