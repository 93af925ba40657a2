//! Who fetches the published keys. Noted in memory by whoever answers, never waiting for the database, and bounded
//! whatever strangers send; written in batches by `flows::readers`.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::App;
use crate::{
    crypto::secret::SecretHash,
    store::{key_fetch::KeyFetch, token_caller::TokenCaller},
};

/// So many callers are remembered; the oldest go first.
pub const MOST: usize = 10_000;
/// Of one write, fetches by callers that no client is known to be behind: anybody can cause them.
const STRANGERS_AT_ONCE: usize = 256;
/// Of one write, places of one client: an app in browsers has as many as people.
const PLACES_AT_ONCE: usize = 8;
/// Clients behind one caller that are remembered.
const CLIENTS_OF_ONE: usize = 8;
/// Proofs that wait to be looked at.
const MOST_PROOFS: usize = 256;
/// What was written is not written again so soon, in seconds.
const USE_AGAIN: i64 = 3600;
const FETCH_AGAIN: i64 = 60;

/// A fetch of the published keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    pub at: i64,
    /// When the newest of the keys was made.
    pub newest: i64,
}

/// A client that said at its fetch who it is; whether that is true is looked at later.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub client_id: String,
    pub secret: SecretHash,
    pub fetch: Fetch,
}

/// What has to be written.
#[derive(Debug, Default)]
pub struct News {
    pub fetches: Vec<KeyFetch>,
    pub uses: Vec<TokenCaller>,
    pub claimed: Vec<Claimed>,
}

#[derive(Default)]
pub struct Readers(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    /// Clients have got tokens from there.
    known: Bounded<String, Known>,
    strangers: Bounded<String, Noting>,
    claimed: VecDeque<Claimed>,
}

#[derive(Default)]
struct Known {
    clients: Vec<Used>,
    fetched: Option<Noting>,
}

struct Used {
    client_id: String,
    at: i64,
    written_at: Option<i64>,
}

struct Noting {
    fetch: Fetch,
    written: Option<Fetch>,
}

impl Readers {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn fetched(&self, caller: String, fetch: Fetch) {
        let noted = &mut *self.noted();
        match noted.known.get(&caller) {
            Some(known) => Noting::note(&mut known.fetched, fetch),
            None => match noted.strangers.get(&caller) {
                Some(noting) => noting.fetch = fetch,
                None => noted.strangers.insert(caller, Noting { fetch, written: None }),
            },
        }
    }

    pub fn claimed(&self, claimed: Claimed) {
        let noted = &mut *self.noted();
        if noted.claimed.len() == MOST_PROOFS {
            noted.claimed.pop_front();
        }
        noted.claimed.push_back(claimed);
    }

    /// A client got tokens from there.
    pub fn used(&self, client_id: &str, caller: String, at: i64) {
        let noted = &mut *self.noted();
        if noted.known.get(&caller).is_none() {
            let known = Known { clients: Vec::new(), fetched: noted.strangers.remove(&caller) };
            noted.known.insert(caller.clone(), known);
        }
        let Some(known) = noted.known.get(&caller) else { return };
        match known.clients.iter_mut().find(|used| used.client_id == client_id) {
            Some(used) => used.at = at,
            None => {
                known.clients.truncate(CLIENTS_OF_ONE - 1);
                known.clients.insert(0, Used { client_id: client_id.to_owned(), at, written_at: None });
            }
        }
    }

    /// Takes what has to be written; what is not taken now is taken the next time.
    pub fn news(&self) -> News {
        let noted = &mut *self.noted();
        let mut news = News { claimed: noted.claimed.drain(..).collect(), ..News::default() };
        let mut places = HashMap::<String, usize>::new();
        for (caller, known) in noted.known.newest_first() {
            for used in &mut known.clients {
                let count = places.entry(used.client_id.clone()).or_default();
                if used.is_news() && *count < PLACES_AT_ONCE {
                    *count += 1;
                    used.written_at = Some(used.at);
                    let (client_id, caller) = (used.client_id.clone(), caller.clone());
                    news.uses.push(TokenCaller { client_id, caller, used_at: used.at });
                }
            }
            news.fetches.extend(known.fetched.as_mut().and_then(|noting| noting.taken(caller)));
        }
        let strangers = noted.strangers.newest_first().filter_map(|(caller, noting)| noting.taken(caller));
        news.fetches.extend(strangers.take(STRANGERS_AT_ONCE));
        news
    }

    /// What was taken could not be written: all of it is news again.
    pub fn write_again(&self) {
        let noted = &mut *self.noted();
        for known in noted.known.entries.values_mut() {
            known.clients.iter_mut().for_each(|used| used.written_at = None);
            known.fetched.iter_mut().for_each(|noting| noting.written = None);
        }
        noted.strangers.entries.values_mut().for_each(|noting| noting.written = None);
    }

    /// How many callers are remembered.
    pub fn len(&self) -> usize {
        let noted = self.noted();
        noted.known.len() + noted.strangers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Used {
    fn is_news(&self) -> bool {
        self.written_at.is_none_or(|at| self.at >= at + USE_AGAIN)
    }
}

impl Noting {
    fn note(place: &mut Option<Noting>, fetch: Fetch) {
        match place {
            Some(noting) => noting.fetch = fetch,
            None => *place = Some(Noting { fetch, written: None }),
        }
    }

    fn taken(&mut self, caller: &str) -> Option<KeyFetch> {
        let Fetch { at, newest } = self.fetch;
        if self.written.is_some_and(|old| old.newest == newest && at < old.at + FETCH_AGAIN) {
            return None;
        }
        self.written = Some(self.fetch);
        Some(KeyFetch { caller: caller.to_owned(), fetched_at: at, newest_key: newest })
    }
}

/// Half of [`MOST`]; the first that came is the first to go.
struct Bounded<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Bounded { entries: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Hash + Eq + Clone, V> Bounded<K, V> {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn get(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    fn insert(&mut self, key: K, value: V) {
        // The order may still name what was removed.
        while self.order.len() >= MOST / 2 {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
        self.order.push_back(key.clone());
        self.entries.insert(key, value);
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key)
    }

    fn newest_first(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        let mut entries: HashMap<&K, &mut V> = self.entries.iter_mut().collect();
        self.order.iter().rev().filter_map(move |key| entries.remove_entry(key))
    }
}

impl App {
    /// Somebody at an address, with what they say their program is. The hash is keyed, so that no address can be
    /// found from it by trying.
    pub fn caller(&self, address: IpAddr, user_agent: &str) -> String {
        self.hashed(&[b"caller", address.to_string().as_bytes(), user_agent.as_bytes()])
    }

    /// A client that has proven to be one.
    pub fn proven_caller(&self, client_id: &str) -> String {
        self.hashed(&[b"caller", client_id.as_bytes()])
    }

    /// A client that was not seen itself, and so never fetches anything.
    pub fn caller_unseen(&self, client_id: &str) -> String {
        self.hashed(&[b"caller", b"unseen", client_id.as_bytes(), b""])
    }

    fn hashed(&self, parts: &[&[u8]]) -> String {
        URL_SAFE_NO_PAD.encode(&self.macs.browser.tag(parts)[..16])
    }
}
