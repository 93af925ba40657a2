//! An OpenID provider on loopback that people come from, and that can be made to lie. What it signs, OpenSSL signs.
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use openssl::pkey::{PKey, Private};
use poem::{Body, Request, Response, endpoint::make, http::StatusCode};
use serde_json::{Map, Value, json};
use signet::http::{
    listener::{Limits, serve},
    tls::Tls,
};
use tokio::{net::TcpListener, sync::oneshot};
use url::Url;

use super::{
    authority::AUTHORITY,
    http::Parameters,
    jose,
    relying_party::{random, s256},
    server::Clock,
};

pub const CLIENT: &str = "signet-there";
pub const SECRET: &str = "f3c19be07d5a4a60b2";

/// Its keys: two for RS256, one for ES256, one for EdDSA.
static KEYS: LazyLock<[(&str, PKey<Private>); 4]> =
    LazyLock::new(|| ["RS256", "RS256", "ES256", "EdDSA"].map(|alg| (alg, jose::generate(alg))));

/// How an endpoint answers, where not as it should.
#[derive(Clone, Debug)]
pub enum Mood {
    Status(u16),
    /// JSON with a status.
    Says(u16, Value),
    Page,
    Redirects(String),
    /// One byte and then nothing.
    Hangs,
    Endless,
    Large,
}

/// What it does wrong. By default, nothing.
#[derive(Clone, Debug)]
pub struct Lies {
    /// Over the claims of the ID token; null takes one away.
    pub claims: Value,
    pub userinfo: Value,
    pub discovery: Value,
    /// `alg` in the header, and how the token is signed: `none`, `HS256` with the public key, or a key's own.
    pub alg: Option<&'static str>,
    /// Which key signs, and which are published.
    pub key: usize,
    pub published: Vec<usize>,
    /// Over the header of the ID token.
    pub header: Value,
    /// By path.
    pub moods: HashMap<&'static str, Mood>,
    /// It takes any verifier and any redirect URI.
    pub careless: bool,
    /// It has given us no secret, and takes PKCE for it.
    pub is_public: bool,
    /// Over the token endpoint's answer.
    pub tokens: Value,
}

impl Default for Lies {
    fn default() -> Self {
        Lies {
            claims: json!({}),
            userinfo: json!({}),
            discovery: json!({}),
            alg: None,
            key: 0,
            published: vec![0],
            header: json!({}),
            moods: HashMap::new(),
            careless: false,
            is_public: false,
            tokens: json!({}),
        }
    }
}

/// Who has come there, and with what request.
#[derive(Clone)]
struct Grant {
    request: Parameters,
    person: Value,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Got {
    pub path: String,
    pub authorization: Option<String>,
    pub form: Parameters,
}

#[derive(Default)]
struct State {
    lies: Mutex<Lies>,
    codes: Mutex<HashMap<String, Grant>>,
    tokens: Mutex<HashMap<String, Grant>>,
    got: Mutex<Vec<Got>>,
    clock: Mutex<Option<Clock>>,
}

pub struct Upstream {
    pub issuer: String,
    state: Arc<State>,
    _stop: oneshot::Sender<()>,
}

impl Upstream {
    pub async fn start() -> Self {
        Self::at("http://127.0.0.1", None).await
    }

    /// With this certificate for the key of the tests' server.
    pub async fn over_tls(host: &str, certificate: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [certificates, key] = ["server.pem", "server.key"].map(|name| folder.path().join(name));
        std::fs::write(&certificates, certificate).unwrap();
        std::fs::write(&key, &AUTHORITY.server_key).unwrap();
        Self::at(&format!("https://{host}"), Some(Tls::new(certificates, key).unwrap())).await
    }

