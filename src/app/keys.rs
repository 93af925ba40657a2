//! The signing keys in memory: opened once, read again every few seconds, so that all nodes know a key
//! before one of them signs with it.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::cache::Document;
use crate::{
    crypto::{
        jws::{Signer, Verifier},
        seal::MasterKey,
    },
    protocol::{Error, Result},
    store::signing_key::{SigningKey, State},
};

/// What the master key seals a private key with, besides itself.
pub fn seal_context(kid: &str) -> String {
    format!("signing_key/{kid}/private_key")
}

#[derive(Clone)]
pub struct Key {
    pub kid: Arc<str>,
    pub algorithm: Arc<str>,
    row: Arc<SigningKey>,
    pub signer: Arc<Signer>,
    pub verifier: Arc<Verifier>,
}

/// The keys at one moment.
#[derive(Default)]
pub struct Ring {
    keys: Vec<Key>,
    by_kid: HashMap<Arc<str>, Arc<Verifier>>,
    published: Option<Document>,
}

#[derive(Default)]
pub struct Keys(RwLock<Arc<Ring>>);

impl Keys {
    pub fn ring(&self) -> Arc<Ring> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what the database says; keys that are known already are not opened again.
    ///
    /// # Errors
    /// When a private key does not open: then the old ring stays.
    pub fn replace(&self, rows: Vec<SigningKey>, master: &MasterKey, now: i64) -> Result<()> {
        let old = self.ring();
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let known = old.keys.iter().find(|key| *key.kid == row.kid);
            keys.push(match known {
                Some(key) => Key { row: Arc::new(row), ..key.clone() },
                None => open(row, master)?,
            });
        }
        keys.retain(|key| key.row.state(now) != State::Removed);
        let by_kid = keys.iter().map(|key| (key.kid.clone(), key.verifier.clone())).collect();
        let public: Vec<_> = keys.iter().map(|key| &key.row.public_jwk).collect();
        let published = Some(document(&serde_json::json!({ "keys": public })));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Ring { keys, by_kid, published });
        Ok(())
    }
}

impl Ring {
    /// The key that signs now: the newest that is neither announced nor retired.
    pub fn signer(&self, now: i64) -> Result<Arc<Signer>> {
        let signing = self.keys.iter().find(|key| key.row.state(now) == State::Signing);
        // Better the oldest announced key than no tokens at all.
        signing
            .or(self.keys.last())
            .map(|key| key.signer.clone())
            .ok_or_else(|| Error::internal(std::io::Error::other("there is no signing key; run `signet keys rotate`")))
    }

    /// A key that this server published; removed ones prove nothing any more.
    pub fn verifier(&self, kid: &str) -> Option<Arc<Verifier>> {
        self.by_kid.get(kid).cloned()
    }

    /// RFC 7517 §5: announced, signing and retired keys.
    pub fn document(&self) -> Option<Document> {
        self.published.clone()
    }
}

/// JSON with the tag that its bytes have.
pub fn document(value: &impl serde::Serialize) -> Document {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let tag = crate::crypto::secret::Secret::presented(&String::from_utf8_lossy(&body)).hash();
    Document { body: body.into(), etag: format!("\"{}\"", tag.short()).into() }
}

fn open(row: SigningKey, master: &MasterKey) -> Result<Key> {
    let der = master.open(&seal_context(&row.kid), &row.private_key.0).map_err(Error::internal)?;
    let signer = Signer::new(&der).map_err(Error::internal)?;
    let verifier = Verifier::from_jwk(&row.public_jwk).map_err(Error::internal)?;
    Ok(Key {
        kid: row.kid.as_str().into(),
        algorithm: row.algorithm.as_str().into(),
        row: Arc::new(row),
        signer: Arc::new(signer),
        verifier: Arc::new(verifier),
    })
}
