//! LG: what the log says of what happened, and what it never says.
use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};
use signet::{
    commands::logging::{filter, machines, people},
    flows::admin::{clients, keys, users},
    protocol::client_metadata::ClientPolicy,
};
use tracing::{Event, Subscriber, subscriber::DefaultGuard};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    layer::{Context, SubscriberExt},
};

use super::canaries::{Canary, found, journey};
use crate::harness::{
    Browser, Call, Fixtures, Parameters, TestServer, fixtures,
    relying_party::TOKEN,
    seed::{self, ClientSpec, NewPerson, lose_storage},
};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    fn sink(&self) -> impl Fn() -> Page + Send + Sync + 'static {
        let page = self.clone();
        move || page.clone()
    }

    /// The events of this thread from now on, as the server writes them for machines.
    fn open() -> (Self, DefaultGuard) {
        let page = Page::default();
        let guard = tracing::subscriber::set_default(
            Registry::default().with(EnvFilter::new(filter("info"))).with(machines(page.sink())),
        );
        (page, guard)
    }

    fn events(&self) -> Vec<Value> {
        let text = String::from_utf8(self.bytes()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }
}

/// SEC-167, ASVS 16.2.5, CVE-2024-8365, CVE-2025-62705. All threads and all crates speak at TRACE, which is a switch of
/// the whole process: so the journey is made in one of its own.
#[test]
fn sec_167_no_log_holds_a_secret() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let child = child.args(["security::logging::everything_is_logged", "--exact", "--ignored", "--nocapture"]);
    let ended = child.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run by sec_167_no_log_holds_a_secret"]
async fn everything_is_logged() {
    let (machine, person) = (Page::default(), Page::default());
    let registry = Registry::default().with(EnvFilter::new("trace"));
    let registry = registry.with(machines(machine.sink())).with(people(person.sink(), false));
    tracing::subscriber::set_global_default(registry).unwrap();
    let f = TestServer::with_limits().await.fixtures().await;
    let met = journey(&f).await;
    f.app.recorder.flush().await;
    lose_storage(&f.app).await;
    f.c7.token(Parameters::new(&[("grant_type", "client_credentials")])).await;
    f.site.get("/authorize?client_id=c7").await;
    for page in [machine, person] {
        let log = page.bytes();
        let text = String::from_utf8(log.clone()).unwrap();
        for spoken in ["signet::flows::event", "hyper", "TRACE", "login", "a request failed"] {
            assert!(text.contains(spoken), "nothing of {spoken} in {} bytes", log.len());
        }
        let mut secrets = found(&met.secrets, &log);
        secrets.extend(found(&met.unlogged, &log));
        assert_eq!(secrets, [""; 0]);
        let named = [&f.u1.email, "Lovelace", "St James"].map(|value| value.to_string());
        let named = named.iter().filter(|value| text.contains(value.as_str())).collect::<Vec<_>>();
        assert!(named.is_empty(), "people are named by their ids: {named:?}");
        let master = f.app.master_key.to_text().to_string();
        assert_eq!(found(&[Canary { name: "the master key".into(), value: master }], &log), [""; 0]);
    }
}

