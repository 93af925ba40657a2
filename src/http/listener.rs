//! The accept loop: TCP or TLS, HTTP/1.1 or HTTP/2, with the limits that poem's own server lacks.
//!
//! What is refused here never reaches a handler:
//! - A head that is not complete after `header_timeout` ends the connection; so does silence between requests.
//! - A head over `header_bytes` gets 431: by hyper's buffer on HTTP/1.1 (request line included), by the header list
//!   of HTTP/2. More than 100 header lines get 431 on HTTP/1.1 too. How long a target may be is for the handler to say.
//! - A body must arrive within `body_timeout` plus a second for every `body_rate` bytes; then reading it fails with
//!   [`io::ErrorKind::TimedOut`], which is for the handler to answer. Its size is for the handler to limit.
//! - Connections over `max_connections` wait in the kernel's backlog.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use hyper::{
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use poem::{
    Addr, Body, Endpoint, EndpointExt, Request, Response,
    endpoint::BoxEndpoint,
    http::{self, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::tls::Tls;

/// hyper's buffer cannot be smaller.
const LEAST_HEADER_BYTES: usize = 8 * 1024;

/// How long the first request of a fresh connection is waited for when the server stops.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// What one connection, and all of them, may take. `Default` is meant for production.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For a TLS handshake, and for the head of a request from its first byte or from the last answer.
    pub header_timeout: Duration,
    /// A connection without any request for so long is closed; half-sent answers get as long again.
    pub idle_timeout: Duration,
    pub max_connections: usize,
    pub header_bytes: usize,
    pub body_timeout: Duration,
    /// Bytes a second.
    pub body_rate: u32,
    /// Requests at once on one HTTP/2 connection.
    pub max_streams: u32,
    /// How long requests in flight may take after the shutdown has begun.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_connections: 10_000,
            header_bytes: 32 * 1024,
            body_timeout: Duration::from_secs(10),
            body_rate: 4 * 1024,
            max_streams: 100,
            // With the writing of the last traces it is half a minute.
            shutdown_timeout: Duration::from_secs(25),
        }
    }
}

/// Serves until `shutdown`; then accepts no more, lets requests in flight finish and returns.
pub async fn serve(
    tcp: TcpListener,
    endpoint: impl Endpoint + 'static,
    tls: Option<Tls>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let (close, closing) = watch::channel(false);
    let mut http = auto::Builder::new(TokioExecutor::new());
    configure(&mut http, &limits);
    let endpoint = endpoint.map_to_response().boxed();
    let server = Arc::new(Server { endpoint, http, tls, closing, limits });
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            accepted = tcp.accept(), if connections.len() < server.limits.max_connections => match accepted {
                Ok((stream, peer)) => { connections.spawn(server.clone().connection(stream, peer)); }
                Err(error) => back_off(&error).await,
            },
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    take_in(tcp, &server, &mut connections);
    // The only receivers are those of the connections; without any, nobody needs to be told.
    let _ = close.send(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(server.limits.shutdown_timeout, finished).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests in flight did not finish in time and are cut off");
        connections.shutdown().await;
    }
}

/// Connections that the kernel has accepted for us may have brought a request already.
fn take_in(tcp: TcpListener, server: &Arc<Server>, connections: &mut JoinSet<()>) {
    let Ok(tcp) = tcp.into_std() else { return };
    while connections.len() < server.limits.max_connections
        && let Ok((stream, peer)) = tcp.accept()
        && stream.set_nonblocking(true).is_ok()
        && let Ok(stream) = TcpStream::from_std(stream)
    {
        connections.spawn(server.clone().connection(stream, peer));
    }
}

/// HTTP/2: resets that were not yet answered are bounded (CVE-2023-44487), as are header lists and streams.
fn configure(http: &mut auto::Builder<TokioExecutor>, limits: &Limits) {
    let header_bytes = limits.header_bytes.max(LEAST_HEADER_BYTES);
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(header_bytes);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(128)
        .max_send_buf_size(256 * 1024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(limits.header_timeout);
}

/// A connection that died while it waited is its own affair; everything else (no file descriptors, no memory) is
/// ours and would return at once, so the loop gives the system a moment.
async fn back_off(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "a connection could not be accepted");
        sleep(Duration::from_millis(50)).await;
    }
}

