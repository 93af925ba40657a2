//! Bad input: random parameters at every endpoint get an answer that is neither a failure of the server nor a success.
use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_oneof},
    sample::select,
    strategy::{Just, ValueTree},
    test_runner::TestRunner,
};
use reqwest::Method;

use crate::harness::{Call, Parameters, fixtures};

const NAMES: [&str; 34] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "response_type",
    "response_mode",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "display",
    "ui_locales",
    "claims_locales",
    "acr_values",
    "login_hint",
    "id_token_hint",
    "claims",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "request",
    "request_uri",
    "registration",
    "resource",
    "grant_type",
    "code",
    "refresh_token",
    "token",
    "token_type_hint",
    "username",
    "post_logout_redirect_uri",
    "access_token",
];
const VALUES: [&str; 16] = [
    "c1",
    "c2",
    "c5",
    "code",
    "openid",
    "none",
    "login",
    "S256",
    "https://rp.example/cb",
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "query",
    "form_post",
    "{}",
    "eyJhbGciOiJub25lIn0.e30.",
];
const PATHS: [&str; 14] = [
    "/authorize",
    "/oauth2/token",
    "/oauth2/userinfo",
    "/oauth2/introspect",
    "/oauth2/revoke",
    "/oauth2/jwks",
    "/logout",
    "/logged-out",
    "/account",
    "/.well-known/openid-configuration",
    "/authorize/x/login",
    "/authorize/00000000-0000-0000-0000-000000000000",
    "/health/ready",
    "/",
];

/// `Site::send` fails the test on a 5xx and on a connection that breaks: that is G1. No case may end with tokens.
#[tokio::test]
async fn no_nonsense_is_answered_with_a_failure_or_with_tokens() {
    let f = fixtures().await;
    let value = || {
        prop_oneof![
            select(&VALUES[..]).prop_map(str::to_string),
            any::<String>(),
            vec(select(&['\0', '\r', '\n', '"', '\\', '%', '&', '\u{202e}', 'é', '<', '\'', ' '][..]), 0..40)
                .prop_map(String::from_iter),
            Just("x".repeat(3000)),
            any::<i64>().prop_map(|number| number.to_string()),
        ]
    };
    let parameters = vec((select(&NAMES[..]).prop_map(str::to_string), value()), 0..14);
    let kinds = vec!["application/x-www-form-urlencoded", "application/json", "text/plain", ""];
    let methods = [Method::GET, Method::POST, Method::HEAD, Method::PUT];
    let request = (
        select(&PATHS[..]),
        select(methods.to_vec()),
        parameters.clone(),
        parameters,
        select(kinds),
        prop_oneof![Just(None), value().prop_map(Some)],
    );
    let mut runner = TestRunner::deterministic();
    let mut browser = f.signed_in(&f.u1).await;
    for _ in 0..400 {
        let (path, method, query, body, kind, credentials) = request.new_tree(&mut runner).unwrap().current();
        let mut call = Call::new(method, &format!("{path}?{}", Parameters(query).encoded()));
        if call.method == Method::POST || call.method == Method::PUT {
            call = call.body(kind, Parameters(body).encoded());
        }
        if let Some(value) = credentials {
            let plain: String = value.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(200).collect();
            call = call.header("authorization", &format!("Basic {plain}"));
        }
        eprintln!("{} {}", call.method, call.url);
        let answer = browser.request(call).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains("\"access_token\"") && !text.contains("\"id_token\""), "{text}");
        if let Some(location) = answer.location() {
            let ours = location.starts_with('/') || location.starts_with(&f.site.issuer);
            assert!(ours || location.starts_with("https://rp.example/cb"), "sent to {location}");
        }
    }
}

