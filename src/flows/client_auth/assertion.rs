//! RFC 7523 §2.2: `private_key_jwt`, an assertion signed with the client's registered key. Each counts once.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;

use super::{Method, Proof};
use crate::{
    app::App,
    crypto::{
        jwk::KeySet,
        jws::{self, JwsError},
        secret::Secret,
    },
    flows::write_one,
    protocol::{Code, Error, Params, Result, assertion, client_metadata::ASSERTION_ALGORITHMS, rule},
    store::{assertion as spent, client::Client},
};

pub struct Assertion;

#[async_trait]
impl Method for Assertion {
    fn fits(&self, registered: &str, proof: &Proof<'_>) -> bool {
        registered == "private_key_jwt" && matches!(proof, Proof::Assertion(_))
    }

    async fn prove(&self, app: &App, client: &Client, proof: &Proof<'_>) -> Result<()> {
        let Proof::Assertion(token) = proof else { return Err(super::refuse()) };
        let algorithms: Vec<&str> = match client.metadata.token_endpoint_auth_signing_alg.as_deref() {
            Some(only) => vec![only],
            None => ASSERTION_ALGORITHMS.to_vec(),
        };
        let claims = match jws::open_foreign(token, &*keys(app, client).await?, &algorithms) {
            // The client may have a new key: look again, but not for everybody who invents a kid.
            Err(JwsError::UnknownKey) => {
                let keys = fresh_keys(app, client).await?.ok_or_else(|| unproven(&JwsError::UnknownKey))?;
                jws::open_foreign(token, &keys, &algorithms)
            }
            other => other,
        };
        let claims = claims.map_err(|error| unproven(&error))?;
        let mut audiences = vec![app.issuer()];
        audiences.extend(client.policy.assertion_audiences.iter().map(String::as_str));
        let once = assertion::check(&claims, &client.client_id, &audiences, app.now())?;
        let hash = Secret::presented(&format!("{}\n{}", client.client_id, once.jti)).hash();
        let expires_at = once.expires_at + 60;
        if write_one!(app, db => spent::spend(db, hash, expires_at)).await? {
            return Ok(());
        }
        Err(refuse("the client assertion was used before; make a new one, with a new jti, for each request"))
    }
}

/// The assertion of a request, if there is one of the right kind (RFC 7521 §4.2).
pub fn read(params: &Params) -> Result<Option<&str>> {
    match (params.get("client_assertion"), params.get("client_assertion_type")) {
        (None, None) => Ok(None),
        (Some(token), Some(assertion::TYPE)) => Ok(Some(token)),
        _ => Err(refuse(
            "client_assertion needs client_assertion_type urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )),
    }
}

/// Whom an unproven assertion speaks of: only to know whose keys to try.
pub fn claimed_client(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1).filter(|payload| payload.len() <= 16_384)?;
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let sub = claims.get("sub").or_else(|| claims.get("iss"))?.as_str()?;
    Some(sub.to_owned())
}

/// Other keys have another name, so that a change of the client counts at once.
fn keys_name(client: &Client) -> String {
    let from = serde_json::json!([client.client_id, client.metadata.jwks, client.metadata.jwks_uri]);
    from.to_string()
}

async fn keys(app: &App, client: &Client) -> Result<Arc<KeySet>> {
    let name = keys_name(client);
    if let Some(known) = app.cache.client_keys.get(&name).await {
        return Ok(known);
    }
    let set = match (&client.metadata.jwks, &client.metadata.jwks_uri) {
        (Some(jwks), _) => KeySet::parse(jwks).map_err(|error| unreadable(&error))?,
        (None, Some(uri)) => fetch(app, uri).await?,
        (None, None) => return Err(refuse("the client has no registered keys")),
    };
    let set = Arc::new(set);
    app.cache.client_keys.insert(name, set.clone()).await;
    Ok(set)
}

/// A client's keys may be fetched again this often because of an unknown `kid`.
const REFETCH: Duration = Duration::from_secs(5);

async fn fresh_keys(app: &App, client: &Client) -> Result<Option<Arc<KeySet>>> {
    let Some(uri) = &client.metadata.jwks_uri else { return Ok(None) };
    if !app.cache.may_refetch(&client.client_id, REFETCH).await {
        return Ok(None);
    }
    let set = Arc::new(fetch(app, uri).await?);
    app.cache.client_keys.insert(keys_name(client), set.clone()).await;
    Ok(Some(set))
}

async fn fetch(app: &App, uri: &str) -> Result<KeySet> {
    let url = Url::parse(uri).map_err(|_| refuse("the client's jwks_uri is not a URL"))?;
    let fetched =
        app.outbound.get_json(&url).await.map_err(|_| refuse("the client's jwks_uri could not be fetched"))?;
    KeySet::parse(&fetched.json).map_err(|error| unreadable(&error))
}

fn unreadable(error: &crate::crypto::jwk::JwkError) -> Error {
    tracing::warn!(%error, "a client's keys cannot be read");
    refuse("the client's keys cannot be read")
}

fn unproven(error: &JwsError) -> Error {
    refuse(match error {
        JwsError::TooLong => "the client assertion is too long",
        JwsError::Algorithm(_) => "the client assertion is signed with an algorithm that the client may not use",
        JwsError::UnknownKey => "the client assertion names a key (kid) that the client has not registered",
        JwsError::Signature => "the signature of the client assertion is not the client's",
        _ => "the client assertion is malformed",
    })
}

fn refuse(why: &'static str) -> Error {
    Code::InvalidClient.because(why).under(&rule::CLIENT_ASSERTION)
}
