//! DS: too much of anything is refused soon, cheaply, and without harm to others.
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use signet::{
    flows::admin::clients,
    http::{self, listener::Limits},
    store::{Phc, password},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    crypto::doors,
    harness::{
        Answer, Call, Fixtures, Parameters, assert, fixtures,
        relying_party::{INTROSPECT, TOKEN, USERINFO, with_assertion},
    },
};

const FORM: &str = "application/x-www-form-urlencoded";
/// What an honest person waits for gladly, on a machine that runs many tests.
const SOON: Duration = Duration::from_secs(5);

fn machine() -> Parameters {
    Parameters::new(&[("grant_type", "client_credentials")])
}

/// SEC-155, ASVS 4.2.5, decision D10: what is too much, and the status that says so.
#[tokio::test]
async fn sec_155_a_request_is_refused_when() {
    let f = fixtures().await;
    let x = |length: usize| "x".repeat(length);
    let many = |count: usize| (0..count).map(|n| format!("p{n}=1&")).collect::<String>();
    let lines = |call: Call, size: usize| (0..8).fold(call, |call, n| call.header(&format!("x-{n}"), &x(size)));
    for path in ["/authorize", TOKEN] {
        let post = |body: String| Call::post(path).body(FORM, body);
        let to = |query: String| Call::get(&format!("{path}?{query}"));
        for (reason, call, status) in [
            ("its address is long", to(x(16 * 1024)), 414),
            ("its headers are long", lines(to(String::new()), 4200), 431),
            ("its cookies are long", to(String::new()).header("cookie", &x(8 * 1024 + 1)), 431),
            (
                "its cookies are long together",
                to(String::new()).header("cookie", &x(5000)).header("cookie", &x(5000)),
                431,
            ),
            ("its body is long", post(x(64 * 1024 + 1)), 413),
            ("it has many parameters", post(format!("client_id=c1&{}", many(101))), 400),
        ] {
            let began = Instant::now();
            let answer = f.site.send(call).await;
            assert_eq!(answer.status, status, "{path} when {reason}: {}", answer.text());
            assert!(began.elapsed() < SOON, "{path} when {reason}");
            // HTTP/1.1 heads over the limit are refused before anybody knows what they ask for.
            if reason == "its headers are long" {
                continue;
            }
            let kind = if path == TOKEN { "application/json" } else { "text/html" };
            assert_eq!(answer.media_type(), kind, "{path} when {reason}");
        }
    }
    let full = f.c5.call(TOKEN, machine().with("x", &x(60 * 1024)));
    assert_eq!(f.site.send(full).await.status, 200, "60 KiB are not too much");
    let full = f.c5.call(TOKEN, Parameters::parse(&format!("grant_type=client_credentials&{}", many(98))));
    assert_eq!(f.site.send(full).await.status, 200, "99 parameters are not too many");
}

/// SEC-155: the parameters that a client has us carry or work on.
#[tokio::test]
async fn sec_155_a_parameter_is_refused_when() {
    let f = fixtures().await;
    let scopes = |count: usize| (0..count).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
    for (name, value, error) in [
        ("nonce", "n".repeat(2049), "invalid_request"),
        ("login_hint", "n".repeat(2049), "invalid_request"),
        ("scope", format!("openid {}", "s".repeat(1024)), "invalid_scope"),
        ("scope", format!("openid {}", scopes(50)), "invalid_scope"),
        ("ui_locales", "de ".repeat(700), "invalid_request"),
    ] {
        let asked = f.c1.asks().with(name, &value);
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c1, &asked, error);
    }
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("state", &"s".repeat(2049)).url()).await;
    assert_eq!((browser.landed().get("error"), browser.landed().get("state")), (Some("invalid_request"), None));
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("state", &"s".repeat(2048)).url()).await.walk(&f.u1).await;
    assert_eq!(browser.landed().get("state").map(str::len), Some(2048));
}

