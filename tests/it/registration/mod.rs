//! Clients that register themselves: RFC 7591, RFC 7592 and what of the plans concerns them.

mod elsewhere;
mod expiry;
mod logos;
mod manage;
mod pages;
mod plans;
mod refused;
mod sector;
mod tokens;

use std::ops::Deref;

use serde_json::{Value, json};

use crate::harness::{
    Answer, Call, Proof, RelyingParty, TestServer,
    http::Site,
    relying_party::random,
    seed::{ClientSpec, NewPerson, Person},
};

pub const REGISTER: &str = "/oauth2/register";
pub const TOKENS: &str = "/api/registration-tokens";
pub const CALLBACK: &str = "https://rp.example/cb";

/// A server where apps may register themselves, and a person who uses them.
pub struct Open {
    server: TestServer,
    pub ada: Person,
}

impl Deref for Open {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

impl Open {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let server = TestServer::with(&[&[("registration.mode", "open")], settings].concat()).await;
        let ada = server.user(NewPerson::named("ada")).await;
        Open { server, ada }
    }

    /// What a client is told when it registers this.
    #[track_caller]
    pub fn registers(&self, metadata: Value) -> impl Future<Output = Value> {
        let site = self.site.clone();
        async move {
            let answer = register(&site, &metadata, None).await;
            assert_eq!(answer.status, 201, "{metadata}: {}", answer.text());
            answer.json()
        }
    }

    /// The same, as an app that can go on from there.
    pub async fn app(&self, metadata: Value) -> (RelyingParty, Value) {
        let told = self.registers(metadata).await;
        let secret = || told["client_secret"].as_str().unwrap().to_owned();
        let proof = match told["token_endpoint_auth_method"].as_str().unwrap() {
            "none" => Proof::None,
            "client_secret_post" => Proof::Post(secret()),
            _ => Proof::Basic(secret()),
        };
        let app = RelyingParty {
            site: self.site.clone(),
            client_id: told["client_id"].as_str().unwrap().to_owned(),
            proof,
            redirect_uri: told["redirect_uris"][0].as_str().unwrap().to_owned(),
            scope: "openid profile email".into(),
            origin: None,
            clock: self.clock.clone(),
        };
        (app, told)
    }
}

/// The least that a client says.
pub fn least() -> Value {
    json!({ "redirect_uris": [CALLBACK] })
}

/// The same with more.
pub fn with(more: Value) -> Value {
    let mut metadata = least();
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata
}

pub async fn register(site: &Site, metadata: &Value, token: Option<&str>) -> Answer {
    let call = Call::post(REGISTER).body("application/json", metadata.to_string());
    site.send(match token {
        Some(token) => call.bearer(token),
        None => call,
    })
    .await
}

/// An operator's machine with its access token.
pub async fn operator(server: &TestServer) -> String {
    let spec = ClientSpec { scope: "signet:admin", ..ClientSpec::machine(&format!("operator-{}", random(6))) };
    let machine = server.client(spec).await;
    machine.for_itself("signet:admin").await
}

/// What `POST /api/registration-tokens` answers.
pub async fn token(server: &TestServer, new: Value) -> Value {
    let call = Call::post(TOKENS).bearer(&operator(server).await).body("application/json", new.to_string());
    let answer = server.site.send(call).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// Waits for what happens beside an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> T {
    for _ in 0..500 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it did not happen within 5 seconds");
}
