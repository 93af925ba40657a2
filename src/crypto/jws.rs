//! RFC 7515, RFC 7519: signed tokens, ours and those of others.
//!
//! josekit supplies the signatures and nothing more. Its own reading of a payload panics on `"exp": 1e300`, so claims
//! stay JSON and numbers are taken out by [`crate::protocol::numeric_date`]. Header members that carry or name a key (`jwk`, `jku`,
//! `x5c`, `x5u`) are not even read: a token is verified with keys known beforehand, or not at all (RFC 8725 §3.1).

use std::{fmt, sync::Arc};

use josekit::jws::{self, JwsHeader, JwsSigner, JwsVerifier};
use openssl::sha::sha256;
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use serde_json::{Map, Value};

use super::{
    decode, encode,
    jwk::{Algorithm, ForeignKey, JwkError, KeySet, public_jwk},
};

/// A longer token is refused before anything is decoded.
const MOST_BYTES: usize = 16 * 1024;
/// What an assertion may call itself (RFC 7523, and its revision's explicit type). Any other type says that the token
/// was made for another purpose (RFC 8725 §3.11).
const FOREIGN_TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];
/// What a request object may call itself (RFC 9101 §10.8).
const REQUEST_TYPES: [&str; 2] = ["JWT", "oauth-authz-req+jwt"];

/// Why a token is not believed. Meant for the log and the trace: a caller answers every one of them alike.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    #[error("the token is longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error("the token is not a JWS of three parts with a JSON header and JSON claims")]
    Malformed,
    #[error("the algorithm {0} is not accepted here")]
    Algorithm(String),
    #[error("the header demands an extension (crit) that is not understood")]
    Critical,
    #[error("the token is of type {0}, made for another purpose")]
    Type(String),
    #[error("no known key has the kid of the token")]
    UnknownKey,
    #[error("the signature does not match")]
    Signature,
    #[error("the token could not be signed: {0}")]
    Signing(String),
}

/// Signs with one of our keys. Made once per key: josekit keeps the key prepared, so a token costs one RSA operation.
pub struct Signer {
    kid: String,
    algorithm: Algorithm,
    public_jwk: Value,
    inner: Box<dyn JwsSigner>,
}

impl Signer {
    /// From a PKCS#8 key pair, as [`generate`](super::jwk::generate) makes them for that algorithm.
    pub fn new(der: &[u8], algorithm: &str) -> Result<Self, JwkError> {
        let public_jwk = public_jwk(der, algorithm)?;
        let kid = public_jwk["kid"].as_str().unwrap_or_default().to_owned();
        let algorithm = Algorithm::parse(algorithm).ok_or(JwkError::Unusable("it is not for signing"))?;
        let inner = algorithm.signer(der, &kid)?;
        Ok(Signer { kid, algorithm, public_jwk, inner })
    }

    /// The thumbprint of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The `alg` of the tokens it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half, as it is published.
    pub fn public_jwk(&self) -> &Value {
        &self.public_jwk
    }

    /// A compact JWS over `claims`, an object. `typ` is the media type without `application/`.
    pub fn sign(&self, typ: Option<&str>, claims: &impl Serialize) -> Result<String, JwsError> {
        let payload = serde_json::to_vec(claims).map_err(|error| JwsError::Signing(error.to_string()))?;
        let mut header = JwsHeader::new();
        if let Some(typ) = typ {
            header.set_token_type(typ);
        }
        jws::serialize_compact(&payload, &header, self.inner.as_ref())
            .map_err(|error| JwsError::Signing(error.to_string()))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.kid)
    }
}

/// Verifies what one of our keys has signed, also after the key has stopped signing.
#[derive(Debug)]
pub struct Verifier {
    algorithm: Algorithm,
    key: ForeignKey,
}

impl Verifier {
    /// From the JWK that we publish; its `alg` is the only one accepted.
    pub fn from_jwk(jwk: &Value) -> Result<Self, JwkError> {
        let algorithm = jwk["alg"].as_str().and_then(Algorithm::parse);
        let algorithm = algorithm.ok_or(JwkError::Unusable("it has no alg that is known here"))?;
        Ok(Verifier { algorithm, key: ForeignKey::parse(jwk)? })
    }

    fn for_algorithm(&self, algorithm: Algorithm) -> Option<&dyn JwsVerifier> {
        (algorithm == self.algorithm).then(|| self.key.verifier(algorithm)).flatten()
    }
}

/// Opens a token of our own: signature, algorithm and type are proven, the claims are for the caller to judge.
/// `typ: None` stands for a token without type (an ID token), which may also say `JWT`.
pub fn open_own(
    token: &str,
    find: &dyn Fn(&str) -> Option<Arc<Verifier>>,
    typ: Option<&str>,
) -> Result<Map<String, Value>, JwsError> {
    let parts = Parts::split(token)?;
    let types: &[&str] = match &typ {
        Some(expected) => std::slice::from_ref(expected),
        None => &["JWT"],
    };
    if typ.is_some() && parts.header.typ.is_none() {
        return Err(JwsError::Type("(none)".to_owned()));
    }
    parts.check_type(types)?;
    let algorithm = parts.algorithm()?;
    let verifier = parts.header.kid.as_deref().and_then(find).ok_or(JwsError::UnknownKey)?;
    let verifier = verifier.for_algorithm(algorithm).ok_or_else(|| parts.refused_algorithm())?;
    parts.verify(verifier)?;
    parts.claims()
}