/// Every address that answers, with what it may be answered as; a journey's own stand for themselves.
const ALL: [(&str, Kind); 31] = [
    ("/", Kind::Page),
    ("/account", Kind::Page),
    ("/account/login", Kind::Page),
    ("/account/sign-out", Kind::Page),
    ("/authorize", Kind::Page),
    ("/authorize/ID", Kind::Page),
    ("/authorize/ID/login", Kind::Page),
    ("/authorize/ID/account", Kind::Page),
    ("/authorize/ID/consent", Kind::Page),
    ("/authorize/ID/nothing", Kind::Page),
    ("/authorize/x/login", Kind::Page),
    ("/logout", Kind::Page),
    ("/logged-out", Kind::Page),
    ("/language", Kind::Page),
    ("/setup", Kind::Page),
    ("/try", Kind::Page),
    ("/try/callback", Kind::Page),
    ("/errors/0123456789abcdef", Kind::Page),
    ("/errors/x", Kind::Page),
    ("/nothing/here", Kind::Page),
    ("/static/signet.css", Kind::File("text/css")),
    ("/static/brand-logo", Kind::Page),
    ("/openapi.yaml", Kind::File("application/yaml")),
    ("/oauth2/token", Kind::Json),
    ("/oauth2/introspect", Kind::Json),
    ("/oauth2/revoke", Kind::Json),
    ("/oauth2/userinfo", Kind::Json),
    ("/oauth2/jwks", Kind::Json),
    ("/oauth2/nothing", Kind::Json),
    ("/.well-known/openid-configuration", Kind::Json),
    ("/health/ready", Kind::Json),
];

