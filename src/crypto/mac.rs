//! RFC 2104: HMAC-SHA256 over values that must not be forged, such as CSRF tokens and derived refresh tokens.

use std::fmt;

use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    sign::Signer,
};
use zeroize::Zeroizing;

use super::secret::equal;

/// A key for [`tag`](MacKey::tag); cheap to clone.
#[derive(Clone)]
pub struct MacKey(PKey<Private>);

impl MacKey {
    /// From 256 random bits.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        MacKey(PKey::hmac(bytes.as_slice()).expect("any 32 bytes are an HMAC key"))
    }

    /// The tag of a list of parts. Each part is preceded by its length, so `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.compute(parts).expect("HMAC-SHA256 takes any message")
    }

    /// Whether `tag` belongs to these parts, in constant time.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        equal(&self.tag(parts), tag)
    }

    fn compute(&self, parts: &[&[u8]]) -> Result<[u8; 32], ErrorStack> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0)?;
        for part in parts {
            signer.update(&(part.len() as u64).to_be_bytes())?;
            signer.update(part)?;
        }
        let mut tag = [0; 32];
        signer.sign(&mut tag)?;
        Ok(tag)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}
