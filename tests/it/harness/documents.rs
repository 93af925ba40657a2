//! A site of a relying party's over https, with the tests' authority behind its certificate: keys, request objects,
//! sector documents, logos.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use poem::{Request, Response, endpoint::make, http::StatusCode};
use signet::http::{
    listener::{Limits, serve},
    tls::Tls,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot};

use super::authority::AUTHORITY;

#[derive(Default)]
struct Shelf {
    /// By path: the content type and the content.
    documents: HashMap<String, (String, Vec<u8>)>,
    /// Every path that was asked for, in order.
    asked: Vec<String>,
}

pub struct Documents {
    port: u16,
    shelf: Arc<Mutex<Shelf>>,
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

impl Documents {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        AUTHORITY.write_to(folder.path());
        let tls = Tls::new(folder.path().join("server.pem"), folder.path().join("server.key")).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let (stop, stopped) = oneshot::channel();
        let endpoint = {
            let shelf = shelf.clone();
            make(move |request: Request| {
                let answer = answer(&mut shelf.lock().unwrap(), request.uri().path());
                async move { answer }
            })
        };
        tokio::spawn(serve(tcp, endpoint, Some(tls), Limits::default(), async { drop(stopped.await) }));
        Documents { port, shelf, _stop: stop, _folder: folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Puts a document there, or another in its place; the answer is its address.
    pub fn put(&self, path: &str, content_type: &str, content: impl Into<Vec<u8>>) -> String {
        let mut shelf = self.shelf.lock().unwrap();
        shelf.documents.insert(path.into(), (content_type.into(), content.into()));
        self.url(path)
    }

    pub fn put_json(&self, path: &str, content: &serde_json::Value) -> String {
        self.put(path, "application/json", content.to_string())
    }

    /// How often a path was asked for.
    pub fn times_asked(&self, path: &str) -> usize {
        self.shelf.lock().unwrap().asked.iter().filter(|asked| *asked == path).count()
    }
}

fn answer(shelf: &mut Shelf, path: &str) -> Response {
    shelf.asked.push(path.to_string());
    match shelf.documents.get(path) {
        Some((content_type, content)) => Response::builder().content_type(content_type).body(content.clone()),
        None => StatusCode::NOT_FOUND.into(),
    }
}
