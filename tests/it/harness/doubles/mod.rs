//! Google and GitHub on loopback, as an app that signs people in by them meets them: their paths, members, errors and
//! headers. What they send is written down once, in `tests/doubles/*.json`, with the page where each shape was read;
//! the double for the browser suites (`tests/relying_parties/node/doubles.mjs`) sends the same documents.
//!
//! A test says who is there ([`Google::people`], [`GitHub::people`]), how the provider feels ([`Mood`]), lets a person
//! through ([`continue_as`], [`cancel`]) and reads what the provider was asked ([`Heard`]).
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use poem::{Request, Response, endpoint::make, http::StatusCode};
use serde_json::{Map, Value};
use signet::http::listener::{Limits, serve};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    task::JoinHandle,
};

use super::{html::Document, http::Parameters, relying_party::s256};

pub mod github;
pub mod google;

pub use github::GitHub;
pub use google::Google;

/// A person at a provider: the members that the shared document gives its accounts, changed as a test needs.
pub type Account = Map<String, Value>;

/// How a provider takes requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Normal,
    /// Connections are refused. The port stays taken, so that nobody else answers there meanwhile.
    Down,
    /// Answers right, but so much later.
    Slow(Duration),
    /// Shows its page for a failure of its own, with this status.
    Fails(u16),
    /// Too many requests in the hour.
    RateLimited,
    /// Too many requests at once: what GitHub calls a secondary limit; elsewhere the same as the one above.
    SecondaryLimit,
    /// Every other request fails with 503, the first of them too.
    Flapping,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub method: String,
    pub path: String,
    pub query: Parameters,
    pub form: Parameters,
    pub headers: Vec<(String, String)>,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Id and secret by HTTP Basic (RFC 6749 §2.3.1: each form-encoded first).
    pub fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        let pair = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        let decoded = |part: &str| Parameters::parse(&format!("part={part}")).get("part").map(str::to_string);
        Some((decoded(id)?, decoded(secret)?))
    }

    /// GitHub takes the word `token` for `Bearer` too.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(token)
    }
}

/// An answer in the making.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        Reply { status, headers: vec![("content-type".into(), content_type.into())], body: body.into() }
    }

    pub fn page(status: u16, html: impl Into<String>) -> Self {
        Reply::new(status, "text/html; charset=utf-8", html)
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Reply::new(status, "application/json; charset=utf-8", body.to_string())
    }

    pub fn to(target: &str, parameters: &Parameters) -> Self {
        let mark = if target.contains('?') { '&' } else { '?' };
        let location = format!("{target}{mark}{}", parameters.encoded());
        Reply { status: 302, headers: vec![("location".into(), location)], body: String::new() }
    }

    /// Sets a header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the headers of a shape in the shared document, whose values may be placeholders.
    fn headed(mut self, shape: &Value, values: &Account) -> Self {
        for (name, value) in shape["headers"].as_object().into_iter().flatten() {
            if let Some(value) = filled(value, values) {
                self = self.with(name, &text(&value));
            }
        }
        self
    }

    fn send(self) -> Response {
        let builder = Response::builder().status(StatusCode::from_u16(self.status).unwrap());
        self.headers.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value)).body(self.body)
    }
}

/// What answers at one port.
pub trait Provider: Send + Sync + 'static {
    fn answer(&self, heard: &Heard) -> Reply;

    /// The page for a failure of its own.
    fn broken(&self, status: u16) -> Reply;

    fn limited(&self, heard: &Heard, secondary: bool) -> Reply;
}

#[derive(Default)]
struct Desk {
    heard: Mutex<Vec<Heard>>,
    mood: Mutex<Option<Mood>>,
    moods: Mutex<HashMap<String, Mood>>,
    canned: Mutex<HashMap<String, VecDeque<Reply>>>,
    turns: AtomicUsize,
}

impl Desk {
    fn mood(&self, path: &str) -> Mood {
        let here = self.moods.lock().unwrap().get(path).copied();
        here.or(*self.mood.lock().unwrap()).unwrap_or(Mood::Normal)
    }

    fn canned(&self, path: &str) -> Option<Reply> {
        self.canned.lock().unwrap().get_mut(path)?.pop_front()
    }
}

enum Door {
    Open {
        stop: oneshot::Sender<()>,
        serving: JoinHandle<()>,
    },
    /// Bound, but nobody listens: the kernel refuses whoever connects.
    Shut(TcpSocket),
    Moving,
}

/// One port of a provider.
pub struct Double {
    pub port: u16,
    desk: Arc<Desk>,
    provider: Arc<dyn Provider>,
    door: tokio::sync::Mutex<Door>,
}

impl Double {
    /// A port on loopback, before it is known what answers there.
    async fn bind() -> (TcpListener, String) {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://127.0.0.1:{}", tcp.local_addr().unwrap().port());
        (tcp, base)
    }

