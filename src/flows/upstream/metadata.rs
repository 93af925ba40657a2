//! OpenID Connect Discovery §4: what a provider says of itself, and its keys. Both are kept for an hour; a key that is not
//! known makes us look again, once a minute at most.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};
use url::Url;

use super::away;
use crate::{
    app::{App, cache::ClientKeys},
    crypto::{
        jwk::KeySet,
        jws::{self, JwsError},
    },
    protocol::{
        Code, Error, Result, rule,
        trace::Shown,
        upstream::{
            id_token::ALGORITHMS,
            metadata::{self, Metadata},
        },
    },
};

/// Keys may be fetched again this often because of an unknown `kid`.
const REFETCH: Duration = Duration::from_secs(60);

pub async fn known(app: &App, issuer: &str) -> Option<Arc<Metadata>> {
    app.cache.upstream_metadata.get(issuer).await
}

/// # Errors
/// When the document cannot be had, or is not of this issuer (case SEC-142).
pub async fn of(app: &App, issuer: &str) -> Result<Arc<Metadata>> {
    if let Some(known) = known(app, issuer).await {
        return Ok(known);
    }
    read(app, issuer).await
}

/// As it is now, whatever is known or failed a moment ago. Where the provider does not answer, what is known stays.
///
/// # Errors
/// When the document cannot be had, or is not of this issuer (case SEC-142).
pub async fn afresh(app: &App, issuer: &str) -> Result<Arc<Metadata>> {
    forget_failure(app, &metadata::address(issuer));
    read(app, issuer).await
}

async fn read(app: &App, issuer: &str) -> Result<Arc<Metadata>> {
    let document = document(app, &metadata::address(issuer), "the provider's metadata cannot be had").await?;
    let read = Arc::new(metadata::read(&document, issuer, |address| app.outbound.may_reach(address))?);
    app.cache.upstream_metadata.insert(issuer.to_owned(), read.clone()).await;
    Ok(read)
}

fn forget_failure(app: &App, address: &str) {
    if let Ok(url) = Url::parse(address) {
        app.outbound.forget_failure(&url);
    }
}

async fn document(app: &App, address: &str, why: &'static str) -> Result<Value> {
    let url = Url::parse(address).map_err(|_| away(why, "it is no address"))?;
    Ok(app.outbound.get_json(&url).await.map_err(|error| away(why, error.cause()))?.json)
}

/// The claims of an ID token that the provider has signed (case SEC-137). Where keys are is its metadata's to say, and never
/// the token's.
///
/// # Errors
/// When it is not signed with one of its keys, or these cannot be had.
pub async fn open(app: &App, metadata: &Metadata, token: &str) -> Result<Map<String, Value>> {
    open_by(app, metadata, token, jws::open_id_token).await
}

/// As [`open`], of a logout token.
///
/// # Errors
/// When it is not signed with one of its keys, or these cannot be had.
pub async fn open_logout_token(app: &App, metadata: &Metadata, token: &str) -> Result<Map<String, Value>> {
    open_by(app, metadata, token, jws::open_logout_token).await
}

type Opener = fn(&str, &KeySet, &[&str]) -> Result<Map<String, Value>, JwsError>;

async fn open_by(app: &App, metadata: &Metadata, token: &str, opener: Opener) -> Result<Map<String, Value>> {
    let uri = metadata.jwks_uri.as_deref().unwrap_or_default();
    match verified(&*keys(app, uri).await?, token, opener) {
        Err(Unproven::Other(JwsError::UnknownKey) | Unproven::NoKeys(_))
            if app.cache.may_refetch(&format!("upstream {uri}"), REFETCH).await =>
        {
            verified(&*fetch(app, uri).await?, token, opener).map_err(Unproven::told)
        }
        other => other.map_err(Unproven::told),
    }
}

enum Unproven {
    NoKeys(String),
    Other(JwsError),
}

impl Unproven {
    fn told(self) -> Error {
        let (why, cause) = match self {
            Unproven::NoKeys(cause) => ("the provider's keys cannot be read", cause),
            Unproven::Other(error) => ("the token is not the provider's", error.to_string()),
        };
        Code::AccessDenied.because(why).under(&rule::UPSTREAM_TOKEN).received(Shown::cause(&cause))
    }
}

fn verified(keys: &ClientKeys, token: &str, opener: Opener) -> Result<Map<String, Value>, Unproven> {
    match &keys.verify {
        Ok(set) => opener(token, set, &ALGORITHMS).map_err(Unproven::Other),
        Err(error) => Err(Unproven::NoKeys(error.to_string())),
    }
}

/// How many keys there are now that a signature of the provider can be checked with.
///
/// # Errors
/// When they cannot be had, or read.
pub async fn count_keys(app: &App, uri: &str) -> Result<usize> {
    forget_failure(app, uri);
    match &fetch(app, uri).await?.verify {
        Ok(set) => Ok(set.count()),
        Err(error) => Err(Unproven::NoKeys(error.to_string()).told()),
    }
}

async fn keys(app: &App, uri: &str) -> Result<Arc<ClientKeys>> {
    match app.cache.upstream_keys.get(uri).await {
        Some(known) => Ok(known),
        None => fetch(app, uri).await,
    }
}

async fn fetch(app: &App, uri: &str) -> Result<Arc<ClientKeys>> {
    let keys = Arc::new(ClientKeys::of(document(app, uri, "the provider's keys cannot be had").await?));
    app.cache.upstream_keys.insert(uri.to_owned(), keys.clone()).await;
    Ok(keys)
}
