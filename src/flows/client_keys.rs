//! A client's public keys, registered or fetched from its `jwks_uri`: they verify what it signs, and what is for it
//! alone is encrypted with them.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    app::{App, cache::ClientKeys},
    crypto::{jwe, jwk::KeySet, jws::JwsError, secret::Secret},
    protocol::{Error, Result, trace::Shown},
    store::client::Client,
};

/// A client's keys may be fetched again this often because of an unknown `kid`.
const REFETCH: Duration = Duration::from_secs(5);

/// Why the keys are of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the client has no registered keys")]
    None,
    /// Where they should be, and why they were not there; for the operator.
    #[error("the client's jwks_uri could not be fetched")]
    Away(String),
    #[error("the client's keys cannot be read")]
    Unreadable,
    #[error(transparent)]
    Unproven(#[from] JwsError),
}

impl KeysError {
    /// What the trace says besides.
    pub fn noted(&self, error: Error) -> Error {
        match self {
            KeysError::Away(cause) => error.received(Shown::cause(cause)),
            _ => error,
        }
    }
}

/// Opens what the client has signed; `open` is tried again with fetched keys when the client may have a new one.
pub async fn open(
    app: &App,
    client: &Client,
    open: impl Fn(&KeySet) -> Result<Map<String, Value>, JwsError>,
) -> Result<Map<String, Value>, KeysError> {
    let verify = |keys: &ClientKeys| match &keys.verify {
        Ok(set) => open(set).map_err(KeysError::from),
        Err(error) => {
            tracing::warn!(%error, client = client.client_id, "a client's keys cannot be read");
            Err(KeysError::Unreadable)
        }
    };
    match verify(&*known(app, client).await?) {
        // Look again, but not for everybody who invents a kid.
        Err(KeysError::Unproven(JwsError::UnknownKey) | KeysError::Unreadable) => match fresh(app, client).await? {
            Some(keys) => verify(&keys),
            None => Err(KeysError::Unproven(JwsError::UnknownKey)),
        },
        other => other,
    }
}

/// How a client is registered to get one kind of token encrypted: `…_alg` and `…_enc`.
pub type Encryption<'a> = (Option<&'a str>, Option<&'a str>);

/// A signed token as the client is registered to get it: as it is, or encrypted.
///
/// # Errors
/// When the client has no key for it: a token that should be secret is never sent in clear instead.
pub async fn enclosed(app: &App, client: &Client, token: String, (alg, enc): Encryption<'_>) -> Result<String> {
    let Some(alg) = alg else { return Ok(token) };
    let enc = enc.unwrap_or(jwe::ENCODINGS[0]);
    let mut keys = known(app, client).await.map_err(Error::internal)?;
    if !jwe::can_encrypt(&keys.set, alg)
        && let Some(newer) = fresh(app, client).await.map_err(Error::internal)?
    {
        keys = newer;
    }
    jwe::encrypt(&token, &keys.set, alg, enc).map_err(Error::internal)
}

/// Other keys have another name, so that a change of the client counts at once.
fn name(client: &Client) -> String {
    let from = serde_json::json!([client.client_id, client.metadata.jwks, client.metadata.jwks_uri]);
    URL_SAFE_NO_PAD.encode(Secret::presented(&from.to_string()).hash().0)
}

async fn known(app: &App, client: &Client) -> Result<Arc<ClientKeys>, KeysError> {
    let name = name(client);
    if let Some(known) = app.cache.client_keys.get(&name).await {
        return Ok(known);
    }
    let keys = match (&client.metadata.jwks, &client.metadata.jwks_uri) {
        (Some(jwks), _) => ClientKeys::of(jwks.clone()),
        (None, Some(uri)) => fetch(app, uri).await?,
        (None, None) => return Err(KeysError::None),
    };
    let keys = Arc::new(keys);
    app.cache.client_keys.insert(name, keys.clone()).await;
    Ok(keys)
}

async fn fresh(app: &App, client: &Client) -> Result<Option<Arc<ClientKeys>>, KeysError> {
    let Some(uri) = &client.metadata.jwks_uri else { return Ok(None) };
    if !app.cache.may_refetch(&client.client_id, REFETCH).await {
        return Ok(None);
    }
    let keys = Arc::new(fetch(app, uri).await?);
    app.cache.client_keys.insert(name(client), keys.clone()).await;
    Ok(Some(keys))
}

async fn fetch(app: &App, uri: &str) -> Result<ClientKeys, KeysError> {
    let away = |cause: &str| KeysError::Away(format!("{uri}: {cause}"));
    let url = Url::parse(uri).map_err(|_| away("it is no address"))?;
    let fetched = app.outbound.get_json(&url).await.map_err(|error| away(error.cause()))?;
    Ok(ClientKeys::of(fetched.json))
}