    fn open(tcp: TcpListener, provider: Arc<dyn Provider>) -> Self {
        let port = tcp.local_addr().unwrap().port();
        let desk = Arc::new(Desk::default());
        let door = listening(tcp, desk.clone(), provider.clone());
        Double { port, desk, provider, door: tokio::sync::Mutex::new(door) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on, on every path that has no mood of its own.
    pub async fn mood(&self, mood: Mood) {
        *self.desk.mood.lock().unwrap() = Some(mood);
        let mut door = self.door.lock().await;
        *door = match (std::mem::replace(&mut *door, Door::Moving), mood) {
            (Door::Open { stop, serving }, Mood::Down) => {
                drop(stop);
                serving.await.unwrap();
                let socket = TcpSocket::new_v4().unwrap();
                socket.set_reuseaddr(true).unwrap();
                socket.bind(([127, 0, 0, 1], self.port).into()).unwrap();
                Door::Shut(socket)
            }
            (Door::Shut(socket), mood) if mood != Mood::Down => {
                listening(socket.listen(64).unwrap(), self.desk.clone(), self.provider.clone())
            }
            (door, _) => door,
        };
    }

    /// On one path; not [`Mood::Down`], which takes the whole port.
    pub fn mood_at(&self, path: &str, mood: Mood) {
        assert_ne!(mood, Mood::Down, "a path alone cannot refuse connections");
        self.desk.moods.lock().unwrap().insert(path.into(), mood);
    }

    /// Answers the next request for this path with this, whatever is asked: for answers that no honest provider gives.
    pub fn answer_next(&self, path: &str, reply: Reply) {
        self.desk.canned.lock().unwrap().entry(path.into()).or_default().push_back(reply);
    }

    /// Everything that was asked at this path, in order.
    pub fn heard(&self, path: &str) -> Vec<Heard> {
        self.desk.heard.lock().unwrap().iter().filter(|heard| heard.path == path).cloned().collect()
    }

    #[track_caller]
    pub fn last(&self, path: &str) -> Heard {
        self.heard(path).pop().unwrap_or_else(|| panic!("nobody has asked for {path}"))
    }

    /// Everything that was asked, as `GET /path`.
    pub fn asked(&self) -> Vec<String> {
        let heard = self.desk.heard.lock().unwrap();
        heard.iter().map(|heard| format!("{} {}", heard.method, heard.path)).collect()
    }
}

fn listening(tcp: TcpListener, desk: Arc<Desk>, provider: Arc<dyn Provider>) -> Door {
    let endpoint = make(move |request: Request| take(desk.clone(), provider.clone(), request));
    let (stop, stopped) = oneshot::channel();
    let shutdown = async { stopped.await.unwrap_or_default() };
    Door::Open { stop, serving: tokio::spawn(serve(tcp, endpoint, None, Limits::default(), shutdown)) }
}

async fn take(desk: Arc<Desk>, provider: Arc<dyn Provider>, mut request: Request) -> Response {
    let body = request.take_body().into_string().await.unwrap_or_default();
    let headers = request.headers().iter();
    let heard = Heard {
        method: request.method().to_string(),
        path: request.uri().path().to_string(),
        query: Parameters::parse(request.uri().query().unwrap_or_default()),
        form: Parameters::parse(&body),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
    };
    desk.heard.lock().unwrap().push(heard.clone());
    let mood = desk.mood(&heard.path);
    if let Mood::Slow(time) = mood {
        tokio::time::sleep(time).await;
    }
    let reply = match (desk.canned(&heard.path), mood) {
        (Some(reply), _) => reply,
        (None, Mood::Fails(status)) => provider.broken(status),
        (None, Mood::RateLimited) => provider.limited(&heard, false),
        (None, Mood::SecondaryLimit) => provider.limited(&heard, true),
        (None, Mood::Flapping) if desk.turns.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) => provider.broken(503),
        _ => provider.answer(&heard),
    };
    reply.send()
}

/// A shape of the shared documents with its placeholders replaced: a text that is a placeholder alone becomes the
/// value, and is left out where there is none; within a text it becomes text.
fn filled(shape: &Value, values: &Account) -> Option<Value> {
    Some(match shape {
        Value::String(text) => match placeholder(text) {
            Some(name) => values.get(name)?.clone(),
            None => within(text, values).into(),
        },
        Value::Array(items) => items.iter().filter_map(|item| filled(item, values)).collect(),
        Value::Object(members) => {
            let members = members.iter().filter_map(|(name, shape)| Some((name.clone(), filled(shape, values)?)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    })
}

/// A list of pairs, in its order.
fn pairs(shape: &Value, values: &Account) -> Parameters {
    let pairs = shape.as_array().into_iter().flatten();
    let pairs = pairs.filter_map(|pair| Some((text(&pair[0]), text(&filled(&pair[1], values)?))));
    Parameters(pairs.collect())
}

fn placeholder(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    (!name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase())).then_some(name)
}

fn within(shape: &str, values: &Account) -> String {
    values.iter().fold(shape.to_string(), |filled, (name, value)| filled.replace(&format!("{{{name}}}"), &text(value)))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// An object by its members; what is none is left out.
fn values<const N: usize>(members: [(&str, Option<Value>); N]) -> Account {
    members.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?))).collect()
}

/// RFC 7636 §4.6.
fn proves(verifier: &str, challenge: &str, method: &str) -> bool {
    if method == "S256" { s256(verifier) == challenge } else { verifier == challenge }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Where a person chooses who they are: a button each, by their place in the list of people, and one to go back.
fn chooser(provider: &str, heard: &Heard, people: &[(usize, String)]) -> Reply {
    let action = escaped(&format!("{}?{}", heard.path, heard.query.encoded()));
    let buttons: String = people
        .iter()
        .map(|(place, name)| {
            let name = escaped(name);
            format!(
                "<p><button name=\"account\" value=\"{place}\" id=\"continue-{place}\">Continue as {name}</button></p>"
            )
        })
        .collect();
    Reply::page(
        200,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in with {provider}</title></head>\
             <body><main><h1>Sign in with {provider}</h1><form method=\"post\" action=\"{action}\">{buttons}\
             <p><button name=\"cancel\" value=\"1\" id=\"cancel\">Cancel</button></p></form></main></body></html>"
        ),
    )
}

/// OAuth 2.0 Form Post Response Mode §2.
fn posting(target: &str, parameters: &Parameters) -> Reply {
    let inputs: String = parameters
        .0
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value)))
        .collect();
    Reply::page(
        200,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>One moment</title></head>\
             <body onload=\"document.forms[0].submit()\"><form method=\"post\" action=\"{}\" id=\"back\">{inputs}\
             <button id=\"go\">Continue</button></form></body></html>",
            escaped(target)
        ),
    )
}

