//! A wire to the database that the test can cut, and mend again.
use std::{
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex, watch},
    task::JoinHandle,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Whole,
    /// Nothing comes through, and nobody says so.
    Silent,
    /// Connections are broken.
    Cut,
}

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

pub struct Proxy {
    pub address: SocketAddr,
    target: SocketAddr,
    wire: watch::Sender<Wire>,
    /// How many connections there were when the network forgot them all.
    lost: watch::Sender<usize>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Arc<Self> {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let proxy = Proxy {
            address,
            target,
            wire: watch::channel(Wire::Whole).0,
            lost: watch::channel(0).0,
            accepting: Mutex::default(),
        };
        proxy.accept(tcp).await;
        Arc::new(proxy)
    }

    async fn accept(&self, tcp: TcpListener) {
        let (target, wire, lost) = (self.target, self.wire.subscribe(), self.lost.clone());
        let accepting = async move {
            while let Ok((near, _)) = tcp.accept().await {
                let mine = CONNECTIONS.fetch_add(1, Ordering::SeqCst);
                let mut lost = lost.subscribe();
                let found = async move { lost.wait_for(|lost| mine < *lost).await.is_ok() };
                let wire = wire.clone();
                tokio::spawn(async move {
                    let mut connected = pin!(connect(near, target, wire));
                    tokio::select! {
                        () = &mut connected => {}
                        // Still open, but nobody is there.
                        true = found => std::future::pending().await,
                    }
                });
            }
        };
        *self.accepting.lock().await = Some(tokio::spawn(accepting));
    }

    /// Breaks every connection and refuses new ones.
    pub async fn cut(&self) {
        let accepting = self.accepting.lock().await.take().expect("a wire is cut once");
        accepting.abort();
        let _ = accepting.await;
        self.wire.send_replace(Wire::Cut);
    }

    pub async fn mend(&self) {
        self.wire.send_replace(Wire::Whole);
        self.accept(TcpListener::bind(self.address).await.unwrap()).await;
    }

    /// Every connection that there is hears nothing any more and is told nothing; new ones work.
    pub fn lose(&self) {
        self.lost.send_replace(CONNECTIONS.load(Ordering::SeqCst));
    }

    pub fn silence(&self) {
        self.wire.send_replace(Wire::Silent);
    }

    pub fn speak(&self) {
        self.wire.send_replace(Wire::Whole);
    }
}

async fn connect(near: TcpStream, target: SocketAddr, mut wire: watch::Receiver<Wire>) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = copy(near_in, far_out, wire.clone()) => {}
        () = copy(far_in, near_out, wire.clone()) => {}
        _ = wire.wait_for(|wire| *wire == Wire::Cut) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut wire: watch::Receiver<Wire>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if wire.wait_for(|wire| *wire != Wire::Silent).await.is_err() || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