/// Sends bytes and reads until the server closes, or says nothing for a while.
async fn talk(f: &Fixtures, bytes: &[u8]) -> String {
    let mut tcp = TcpStream::connect(f.site.address).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    let mut all = Vec::new();
    let mut part = [0; 4096];
    while let Ok(Ok(read @ 1..)) = timeout(Duration::from_millis(700), tcp.read(&mut part)).await {
        all.extend_from_slice(&part[..read]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// SEC-155: the connection stays sane. What was refused is never read as another request.
#[tokio::test]
async fn sec_155_a_refused_body_is_not_the_next_request() {
    let f = fixtures().await;
    let next = "GET /account HTTP/1.1\r\nHost: a\r\n\r\n";
    let body = format!("{}{next}", "x".repeat(70_000 - next.len()));
    let post = |headers: &str, body: &str| format!("POST /logout HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}");
    for (name, request, status) in [
        ("too long", post("Content-Length: 70000\r\n", &body), "413"),
        ("too long in chunks", post("Transfer-Encoding: chunked\r\n", &format!("11170\r\n{body}\r\n0\r\n\r\n")), "413"),
        ("encoded", post(&format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n", next.len()), next), "415"),
        ("of two lengths", post(&format!("Content-Length: 0\r\nContent-Length: {}\r\n", next.len()), next), "400"),
        (
            "of a length and chunks",
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", &format!("0\r\n\r\n{next}")),
            "",
        ),
        ("of an odd coding", post("Transfer-Encoding: xchunked\r\n", &format!("0\r\n\r\n{next}")), "400"),
    ] {
        let answers = talk(&f, request.as_bytes()).await;
        let found = answers.matches("HTTP/1.1 ").count();
        assert!(status.is_empty() || answers.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answers}");
        assert!(!answers.contains("/account/login"), "{name}: the body was obeyed: {answers}");
        assert_eq!(found, 1, "{name}: {answers}");
    }
    let refused = format!("GET /account HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "x".repeat(9000));
    let answers = talk(&f, format!("{refused}{next}").as_bytes()).await;
    assert!(answers.starts_with("HTTP/1.1 431 ") && answers.contains("HTTP/1.1 303 "), "the next one is answered");
}

/// SEC-156, CVE-2025-6203: JSON of any shape, wherever somebody may send some.
#[tokio::test]
async fn sec_156_monstrous_json_is_refused() {
    let f = fixtures().await;
    let nested = |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    for (name, json) in [
        ("deep objects", format!("{{\"userinfo\":{}}}", nested("{\"a\":", "}", 2_500))),
        ("deep arrays", format!("{{\"userinfo\":{}}}", nested("[", "]", 9_000))),
        ("deep and never closed", "[".repeat(18_000)),
        ("many texts", format!("{{\"userinfo\":[{}\"\"]}}", "\"a\",".repeat(4_000))),
        ("a number beyond all", "{\"id_token\":{\"auth_time\":1e999999}}".into()),
        ("a number of many digits", format!("{{\"id_token\":{{\"auth_time\":{}}}}}", "9".repeat(50_000))),
    ] {
        let form = f.c1.asks().with("claims", &json).parameters;
        let began = Instant::now();
        let mut browser = f.browser();
        browser.post_from_elsewhere("/authorize", &form).await;
        assert_eq!(browser.landed().get("error"), Some("invalid_request"), "{name}");
        assert!(began.elapsed() < SOON, "{name}: {:?}", began.elapsed());
    }
    for (name, json) in [
        ("deep", nested("[", "]", 5_000)),
        ("deep in a claim", format!("{{\"sub\":\"c6\",\"x\":{}}}", nested("{\"a\":", "}", 1_000))),
        ("a time beyond all", "{\"sub\":\"c6\",\"iss\":\"c6\",\"jti\":\"x\",\"exp\":1e300}".into()),
        ("a time beyond all that is", "{\"sub\":\"c6\",\"iss\":\"c6\",\"jti\":\"x\",\"exp\":1e999999}".into()),
    ] {
        use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
        let genuine = f.c6.assertion(|_| {});
        let parts: Vec<&str> = genuine.split('.').collect();
        let token = format!("{}.{}.{}", parts[0], BASE64.encode(json), parts[2]);
        let began = Instant::now();
        assert::json(
            &f.site.send(Call::post(TOKEN).form(&with_assertion(machine(), &token))).await,
            401,
            "invalid_client",
        );
        let mut browser = f.browser();
        let form = f.c1.asks().with("id_token_hint", &token).parameters;
        browser.post_from_elsewhere("/authorize", &form).await;
        assert_eq!(browser.landed().get("error"), Some("invalid_request"), "{name}");
        assert_eq!(f.site.send(Call::get(USERINFO).bearer(&token)).await.status, 401, "{name}");
        assert!(began.elapsed() < SOON, "{name}: {:?}", began.elapsed());
    }
    // A genuine signature over it does not help.
    for exp in [json!(1e300), json!(u64::MAX), json!(i64::MIN), json!("1"), json!([1]), json!(-1)] {
        let token = f.c6.assertion(|claims| claims["exp"] = exp.clone());
        let answer = f.site.send(Call::post(TOKEN).form(&with_assertion(machine(), &token))).await;
        assert::json(&answer, 401, "invalid_client");
    }
}

/// SEC-157: the defaults are what the case asks for, and hold at the whole server.
#[tokio::test]
async fn sec_157_the_slow_do_not_keep_out_the_honest() {
    let usual = Limits::default();
    assert!(
        usual.header_timeout <= Duration::from_secs(10) && usual.max_connections <= 10_000 && usual.body_rate >= 1024
    );
    let f = fixtures().await;
    let short = Duration::from_millis(400);
    let limits = Limits { header_timeout: short, idle_timeout: short, body_timeout: short, ..Limits::default() };
    let server = doors::start(http::service(&f.app), None, limits).await;
    let mut slow = JoinSet::new();
    for number in 0..200 {
        let address = server.address;
        slow.spawn(async move {
            let mut tcp = TcpStream::connect(address).await.unwrap();
            let head = match number % 3 {
                0 => "GET /health/live HTTP/1.1\r\nHost: a\r\nX-Slow: ",
                1 => "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n",
                _ => "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n",
            };
            tcp.write_all(head.as_bytes()).await.unwrap();
            let (mut read, mut write) = tcp.split();
            let mut answer = Vec::new();
            let dripping = async {
                // A byte now and then, as long as it is taken; those of the third kind fall silent.
                while number % 3 < 2 && write.write_all(b"x").await.is_ok() {
                    sleep(Duration::from_millis(50)).await;
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                _ = read.read_to_end(&mut answer) => {}
                () = dripping => {}
            }
            (number % 3, String::from_utf8_lossy(&answer).into_owned())
        });
    }
    let honest = reqwest::Client::builder().build().unwrap();
    let url = server.url("/.well-known/openid-configuration");
    let mut waits = Vec::new();
    while waits.len() < 20 {
        let began = Instant::now();
        assert_eq!(honest.get(&url).send().await.unwrap().status(), 200);
        waits.push(began.elapsed());
        sleep(Duration::from_millis(20)).await;
    }
    waits.sort_unstable();
    assert!(waits[10] < Duration::from_secs(2), "{waits:?}");
    let ended = timeout(Duration::from_secs(30), slow.join_all()).await.expect("every slow connection is closed");
    for (kind, answer) in ended {
        match kind {
            0 => assert!(!answer.contains(" 200 "), "half a head is no request: {answer}"),
            1 => assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("invalid_request"), "{answer}"),
            _ => assert!(answer.starts_with("HTTP/1.1 200 "), "answered, then closed for silence: {answer}"),
        }
    }
}

/// SEC-158, decision D11, ASVS 15.1.3: a crowd at the login page waits or is sent away; machines notice nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_158_a_crowd_at_the_login_page_is_sent_away_politely() {
    let f = fixtures().await;
    let (memory, passes) = (65_536, 8);
    // As dear as a hash of the default settings on a slow machine: it takes its time, and no password fits it.
    let dear = format!("$argon2id$v=19$m={memory},t={passes},p=1${}${}", "c29tZSBzYWx0IGhlcmU", "A".repeat(43));
    password::set(&f.app.db, f.u1.id.parse().unwrap(), Phc(dear), 0).await.unwrap();
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    browser.fill("login-username", &f.u1.username).fill("login-password", "any password will do");
    let (action, _, form) = browser.form("login-submit");
    let cookies = browser.jar.header(&f.site.url("/"), false).unwrap();
    let before = f.app.hashing.blocks_filled();
    let mut crowd = JoinSet::new();
    for _ in 0..60 {
        let (site, call) = (f.site.clone(), Call::post(&action).header("cookie", &cookies).form(&form));
        crowd.spawn(async move { site.send(call).await });
    }
    let mut slowest = Duration::ZERO;
    let mut answers: Vec<Answer> = Vec::new();
    while !crowd.is_empty() {
        let began = Instant::now();
        assert_eq!(f.c5.token(machine()).await.status, 200, "the token endpoint answers meanwhile");
        slowest = slowest.max(began.elapsed());
        while let Some(answer) = crowd.try_join_next() {
            answers.push(answer.unwrap());
        }
    }
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    let (tried, away): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 401);
    let threads = f.app.config.passwords.threads.unwrap() as usize;
    assert!(!tried.is_empty() && tried.len() <= 4 * threads && away.len() > 20, "{} {}", tried.len(), away.len());
    for answer in away {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok_and(|after| after > 0)));
        assert_eq!(answer.media_type(), "text/html");
    }
    let work = f.app.hashing.blocks_filled() - before;
    assert_eq!(work, tried.len() as u64 * memory * passes, "who is sent away costs nothing");
}

/// SEC-159, CVE-2024-28180, ASVS 5.2.3: nothing is unpacked for strangers.
#[tokio::test]
async fn sec_159_nothing_is_unpacked() {
    let f = fixtures().await;
    let bomb: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7Om\x0e7\xa0";
    for path in [TOKEN, INTROSPECT, "/oauth2/revoke", USERINFO, "/authorize", "/logout", "/setup", "/try"] {
        for coding in ["gzip", "br", "deflate", "zstd", "x-gzip", "identity", "gzip, gzip"] {
            let call = Call::new(Method::POST, path).header("content-encoding", coding).body(FORM, bomb);
            assert_eq!(f.site.send(call).await.status, 415, "{path} {coding}");
        }
    }
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
    let header =
        BASE64.encode(json!({ "alg": "dir", "enc": "A256GCM", "zip": "DEF", "kid": "client-key" }).to_string());
    let jwe = format!("{header}..{}.{}.{}", BASE64.encode([0; 12]), BASE64.encode(bomb), BASE64.encode([0; 16]));
    let zipped = crate::harness::jwt::CLIENTS_KEY.sign_with(
        &json!({ "alg": "RS256", "kid": "client-key", "zip": "DEF", "crit": ["zip"] }),
        &f.c6.assertion_claims(),
    );
    for token in [&jwe, &zipped] {
        let form = with_assertion(machine().with("client_id", "c6"), token);
        assert::json(&f.site.send(Call::post(TOKEN).form(&form)).await, 401, "invalid_client");
        assert_eq!(f.site.send(Call::get(USERINFO).bearer(token)).await.status, 401);
        let mut browser = f.browser();
        let asked = f.c1.asks().with("id_token_hint", token);
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &f.c1, &asked, "invalid_request");
    }
    assert!(clients::find(&f.app, "c6").await.is_ok());
}
