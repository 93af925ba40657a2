//! TK, first part: how the token endpoint is asked, and who may ask it.
use std::collections::BTreeSet;

use reqwest::Method;

use crate::harness::{
    Answer, Call, Parameters, Proof, TestServer, Tokens, assert, fixtures,
    jwt::Token,
    relying_party::{REVOKE, TOKEN, USERINFO, encoded, with_assertion},
    seed::{ClientSpec, try_client},
};

fn secret(proof: &Proof) -> &str {
    match proof {
        Proof::Basic(secret) | Proof::Post(secret) => secret,
        _ => panic!("a client without a secret"),
    }
}

/// SEC-025, RFC 6749 §3.2: POST, and a form, and nothing in the URL.
#[tokio::test]
async fn sec_025_the_token_endpoint_reads_posted_forms_only() {
    let f = fixtures().await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = f.site.send(Call::new(method.clone(), TOKEN)).await;
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.tokens_of("allow").contains(&"post".into()), "{method}: {:?}", answer.header("allow"));
    }
    let (asked, code) = f.code(&f.c4).await;
    let whole = f.c4.redemption(&code, &asked).also("client_id", "c4").also("client_secret", secret(&f.c4.proof));
    let either = [(400, "invalid_request"), (401, "invalid_client")];
    let in_query = |names: &[&str]| {
        let (query, body) = whole.0.iter().cloned().partition(|(name, _)| names.contains(&name.as_str()));
        (format!("{TOKEN}?{}", Parameters(query).encoded()), Parameters(body))
    };
    for names in [&["client_id", "client_secret"][..], &["client_secret"], &["code"], &["grant_type"]] {
        eprintln!("when {names:?} are in the query");
        let (url, body) = in_query(names);
        assert::json_of(&f.site.send(Call::post(&url).form(&body)).await, &either);
    }
    let (url, _) = in_query(&whole.names());
    assert::json_of(&f.site.send(Call::post(&url).form(&Parameters::default())).await, &either);
    assert::json_of(&f.site.send(Call::post(&url)).await, &either);

    let json = serde_json::Map::from_iter(whole.0.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    for (kind, body) in [
        ("application/json", serde_json::Value::Object(json).to_string()),
        ("text/plain", whole.encoded()),
        ("multipart/form-data; boundary=x", whole.encoded()),
    ] {
        eprintln!("when the body is {kind}");
        let answer = f.site.send(Call::post(TOKEN).body(kind, body)).await;
        if answer.status != 415 {
            assert::json(&answer, 400, "invalid_request");
        }
    }
    assert!(f.c4.redeem(&code, &asked).await.status == 200, "nothing of this touched the code");
}

/// SEC-026, RFC 6749 §5.2.
#[tokio::test]
async fn sec_026_a_token_request_is_refused_when() {
    let f = fixtures().await;
    let (asked, code) = f.code(&f.c1).await;
    let whole = f.c1.redemption(&code, &asked);
    for (name, form, error) in [
        ("no grant type is named", whole.clone().without("grant_type"), "invalid_request"),
        ("the grant type is empty", whole.clone().with("grant_type", ""), "invalid_request"),
        ("the grant type is implicit", whole.clone().with("grant_type", "implicit"), "unsupported_grant_type"),
        ("the grant type is unknown", whole.clone().with("grant_type", "urn:x:unknown"), "unsupported_grant_type"),
        (
            "the grant type is in other letters",
            whole.clone().with("grant_type", "Authorization_Code"),
            "unsupported_grant_type",
        ),
        ("no code is given", whole.clone().without("code"), "invalid_request"),
        ("the code is unknown", whole.clone().with("code", "unknown"), "invalid_grant"),
        ("there is no refresh token", Parameters::new(&[("grant_type", "refresh_token")]), "invalid_request"),
        ("the refresh token is unknown", f.c1.refreshing("unknown"), "invalid_grant"),
        ("the refresh token is a code", f.c1.refreshing(&code), "invalid_grant"),
    ] {
        eprintln!("when {name}");
        assert::json(&f.c1.token(form).await, 400, error);
    }
    for name in whole.names() {
        eprintln!("when {name} is repeated");
        let form = whole.clone().also(name, whole.get(name).unwrap());
        assert::json(&f.c1.token(form).await, 400, "invalid_request");
    }
    let password =
        Parameters::new(&[("grant_type", "password"), ("username", &f.u1.username), ("password", &f.u1.password)]);
    let answer = f.c1.token(password).await;
    assert::json_of(&answer, &[(400, "unsupported_grant_type"), (400, "unauthorized_client")]);
    Tokens::of(&f.c1.token(whole).await);
}

