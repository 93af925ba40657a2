//! Secrets that must be read again (signing keys, MAC keys), sealed with the master key: AES-256-GCM, NIST SP 800-38D.
//!
//! A sealed value is: format (1 byte) · key id (4) · nonce (12) · ciphertext · tag (16). Format, key id and the
//! context are authenticated, so a value cannot be moved to another row or column.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use openssl::{
    sha::sha256,
    symm::{Cipher, decrypt_aead, encrypt_aead},
};
use zeroize::Zeroizing;

use super::hex;

const FORMAT: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 12;
const TAG: usize = 16;
const HEAD: usize = 1 + KEY_ID;

/// The key that seals every stored secret. It lives outside the database.
#[derive(Clone)]
pub struct MasterKey {
    key: Zeroizing<[u8; 32]>,
    id: [u8; KEY_ID],
}

/// Why a sealed value does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("the value was sealed with master key {sealed_with}, the configured master key is {configured}")]
    WrongKey { sealed_with: String, configured: String },
    #[error("the sealed value was changed, or belongs to another place than {context}")]
    Tampered { context: String },
    #[error("the value is not in a sealed format that this version reads")]
    Format,
}

/// The text given as master key is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes in base64 (44 characters)")]
pub struct NotAMasterKey;

impl MasterKey {
    /// From 256 random bits.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let key = Zeroizing::new(bytes);
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&sha256(key.as_slice())[..KEY_ID]);
        MasterKey { key, id }
    }

    /// From the text of a key file; white space around it is ignored.
    pub fn parse(text: &str) -> Result<Self, NotAMasterKey> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| NotAMasterKey)?);
        <[u8; 32]>::try_from(bytes.as_slice()).map(Self::from_bytes).map_err(|_| NotAMasterKey)
    }

    /// The text for a key file; [`parse`](MasterKey::parse) reads it.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.key.as_slice()))
    }

    /// Names the key without telling it.
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// Seals `plain` for one place (`"table/row/column"`). A nonce is 96 random bits and is never used twice.
    pub fn seal(&self, context: &str, plain: &[u8], nonce: [u8; NONCE]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(HEAD + NONCE + plain.len() + TAG);
        sealed.push(FORMAT);
        sealed.extend(self.id);
        let place = place(&sealed, context);
        let mut tag = [0; TAG];
        let body =
            encrypt_aead(Cipher::aes_256_gcm(), self.key.as_slice(), Some(nonce.as_slice()), &place, plain, &mut tag)
                .expect("AES-256-GCM seals any message with a 12-byte nonce");
        sealed.extend(nonce);
        sealed.extend(body);
        sealed.extend(tag);
        sealed
    }

    /// Opens what [`seal`](MasterKey::seal) made for the same place.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (head, rest) = sealed.split_at_checked(HEAD).ok_or(SealError::Format)?;
        if head[0] != FORMAT || rest.len() < NONCE + TAG {
            return Err(SealError::Format);
        }
        if head[1..] != self.id {
            return Err(SealError::WrongKey { sealed_with: hex(&head[1..]), configured: self.id() });
        }
        let (nonce, rest) = rest.split_at(NONCE);
        let (body, tag) = rest.split_at(rest.len() - TAG);
        decrypt_aead(Cipher::aes_256_gcm(), self.key.as_slice(), Some(nonce), &place(head, context), body, tag)
            .map(Zeroizing::new)
            .map_err(|_| SealError::Tampered { context: context.to_owned() })
    }
}

/// What is authenticated beside the ciphertext. The head has a fixed length, so the join is unambiguous.
fn place(head: &[u8], context: &str) -> Vec<u8> {
    [head, context.as_bytes()].concat()
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id())
    }
}