struct Server {
    endpoint: BoxEndpoint<'static, Response>,
    http: auto::Builder<TokioExecutor>,
    tls: Option<Tls>,
    closing: watch::Receiver<bool>,
    limits: Limits,
}

/// Who talks to whom on one connection, and how busily.
struct Line {
    scheme: Scheme,
    local: LocalAddr,
    remote: RemoteAddr,
    begun: AtomicU64,
    answered: AtomicU64,
    /// Set by each request that begins.
    begins: Notify,
}

impl Server {
    async fn connection(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr) {
        // Answers are written whole; waiting to fill a packet only delays them.
        let _ = tcp.set_nodelay(true);
        let Ok(local) = tcp.local_addr() else { return };
        let line = |scheme| {
            let (local, remote) = (LocalAddr(Addr::SocketAddr(local)), RemoteAddr(Addr::SocketAddr(peer)));
            Line { scheme, local, remote, begun: AtomicU64::new(0), answered: AtomicU64::new(0), begins: Notify::new() }
        };
        let Some(tls) = &self.tls else {
            return self.clone().talk(tcp, line(Scheme::HTTP)).await;
        };
        match timeout(self.limits.header_timeout, tls.accept(tcp)).await {
            Ok(Ok(stream)) => self.clone().talk(stream, line(Scheme::HTTPS)).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
        }
    }

    /// Until the shutdown begins. Told any earlier, hyper would drop a first request that is still on its way.
    async fn closes(&self, line: &Line) {
        // A server that is gone is shutting down too.
        let _ = self.closing.clone().wait_for(|closing| *closing).await;
        let _ = timeout(ON_ITS_WAY, line.begins.notified()).await;
    }

    /// Runs one connection to its end. hyper times a head only after its first byte and never an idle HTTP/2
    /// connection, so this watches both: see [`Limits::header_timeout`], [`Limits::idle_timeout`].
    async fn talk(self: Arc<Self>, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, line: Line) {
        let line = Arc::new(line);
        let service = service_fn(|request| answer(self.clone(), line.clone(), request));
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(io), service));
        let mut close = pin!(self.closes(&line));
        let mut leaving = false;
        let mut seen = 0;
        let mut patience = self.limits.header_timeout;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    return;
                }
                () = &mut close, if !leaving => {
                    leaving = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = sleep(patience) => {
                    let begun = line.begun.load(Ordering::Relaxed);
                    let quiet = begun == seen && begun == line.answered.load(Ordering::Relaxed);
                    if quiet && (leaving || begun == 0) {
                        return;
                    }
                    if quiet {
                        leaving = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    seen = begun;
                    patience = self.limits.idle_timeout;
                }
            }
        }
    }
}

/// Counts a request as answered also when its client goes away.
struct Open(Arc<Line>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}

async fn answer(
    server: Arc<Server>,
    line: Arc<Line>,
    request: http::Request<Incoming>,
) -> Result<http::Response<impl hyper::body::Body<Data = Bytes, Error = io::Error> + 'static>, Infallible> {
    line.begun.fetch_add(1, Ordering::Relaxed);
    line.begins.notify_one();
    let _open = Open(line.clone());
    let limits = &server.limits;
    let mut request = Request::from((request, line.local.clone(), line.remote.clone(), line.scheme.clone()));
    let body = request.take_body();
    if !body.is_empty() {
        request.set_body(paced(body, limits.body_timeout, limits.body_rate));
    }
    Ok(server.endpoint.get_response(request).await.into())
}

/// A body that fails when it comes more slowly than it may.
fn paced(body: Body, patience: Duration, rate: u32) -> Body {
    let start = (Box::pin(body.into_bytes_stream()), Instant::now() + patience);
    Body::from_bytes_stream(stream::try_unfold(start, move |(mut chunks, deadline)| async move {
        let Ok(chunk) = timeout_at(deadline, chunks.next()).await else {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the body of the request comes too slowly"));
        };
        let Some(chunk) = chunk.transpose()? else { return Ok(None) };
        let earned = Duration::from_secs_f64(chunk.len() as f64 / f64::from(rate.max(1)));
        Ok(Some((chunk, (chunks, deadline + earned))))
    }))
}