/// SEC-027, RFC 6749 §5.2: a grant is for the clients that are registered for it.
#[tokio::test]
async fn sec_027_a_client_keeps_to_its_grants() {
    let f = fixtures().await;
    let (asked, code) = f.code(&f.c1).await;
    assert::json(&f.c5.token(f.c1.redemption(&code, &asked)).await, 400, "unauthorized_client");
    assert::json(&f.c5.token(f.c5.refreshing("any")).await, 400, "unauthorized_client");
    let for_itself = || Parameters::new(&[("grant_type", "client_credentials")]);
    assert::json(&f.c1.token(for_itself()).await, 400, "unauthorized_client");
    assert::json_of(&f.c2.token(for_itself()).await, &[(400, "unauthorized_client"), (401, "invalid_client")]);
    assert::json_of(&f.c3.token(for_itself()).await, &[(400, "unauthorized_client"), (401, "invalid_client")]);
}

/// What an outsider can tell apart in a refusal.
fn told(answer: &Answer) -> (u16, String, String, BTreeSet<String>) {
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_string();
    let members = json.as_object().unwrap().keys().cloned().collect();
    (answer.status, text("error"), text("error_description"), members)
}

/// SEC-028, RFC 6749 §5.2: a wrong secret and a client that does not exist look the same.
#[tokio::test]
async fn sec_028_a_wrong_secret_and_an_unknown_client_look_alike() {
    let f = fixtures().await;
    let (asked, code) = f.code(&f.c1).await;
    let form = f.c1.redemption(&code, &asked);
    let mut seen = Vec::new();
    for (id, secret) in [("c1", "wrong"), ("nobody", "wrong"), ("C1", secret(&f.c1.proof)), ("c1", ""), ("", "")] {
        eprintln!("when {id}:{secret}");
        let answer = f.site.send(Call::post(TOKEN).basic(id, secret).form(&form)).await;
        assert::json(&answer, 401, "invalid_client");
        assert!(answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic")));
        seen.push(told(&answer));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    for header in ["Basic", "Basic ", "Basic !!!", "Basic YzE=", "Basic /w==", "Bearer x", "Digest x", "basic"] {
        eprintln!("when the header is {header:?}");
        let answer = f.site.send(Call::post(TOKEN).header("authorization", header).form(&form)).await;
        assert::json_of(&answer, &[(401, "invalid_client"), (400, "invalid_request")]);
    }
    Tokens::of(&f.c1.token(form).await);
}

/// SEC-029, RFC 6749 §2.3: one client, one proof, the registered method.
#[tokio::test]
async fn sec_029_a_client_proves_itself_once_and_as_registered() {
    let f = fixtures().await;
    let (asked, code) = f.code(&f.c1).await;
    let form = f.c1.redemption(&code, &asked);
    let basic = |form: &Parameters| Call::post(TOKEN).basic("c1", &encoded(secret(&f.c1.proof))).form(form);
    let either = [(400, "invalid_request"), (401, "invalid_client")];
    let doubled = form.clone().also("client_id", "c1").also("client_secret", secret(&f.c1.proof));
    let asserted = with_assertion(form.clone(), &f.c6.assertion(|_| {}));
    for (name, form) in [
        ("it proves itself twice", doubled.clone()),
        ("it repeats a wrong secret in the body", form.clone().also("client_secret", "wrong")),
        ("it adds an assertion", asserted),
        ("the body names another client", form.clone().also("client_id", "c4")),
        ("the body names nobody", form.clone().also("client_id", "nobody")),
    ] {
        eprintln!("when {name}");
        assert::json_of(&f.site.send(basic(&form)).await, &either);
    }
    let (c6_asked, c6_code) = f.code(&f.c6).await;
    let of_c6 = f.c6.redemption(&c6_code, &c6_asked);
    let by_post = |form: Parameters, id: &str, secret: &str| form.also("client_id", id).also("client_secret", secret);
    for (name, call) in [
        ("it proves nothing", Call::post(TOKEN).form(&form.clone().also("client_id", "c1"))),
        ("it is not even named", Call::post(TOKEN).form(&form)),
        ("it uses the other way to send its secret", Call::post(TOKEN).form(&doubled)),
        ("a client with a key sends a secret", Call::post(TOKEN).form(&by_post(of_c6.clone(), "c6", "secret"))),
        ("a client with a key sends Basic", Call::post(TOKEN).basic("c6", "secret").form(&of_c6)),
        ("a client with a key sends an empty secret", Call::post(TOKEN).form(&by_post(of_c6.clone(), "c6", ""))),
        ("a client with a key sends nothing", Call::post(TOKEN).form(&of_c6.clone().also("client_id", "c6"))),
    ] {
        eprintln!("when {name}");
        assert::json(&f.site.send(call).await, 401, "invalid_client");
    }
    Tokens::of(&f.c1.token(form.clone().also("client_id", "c1")).await);
    Tokens::of(&f.c6.token(of_c6).await);
}

/// SEC-030, RFC 6749 §2.3.1: both halves of Basic are form-encoded before they are joined.
#[tokio::test]
async fn sec_030_basic_is_decoded_as_it_was_encoded() {
    let f = fixtures().await;
    let client = f.client(ClientSpec::machine("a%2B+b:c d/é~").renamed_if_refused(&f).await).await;
    let form = Parameters::new(&[("grant_type", "client_credentials")]);
    Tokens::of(
        &f.site
            .send(Call::post(TOKEN).basic(&encoded(&client.client_id), &encoded(secret(&client.proof))).form(&form))
            .await,
    );
    let raw = f.site.send(Call::post(TOKEN).basic(&client.client_id, secret(&client.proof)).form(&form)).await;
    assert::json(&raw, 401, "invalid_client");
    for broken in ["%", "%zz", "%c3", "c5%"] {
        let answer = f.site.send(Call::post(TOKEN).basic(broken, "x").form(&form)).await;
        assert::json_of(&answer, &[(401, "invalid_client"), (400, "invalid_request")]);
    }
}

impl ClientSpec {
    /// RFC 6749 §A.1 knows printable ASCII only in a client id: a server may keep to that.
    async fn renamed_if_refused(self, server: &TestServer) -> Self {
        let mut spec = self;
        if try_client(server, ClientSpec::machine("ü")).await.is_err() {
            spec.client_id.retain(|c| c.is_ascii());
        }
        spec
    }
}

/// SEC-039, RFC 6749 §4.4.3, RFC 9700 §4.15.
#[tokio::test]
async fn sec_039_a_machine_is_nobody() {
    let f = fixtures().await;
    let spec = ClientSpec { scope: "openid profile offline_access reports.read", ..ClientSpec::machine("greedy") };
    let greedy = f.client(spec).await;
    for (client, scope) in [
        (&f.c5, "openid offline_access profile"),
        (&greedy, "openid offline_access profile"),
        (&greedy, "openid offline_access profile reports.read"),
    ] {
        let form = Parameters::new(&[("grant_type", "client_credentials"), ("scope", scope)]);
        let answer = client.token(form).await;
        if answer.status != 200 {
            assert::json(&answer, 400, "invalid_scope");
            continue;
        }
        let tokens = Tokens::of(&answer);
        assert!(tokens.refresh.is_none() && tokens.id.is_none(), "{}", tokens.json);
        let personal = ["openid", "offline_access", "profile"];
        assert!(tokens.scopes().iter().all(|scope| !personal.contains(scope)), "{:?}", tokens.scopes());
        assert_eq!(Token::read(&tokens.access).claims["sub"], client.client_id.as_str());
    }
    let form = Parameters::new(&[("grant_type", "client_credentials"), ("scope", "reports.read")]);
    let tokens = Tokens::of(&f.c5.token(form.clone()).await);
    assert_eq!((tokens.scopes(), &tokens.refresh, &tokens.id), (vec!["reports.read"], &None, &None));

    if let Ok(twin) = try_client(&f, ClientSpec::machine(&f.u1.id)).await {
        let tokens = Tokens::of(&twin.token(form).await);
        assert_ne!(Token::read(&tokens.access).claims["sub"], f.u1.id.as_str(), "a client passes for a person");
    }
}

/// SEC-040: guessing a secret is slowed where it comes from, and nowhere else.
#[tokio::test]
async fn sec_040_guessing_a_secret_is_slowed_at_its_address() {
    let f = TestServer::with_limits().await.fixtures().await;
    let form = Parameters::new(&[("grant_type", "client_credentials")]);
    let guess = |n: usize| Call::post(TOKEN).basic("c5", &format!("wrong-{n}")).form(&form).from([127, 0, 0, 2]);
    let mut slowed = 0;
    for n in 0..200 {
        let answer = f.site.send(guess(n)).await;
        if answer.status == 429 {
            slowed += 1;
            let wait: u64 = answer.header("retry-after").expect("Retry-After").parse().unwrap();
            assert!(wait > 0 && answer.media_type() == "application/json");
            assert!(answer.json()["error"].is_string() && answer.json().get("access_token").is_none());
        } else {
            assert::json(&answer, 401, "invalid_client");
            assert_eq!(slowed, 0, "slowed once, not slowed at try {n}");
        }
    }
    assert!((100..200).contains(&slowed), "{slowed} of 200 guesses were slowed");
    let genuine = f.c5.call(TOKEN, form.clone());
    assert_eq!(f.site.send(genuine.from([127, 0, 0, 3])).await.status, 200, "the genuine client is elsewhere");
}

/// SEC-041, RFC 9700 §2.6: scripts of registered origins only, and never with cookies.
#[tokio::test]
async fn sec_041_other_origins_may_not_call_us() {
    let f = fixtures().await;
    let (asked, code) = f.code(&f.c2).await;
    for (path, method) in [(TOKEN, "POST"), (REVOKE, "POST"), (USERINFO, "GET")] {
        eprintln!("at {path}");
        let ours = f.c2.preflight(path, "https://spa.example", method).await;
        assert!(matches!(ours.status, 200 | 204), "{}", ours.status);
        is_open_to(&ours, "https://spa.example");
        let allowed = ours.tokens_of("access-control-allow-methods");
        assert!(allowed.contains(&method.to_ascii_lowercase()), "{allowed:?}");
        for evil in ["https://evil.test", "https://spa.example.evil.test", "http://spa.example", "null"] {
            let theirs = f.c2.preflight(path, evil, method).await;
            assert_eq!(theirs.header("access-control-allow-origin"), None, "{evil}");
        }
    }
    let call = f.c2.call(TOKEN, f.c2.redemption("wrong", &asked));
    is_open_to(&f.site.send(call).await, "https://spa.example");
    let evil = Call::post(TOKEN).header("origin", "https://evil.test");
    let evil = f.site.send(evil.form(&f.c2.redemption("wrong", &asked).with("client_id", "c2"))).await;
    assert_eq!(evil.header("access-control-allow-origin"), None);
    let answer = f.c2.redeem(&code, &asked).await;
    is_open_to(&answer, "https://spa.example");
    Tokens::of(&answer);
}

fn is_open_to(answer: &Answer, origin: &str) {
    let allowed = answer.header("access-control-allow-origin");
    assert!(allowed == Some(origin) || allowed == Some("*"), "{allowed:?} on {} {}", answer.status, answer.url);
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    if allowed != Some("*") {
        assert!(answer.tokens_of("vary").contains(&"origin".into()), "an answer for one origin varies by it");
    }
}
