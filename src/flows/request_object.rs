//! RFC 9101, OpenID Connect Core §6: requests that come inside a token, by value or from an address of the client's.

use url::Url;

use super::client_keys::{self, KeysError};
use crate::{
    app::{App, outbound::Kind},
    crypto::{jwe, jws},
    protocol::{
        Params, Result,
        client_metadata::ASSERTION_ALGORITHMS,
        request_object::{self, Expected, Given, refuse, refuse_uri},
        rule,
        trace::{Shown, Trace},
    },
    store::client::Client,
};

/// The parameters that count: those of a request object if there is one.
///
/// # Errors
/// When the object cannot be had, is not the client's, or is missing although the client must send one.
pub async fn resolve(app: &App, client: &Client, params: &Params, trace: &mut Trace) -> Result<Option<Params>> {
    let token = match request_object::given(params)? {
        Given::Nothing if client.metadata.require_signed_request_object => {
            return Err(refuse("this client must send a signed request object"));
        }
        Given::Nothing => return Ok(None),
        Given::Value(token) => token.to_owned(),
        Given::Reference(uri) => by_reference(app, client, uri, trace).await?,
    };
    let signed = if jwe::is_encrypted(&token) { decrypted(app, client, &token)? } else { token };
    let algorithms: Vec<&str> = match client.metadata.request_object_signing_alg.as_deref() {
        Some(only) => vec![only],
        None => ASSERTION_ALGORITHMS.to_vec(),
    };
    let opened = client_keys::open(app, client, |keys| jws::open_request(&signed, keys, &algorithms)).await;
    let object = opened.map_err(|error| unproven(&error))?;
    let expect = Expected { client_id: &client.client_id, issuer: app.issuer(), now: app.now() };
    let alone = client.metadata.require_signed_request_object;
    let merged = request_object::merged(params, &object, &expect, alone)?;
    trace.passed(&rule::REQUEST_OBJECT, Some(Shown::word("signed by the client")));
    Ok(Some(merged))
}

fn unproven(error: &KeysError) -> crate::protocol::Error {
    use crate::crypto::jws::JwsError;
    let why = match error {
        KeysError::None => "the client has registered no keys that a request object could be signed with",
        KeysError::Away(_) => "the client's jwks_uri could not be fetched",
        KeysError::Unreadable => "the client's keys cannot be read",
        KeysError::Unproven(JwsError::Algorithm(_)) => {
            "the request object is signed with an algorithm that the client may not use"
        }
        KeysError::Unproven(JwsError::UnknownKey) => {
            "the request object names a key that the client has not registered"
        }
        KeysError::Unproven(JwsError::Signature) => "the signature of the request object is not the client's",
        KeysError::Unproven(JwsError::TooLong) => "the request object is too long",
        KeysError::Unproven(_) => "the request object is malformed",
    };
    error.noted(refuse(why))
}

fn decrypted(app: &App, client: &Client, token: &str) -> Result<String> {
    if client.metadata.request_object_encryption_alg.is_none() {
        return Err(refuse("the client is not registered for encrypted request objects"));
    }
    let ring = app.keys.ring();
    jwe::decrypt(token, &|kid| ring.opener(kid)).map_err(|_| refuse("the request object cannot be decrypted here"))
}

/// What follows `#` may be the hash of the content (OpenID Connect Core §6.2): then it need not be fetched twice.
async fn by_reference(app: &App, client: &Client, uri: &str, trace: &mut Trace) -> Result<String> {
    if !request_object::is_registered(&client.metadata.request_uris, uri) {
        return Err(refuse_uri("request_uri is not one that the client registered")
            .expected(Shown::list(client.metadata.request_uris.iter().map(String::as_str)))
            .received(Shown::foreign_uri(uri)));
    }
    if let Some(known) = app.cache.request_objects.get(uri) {
        trace.passed(&rule::REQUEST_OBJECT, Some(Shown::word("known by the hash in its address")));
        return Ok(known.to_string());
    }
    let url = Url::parse(uri).map_err(|_| refuse_uri("request_uri is no address"))?;
    // One place has one answer, whatever stands behind `#`: also where it is remembered that there is none.
    let mut place = url.clone();
    place.set_fragment(None);
    let fetched = app.outbound.get(&place, Kind::RequestObject).await.map_err(|error| {
        // It is registered, and so nobody's secret.
        let cause = format!("{uri}: {}", error.cause());
        refuse_uri("the request object could not be fetched").received(Shown::cause(&cause))
    })?;
    trace.passed(&rule::REQUEST_OBJECT, Some(Shown::foreign_uri(uri)));
    let text = String::from_utf8(fetched.bytes).map_err(|_| refuse("the request object is no text"))?;
    let text = text.trim().to_owned();
    if url.fragment().is_some_and(|hash| jws::is_hash_of(hash, &text)) {
        app.cache.request_objects.insert(uri.to_owned(), text.as_str().into());
    }
    Ok(text)
}
