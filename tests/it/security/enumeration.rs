//! EN: nobody learns here who has an account.
use crate::harness::{
    Answer, Call, Fixtures, Parameters, TestServer, fixtures,
    seed::{ClientSpec, NewPerson, Person, disable_user},
};

/// The login page's answer to a name and a password, in a browser that nobody knows.
async fn attempt(f: &Fixtures, username: &str, password: &str) -> Answer {
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    browser.fill("login-username", username).fill("login-password", password);
    let (action, _, form) = browser.form("login-submit");
    browser.request(Call::post(&action).form(&form)).await
}

/// What an attacker can see, without the name that was typed and what is fresh in every answer.
fn seen(answer: &Answer, typed: &str) -> (u16, Vec<String>, String) {
    let fresh = regex::Regex::new(r"[\w-]{43}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w-]{22}\b").unwrap();
    let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    let headers = headers.filter(|header| !header.starts_with("x-request-id") && !header.starts_with("date"));
    let headers = headers.filter(|header| !header.starts_with("content-length"));
    let text = answer.text();
    assert_eq!(text.matches(&format!("\"{typed}\"")).count(), 1, "the name that was typed stands in its field: {text}");
    let text = text.replace(&format!("\"{typed}\""), "\"NAME\"");
    (answer.status, headers.collect(), fresh.replace_all(&text, "~").into_owned())
}

/// U1 with a wrong password, U5 (disabled) with a wrong and with the right one, a person without a password, and
/// names that nobody has or can have.
async fn classes(f: &Fixtures) -> Vec<(&'static str, String, String)> {
    let wrong = || "a quite wrong password".to_string();
    let gone = f.user(NewPerson::named("gone")).await;
    disable_user(&f.app, &gone, true).await;
    vec![
        ("known", f.u1.username.clone(), wrong()),
        ("known by e-mail", f.u1.email.clone(), wrong()),
        ("unknown", "xerxes".into(), wrong()),
        ("unknown by e-mail", "xerxes@example.com".into(), wrong()),
        ("disabled", f.u5.username.clone(), wrong()),
        ("disabled, right password", f.u5.username.clone(), f.u5.password.clone()),
        ("disabled by e-mail, right password", gone.email.clone(), gone.password.clone()),
        ("no name at all", "@@".into(), wrong()),
        ("a long name", "x".repeat(300), wrong()),
        ("a name with spaces", "ada lovelace".into(), wrong()),
    ]
}

/// SEC-117, ASVS 6.3.8, CVE-2026-23511, CVE-2024-41952: the same answer, and the same work, for everybody.
#[tokio::test]
async fn sec_117_a_refused_login_tells_nothing_of_the_account() {
    let f = fixtures().await;
    let mut first = None;
    for (class, username, password) in classes(&f).await {
        let before = f.app.hashing.blocks_filled();
        let answer = attempt(&f, &username, &password).await;
        let work = f.app.hashing.blocks_filled() - before;
        let seen = (seen(&answer, &username), work);
        assert_eq!(seen.0.0, 401, "{class}");
        assert!(work > 0, "{class}: a hash is computed for everybody");
        let (expected, told) = first.get_or_insert_with(|| (seen.clone(), class));
        assert_eq!(&seen, expected, "{class} differs from {told}");
    }
}

/// SEC-117: an account without a password does not answer sooner.
#[tokio::test]
async fn sec_117_an_account_without_a_password_looks_alike() {
    let f = fixtures().await;
    let new = signet::flows::admin::users::NewUser { username: Some("nopass".into()), ..Default::default() };
    signet::flows::admin::users::create(&f.app, new).await.unwrap();
    let mut work = Vec::new();
    for username in ["nopass", "ada"] {
        let before = f.app.hashing.blocks_filled();
        let answer = attempt(&f, username, "a quite wrong password").await;
        work.push((seen(&answer, username), f.app.hashing.blocks_filled() - before));
    }
    assert_eq!(work[0], work[1]);
}

/// SEC-117 with the limits on: the wait after many failures comes as soon, and is as long, for names that nobody has.
#[tokio::test]
async fn sec_117_waiting_tells_nothing_of_the_account() {
    let mut told = Vec::new();
    for username in ["ada", "xerxes", "edgar"] {
        // A server each: the failures of one address count too.
        let f = TestServer::with_limits().await.fixtures().await;
        let mut answers = Vec::new();
        for _ in 0..8 {
            let answer = attempt(&f, username, "a quite wrong password").await;
            answers.push((answer.status, answer.header("retry-after").map(str::to_string)));
        }
        told.push(answers);
    }
    assert!(told[0].iter().any(|(status, _)| *status == 429), "{:?}", told[0]);
    assert!(told[0] == told[1] && told[1] == told[2], "{told:?}");
}

/// SEC-117 at the token endpoint: the password grant of a first-party client.
#[tokio::test]
async fn sec_117_the_password_grant_tells_nothing_of_the_account() {
    let f = fixtures().await;
    let spec =
        ClientSpec { first_party: true, grant_types: vec!["authorization_code", "password"], ..ClientSpec::web("own") };
    let own = f.client(spec).await;
    let mut first = None;
    for (class, username, password) in classes(&f).await {
        let form = Parameters::new(&[("grant_type", "password"), ("username", &username), ("password", &password)]);
        let before = f.app.hashing.blocks_filled();
        let answer = own.token(form).await;
        let mut body = answer.json();
        body["trace_id"] = "~".into();
        let seen = (answer.status, body, f.app.hashing.blocks_filled() - before);
        assert_eq!((seen.0, &seen.1["error"]), (400, &"invalid_grant".into()), "{class}: {seen:?}");
        let (expected, told) = first.get_or_insert_with(|| (seen.clone(), class));
        assert_eq!(&seen, expected, "{class} differs from {told}");
    }
}

/// SEC-117 for those who are signed in: asking for somebody else's account says as little.
#[tokio::test]
async fn sec_117_a_hint_tells_nothing_of_the_account() {
    let f = fixtures().await;
    let page = async |hint: &str| {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().with("login_hint", hint).url()).await;
        seen(&browser.page().answer, hint)
    };
    assert_eq!(page("ada").await, page("xerxes").await);
    let silent = async |person: &Person| {
        let mut browser = f.signed_in(&f.u2).await;
        let claims = serde_json::json!({ "id_token": { "sub": { "value": person.id } } }).to_string();
        browser.goto(&f.c1.asks().with("prompt", "none").with("claims", &claims).url()).await;
        let landed = browser.landed().parameters.clone();
        landed.without("state").without("error_uri")
    };
    let nobody = Person { id: uuid::Uuid::new_v4().to_string(), ..f.u1.clone() };
    assert_eq!(silent(&f.u1).await, silent(&nobody).await);
    assert_eq!(silent(&f.u5).await, silent(&nobody).await);
}
