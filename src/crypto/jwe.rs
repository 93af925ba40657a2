//! RFC 7516: tokens that only one party can read. josekit supplies the encryption; what it may be asked to do is decided
//! here: no compression (a small token could become a large one), nothing but the algorithms below.

use josekit::{
    jwe::{ECDH_ES, JweDecrypter, JweEncrypter, JweHeader, RSA_OAEP_256},
    jwk::Jwk,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::decode;
pub use crate::protocol::registration::{ENCRYPTION_ALGORITHMS as ALGORITHMS, ENCRYPTION_ENCODINGS as ENCODINGS};

/// A longer token is refused before anything is decoded.
const MOST_BYTES: usize = 64 * 1024;

/// Why a token could not be encrypted or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    #[error("the token is longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error("the token is not a JWE of five parts with a JSON header")]
    Malformed,
    #[error("the algorithms {0} are not accepted here")]
    Algorithm(String),
    #[error("the header demands compression or an extension (crit)")]
    Extension,
    #[error("no key of ours has the kid of the token")]
    UnknownKey,
    #[error("the receiver has published no key for {0}")]
    NoKey(String),
    #[error("the token cannot be decrypted")]
    Undecryptable,
    #[error("the token could not be encrypted: {0}")]
    Encrypting(String),
}

/// Whether a token has the five parts of a JWE.
pub fn is_encrypted(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 4
}

/// Encrypts a signed token (`cty: JWT`, RFC 7519 §5.2) for the first key of a JWK Set that fits the algorithm.
pub fn encrypt(token: &str, jwks: &Value, algorithm: &str, encoding: &str) -> Result<String, JweError> {
    let failed = |error: josekit::JoseError| JweError::Encrypting(error.to_string());
    let no_key = || JweError::NoKey(algorithm.to_owned());
    let keys = jwks["keys"].as_array().ok_or_else(no_key)?;
    let (jwk, encrypter) = keys.iter().find_map(|jwk| Some((jwk, encrypter(jwk, algorithm)?))).ok_or_else(no_key)?;
    let mut header = JweHeader::new();
    header.set_token_type("JWT");
    header.set_content_type("JWT");
    header.set_content_encryption(encoding);
    if let Some(kid) = jwk["kid"].as_str() {
        header.set_claim("kid", Some(kid.into())).map_err(failed)?;
    }
    josekit::jwe::serialize_compact(token.as_bytes(), &header, encrypter.as_ref()).map_err(failed)
}

/// Whether a JWK Set has a key to encrypt for.
pub fn can_encrypt(jwks: &Value, algorithm: &str) -> bool {
    jwks["keys"].as_array().is_some_and(|keys| keys.iter().any(|jwk| encrypter(jwk, algorithm).is_some()))
}

fn encrypter(jwk: &Value, algorithm: &str) -> Option<Box<dyn JweEncrypter>> {
    if jwk.get("use").is_some_and(|usage| usage != "enc") || jwk.get("alg").is_some_and(|alg| alg != algorithm) {
        return None;
    }
    let members: &[&str] = match (algorithm, jwk["kty"].as_str()?, jwk["crv"].as_str()) {
        ("RSA-OAEP-256", "RSA", _) => &["kty", "n", "e"],
        ("ECDH-ES", "EC", Some("P-256" | "P-384" | "P-521")) => &["kty", "crv", "x", "y"],
        ("ECDH-ES", "OKP", Some("X25519")) => &["kty", "crv", "x"],
        _ => return None,
    };
    if algorithm == "RSA-OAEP-256" && decode(jwk["n"].as_str()?)?.len() < 256 {
        return None;
    }
    let members: Map<String, Value> = members.iter().map(|name| ((*name).to_owned(), jwk[*name].clone())).collect();
    let key = Jwk::from_map(members).ok()?;
    match algorithm {
        "RSA-OAEP-256" => Some(Box::new(RSA_OAEP_256.encrypter_from_jwk(&key).ok()?)),
        _ => Some(Box::new(ECDH_ES.encrypter_from_jwk(&key).ok()?)),
    }
}

/// One of our own keys that others encrypt for.
pub struct Opener {
    algorithm: &'static str,
    inner: Box<dyn JweDecrypter>,
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opener({})", self.algorithm)
    }
}

impl Opener {
    /// From a PKCS#8 key pair; nothing for an algorithm that is not one of [`ALGORITHMS`].
    pub fn new(der: &[u8], algorithm: &str) -> Option<Self> {
        let algorithm = ALGORITHMS.into_iter().find(|known| *known == algorithm)?;
        let inner: Box<dyn JweDecrypter> = match algorithm {
            "RSA-OAEP-256" => Box::new(RSA_OAEP_256.decrypter_from_der(der).ok()?),
            _ => Box::new(ECDH_ES.decrypter_from_der(der).ok()?),
        };
        Some(Opener { algorithm, inner })
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    kid: Option<String>,
    zip: Option<Value>,
    crit: Option<Value>,
}

/// Reads a token that was encrypted for one of our keys.
pub fn decrypt(token: &str, find: &dyn Fn(&str) -> Option<std::sync::Arc<Opener>>) -> Result<String, JweError> {
    if token.len() > MOST_BYTES {
        return Err(JweError::TooLong);
    }
    let (header, _) = token.split_once('.').filter(|_| is_encrypted(token)).ok_or(JweError::Malformed)?;
    let header = decode(header).ok_or(JweError::Malformed)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| JweError::Malformed)?;
    if header.zip.is_some() || header.crit.is_some() {
        return Err(JweError::Extension);
    }
    let known = ALGORITHMS.contains(&header.alg.as_str()) && ENCODINGS.contains(&header.enc.as_str());
    let refused = || JweError::Algorithm(format!("{} {}", header.alg, header.enc).chars().take(40).collect());
    if !known {
        return Err(refused());
    }
    let opener = header.kid.as_deref().and_then(find).ok_or(JweError::UnknownKey)?;
    if opener.algorithm != header.alg {
        return Err(refused());
    }
    let opened = josekit::jwe::deserialize_compact(token, opener.inner.as_ref());
    let (payload, _) = opened.map_err(|_| JweError::Undecryptable)?;
    String::from_utf8(payload).map_err(|_| JweError::Malformed)
}
