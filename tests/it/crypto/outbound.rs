use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use poem::{Request, Response, endpoint::make, http::StatusCode};
use signet::{
    app::outbound::{Outbound, is_public},
    http::listener::Limits,
};
use tokio::sync::Semaphore;
use url::Url;

use super::doors::{Certificate, start};

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

/// Nobody is exempt.
fn strict() -> Outbound {
    Outbound::new(vec![], &[]).unwrap()
}

fn to_loopback() -> Outbound {
    Outbound::new(vec!["127.0.0.1".into()], &[]).unwrap()
}

async fn documents(request: Request) -> Response {
    let json = |body: String| Response::builder().content_type("application/json").body(body);
    match request.uri().path() {
        "/json" => json(r#"{"keys":[]}"#.into()),
        "/jwks" => Response::builder().content_type("application/jwk-set+json; charset=utf-8").body("{}"),
        "/kept" => Response::builder()
            .content_type("application/json")
            .header("cache-control", "public, Max-Age=300")
            .body("{}"),
        "/unkept" => Response::builder()
            .content_type("application/json")
            .header("cache-control", "max-age=300, no-store")
            .body("{}"),
        "/redirect" => Response::builder().status(StatusCode::FOUND).header("location", "/json").body(()),
        "/html" => Response::builder().content_type("text/html").body("{}"),
        "/text" => json("not JSON".into()),
        "/deep" => json("[".repeat(100_000)),
        "/large" => json(format!("\"{}\"", "a".repeat(256 * 1024))),
        "/just" => json(format!("\"{}\"", "a".repeat(256 * 1024 - 2))),
        "/cookie" if request.header("cookie").is_some() => StatusCode::BAD_REQUEST.into(),
        "/cookie" => Response::builder().content_type("application/json").header("set-cookie", "a=b").body("{}"),
        _ => StatusCode::NOT_FOUND.into(),
    }
}

#[tokio::test]
async fn a_document_is_fetched_with_its_life() {
    let server = start(make(documents), None, Limits::default()).await;
    let outbound = to_loopback();
    for (path, max_age) in [
        ("/json", None),
        ("/jwks", None),
        ("/kept", Some(300)),
        ("/unkept", Some(0)),
        ("/just", None),
        ("/cookie", None),
    ] {
        for _ in 0..2 {
            let fetched = outbound.get_json(&url(&server.url(path))).await.unwrap();
            assert_eq!(fetched.max_age.map(|age| age.as_secs()), max_age, "{path}");
        }
    }
}

/// SEC-153.
#[tokio::test]
async fn an_answer_is_refused_when() {
    let server = start(make(documents), None, Limits::default()).await;
    let outbound = to_loopback();
    for (name, path, cause) in [
        ("it is a redirect", "/redirect", "status 302"),
        ("it is an error", "/missing", "status 404"),
        ("it is of another type", "/html", "not of a JSON content type"),
        ("it is not JSON", "/text", "not JSON: expected ident"),
        ("it is nested without end", "/deep", "not JSON: recursion limit"),
        ("it is too long", "/large", "longer than 262144 bytes"),
    ] {
        let error = outbound.get_json(&url(&server.url(path))).await.unwrap_err();
        assert!(error.cause().contains(cause), "{name}: {}", error.cause());
        assert_eq!(error.to_string(), "the document could not be fetched", "a stranger learns no more: {name}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let endless = make(|_: Request| async {
        let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 4096]));
        Response::builder().content_type("application/json").body(poem::Body::from_bytes_stream(chunks))
    });
    let server = start(endless, None, Limits::default()).await;
    let error = to_loopback().get_json(&url(&server.url("/"))).await.unwrap_err();
    assert!(error.cause().contains("longer than"), "{}", error.cause());
}

