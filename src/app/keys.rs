//! The signing keys in memory: opened once, read again every few seconds, so that all nodes know a key
//! before one of them signs with it.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::cache::Document;
use crate::{
    crypto::{
        jwe::{self, Opener},
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
struct Key {
    row: Arc<SigningKey>,
    work: Work,
}

/// What a key is for.
#[derive(Clone)]
enum Work {
    Sign {
        signer: Arc<Signer>,
        verifier: Arc<Verifier>,
    },
    /// Others encrypt for it.
    Open(Arc<Opener>),
}

/// The keys at one moment.
#[derive(Default)]
pub struct Ring {
    keys: Vec<Key>,
    by_kid: HashMap<String, Work>,
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
            let known = old.keys.iter().find(|key| key.row.kid == row.kid);
            let work = match known {
                Some(key) => key.work.clone(),
                None => open(&row, master)?,
            };
            keys.push(Key { row: Arc::new(row), work });
        }
        keys.retain(|key| key.row.state(now) != State::Removed);
        let by_kid = keys.iter().map(|key| (key.row.kid.clone(), key.work.clone())).collect();
        let public: Vec<_> = keys.iter().map(|key| &key.row.public_jwk).collect();
        let published = Some(document(&serde_json::json!({ "keys": public })));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Ring { keys, by_kid, published });
        Ok(())
    }
}

impl Ring {
    /// The key that signs now with that algorithm: the newest that is neither announced nor retired.
    pub fn signer(&self, algorithm: &str, now: i64) -> Result<Arc<Signer>> {
        let mut of_algorithm = self.keys.iter().filter(|key| key.row.algorithm == algorithm);
        let signing = of_algorithm.clone().find(|key| key.row.state(now) == State::Signing);
        // Better the oldest announced key than no tokens at all.
        match signing.or(of_algorithm.next_back()).map(|key| &key.work) {
            Some(Work::Sign { signer, .. }) => Ok(signer.clone()),
            _ => Err(Error::internal(std::io::Error::other(format!(
                "there is no {algorithm} key; run `signet keys rotate --algorithm {algorithm}`"
            )))),
        }
    }

    /// Whether tokens can be signed, or opened, with that algorithm.
    pub fn has(&self, algorithm: &str) -> bool {
        self.keys.iter().any(|key| key.row.algorithm == algorithm)
    }

    /// A key that this server published; removed ones prove nothing any more.
    pub fn verifier(&self, kid: &str) -> Option<Arc<Verifier>> {
        match self.by_kid.get(kid)? {
            Work::Sign { verifier, .. } => Some(verifier.clone()),
            Work::Open(_) => None,
        }
    }

    /// A key of ours that others encrypt for.
    pub fn opener(&self, kid: &str) -> Option<Arc<Opener>> {
        match self.by_kid.get(kid)? {
            Work::Open(opener) => Some(opener.clone()),
            Work::Sign { .. } => None,
        }
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

fn open(row: &SigningKey, master: &MasterKey) -> Result<Work> {
    let der = master.open(&seal_context(&row.kid), &row.private_key.0).map_err(Error::internal)?;
    if jwe::ALGORITHMS.contains(&row.algorithm.as_str()) {
        let opener = Opener::new(&der, &row.algorithm)
            .ok_or_else(|| Error::internal(std::io::Error::other("a key for decryption cannot be used")))?;
        return Ok(Work::Open(Arc::new(opener)));
    }
    let signer = Signer::new(&der, &row.algorithm).map_err(Error::internal)?;
    let verifier = Verifier::from_jwk(&row.public_jwk).map_err(Error::internal)?;
    Ok(Work::Sign { signer: Arc::new(signer), verifier: Arc::new(verifier) })
}