/// Counts the events that were there to be written.
struct Count(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

const HOSTILE: &str = "x\r\n{\"level\":\"ERROR\"}\n\u{1b}[2J\u{9b}31m\"}\u{7f}\u{2028}\u{202e}\0\\";

/// SEC-168, CVE-2023-6484: what strangers send ends no line, forges no event and steers no terminal.
#[tokio::test]
async fn sec_168_an_event_is_one_line_whatever_strangers_send() {
    let (machine, person, count) = (Page::default(), Page::default(), Arc::new(AtomicUsize::new(0)));
    let registry = Registry::default().with(EnvFilter::new(filter("trace"))).with(Count(count.clone()));
    let registry = registry.with(machines(machine.sink())).with(people(person.sink(), false));
    let guard = tracing::subscriber::set_default(registry);
    let f = fixtures().await;
    let mut client = clients::find(&f.app, "c1").await.unwrap();
    // Written before there were checks, say. No database but SQLite takes a NUL in a text.
    client.metadata.client_name = Some(HOSTILE.replace('\0', ""));
    clients::put(&f.app, client).await.unwrap();
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("login_hint", "%0d%0aERROR").url()).await;
    browser.fill("login-username", HOSTILE).fill("login-password", HOSTILE).press("login-submit").await;
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    for path in ["/authorize?client_id=", "/authorize?client_id=c1&redirect_uri=", "/errors/", "/x/", "/setup?token="] {
        browser.request(Call::get(&format!("{path}{}", encoded(HOSTILE).replace('+', "%20")))).await;
    }
    let agent = "Mozilla \"}{\" \u{202e}é\t[31m";
    f.site.send(Call::get("/account").header("user-agent", agent).header("referer", agent)).await;
    f.site.send(Call::new(Method::from_bytes(b"X-\"ERR|OR").unwrap_or(Method::PATCH), "/account")).await;
    let secret = encoded(HOSTILE);
    f.site.send(Call::post(TOKEN).basic(&secret, &secret).form(&Parameters::default())).await;
    f.c1.token(Parameters::new(&[("grant_type", HOSTILE), ("scope", HOSTILE)])).await;
    f.c1.token(Parameters::new(&[("grant_type", "client_credentials"), ("resource", "https://x/\"},{\"")])).await;
    f.app.recorder.flush().await;
    drop(guard);
    let written = count.load(Ordering::Relaxed);
    assert!(written > 20, "{written}");
    let events = machine.events();
    assert_eq!(events.len(), written, "one line each");
    assert!(
        events
            .iter()
            .all(|event| event["level"].is_string() && event["target"].as_str().unwrap().starts_with("signet"))
    );
    let person = String::from_utf8(person.bytes()).unwrap();
    let begins = Regex::new(r"^\d{4}-\d\d-\d\dT[\d:.]+Z +(TRACE|DEBUG|INFO|WARN|ERROR) ").unwrap();
    assert_eq!(person.lines().count(), written, "{person}");
    assert!(person.lines().all(|line| begins.is_match(line)), "{person}");
    let machine = String::from_utf8(machine.bytes()).unwrap();
    let harmful = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{2028}' | '\u{202e}'));
    assert!(!person.contains(harmful) && !machine.contains(harmful));
}

/// The events of this name, newest last.
fn of(page: &Page, event: &str) -> Vec<Value> {
    page.events().into_iter().filter(|found| found["event"] == event).collect()
}

/// One event with everything that SEC-169 asks of it; `user` and `client` as they must be.
#[track_caller]
fn says(page: &Page, event: &str, result: &str, user: Option<&str>, client: Option<&str>) -> Value {
    let all = of(page, event);
    let fits = |found: &&Value| {
        found["result"] == result && found["user"].as_str() == user && found["client"].as_str() == client
    };
    let found =
        all.iter().rev().find(fits).unwrap_or_else(|| panic!("no {event} {result} {user:?} {client:?}: {all:?}"));
    let time = found["timestamp"].as_str().unwrap();
    assert!(time.ends_with('Z'), "UTC: {time}");
    if found["actor"] == "operator" {
        return found.clone();
    }
    assert_eq!(found["address"], "127.0.0.1", "{found}");
    assert_eq!(found["trace_id"].as_str().map(str::len), Some(16), "{found}");
    assert!(found["span"]["id"].as_str().is_some_and(|id| id.len() == 22), "the request's id: {found}");
    found.clone()
}

