use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};
use poem::{Request, endpoint::make, http::StatusCode};
use signet::http::{
    listener::Limits,
    tls::{Tls, TlsError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

use super::doors::{Certificate, start};

const SOON: Duration = Duration::from_millis(100);

/// Sends bytes and returns all that comes back until the server closes.
async fn talk(address: SocketAddr, bytes: &[u8]) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset after an answer (the rest of an oversized request was not read) is as good as an end.
    let _ = tcp.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn hello(_: Request) -> &'static str {
    "hello"
}

#[tokio::test]
async fn a_handler_learns_who_calls_and_how() {
    let plain = start(make(|request: Request| async move { describe(&request) }), None, Limits::default()).await;
    let answer = reqwest::get(plain.url("/")).await.unwrap().text().await.unwrap();
    assert!(answer.starts_with("http 127.0.0.1:"), "{answer}");

    let certificate = Certificate::new();
    let tls = Some(certificate.tls());
    let sealed = start(make(|request: Request| async move { describe(&request) }), tls, Limits::default()).await;
    let root = reqwest::Certificate::from_pem(&certificate.x509.to_pem().unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_certs_merge([root]).build().unwrap();
    let answer = client.get(format!("https://localhost:{}/", sealed.address.port())).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2, "by ALPN");
    assert!(answer.text().await.unwrap().starts_with("https 127.0.0.1:"));
}

fn describe(request: &Request) -> String {
    format!("{} {}", request.scheme(), request.remote_addr().as_socket_addr().unwrap())
}

/// SEC-157.
#[tokio::test]
async fn a_connection_is_closed_when_its_head_does_not_come() {
    let limits = Limits { header_timeout: SOON, idle_timeout: SOON, ..Limits::default() };
    let server = start(make(hello), None, limits).await;
    for (name, bytes) in [
        ("nothing comes", &b""[..]),
        ("half a head comes", b"GET / HTTP/1.1\r\nHost: a\r\nX-"),
        ("half of HTTP/2's preface comes", b"PRI * HTTP/2.0\r\n"),
        ("HTTP/2 is opened and not used", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
        ("a second head is not completed", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /"),
        ("a second head does not come", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ] {
        let answer = tokio::time::timeout(Duration::from_secs(5), talk(server.address, bytes)).await;
        assert!(answer.is_ok(), "{name}");
    }
    let hello = talk(server.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(hello.ends_with("hello"), "{hello}");
}

/// A slow handler is not silence.
#[tokio::test]
async fn a_connection_with_a_request_in_flight_is_not_idle() {
    let limits = Limits { header_timeout: SOON, idle_timeout: SOON, ..Limits::default() };
    let late = make(|_| async {
        tokio::time::sleep(SOON * 6).await;
        "late"
    });
    let server = start(late, None, limits).await;
    assert_eq!(reqwest::get(server.url("/")).await.unwrap().text().await.unwrap(), "late");
}

/// SEC-155.
#[tokio::test]
async fn a_head_is_refused_when() {
    let server = start(make(hello), None, Limits::default()).await;
    let get = |target: usize, header: usize, lines: usize| {
        let target = "a".repeat(target);
        let lines = (0..lines).map(|line| format!("x-{line}: y\r\n")).collect::<String>();
        format!("GET /{target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}X: {}\r\n\r\n", "b".repeat(header))
    };
    for (name, request, status) in [
        ("(it is not)", get(10, 10, 10), 200),
        ("(it is just not)", get(16 * 1024 - 1, 14 * 1024, 0), 200),
        ("its target alone fills it", get(40 * 1024, 10, 0), 431),
        ("a header is long", get(10, 33 * 1024, 0), 431),
        ("it has many headers", get(10, 10, 200), 431),
        ("it is no HTTP", "hello\r\n\r\n".to_owned(), 400),
    ] {
        let answer = talk(server.address, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
    }
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    for (name, target, header, status) in [("nothing", 10, 10, 200), ("header", 10, 40 * 1024, 431)] {
        let request = client.get(server.url(&format!("/{}", "a".repeat(target)))).header("x", "b".repeat(header));
        assert_eq!(request.send().await.unwrap().status().as_u16(), status, "HTTP/2: {name}");
    }
}

#[tokio::test]
async fn a_body_that_drips_is_not_waited_for() {
    let limits = Limits { body_timeout: SOON, ..Limits::default() };
    let read = make(|mut request: Request| async move {
        match request.take_body().into_async_read().read_to_end(&mut Vec::new()).await {
            Ok(length) => (StatusCode::OK, length.to_string()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => (StatusCode::REQUEST_TIMEOUT, error.to_string()),
            Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
        }
    });
    let server = start(read, None, limits).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\n";
    for (name, body, status) in [("whole", "12345", "200"), ("dripping", "12", "408")] {
        let answer = talk(server.address, format!("{head}{body}").as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
    }
}

/// RL: stop, and lose no request in flight.
#[tokio::test]
async fn a_request_in_flight_outlives_the_shutdown() {
    let (entered, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (entered, finish) = (entered.clone(), finish.clone());
        make(move |_| {
            let (entered, finish) = (entered.clone(), finish.clone());
            async move {
                entered.notify_one();
                finish.notified().await;
                "done"
            }
        })
    };
    let server = start(slow, None, Limits::default()).await;
    let url = server.url("/");
    let idle = TcpStream::connect(server.address).await.unwrap();
    let request = tokio::spawn(async move { reqwest::get(url).await.unwrap().text().await.unwrap() });
    entered.notified().await;
    server.stop.send(()).unwrap();
    // The listening socket closes at once; until then a connection might still be taken.
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.task.is_finished());
    finish.notify_one();
    assert_eq!(request.await.unwrap(), "done");
    server.task.await.unwrap();
    drop(idle);
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_the_shutdown_for_ever() {
    let entered = Arc::new(Notify::new());
    let stuck = {
        let entered = entered.clone();
        make(move |_| {
            let entered = entered.clone();
            async move {
                entered.notify_one();
                std::future::pending::<&'static str>().await
            }
        })
    };
    let server = start(stuck, None, Limits { shutdown_timeout: SOON, ..Limits::default() }).await;
    let request = tokio::spawn(reqwest::get(server.url("/")));
    entered.notified().await;
    server.stop.send(()).unwrap();
    server.task.await.unwrap();
    assert!(request.await.unwrap().is_err());
}

#[tokio::test]
async fn connections_over_the_cap_wait_for_a_place() {
    let server = start(make(hello), None, Limits { max_connections: 1, ..Limits::default() }).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    first.read_u8().await.unwrap();
    let second = tokio::spawn(reqwest::get(server.url("/")));
    let mut third = TcpStream::connect(server.address).await.unwrap();
    third.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(tokio::time::timeout(SOON, third.read_u8()).await.is_err(), "the first still has the only place");
    drop(third);
    drop(first);
    assert_eq!(second.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_own_connection_only() {
    let server = start(
        make(|request: Request| async move {
            assert_eq!(request.uri().path(), "/", "a panic on purpose");
            "hello"
        }),
        None,
        Limits::default(),
    )
    .await;
    assert!(reqwest::get(server.url("/panic")).await.is_err());
    assert_eq!(reqwest::get(server.url("/")).await.unwrap().status(), StatusCode::OK);
}

fn handshake(address: SocketAddr, version: SslVersion) -> Result<SslStream<std::net::TcpStream>, String> {
    let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
    connector.set_min_proto_version(Some(version)).unwrap();
    connector.set_max_proto_version(Some(version)).unwrap();
    // Else this side would not even offer the old versions.
    connector.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    let tcp = std::net::TcpStream::connect(address).unwrap();
    connector.build().connect("localhost", tcp).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_from_1_2_on() {
    let server = start(make(hello), Some(Certificate::new().tls()), Limits::default()).await;
    for (version, accepted) in
        [(SslVersion::TLS1, false), (SslVersion::TLS1_1, false), (SslVersion::TLS1_2, true), (SslVersion::TLS1_3, true)]
    {
        match handshake(server.address, version) {
            Ok(stream) => assert!(accepted, "{}", stream.ssl().version_str()),
            Err(error) => assert!(!accepted && error.contains("alert protocol version"), "{error}"),
        }
    }
    let plain = talk(server.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!plain.contains("HTTP"), "a plain request on the TLS port gets no answer: {plain}");
}

fn served(address: SocketAddr) -> Vec<u8> {
    let stream = handshake(address, SslVersion::TLS1_3).unwrap();
    stream.ssl().peer_certificate().unwrap().to_der().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_served_after_a_reload() {
    let (old, new) = (Certificate::new(), Certificate::new());
    let tls = old.tls();
    let server = start(make(hello), Some(tls.clone()), Limits::default()).await;
    assert!(!tls.reload().unwrap(), "nothing was written");
    assert_eq!(served(server.address), old.x509.to_der().unwrap());

    std::fs::copy(new.certificate(), old.certificate()).unwrap();
    touch(&old.certificate(), 10);
    assert!(matches!(tls.reload(), Err(TlsError::Mismatch { .. })), "the key is still the old one");
    assert_eq!(served(server.address), old.x509.to_der().unwrap());

    std::fs::copy(new.key(), old.key()).unwrap();
    touch(&old.key(), 10);
    assert!(tls.reload().unwrap());
    assert!(!tls.reload().unwrap());
    assert_eq!(served(server.address), new.x509.to_der().unwrap());
}

/// File systems count time coarsely; a renewal in the same tick is not what is tested.
fn touch(path: &std::path::Path, later: u64) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written + Duration::from_secs(later)).unwrap();
}

#[test]
fn a_certificate_is_refused_when() {
    let (one, other) = (Certificate::new(), Certificate::new());
    let gone = one.certificate().with_file_name("gone.pem");
    for (name, certificate, key, words) in [
        ("its file is missing", gone.clone(), one.key(), "gone.pem: No such file"),
        ("its key's file is missing", one.certificate(), gone, "gone.pem: No such file"),
        ("it is a key", one.key(), one.key(), "is not a PEM file of a certificate chain"),
        ("its key is a certificate", one.certificate(), one.certificate(), "is not a PEM file of a private key"),
        ("its key is another's", one.certificate(), other.key(), "is not the key of the certificate"),
    ] {
        let error = Tls::new(certificate, key).err().unwrap().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
}