/// Opens a token of someone else, for example a client assertion (RFC 7523 §3): one of `keys` has signed it with one
/// of `algorithms`. The claims are for the caller to judge.
///
/// A `kid` in the token chooses among the keys; a key without `kid` answers to any.
/// [`JwsError::UnknownKey`] is the sign to fetch a `jwks_uri` again.
pub fn open_foreign(token: &str, keys: &KeySet, algorithms: &[&str]) -> Result<Map<String, Value>, JwsError> {
    open_by(token, keys, algorithms, &FOREIGN_TYPES)
}

/// As [`open_foreign`], for a request object (RFC 9101 §4).
pub fn open_request(token: &str, keys: &KeySet, algorithms: &[&str]) -> Result<Map<String, Value>, JwsError> {
    open_by(token, keys, algorithms, &REQUEST_TYPES)
}

/// As [`open_foreign`], for an ID token (OpenID Connect Core §2), which has no type or says `JWT`.
pub fn open_id_token(token: &str, keys: &KeySet, algorithms: &[&str]) -> Result<Map<String, Value>, JwsError> {
    open_by(token, keys, algorithms, &["JWT"])
}

/// As [`open_foreign`], for a logout token (OpenID Connect Back-Channel Logout §2.4), whose type not everybody says.
pub fn open_logout_token(token: &str, keys: &KeySet, algorithms: &[&str]) -> Result<Map<String, Value>, JwsError> {
    open_by(token, keys, algorithms, &["logout+jwt", "JWT"])
}

fn open_by(token: &str, keys: &KeySet, algorithms: &[&str], types: &[&str]) -> Result<Map<String, Value>, JwsError> {
    let parts = Parts::split(token)?;
    parts.check_type(types)?;
    if !algorithms.contains(&parts.header.alg.as_str()) {
        return Err(parts.refused_algorithm());
    }
    let algorithm = parts.algorithm()?;
    let answers = |key: &&ForeignKey| match (&parts.header.kid, &key.kid) {
        (Some(wanted), Some(kid)) => wanted == kid,
        _ => true,
    };
    let mut outcome = Err(JwsError::UnknownKey);
    for verifier in keys.keys.iter().filter(answers).filter_map(|key| key.verifier(algorithm)) {
        outcome = parts.verify(verifier);
        if outcome.is_ok() {
            break;
        }
    }
    outcome?;
    parts.claims()
}

/// Opens a token that a client has signed with the secret that both know: HS256 (RFC 7518 §3.2), which alone our
/// secrets are long enough for.
pub fn open_with_secret(token: &str, secret: &[u8]) -> Result<Map<String, Value>, JwsError> {
    let parts = Parts::split(token)?;
    parts.check_type(&FOREIGN_TYPES)?;
    if parts.header.alg != "HS256" {
        return Err(parts.refused_algorithm());
    }
    let verifier = jws::HS256.verifier_from_bytes(secret).map_err(|_| JwsError::Signature)?;
    parts.verify(&verifier)?;
    parts.claims()
}

/// Whether `hash` is the base64url of the SHA-256 of a document (OpenID Connect Core §6.2).
pub fn is_hash_of(hash: &str, document: &str) -> bool {
    super::secret::equal(encode(&sha256(document.as_bytes())).as_bytes(), hash.as_bytes())
}

/// The header members that matter. serde refuses a member that comes twice (RFC 7515 §4).
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

fn is_there<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member).map(|_| true)
}

struct Parts<'a> {
    header: Header,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, JwsError> {
        if token.len() > MOST_BYTES {
            return Err(JwsError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        let header: Header = json(header)?;
        if header.crit {
            return Err(JwsError::Critical);
        }
        // A second dot in the payload is not base64url, so four parts are refused with the claims.
        let signature = decode(signature).ok_or(JwsError::Malformed)?;
        Ok(Parts { header, signed, payload, signature })
    }

    fn algorithm(&self) -> Result<Algorithm, JwsError> {
        Algorithm::parse(&self.header.alg).ok_or_else(|| self.refused_algorithm())
    }

    fn refused_algorithm(&self) -> JwsError {
        JwsError::Algorithm(self.header.alg.chars().take(20).collect())
    }

    /// RFC 7515 §4.1.9: a media type, compared without case, `application/` left out or not.
    fn check_type(&self, accepted: &[&str]) -> Result<(), JwsError> {
        let Some(typ) = &self.header.typ else { return Ok(()) };
        let lower = typ.to_ascii_lowercase();
        let short = lower.strip_prefix("application/").unwrap_or(&lower);
        if accepted.iter().any(|accepted| accepted.eq_ignore_ascii_case(short)) {
            return Ok(());
        }
        Err(JwsError::Type(typ.chars().take(40).collect()))
    }

    fn verify(&self, verifier: &dyn JwsVerifier) -> Result<(), JwsError> {
        verifier.verify(self.signed.as_bytes(), &self.signature).map_err(|_| JwsError::Signature)
    }

    fn claims(&self) -> Result<Map<String, Value>, JwsError> {
        json(self.payload)
    }
}

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, JwsError> {
    let bytes = decode(part).ok_or(JwsError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwsError::Malformed)
}
