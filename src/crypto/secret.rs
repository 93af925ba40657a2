//! Secrets that are handed out once and remembered only as a hash.

use std::fmt;

use openssl::sha::sha256;
use sea_orm::DeriveValueType;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{encode, hex};

/// A code, token, session or client secret in clear. It is wiped when dropped and cannot be printed by accident.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A new secret of 256 random bits, written as base64url.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Secret(Zeroizing::new(encode(Zeroizing::new(bytes).as_slice())))
    }

    /// What someone claims to be a secret; any text.
    pub fn presented(value: &str) -> Self {
        Secret(Zeroizing::new(value.to_owned()))
    }

    /// The clear text, for the one answer that hands it out.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A plain SHA-256 is enough: 256 random bits cannot be guessed, however fast the hash.
    pub fn hash(&self) -> SecretHash {
        SecretHash(sha256(self.0.as_bytes()).to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a [`Secret`]. Stored as 32 bytes: text would compare by the database's rules, bytes compare as bytes.
#[derive(Clone, PartialEq, Eq, Hash, DeriveValueType)]
pub struct SecretHash(pub Vec<u8>);

impl SecretHash {
    /// The first eight hexadecimal digits: enough to tell two secrets apart in a log, useless to guess one.
    pub fn short(&self) -> String {
        hex(&self.0[..self.0.len().min(4)])
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretHash({}…)", self.short())
    }
}

/// sea-orm asks this of every primary key; ours are never numbers.
impl sea_orm::TryFromU64 for SecretHash {
    fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
        Err(sea_orm::DbErr::ConvertFromU64("SecretHash"))
    }
}

/// Compares without telling by its duration where two values of one length differ.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
