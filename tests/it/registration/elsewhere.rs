//! A server of somebody else's, where documents and pictures lie.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use poem::{
    Request, Response,
    endpoint::make_sync,
    http::{StatusCode, header},
};
use signet::http::listener::{Limits, serve};
use tokio::{net::TcpListener, sync::oneshot};

pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

type Files = HashMap<String, (String, Vec<u8>)>;

pub struct Elsewhere {
    port: u16,
    files: Arc<Mutex<Files>>,
    asked: Arc<Mutex<Vec<String>>>,
    _stop: oneshot::Sender<()>,
}

/// The setting that lets the server under test go there.
pub const ALLOWED: (&str, &str) = ("outbound.allow_hosts", "localhost");

impl Elsewhere {
    pub async fn start() -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel();
        let (files, asked) = (Arc::<Mutex<Files>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (served, noted) = (files.clone(), asked.clone());
        let endpoint = make_sync(move |request: Request| {
            let path = request.uri().path().to_owned();
            noted.lock().unwrap().push(path.clone());
            match served.lock().unwrap().get(&path) {
                Some((kind, target)) if kind == "redirect" => Response::builder()
                    .status(StatusCode::FOUND)
                    .header(header::LOCATION, String::from_utf8(target.clone()).unwrap())
                    .finish(),
                Some((kind, content)) => Response::builder().content_type(kind).body(content.clone()),
                None => StatusCode::NOT_FOUND.into(),
            }
        });
        tokio::spawn(serve(tcp, endpoint, None, Limits::default(), async { drop(stopped.await) }));
        Elsewhere { port, files, asked, _stop: stop }
    }

    /// Puts a file there, and says where it is.
    pub fn has(&self, path: &str, kind: &str, content: impl Into<Vec<u8>>) -> String {
        self.files.lock().unwrap().insert(path.into(), (kind.into(), content.into()));
        self.url(path)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// How often somebody asked for it.
    pub fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}