/// SEC-169, ASVS 16.3.1 to 16.3.4: people.
#[tokio::test]
async fn sec_169_each_sign_in_is_an_event() {
    let (page, _guard) = Page::open();
    let f = fixtures().await;
    let ada = Some(&*f.u1.id);
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("prompt", "consent").url()).await;
    for (name, user) in [(&f.u1.username, ada), (&f.u5.username, Some(&*f.u5.id)), (&"xerxes".into(), None)] {
        browser.fill("login-username", name).fill("login-password", "a wrong password").press("login-submit").await;
        let event = says(&page, "login", "refused", user, Some("c1"));
        assert!(!event.to_string().contains(name.as_str()), "people are named by id: {event}");
    }
    browser.sign_in(&f.u1).await;
    let event = says(&page, "login", "ok", ada, Some("c1"));
    let request = browser.hops[0].header("x-request-id").unwrap().to_string();
    assert_eq!(event["span"]["id"], request, "the id that the answer carries");
    browser.press("consent-allow").await;
    says(&page, "consent", "granted", ada, Some("c1"));
    browser.goto(&f.c4.asks().url()).await.press("consent-deny").await;
    says(&page, "consent", "denied", ada, Some("c4"));
    browser.goto("/logout").await.press("logout-confirm").await;
    says(&page, "logout", "ok", ada, None);
    let mut root = f.browser();
    super::pages::fill_set_up(&f, &mut root).await;
    says(&page, "set_up_link", "created", None, None);
    root.press("setup-submit").await;
    assert_eq!(of(&page, "set_up").len(), 1);
    assert_eq!(of(&page, "set_up")[0]["result"], "ok");
    assert!(of(&page, "set_up")[0]["user"].is_string());
}

/// SEC-169: the right password alone signs nobody in whose address is not confirmed, and the log does not say that it did.
#[tokio::test]
async fn sec_169_an_unconfirmed_address_is_no_sign_in() {
    let (page, _guard) = Page::open();
    let server = TestServer::with(&[("accounts.registration", "open")]).await;
    let send = async |path: &str, body: Value| {
        server.site.send(Call::post(path).body("application/json", body.to_string())).await
    };
    let person = json!({ "email": "dora@example.com", "password": "seven violet lanterns", "name": "Dora" });
    assert_eq!(send("/api/v1/auth/register", person).await.status, 201);
    let answer =
        send("/api/v1/auth/login", json!({ "login": "dora@example.com", "password": "seven violet lanterns" }));
    assert_eq!(answer.await.status, 401);
    let results: Vec<_> = of(&page, "login").iter().map(|event| event["result"].clone()).collect();
    assert_eq!(results, ["unconfirmed"]);
}

/// SEC-169 and general rule G3: each refusal, with its reason and the id that the person or the app was shown.
#[tokio::test]
async fn sec_169_each_refusal_is_an_event() {
    let (page, _guard) = Page::open();
    let f = TestServer::with_limits().await.fixtures().await;
    let wrong =
        || Call::post(TOKEN).basic("c1", "wrong").form(&Parameters::new(&[("grant_type", "client_credentials")]));
    for _ in 0..5 {
        let answer = f.site.send(wrong()).await;
        let event = says(&page, "refused", "invalid_client", None, Some("c1"));
        assert_eq!((&event["reason"], &event["kind"]), (&"client_authentication".into(), &"token".into()));
        assert_eq!(event["trace_id"], answer.json()["trace_id"], "the id that the app was told");
    }
    while f.site.send(wrong()).await.status != 429 {}
    let event = says(&page, "throttled", "temporarily_unavailable", None, Some("c1"));
    assert_eq!((&event["reason"], &event["level"]), (&"throttle".into(), &"WARN".into()));

    let mut browser = f.browser();
    browser.goto("/authorize?client_id=nobody").await;
    let event = says(&page, "refused", "invalid_request", None, Some("nobody"));
    assert_eq!(
        (&event["reason"], &event["trace_id"]),
        (&"client".into(), &browser.page().read("error-trace-id").into())
    );
    browser.goto(&f.c1.asks().with("redirect_uri", "https://rp.example/other").url()).await;
    assert_eq!(says(&page, "refused", "invalid_request", None, Some("c1"))["reason"], "redirect_uri");
    browser.goto(&f.c1.asks().with("prompt", "none").url()).await;
    says(&page, "refused", "login_required", None, Some("c1"));
    let forged = Call::post("/account/sign-out").body("application/x-www-form-urlencoded", "csrf=x");
    browser.request(forged).await;
    assert_eq!(says(&page, "refused", "access_denied", None, None)["reason"], "csrf");
    f.site.send(Call::get("/oauth2/userinfo").bearer("x")).await;
    assert_eq!(says(&page, "refused", "invalid_token", None, None)["reason"], "token");
    browser.goto("/setup?token=x").await;
    assert_eq!(says(&page, "refused", "access_denied", None, None)["kind"], "set_up");
    throttled_login(&f, &mut browser).await;
    let event = says(&page, "throttled", "temporarily_unavailable", Some(&f.u1.id), Some("c2"));
    assert_eq!(event["kind"], "login");
}

