//! RFC 7523 §2.2: `private_key_jwt` and `client_secret_jwt`, assertions signed with the client's registered key or with its
//! secret. Each counts once.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{Method, Proof};
use crate::{
    app::{App, reseal::client_context},
    crypto::{
        jws::{self, JwsError},
        secret::Secret,
    },
    flows::{
        client_keys::{self, KeysError},
        write_one,
    },
    protocol::{Code, Error, Params, Result, assertion, client_metadata::ASSERTION_ALGORITHMS, rule},
    store::{assertion as spent, client::Client},
};

pub struct Assertion;

#[async_trait]
impl Method for Assertion {
    fn fits(&self, registered: &str, proof: &Proof<'_>) -> bool {
        matches!(registered, "private_key_jwt" | "client_secret_jwt") && matches!(proof, Proof::Assertion(_))
    }

    async fn prove(&self, app: &App, client: &Client, proof: &Proof<'_>) -> Result<()> {
        let Proof::Assertion(token) = proof else { return Err(super::refuse()) };
        let claims = match client.metadata.token_endpoint_auth_method.as_str() {
            "client_secret_jwt" => by_secret(app, client, token)?,
            _ => by_key(app, client, token).await.map_err(|error| unproven(&error))?,
        };
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

async fn by_key(app: &App, client: &Client, token: &str) -> Result<Map<String, Value>, KeysError> {
    let algorithms: Vec<&str> = match client.metadata.token_endpoint_auth_signing_alg.as_deref() {
        Some(only) => vec![only],
        None => ASSERTION_ALGORITHMS.to_vec(),
    };
    client_keys::open(app, client, |keys| jws::open_foreign(token, keys, &algorithms)).await
}

/// OpenID Connect Core §9: `client_secret_jwt`. The secret lies sealed beside its hash for this one purpose.
fn by_secret(app: &App, client: &Client, token: &str) -> Result<Map<String, Value>> {
    let sealed = client.sealed_secret.as_ref().ok_or_else(|| refuse("the client has no secret to sign with"))?;
    let secret = app.master_key.open(&client_context(&client.client_id), &sealed.0).map_err(Error::internal)?;
    jws::open_with_secret(token, &secret).map_err(|error| unproven(&error.into()))
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

fn unproven(error: &KeysError) -> Error {
    let why = match error {
        KeysError::None => "the client has no registered keys",
        KeysError::Away(_) => "the client's jwks_uri could not be fetched",
        KeysError::Unreadable => "the client's keys cannot be read",
        KeysError::Unproven(JwsError::TooLong) => "the client assertion is too long",
        KeysError::Unproven(JwsError::Algorithm(_)) => {
            "the client assertion is signed with an algorithm that the client may not use"
        }
        KeysError::Unproven(JwsError::UnknownKey) => {
            "the client assertion names a key (kid) that the client has not registered"
        }
        KeysError::Unproven(JwsError::Signature) => "the signature of the client assertion is not the client's",
        KeysError::Unproven(_) => "the client assertion is malformed",
    };
    error.noted(refuse(why))
}

fn refuse(why: &'static str) -> Error {
    Code::InvalidClient.because(why).under(&rule::CLIENT_ASSERTION)
}