    async fn at(origin: &str, tls: Option<Tls>) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("{origin}:{}", tcp.local_addr().unwrap().port());
        let state = Arc::new(State::default());
        let (of_state, of_issuer) = (state.clone(), issuer.clone());
        let endpoint = make(move |request: Request| answer(of_state.clone(), of_issuer.clone(), request));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or_default() };
        tokio::spawn(serve(tcp, endpoint, tls, Limits::default(), shutdown));
        Upstream { issuer, state, _stop: stop }
    }

    /// Its entry in the settings, with more in it.
    pub fn declared(&self, name: &str, more: &str) -> String {
        let issuer = &self.issuer;
        format!(
            "\n[[providers]]\nname = '{name}'\nkind = 'oidc'\nissuer = '{issuer}'\nclient_id = '{CLIENT}'\n\
             client_secret = '{SECRET}'\nbutton = 'Harbor'\n{more}\n"
        )
    }

    /// It lives in the time of the server under test.
    pub fn live_by(&self, clock: &Clock) {
        *self.state.clock.lock().unwrap() = Some(clock.clone());
    }

    pub fn lies(&self) -> MutexGuard<'_, Lies> {
        self.state.lies.lock().unwrap()
    }

    /// It tells the truth again.
    pub fn repent(&self) {
        *self.lies() = Lies::default();
    }

    pub fn got(&self) -> Vec<Got> {
        self.state.got.lock().unwrap().clone()
    }

    /// Requests to one of its paths.
    pub fn asked(&self, path: &str) -> Vec<Got> {
        self.got().into_iter().filter(|got| got.path == path).collect()
    }

    /// A logout token of its own (OpenID Connect Back-Channel Logout §2.4), with this over its claims.
    pub fn logout_token(&self, more: &Value) -> String {
        let now = self.state.clock.lock().unwrap().as_ref().expect("a clock").now();
        let mut lies = self.lies().clone();
        lies.header = over(json!({ "typ": "logout+jwt" }), &lies.header);
        let claims = json!({
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": random(22),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        signed(&over(claims, more), &lies)
    }

    /// A person signs in there and allows what was asked at this address: a code for it.
    pub fn code(&self, address: &Url, person: &Value) -> String {
        assert!(address.as_str().starts_with(&format!("{}/authorize?", self.issuer)), "{address}");
        let request = Parameters::parse(address.query().unwrap());
        assert_eq!(request.get("response_type"), Some("code"));
        assert_eq!(request.get("client_id"), Some(CLIENT));
        let code = random(32);
        self.state.codes.lock().unwrap().insert(code.clone(), Grant { request, person: person.clone() });
        code
    }

    /// The address that the browser is sent back to.
    pub fn back(&self, address: &Url, person: &Value) -> String {
        let code = self.code(address, person);
        back_with(address, &[("code", &code)])
    }
}

/// The redirect URI of the request with its state and this.
pub fn back_with(address: &Url, parameters: &[(&str, &str)]) -> String {
    let request = Parameters::parse(address.query().unwrap());
    let mut url = Url::parse(request.get("redirect_uri").unwrap()).unwrap();
    url.query_pairs_mut().append_pair("state", request.get("state").unwrap()).extend_pairs(parameters);
    url.into()
}

fn reply(status: u16, json: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    Response::builder().status(status).content_type("application/json").body(json.to_string())
}

fn moody(mood: Mood) -> Response {
    let json = || Response::builder().content_type("application/json");
    match mood {
        Mood::Status(status) => StatusCode::from_u16(status).unwrap().into(),
        Mood::Says(status, value) => reply(status, &value),
        Mood::Page => Response::builder().content_type("text/html").body("<h1>hello</h1>"),
        Mood::Redirects(to) => Response::builder().status(StatusCode::FOUND).header("location", to).body(()),
        Mood::Hangs => {
            let chunks = futures_util::stream::unfold(0, |n| async move {
                if n > 0 {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
                Some((Ok::<_, std::io::Error>(vec![b' ']), n + 1))
            });
            json().body(Body::from_bytes_stream(chunks))
        }
        Mood::Endless => {
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 4096]));
            json().body(Body::from_bytes_stream(chunks))
        }
        Mood::Large => json().body(format!("{{\"a\":\"{}\"}}", "a".repeat(10_000_000))),
    }
}