#[tokio::test]
async fn an_address_is_refused_when() {
    for (name, address, cause) in [
        ("it is http", "http://example.com/", "not https"),
        ("it is a file", "file:///etc/passwd", "no host"),
        ("it is ftp", "ftp://example.com/", "not https"),
        ("it has no host", "data:application/json,{}", "no host"),
        ("it has a user", "https://user@example.com/", "user name or password"),
        ("it has a password", "https://:secret@example.com/", "user name or password"),
        ("it is loopback", "https://127.0.0.1/", "127.0.0.1 is not a public address"),
        ("it is loopback as a number", "https://2130706433/", "127.0.0.1 is not a public address"),
        ("it is loopback in octal", "https://0177.0.0.1/", "127.0.0.1 is not a public address"),
        ("it is loopback cut short", "https://127.1/", "127.0.0.1 is not a public address"),
        ("it is the metadata service", "https://169.254.169.254/", "169.254.169.254 is not a public address"),
        ("it is IPv6 loopback", "https://[::1]/", "::1 is not a public address"),
        ("it is loopback mapped into IPv6", "https://[::ffff:127.0.0.1]/", "is not a public address"),
        ("its name means loopback", "https://localhost/", "no public address"),
    ] {
        let error = strict().get_json(&url(address)).await.unwrap_err();
        assert!(error.cause().contains(cause), "{name}: {}", error.cause());
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_name_that_means_a_private_address() {
    let server =
        start(make(|_: Request| async { panic!("a request came") as &'static str }), None, Limits::default()).await;
    let address = format!("https://localhost:{}/", server.address.port());
    let error = strict().get_json(&url(&address)).await.unwrap_err();
    assert!(error.cause().contains("no public address"), "{}", error.cause());
}

#[tokio::test]
async fn an_exemption_is_for_its_host_only() {
    let server = start(make(documents), None, Limits::default()).await;
    let port = server.address.port();
    let by_name = Outbound::new(vec!["LocalHost".into()], &[]).unwrap();
    assert!(by_name.get_json(&url(&format!("http://localhost:{port}/json"))).await.is_ok());
    assert!(by_name.get_json(&url(&format!("http://127.0.0.1:{port}/json"))).await.is_err());
    assert!(to_loopback().get_json(&url(&format!("http://localhost:{port}/json"))).await.is_err());
}

/// SEC-154.
#[tokio::test]
async fn a_certificate_must_be_trusted() {
    let certificate = Certificate::new();
    let server = start(make(documents), Some(certificate.tls()), Limits::default()).await;
    let address = url(&format!("https://localhost:{}/json", server.address.port()));
    let error = Outbound::new(vec!["localhost".into()], &[]).unwrap().get_json(&address).await.unwrap_err();
    assert!(error.cause().contains("certificate"), "{}", error.cause());
    let trusting =
        Outbound::new(vec!["localhost".into(), "127.0.0.1".into()], &[pem(&certificate.certificate())]).unwrap();
    assert!(trusting.get_json(&address).await.is_ok());
    let by_address = url(&format!("https://127.0.0.1:{}/json", server.address.port()));
    let error = trusting.get_json(&by_address).await.unwrap_err();
    assert!(error.cause().contains("mismatch"), "the certificate is for another host: {}", error.cause());
    assert!(Outbound::new(vec![], &[pem(&certificate.key())]).is_err(), "a key is no certificate");
}

#[tokio::test]
async fn a_failure_is_remembered_and_success_is_not() {
    let asked = Arc::new(AtomicUsize::new(0));
    let server = {
        let asked = asked.clone();
        let count = make(move |request: Request| {
            asked.fetch_add(1, Ordering::SeqCst);
            documents(request)
        });
        start(count, None, Limits::default()).await
    };
    let outbound = to_loopback();
    for (path, requests) in [("/missing", 1), ("/json", 2)] {
        asked.store(0, Ordering::SeqCst);
        for _ in 0..2 {
            let _ = outbound.get_json(&url(&server.url(path))).await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), requests, "{path}");
    }
}

/// Answers `/json` when it is let.
#[derive(Clone)]
struct Gated {
    inside: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Gated {
    fn closed() -> Self {
        Gated { inside: Arc::default(), most: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    async fn start(&self) -> super::doors::Running {
        let gated = self.clone();
        let answers = make(move |request: Request| {
            let gated = gated.clone();
            async move {
                if request.uri().path() == "/json" {
                    gated.most.fetch_max(gated.inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    gated.gate.acquire().await.unwrap().forget();
                    gated.inside.fetch_sub(1, Ordering::SeqCst);
                }
                documents(request).await
            }
        });
        start(answers, None, Limits::default()).await
    }

    async fn is_full(&self) {
        while self.inside.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn four_requests_at_most_go_to_one_host_at_once() {
    let gated = Gated::closed();
    let server = gated.start().await;
    let outbound = to_loopback();
    let address = url(&server.url("/json"));
    let all = join_all((0..12).map(|_| outbound.get_json(&address)));
    let open = async {
        gated.is_full().await;
        gated.gate.add_permits(12);
    };
    let (answers, ()) = tokio::join!(all, open);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(gated.most.load(Ordering::SeqCst), 4);
}

/// A crowd before one slow host takes no place from the others.
#[tokio::test]
async fn a_crowd_at_one_host_keeps_nobody_from_another() {
    let gated = Gated::closed();
    let server = gated.start().await;
    let outbound = Outbound::new(vec!["127.0.0.1".into(), "localhost".into()], &[]).unwrap();
    let slow = url(&server.url("/json"));
    let other = url(&server.url("/kept").replace("127.0.0.1", "localhost"));
    let crowd = join_all((0..100).map(|_| outbound.get_json(&slow)));
    let beside = async {
        gated.is_full().await;
        let fetched = outbound.get_json(&other).await;
        gated.gate.add_permits(100);
        fetched
    };
    let (answers, fetched) = tokio::join!(crowd, beside);
    assert!(fetched.is_ok(), "{fetched:?}");
    assert!(answers.iter().all(Result::is_ok));
}

#[test]
fn an_address_is_public_or_not() {
    for (address, public) in [
        ("1.1.1.1", true),
        ("93.184.216.34", true),
        ("172.15.255.255", true),
        ("172.32.0.0", true),
        ("100.63.255.255", true),
        ("100.128.0.0", true),
        ("192.0.1.1", true),
        ("223.255.255.255", true),
        ("0.0.0.0", false),
        ("0.1.2.3", false),
        ("10.0.0.1", false),
        ("100.64.0.1", false),
        ("100.127.255.255", false),
        ("127.255.255.255", false),
        ("169.254.169.254", false),
        ("172.16.0.1", false),
        ("172.31.255.255", false),
        ("192.0.0.8", false),
        ("192.0.2.1", false),
        ("192.88.99.1", false),
        ("192.168.1.1", false),
        ("198.18.0.1", false),
        ("198.19.255.255", false),
        ("198.51.100.1", false),
        ("203.0.113.1", false),
        ("224.0.0.1", false),
        ("240.0.0.1", false),
        ("255.255.255.255", false),
        ("2606:4700:4700::1111", true),
        ("2a00:1450:4001::1", true),
        ("::", false),
        ("::1", false),
        ("::ffff:1.1.1.1", false),
        ("::ffff:10.0.0.1", false),
        ("::127.0.0.1", false),
        ("64:ff9b::7f00:1", false),
        ("64:ff9b:1::1", false),
        ("100::1", false),
        ("2001::1", false),
        ("2001:db8::1", false),
        ("2002:7f00:1::", false),
        ("3fff::1", false),
        ("fc00::1", false),
        ("fd12:3456::1", false),
        ("fe80::1", false),
        ("fec0::1", false),
        ("ff02::1", false),
    ] {
        assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
    }
}

fn pem(path: &std::path::Path) -> std::sync::Arc<[u8]> {
    std::fs::read(path).unwrap().into()
}
