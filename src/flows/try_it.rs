//! "Try a sign-in": a real code flow with PKCE by a public client that is part of the server. Each step of it
//! is a real request to the endpoints; only the page that shows them is ours.

use crate::{
    app::App,
    protocol::client_metadata::{ClientMetadata, ClientPolicy},
    store::client::{self, Client},
};

pub const CLIENT_ID: &str = "signet-try-it";

/// The client, as this installation's issuer wants it.
pub fn client(app: &App) -> Client {
    let now = app.now();
    Client {
        client_id: CLIENT_ID.to_owned(),
        kind: "native".to_owned(),
        metadata: ClientMetadata {
            client_name: Some("Try a sign-in".to_owned()),
            redirect_uris: vec![app.url("/try/callback")],
            post_logout_redirect_uris: vec![app.url("/try")],
            token_endpoint_auth_method: "none".to_owned(),
            grant_types: vec!["authorization_code".to_owned()],
            scope: "openid profile email address phone".parse().unwrap_or_default(),
            ..ClientMetadata::default()
        },
        policy: ClientPolicy { first_party: true, ..ClientPolicy::default() },
        secret_hash: None,
        old_secret_hash: None,
        old_secret_until: None,
        origin: client::BUILT_IN.to_owned(),
        created_at: now,
        updated_at: now,
        disabled_at: None,
    }
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
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
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