async fn answer(state: Arc<State>, issuer: String, mut request: Request) -> Response {
    let path = request.uri().path().to_string();
    let authorization = request.header("authorization").map(str::to_string);
    let form = Parameters::parse(&request.take_body().into_string().await.unwrap());
    let got = Got { path: path.clone(), authorization, form };
    state.got.lock().unwrap().push(got.clone());
    let lies = state.lies.lock().unwrap().clone();
    if let Some((_, mood)) = lies.moods.iter().find(|(of, _)| **of == path) {
        return moody(mood.clone());
    }
    match path.as_str() {
        "/.well-known/openid-configuration" => reply(200, &discovery(&issuer, &lies)),
        "/jwks" => {
            let keys: Vec<Value> = lies.published.iter().map(|key| jwk(*key)).collect();
            reply(200, &json!({ "keys": keys }))
        }
        "/token" => token(&state, &issuer, &lies, &got),
        "/userinfo" => userinfo(&state, &lies, &got),
        _ => StatusCode::NOT_FOUND.into(),
    }
}

fn discovery(issuer: &str, lies: &Lies) -> Value {
    over(
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
        }),
        &lies.discovery,
    )
}

fn jwk(key: usize) -> Value {
    let (alg, pair) = &KEYS[key];
    over(jose::public_jwk(pair), &json!({ "kid": format!("key-{key}"), "use": "sig", "alg": alg }))
}

/// OpenID Connect Core §3.1.3.
fn token(state: &State, issuer: &str, lies: &Lies, got: &Got) -> Response {
    let refuse = |error: &str| reply(400, &json!({ "error": error, "error_description": "<b>not for people</b>" }));
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    let has_none =
        lies.is_public && got.form.get("client_id") == Some(CLIENT) && got.form.get("client_secret").is_none();
    let posted = got.form.get("client_id") == Some(CLIENT) && got.form.get("client_secret") == Some(SECRET);
    if got.authorization.as_deref() != Some(basic.as_str()) && !posted && !has_none {
        return refuse("invalid_client");
    }
    let code = got.form.get("code").unwrap_or_default();
    let Some(grant) = state.codes.lock().unwrap().remove(code) else { return refuse("invalid_grant") };
    let challenge = s256(got.form.get("code_verifier").unwrap_or_default());
    let same_address = got.form.get("redirect_uri") == grant.request.get("redirect_uri");
    if !lies.careless && (grant.request.get("code_challenge") != Some(challenge.as_str()) || !same_address) {
        return refuse("invalid_grant");
    }
    let now = state.clock.lock().unwrap().as_ref().expect("a clock").now();
    let mut claims = over(
        json!({
            "iss": issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 600,
            "nonce": grant.request.get("nonce"),
        }),
        &grant.person,
    );
    claims = over(claims, &lies.claims);
    let access_token = random(32);
    state.tokens.lock().unwrap().insert(access_token.clone(), grant);
    let tokens = json!({ "access_token": access_token, "token_type": "Bearer", "id_token": signed(&claims, lies) });
    reply(200, &over(tokens, &lies.tokens))
}

fn signed(claims: &Value, lies: &Lies) -> String {
    let (own, key) = &KEYS[lies.key];
    let alg = lies.alg.unwrap_or(own);
    let header = over(json!({ "alg": alg, "kid": format!("key-{}", lies.key) }), &lies.header);
    let text = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let signature = match alg {
        "none" => Vec::new(),
        // The public key as a shared secret (RFC 8725 §2.1).
        "HS256" => {
            let secret = PKey::hmac(&key.public_key_to_pem().unwrap()).unwrap();
            let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &secret).unwrap();
            signer.sign_oneshot_to_vec(text.as_bytes()).unwrap()
        }
        alg => jose::sign(alg, key, &text),
    };
    format!("{text}.{}", BASE64.encode(signature))
}

fn userinfo(state: &State, lies: &Lies, got: &Got) -> Response {
    let token = got.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    match state.tokens.lock().unwrap().get(token) {
        Some(grant) => reply(200, &over(grant.person.clone(), &lies.userinfo)),
        None => reply(401, &json!({ "error": "invalid_token" })),
    }
}

/// Members over members; null takes one away.
fn over(value: Value, more: &Value) -> Value {
    let mut all: Map<String, Value> = value.as_object().unwrap().clone();
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(all.remove(name)),
            value => drop(all.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(all)
}
