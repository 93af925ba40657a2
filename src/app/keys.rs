//! The keys in memory: opened once, read again every few seconds. What a key does at a moment stands in its row and
//! follows from the clock, so that nobody asks the database for it.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
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
    newest: i64,
}

#[derive(Default)]
pub struct Keys {
    ring: RwLock<Arc<Ring>>,
    node: OnceLock<String>,
}

impl Keys {
    pub fn ring(&self) -> Arc<Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The name of this server among those that run on the database; commands have none.
    pub fn node(&self) -> Option<&str> {
        self.node.get().map(String::as_str)
    }

    /// From now on this process is a server. The first name stays.
    pub fn join(&self, name: String) {
        let _ = self.node.set(name);
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
        let public = published(&keys, now);
        let newest = public.iter().map(|row| row.created_at).max().unwrap_or_default();
        let public: Vec<_> = public.into_iter().map(|row| &row.public_jwk).collect();
        let published = Some(document(&serde_json::json!({ "keys": public })));
        let ring = Arc::new(Ring { keys, by_kid, published, newest });
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
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

    /// When the newest of them was made.
    pub fn newest(&self) -> i64 {
        self.newest
    }

    /// Newest first.
    pub fn rows(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().map(|key| &*key.row)
    }

    pub fn row(&self, kid: &str) -> Option<&SigningKey> {
        self.rows().find(|row| row.kid == kid)
    }
}

/// Whether others encrypt for the keys of this algorithm; with all others this server signs.
pub fn opens(algorithm: &str) -> bool {
    jwe::ALGORITHMS.contains(&algorithm)
}

/// What signs comes first, for apps that do not look at `kid`. Of what others encrypt for, only the one key that
/// every server can open with: an announced one not yet, a retired one no more (OpenID Connect Core §10.2.1).
fn published(keys: &[Key], now: i64) -> Vec<&SigningKey> {
    let states = [State::Signing, State::Announced, State::Retired];
    let of = |state: State| {
        let in_it = keys.iter().map(|key| &*key.row).filter(move |row| row.state(now) == state);
        in_it.filter(move |row| state == State::Signing || !opens(&row.algorithm))
    };
    states.into_iter().flat_map(of).collect()
}

/// JSON with the tag that its bytes have.
pub fn document(value: &impl serde::Serialize) -> Document {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let tag = crate::crypto::secret::Secret::presented(&String::from_utf8_lossy(&body)).hash();
    Document { body: body.into(), etag: format!("\"{}\"", tag.short()).into() }
}

fn open(row: &SigningKey, master: &MasterKey) -> Result<Work> {
    let der = master.open(&seal_context(&row.kid), &row.private_key.0).map_err(Error::internal)?;
    if opens(&row.algorithm) {
        let opener = Opener::new(&der, &row.algorithm)
            .ok_or_else(|| Error::internal(std::io::Error::other("a key for decryption cannot be used")))?;
        return Ok(Work::Open(Arc::new(opener)));
    }
    let signer = Signer::new(&der, &row.algorithm).map_err(Error::internal)?;
    let verifier = Verifier::from_jwk(&row.public_jwk).map_err(Error::internal)?;
    Ok(Work::Sign { signer: Arc::new(signer), verifier: Arc::new(verifier) })
}