async fn throttled_login(f: &Fixtures, browser: &mut Browser) {
    browser.goto(&f.c2.asks().url()).await;
    while browser.page().status() != 429 {
        browser.fill("login-username", &f.u1.username).fill("login-password", "wrong").press("login-submit").await;
    }
}

/// SEC-169: what was used twice is loud, whoever did it.
#[tokio::test]
async fn sec_169_each_reuse_is_an_event() {
    let (page, _guard) = Page::open();
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    f.c1.redeem(&visit.code, &visit.asked).await;
    let event = says(&page, "code_reuse", "revoked", Some(&f.u1.id), Some("c1"));
    assert_eq!(event["level"], "WARN");
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    f.c1.refreshed(visit.tokens.refresh_token()).await;
    f.clock.advance(60);
    f.c1.refresh(visit.tokens.refresh_token()).await;
    let event = says(&page, "refresh_token_reuse", "revoked", Some(&f.u1.id), Some("c1"));
    assert_eq!(event["level"], "WARN");
}

/// SEC-169: every change that an operator makes.
#[tokio::test]
async fn sec_169_each_change_is_an_event() {
    let (page, _guard) = Page::open();
    let f = TestServer::start().await;
    let eve = f.user(NewPerson::named("eve")).await;
    let id = eve.id.parse().unwrap();
    seed::set_password(&f.app, &eve, "another long password").await;
    seed::disable_user(&f.app, &eve, true).await;
    seed::disable_user(&f.app, &eve, false).await;
    users::delete(&f.app, id).await.unwrap();
    for result in ["created", "password set", "disabled", "enabled", "deleted"] {
        assert_eq!(says(&page, "user", result, Some(&eve.id), None)["actor"], "operator");
    }
    f.client(ClientSpec::web("shop")).await;
    let shop = clients::find(&f.app, "shop").await.unwrap();
    clients::update(&f.app, "shop", shop.metadata, ClientPolicy::default()).await.unwrap();
    clients::rotate_secret(&f.app, "shop", 0).await.unwrap();
    clients::set_disabled(&f.app, "shop", true).await.unwrap();
    clients::set_disabled(&f.app, "shop", false).await.unwrap();
    clients::delete(&f.app, "shop").await.unwrap();
    for result in ["created", "changed", "secret rotated", "disabled", "enabled", "deleted"] {
        assert_eq!(says(&page, "client", result, None, Some("shop"))["actor"], "operator");
    }
    let key = keys::rotate(&f.app, keys::FIRST, 60).await.unwrap();
    assert_eq!(says(&page, "signing_key", "announced", None, None)["kid"], key.kid);
    says(&page, "client", "declared", None, Some("signet-account"));
    assert!(!page.events().iter().any(|event| event.to_string().contains("another long")), "no password");
}