/// How a provider sends a person back to the app.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub to: String,
    pub parameters: Parameters,
    pub by_post: bool,
}

impl Arrival {
    /// Of an arrival by GET.
    pub fn url(&self) -> String {
        format!("{}?{}", self.to, self.parameters.encoded())
    }

    fn of(location: &str) -> Self {
        let (to, query) = location.split_once('?').unwrap_or((location, ""));
        Arrival { to: to.into(), parameters: Parameters::parse(query), by_post: false }
    }
}

/// Goes to the provider's authorization endpoint and presses the button of the person at this place on the page. Where
/// the provider shows no page, the person is back at once.
pub async fn continue_as(url: &str, place: usize) -> Arrival {
    press(url, |buttons| buttons.iter().filter(|(name, _)| name == "account").nth(place).cloned()).await
}

pub async fn cancel(url: &str) -> Arrival {
    press(url, |buttons| buttons.iter().find(|(name, _)| name == "cancel").cloned()).await
}

async fn press(url: &str, choose: impl Fn(&[(String, String)]) -> Option<(String, String)>) -> Arrival {
    let client = plain();
    let shown = client.get(url).send().await.unwrap();
    if let Some(location) = shown.headers().get("location") {
        return Arrival::of(location.to_str().unwrap());
    }
    let (status, html) = (shown.status(), shown.text().await.unwrap());
    assert_eq!(status, 200, "{html}");
    let page = Document::parse(&html);
    let buttons: Vec<(String, String)> = page
        .named("button")
        .filter_map(|button| Some((button.attribute("name")?.to_string(), button.attribute("value")?.to_string())))
        .collect();
    let pressed = choose(&buttons).unwrap_or_else(|| panic!("no such button: {}", page.text));
    let action = page.named("form").next().and_then(|form| form.attribute("action")).expect("a form");
    let target = url::Url::parse(url).unwrap().join(action).unwrap();
    let answer = client.post(target).form(&[pressed]).send().await.unwrap();
    if let Some(location) = answer.headers().get("location") {
        return Arrival::of(location.to_str().unwrap());
    }
    let page = Document::parse(&answer.text().await.unwrap());
    let form = page.by_id("back").unwrap_or_else(|| panic!("no way back: {}", page.text));
    let fields = page.fields(form).into_iter().map(|(_, name, value)| (name, value)).collect();
    let to = page.elements[form].attribute("action").unwrap().to_string();
    Arrival { to, parameters: Parameters(fields), by_post: true }
}

/// A client of no opinions: it follows nothing and says no more of itself than HTTP asks for.
pub fn plain() -> reqwest::Client {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.pool_max_idle_per_host(0).no_proxy().build().unwrap()
}
