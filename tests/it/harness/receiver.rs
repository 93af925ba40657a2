//! An app's own server on loopback, where it is told of logouts: what came, and how it takes it.
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use poem::{Request, Response, endpoint::make, http::StatusCode};
use signet::http::listener::{Limits, serve};
use tokio::{net::TcpListener, sync::oneshot};

use super::{http::Parameters, jwt::Token};

#[derive(Clone, Copy, Debug)]
pub enum Mood {
    Answers(u16),
    Takes(Duration),
    /// Takes the request and says nothing.
    Hangs,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Got {
    pub method: String,
    pub path: String,
    pub content_type: String,
    pub headers: Vec<String>,
    pub form: Parameters,
}

impl Got {
    pub fn token(&self) -> Token {
        Token::read(self.form.get("logout_token").expect("a logout token"))
    }
}

#[derive(Default)]
struct Seen {
    got: Mutex<Vec<Got>>,
    moods: Mutex<VecDeque<Mood>>,
    inside: AtomicUsize,
    most: AtomicUsize,
    /// The sessions whose end is being told here now.
    telling: Mutex<Vec<String>>,
    twins: AtomicUsize,
}

pub struct Receiver {
    pub port: u16,
    seen: Arc<Seen>,
    _stop: oneshot::Sender<()>,
}

impl Receiver {
    /// In these moods, one request after the other; then it answers 200.
    pub async fn start(moods: &[Mood]) -> Self {
        Self::at(0, moods).await
    }

    pub async fn at(port: u16, moods: &[Mood]) -> Self {
        let tcp = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let seen = Arc::new(Seen { moods: Mutex::new(moods.iter().copied().collect()), ..Seen::default() });
        let taking = seen.clone();
        let endpoint = make(move |request: Request| take(taking.clone(), request));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or_default() };
        tokio::spawn(serve(tcp, endpoint, None, Limits::default(), shutdown));
        Receiver { port, seen, _stop: stop }
    }

    /// A port where nobody is, until somebody begins to listen there.
    pub fn nowhere() -> u16 {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/told", self.port)
    }

    pub fn got(&self) -> Vec<Got> {
        self.seen.got.lock().unwrap().clone()
    }

    /// The only request that came.
    #[track_caller]
    pub fn only(&self) -> Got {
        let got = self.got();
        assert_eq!(got.len(), 1, "{got:?}");
        got[0].clone()
    }

    /// The sessions that it was told of, a repeat as often as it came.
    pub fn sids(&self) -> Vec<String> {
        self.got().iter().map(|got| got.token().claims["sid"].as_str().unwrap().to_string()).collect()
    }

    /// How often two requests about one session were here at the same time.
    pub fn twins(&self) -> usize {
        self.seen.twins.load(Ordering::SeqCst)
    }

    /// The most requests that were here at the same time.
    pub fn most_at_once(&self) -> usize {
        self.seen.most.load(Ordering::SeqCst)
    }
}

async fn take(seen: Arc<Seen>, mut request: Request) -> Response {
    let body = request.take_body().into_string().await.unwrap();
    let header = |name: &str| request.header(name).unwrap_or_default().to_string();
    let got = Got {
        method: request.method().to_string(),
        path: request.uri().to_string(),
        content_type: header("content-type"),
        headers: request.headers().keys().map(ToString::to_string).collect(),
        form: Parameters::parse(&body),
    };
    // Of an encrypted one nothing can be read here: each is a session of its own.
    let raw = got.form.get("logout_token").unwrap().to_string();
    let is_open = raw.matches('.').count() == 2;
    let sid = if is_open { got.token().claims["sid"].as_str().unwrap().to_string() } else { raw };
    seen.got.lock().unwrap().push(got);
    {
        let mut telling = seen.telling.lock().unwrap();
        seen.twins.fetch_add(usize::from(telling.contains(&sid)), Ordering::SeqCst);
        telling.push(sid.clone());
    }
    seen.most.fetch_max(seen.inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    let mood = seen.moods.lock().unwrap().pop_front().unwrap_or(Mood::Answers(200));
    let status = match mood {
        Mood::Answers(status) => status,
        Mood::Takes(time) => {
            tokio::time::sleep(time).await;
            200
        }
        Mood::Hangs => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            200
        }
    };
    let mut telling = seen.telling.lock().unwrap();
    let at = telling.iter().position(|known| *known == sid).unwrap();
    telling.swap_remove(at);
    drop(telling);
    seen.inside.fetch_sub(1, Ordering::SeqCst);
    StatusCode::from_u16(status).unwrap().into()
}
