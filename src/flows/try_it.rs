//! "Try a sign-in": a real code flow with PKCE by a public client that is part of the server. Each step of it
//! is a real request to the endpoints; only the page that shows them is ours.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    app::App,
    crypto::jws,
    protocol::{
        access_token,
        assurance::Level,
        client_metadata::{ClientMetadata, ClientPolicy},
        discovery,
    },
    store::client::{self, Client},
};

pub const CLIENT_ID: &str = "signet-try-it";

/// The account page signs people in as an app would, and asks for nothing.
pub const ACCOUNT_CLIENT_ID: &str = "signet-account";

/// The clients that are part of the server, as this installation's issuer wants them.
pub fn clients(app: &App) -> [Client; 2] {
    let account = ClientPolicy { first_party: true, skip_consent: true, ..ClientPolicy::default() };
    let attempt = ClientPolicy { first_party: true, ..ClientPolicy::default() };
    let name = app.config.branding.name.clone();
    [client(app, CLIENT_ID, "Try a sign-in".to_owned(), attempt), client(app, ACCOUNT_CLIENT_ID, name, account)]
}

pub(super) fn client(app: &App, client_id: &str, name: String, policy: ClientPolicy) -> Client {
    let now = app.now();
    Client {
        client_id: client_id.to_owned(),
        kind: "spa".to_owned(),
        metadata: ClientMetadata {
            client_name: Some(name),
            redirect_uris: vec![app.url("/try/callback")],
            post_logout_redirect_uris: vec![app.url("/try")],
            token_endpoint_auth_method: "none".to_owned(),
            grant_types: vec!["authorization_code".to_owned()],
            scope: "openid profile email address phone".parse().unwrap_or_default(),
            ..ClientMetadata::default()
        },
        policy,
        secret_hash: None,
        old_secret_hash: None,
        old_secret_until: None,
        sealed_secret: None,
        registration_hash: None,
        last_used_at: None,
        response_types: "code".to_owned(),
        origin: client::BUILT_IN.to_owned(),
        created_at: now,
        updated_at: now,
        disabled_at: None,
    }
}

/// Names the journey of somebody who only wants to see their account: there is nothing to redeem at its end.
const ACCOUNT_STATE: &str = "account.";

/// `typ` of access tokens, for [`decode`].
pub const ACCESS_TOKEN: &str = access_token::TYPE;

/// The part of the account that such a journey leads to.
pub fn account_part(state: &str) -> Option<&str> {
    state.strip_prefix(ACCOUNT_STATE)
}

/// A request that ends with a session, for a part of the account. `again`: of whoever is signed in, too, and by all that
/// they have.
pub fn account_request(app: &App, part: &str, again: bool) -> String {
    // The verifier is thrown away: nobody redeems this code.
    let challenge = URL_SAFE_NO_PAD.encode(app.secret().hash().0);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if again {
        query.append_pair("prompt", "login").append_pair("acr_values", Level::Two.acr());
    }
    let query = query
        .append_pair("client_id", ACCOUNT_CLIENT_ID)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", &app.url("/try/callback"))
        .append_pair("scope", "openid")
        .append_pair("state", &format!("{ACCOUNT_STATE}{part}"))
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .finish();
    format!("{}?{query}", app.url(discovery::path::AUTHORIZE))
}

/// A token as the app's side sees it.
pub struct Decoded {
    pub raw: String,
    pub header: Value,
    pub payload: Value,
    /// Algorithm and `kid` of the published key that proves it.
    pub verified_by: Option<(String, String)>,
}

/// Takes a JWT apart and checks its signature with the published keys. `typ`: what the header must say.
pub fn decode(app: &App, raw: &str, typ: Option<&str>) -> Decoded {
    let mut parts = raw.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
    });
    let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let ring = app.keys.ring();
    let genuine = jws::open_own(raw, &|kid| ring.verifier(kid), typ).is_ok();
    let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let verified_by = genuine.then(|| (text("alg"), text("kid")));
    Decoded { raw: raw.to_owned(), header, payload, verified_by }
}

/// What one try must remember between its two requests: derived from the browser, so nothing is stored.
pub struct Attempt {
    pub state: String,
    pub nonce: String,
    pub verifier: String,
    pub challenge: String,
}

impl Attempt {
    /// `nonce`: fresh for each try; the rest follows from it and the browser's cookie.
    pub fn of(app: &App, visitor: &super::visitor::Visitor, nonce: &str) -> Self {
        let derive = |what: &[u8]| {
            let parts: [&[u8]; 4] = [b"try-it", what, visitor.browser_cookie().as_bytes(), nonce.as_bytes()];
            URL_SAFE_NO_PAD.encode(app.macs.browser.tag(&parts))
        };
        let verifier = derive(b"verifier");
        let challenge = URL_SAFE_NO_PAD.encode(&crate::crypto::secret::Secret::presented(&verifier).hash().0);
        Attempt { state: format!("{nonce}.{}", derive(b"state")), nonce: nonce.to_owned(), verifier, challenge }
    }

    /// The try that this browser began with that `state`.
    pub fn read(app: &App, visitor: &super::visitor::Visitor, state: &str) -> Option<Self> {
        let (nonce, _) = state.split_once('.')?;
        let attempt = Attempt::of(app, visitor, nonce);
        crate::crypto::secret::equal(attempt.state.as_bytes(), state.as_bytes()).then_some(attempt)
    }
}
