//! Client authentication: the ways in which a client proves itself (OpenID Connect Core §9).

pub mod assertion;
pub mod none;
pub mod secret;

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    app::{App, throttle::Key},
    protocol::{
        Code, Error, Params, Result, rule,
        trace::{Shown, Trace},
    },
    store::client::Client,
};

/// What a request to one of the client's endpoints brings.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    pub params: &'a Params,
    /// As guesses are counted.
    pub address: IpAddr,
    /// The `User-Agent` header: from where the client asks, for who fetches keys from there too.
    pub user_agent: &'a str,
}

/// What the client offers as proof.
pub enum Proof<'a> {
    None,
    /// `basic`: in the header, else in the body.
    Secret {
        basic: bool,
        secret: Cow<'a, str>,
    },
    Assertion(&'a str),
}

/// One `token_endpoint_auth_method`, or two that differ in where the secret stands.
/// To add one: a file here, a line in [`METHODS`].
#[async_trait]
pub trait Method: Sync {
    /// Whether this method reads that proof of a client registered so.
    fn fits(&self, registered: &str, proof: &Proof<'_>) -> bool;

    /// # Errors
    /// When the proof is none.
    async fn prove(&self, app: &App, client: &Client, proof: &Proof<'_>) -> Result<()>;
}

pub static METHODS: &[&dyn Method] = &[&none::None, &secret::Secret, &assertion::Assertion];

/// Who is speaking. Unknown clients, wrong methods and wrong proofs are answered alike.
///
/// # Errors
/// `invalid_client`, `invalid_request` for a request that proves itself in two ways, or 429.
pub async fn authenticate(app: &App, presented: &Presented<'_>, trace: &mut Trace) -> Result<Arc<Client>> {
    let (client_id, proof) = read(presented)?;
    trace.client_id = Some(client_id.chars().take(200).filter(|c| !c.is_control()).collect());
    let keys = [Key::Client(client_id.to_string(), presented.address)];
    app.throttle.check(&keys, app.now())?;
    let client = app.cache.client(&app.db, &client_id).await?;
    let outcome = match &client {
        Some(client) => prove(app, client, &proof).await,
        None => Err(refuse().received(Shown::word("a client_id that is not known, or of a disabled client"))),
    };
    match (outcome, client) {
        (Ok(()), Some(client)) => {
            trace.passed(
                &rule::CLIENT_AUTHENTICATION,
                Some(Shown::client_id(&client.metadata.token_endpoint_auth_method)),
            );
            Ok(client)
        }
        (Err(error), _) => {
            if error.code == Code::InvalidClient {
                app.throttle.failed(&keys, app.now());
            }
            Err(error)
        }
        (Ok(()), None) => Err(refuse()),
    }
}

async fn prove(app: &App, client: &Client, proof: &Proof<'_>) -> Result<()> {
    let registered = client.metadata.token_endpoint_auth_method.as_str();
    let method = METHODS.iter().find(|method| method.fits(registered, proof)).ok_or_else(|| {
        let used = match proof {
            Proof::None => "none",
            Proof::Secret { basic: true, .. } => "client_secret_basic",
            Proof::Secret { basic: false, .. } => "client_secret_post",
            Proof::Assertion(_) => "an assertion",
        };
        refuse().expected(Shown::client_id(registered)).received(Shown::word(used))
    })?;
    method.prove(app, client, proof).await
}

/// RFC 6749 §2.3: one way at a time.
fn read<'a>(presented: &Presented<'a>) -> Result<(Cow<'a, str>, Proof<'a>)> {
    let params = presented.params;
    let (in_body, assertion) = (params.get("client_secret"), assertion::read(params)?);
    let twice = || {
        Code::InvalidRequest
            .because("the client authenticates in more than one way")
            .under(&rule::CLIENT_AUTHENTICATION)
    };
    match (presented.authorization, in_body, assertion) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => Err(twice()),
        (Some(header), None, None) => {
            let (client_id, secret) = basic(header)?;
            if params.get("client_id").is_some_and(|other| other != client_id) {
                return Err(Code::InvalidRequest
                    .because("client_id differs from the one in the Authorization header")
                    .under(&rule::CLIENT_AUTHENTICATION));
            }
            Ok((client_id.into(), Proof::Secret { basic: true, secret: secret.into() }))
        }
        (None, Some(secret), None) => Ok((named(params)?, Proof::Secret { basic: false, secret: secret.into() })),
        (None, None, Some(assertion)) => {
            let claimed = assertion::claimed_client(assertion).ok_or_else(refuse)?;
            if params.get("client_id").is_some_and(|other| other != claimed) {
                return Err(refuse().received(Shown::word("client_id differs from sub of the assertion")));
            }
            Ok((claimed.into(), Proof::Assertion(assertion)))
        }
        (None, None, None) => Ok((named(params)?, Proof::None)),
    }
}

fn named<'a>(params: &'a Params) -> Result<Cow<'a, str>> {
    params.get("client_id").map(Cow::Borrowed).ok_or_else(|| refuse().received(Shown::word("no client authentication")))
}

/// §2.3.1: name and secret arrive form-encoded inside the Basic credentials (RFC 7617).
pub(super) fn basic(header: &str) -> Result<(String, String)> {
    let malformed = || refuse().received(Shown::word("an Authorization header that is not Basic with name and secret"));
    let (scheme, credentials) = header.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD
        .decode(credentials.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(malformed)?;
    let (name, secret) = decoded.split_once(':').ok_or_else(malformed)?;
    let (name, secret) = (form_decoded(name), form_decoded(secret));
    if name.is_empty() || !crate::protocol::params::is_plain(&name) {
        return Err(malformed());
    }
    Ok((name, secret))
}

/// What is not encoded reads the same, unless it has `%` or `+` in it.
fn form_decoded(text: &str) -> String {
    let shielded = text.replace('=', "%3D").replace('&', "%26");
    let mut pairs = url::form_urlencoded::parse(shielded.as_bytes());
    pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

fn refuse() -> Error {
    Code::InvalidClient.because("client authentication failed").under(&rule::CLIENT_AUTHENTICATION)
}