#[derive(Clone, Copy, Debug)]
enum Kind {
    Page,
    Json,
    /// That, or a page where it is refused.
    File(&'static str),
}

const METHODS: [&str; 11] =
    ["GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"];
const HEADERS: [&str; 24] = [
    "host",
    "origin",
    "referer",
    "cookie",
    "accept",
    "accept-language",
    "accept-encoding",
    "authorization",
    "content-type",
    "content-encoding",
    "content-language",
    "if-none-match",
    "if-modified-since",
    "range",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-http-method-override",
    "sec-fetch-site",
    "access-control-request-method",
    "access-control-request-headers",
    "user-agent",
    "dpop",
];
const HEADER_VALUES: [&str; 16] = [
    "",
    "null",
    "*",
    "cross-site",
    "https://spa.example",
    "POST",
    "gzip",
    "bytes=0-1,5-",
    "W/\"x\"",
    "de-DE;q=x,*;q=9,en;q=-1",
    "application/x-www-form-urlencoded; charset=\"",
    "multipart/form-data",
    "signet-session=; signet-browser==; signet-language=de\"; =; ;;",
    "for=\"[::1\", 127.0.0.1, , 999.1.1.1:99999",
    "Basic Og==",
    "Bearer a.b.c",
];

/// G1 at every address, with every part of a request made up: no failure, no panic, and an answer of the right kind.
#[tokio::test]
async fn no_nonsense_at_any_address_is_answered_with_a_failure() {
    let f = fixtures().await;
    let text = || {
        prop_oneof![
            select(&VALUES[..]).prop_map(str::to_string),
            select(&HEADER_VALUES[..]).prop_map(str::to_string),
            any::<String>(),
            vec(select(&['\0', '\n', '"', '%', '&', '=', ';', '\u{202e}', 'é', '<', ' ', '.'][..]), 0..60)
                .prop_map(String::from_iter),
        ]
    };
    let names = || {
        let own =
            ["csrf", "answer", "password", "back", "lang", "as", "email", "name", "iss", "error", "error_description"];
        prop_oneof![select(&NAMES[..]), select(own.to_vec())].prop_map(str::to_string)
    };
    let parameters = || vec((names(), text()), 0..10);
    let request = (
        select(&ALL[..]),
        select(&METHODS[..]),
        (parameters(), parameters(), any::<bool>()),
        vec((select(&HEADERS[..]), text()), 0..6),
        any::<bool>(),
    );
    let mut runner = TestRunner::deterministic();
    let mut signed_in = f.signed_in(&f.u1).await;
    signed_in.goto(&f.c1.asks().with("prompt", "consent").url()).await;
    let journey = signed_in.page().answer.url.path().split('/').nth(2).unwrap().to_string();
    let mut stranger = f.browser();
    let mut seen = std::collections::HashMap::new();
    for _ in 0..700 {
        let ((path, kind), method, (query, body, is_form), headers, known) =
            request.new_tree(&mut runner).unwrap().current();
        let url = format!("{}?{}", path.replace("ID", &journey), Parameters(query).encoded());
        let mut call = Call::new(Method::from_bytes(method.as_bytes()).unwrap(), &url);
        if !["GET", "HEAD", "OPTIONS", "TRACE"].contains(&method) {
            let body = Parameters(body).encoded();
            call = call.body(if is_form { "application/x-www-form-urlencoded" } else { "application/json" }, body);
        }
        for (name, value) in headers {
            let value: String = value.chars().filter(|c| !c.is_control()).take(300).collect();
            call = call.header(name, &value);
        }
        eprintln!("{call:?}");
        let answer = if known { signed_in.request(call).await } else { stranger.request(call).await };
        assert!(answer.status < 500, "{} {}", answer.status, answer.url);
        *seen.entry(answer.status).or_insert(0) += 1;
        let empty = answer.body.is_empty() || answer.is_redirect();
        let (got, is_json) = (answer.media_type().to_string(), matches!(kind, Kind::Json));
        let right = match kind {
            Kind::Page => got == "text/html",
            Kind::Json => got == "application/json",
            Kind::File(kind) => got == if answer.status < 400 { kind } else { "text/html" },
        };
        assert!(empty || right, "{got} from {method} {path} ({})", answer.status);
        assert!(
            !is_json || empty || serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok(),
            "{}",
            answer.text()
        );
        if let Some(location) = answer.location() {
            let ours = location.starts_with('/') && !location.starts_with("//") || location.starts_with(&f.site.issuer);
            assert!(ours || location.starts_with("https://rp.example/cb"), "sent to {location}");
        }
        assert!(answer.headers.contains_key("x-request-id"), "{method} {path}");
    }
    for status in [200, 303, 400, 401, 403, 404, 405, 415] {
        assert!(seen.contains_key(&status), "the nonsense never led to {status}: {seen:?}");
    }
}

/// Bytes on the wire that are no requests end their own connection and nothing else.
#[tokio::test]
async fn no_nonsense_on_the_wire_hurts_others() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let f = fixtures().await;
    let piece = prop_oneof![
        select(vec![
            "GET / HTTP/1.1\r\n",
            "Host: a\r\n",
            "\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "POST /oauth2/token HTTP/1.1\r\n",
            "Content-Length: 9999999999999999999\r\n",
            "Transfer-Encoding: chunked\r\n",
            "ffffffffffffffffff\r\n",
            "0\r\n\r\n",
            "\x16\x03\x01",
            "GET http://[::1 HTTP/1.1\r\n",
            "Expect: 100-continue\r\n",
            "Connection: upgrade\r\nUpgrade: h2c\r\n"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        vec(any::<u8>(), 0..80),
    ];
    let request = vec(piece, 1..8);
    let mut runner = TestRunner::deterministic();
    for _ in 0..150 {
        let bytes = request.new_tree(&mut runner).unwrap().current().concat();
        let mut tcp = tokio::net::TcpStream::connect(f.site.address).await.unwrap();
        // It may be closed before all is written.
        let _ = tcp.write_all(&bytes).await;
        let _ = tcp.shutdown().await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(std::time::Duration::from_secs(15), tcp.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "a connection hangs after {:?}", String::from_utf8_lossy(&bytes));
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.contains("HTTP/1.1 5"), "{answer} to {:?}", String::from_utf8_lossy(&bytes));
    }
    assert_eq!(f.site.get("/health/live").await.status, 200);
}

/// Bytes that are no text at all, in the query, in the body and in the headers.
#[tokio::test]
async fn what_is_no_text_is_refused_in_words() {
    let f = fixtures().await;
    for encoded in
        ["state=%ff%fe", "state=%zz", "%=%", "client_id=%00", "&&&==&", "scope=%e2%82", "client_id[]=c1", "a=%"]
    {
        for path in PATHS {
            f.site.get(&format!("{path}?{encoded}")).await;
            let form = "application/x-www-form-urlencoded";
            f.site.send(Call::post(path).body(form, encoded)).await;
            f.site.send(Call::post(path).body(form, vec![0xff, 0xfe, 0x00, b'=', 0x80])).await;
        }
    }
    for authorization in ["", " ", "Bearer", "Bearer ", "Basic", "Basic \u{9}", "é", &"x".repeat(8000)] {
        for path in PATHS {
            f.site.send(Call::get(path).header("authorization", authorization)).await;
        }
    }
}
