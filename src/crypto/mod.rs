//! What proves it: secrets, hashes, keys and signatures.
//!
//! Nothing here reads a clock. Nonces, salts and secrets are drawn by the caller and handed in; only an RSA key is
//! generated here, because OpenSSL draws its own primes.

pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod mac;
pub mod pairwise;
pub mod passkey;
pub mod password;
pub mod seal;
pub mod secret;
pub mod strength;
pub mod totp;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openssl::sha::sha256;

/// base64url without padding (RFC 7515 §2).
fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Strict: padding, line breaks and stray last bits are refused, so a value has one spelling.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 16 characters that tell one content from another, for caches; not for secrets.
pub fn fingerprint(content: &[u8]) -> String {
    hex(&sha256(content)[..8])
}
