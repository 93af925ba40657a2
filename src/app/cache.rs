//! The only user of moka: what is read often and may be a few seconds old (decision D9).
//! Nothing that is single-use or revocable is here: no code, token, session or nonce.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use moka::future::Cache as Moka;
use sea_orm::DbErr;
use tokio::time::timeout;

use super::connection::Db;
use crate::{
    crypto::jwk::{JwkError, KeySet},
    protocol::{self, upstream::metadata::Metadata},
    store::{
        client::{self, Client},
        client_origin, resource,
        upstream::{self, Upstream},
    },
};

/// D9 allows 5 s to reach other nodes.
const LIFE: Duration = Duration::from_secs(4);

/// What a provider says of itself changes rarely; another key makes us look again at once.
const UPSTREAM_LIFE: Duration = Duration::from_secs(3600);

/// What can be answered without the database waits no longer for it.
const BRIEFLY: Duration = Duration::from_millis(500);

/// A key takes a few KiB at most, once as it came and once as it verifies.
const MOST_CLIENT_KEYS: u64 = 5_000;

/// All resources, with what the rules need of them worked out.
#[derive(Debug, Default)]
pub struct Resources {
    pub rows: Vec<resource::Model>,
    pub rules: Vec<protocol::resource::Resource>,
}

/// A document that is the same for everybody, ready to be sent.
#[derive(Debug, Clone)]
pub struct Document {
    pub body: Arc<[u8]>,
    /// RFC 9110 §8.8.3, with its quotes.
    pub etag: Arc<str>,
}

impl Document {
    pub fn bytes(&self) -> Vec<u8> {
        self.body.to_vec()
    }
}

/// The public keys of a client or a provider.
#[derive(Debug)]
pub struct ClientKeys {
    /// Those that verify its signatures; there may be none that can.
    pub verify: Result<KeySet, JwkError>,
    /// All of them, as they came: among them those to encrypt for.
    pub set: serde_json::Value,
}

impl ClientKeys {
    pub fn of(set: serde_json::Value) -> Self {
        ClientKeys { verify: KeySet::parse(&set), set: lean(&set) }
    }

    /// How many keys these are; an empty set takes its place too.
    fn weight(&self) -> u32 {
        let keys = self.set["keys"].as_array().map_or(0, Vec::len);
        u32::try_from(keys).unwrap_or(u32::MAX).max(1)
    }
}

/// The members that make a key, of as many keys as are read: a stranger chooses the rest, and we keep it.
fn lean(set: &serde_json::Value) -> serde_json::Value {
    const KEPT: [&str; 9] = ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"];
    let keys = set["keys"].as_array().into_iter().flatten().take(64);
    let lean = keys.map(|key| {
        let text = |name: &&'static str| {
            let (name, text) = (*name, key[*name].as_str()?);
            (text.len() <= 2048).then_some((name, text))
        };
        KEPT.iter().filter_map(text).collect::<std::collections::BTreeMap<_, _>>()
    });
    serde_json::json!({ "keys": lean.collect::<Vec<_>>() })
}

pub struct Cache {
    clients: Moka<String, Arc<Client>>,
    /// Counts what made this node forget clients.
    changes: AtomicU64,
    origins: Moka<String, bool>,
    resources: Moka<(), Arc<Resources>>,
    /// Those that were read last, however long ago.
    last_resources: RwLock<Arc<Resources>>,
    /// As they were read last.
    last_response_types: RwLock<Arc<BTreeSet<String>>>,
    /// Discovery documents, by their path.
    pub documents: moka::sync::Cache<&'static str, Document>,
    /// The keys of clients, registered or fetched, by what was registered.
    pub client_keys: Moka<String, Arc<ClientKeys>>,
    /// Request objects whose address has the hash of their content, by that address.
    pub request_objects: moka::sync::Cache<String, Arc<str>>,
    upstreams: Moka<(), Arc<Vec<Upstream>>>,
    /// Counts what made this node forget providers.
    upstream_changes: AtomicU64,
    /// What providers say of themselves, by their issuers.
    pub upstream_metadata: Moka<String, Arc<Metadata>>,
    /// The keys of providers, by their addresses.
    pub upstream_keys: Moka<String, Arc<ClientKeys>>,
    refetched: Moka<String, Instant>,
    /// The hour in which a use of a client, by itself or in a session, was noted last.
    used: moka::sync::Cache<String, i64>,
}

impl Default for Cache {
    fn default() -> Self {
        Cache {
            clients: Moka::builder().max_capacity(10_000).time_to_live(LIFE).build(),
            changes: AtomicU64::new(0),
            origins: Moka::builder().max_capacity(1_000).time_to_live(LIFE).build(),
            resources: Moka::builder().max_capacity(1).time_to_live(LIFE).build(),
            last_resources: RwLock::default(),
            last_response_types: RwLock::default(),
            documents: moka::sync::Cache::builder().max_capacity(8).time_to_live(LIFE).build(),
            client_keys: Moka::builder()
                .max_capacity(MOST_CLIENT_KEYS)
                .weigher(|_, keys: &Arc<ClientKeys>| keys.weight())
                .time_to_live(Duration::from_secs(300))
                .build(),
            request_objects: moka::sync::Cache::builder()
                .max_capacity(4 * 1024 * 1024)
                .weigher(|uri: &String, object: &Arc<str>| (uri.len() + object.len()).try_into().unwrap_or(u32::MAX))
                .time_to_live(Duration::from_secs(300))
                .build(),
            upstreams: Moka::builder().max_capacity(1).time_to_live(LIFE).build(),
            upstream_changes: AtomicU64::new(0),
            upstream_metadata: Moka::builder().max_capacity(500).time_to_live(UPSTREAM_LIFE).build(),
            upstream_keys: Moka::builder().max_capacity(500).time_to_live(UPSTREAM_LIFE).build(),
            refetched: Moka::builder().max_capacity(1_000).time_to_live(Duration::from_secs(300)).build(),
            used: moka::sync::Cache::builder().max_capacity(10_000).build(),
        }
    }
}

impl Cache {
    /// An enabled client. Unknown ones are not remembered, so a new client works at once.
    pub async fn client(&self, db: &Db, client_id: &str) -> Result<Option<Arc<Client>>, DbErr> {
        if let Some(client) = self.clients.get(client_id).await {
            return Ok(Some(client));
        }
        let seen = self.changes.load(Ordering::SeqCst);
        let Some(client) = client::find(db, client_id).await?.filter(Client::is_enabled) else { return Ok(None) };
        let client = Arc::new(client);
        self.clients.insert(client_id.to_owned(), client.clone()).await;
        if self.changes.load(Ordering::SeqCst) != seen {
            // It may have been read before a change and kept after it.
            self.clients.invalidate(client_id).await;
        }
        Ok(Some(client))
    }

    /// After a change on this node: at once.
    pub async fn forget_client(&self, client_id: &str) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.clients.invalidate(client_id).await;
        self.origins.invalidate_all();
        // It may have been the only one of its response type.
        self.documents.invalidate_all();
    }

    pub async fn is_registered_origin(&self, db: &Db, origin: &str) -> Result<bool, DbErr> {
        if let Some(known) = self.origins.get(origin).await {
            return Ok(known);
        }
        let known = client_origin::is_registered(db, origin).await?;
        self.origins.insert(origin.to_owned(), known).await;
        Ok(known)
    }

    pub async fn resources(&self, db: &Db) -> Result<Arc<Resources>, DbErr> {
        if let Some(known) = self.resources.get(&()).await {
            return Ok(known);
        }
        let rows = resource::all(db).await?;
        let rules = rows.iter().map(resource::Model::rules).collect();
        let known = Arc::new(Resources { rows, rules });
        self.resources.insert((), known.clone()).await;
        *self.last_resources.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
        Ok(known)
    }

    /// Providers that people may sign in with, in the order of their buttons.
    pub async fn upstreams(&self, db: &Db) -> Result<Arc<Vec<Upstream>>, DbErr> {
        if let Some(known) = self.upstreams.get(&()).await {
            return Ok(known);
        }
        let seen = self.upstream_changes.load(Ordering::SeqCst);
        let mut all = upstream::all(db).await?;
        all.retain(Upstream::is_enabled);
        let all = Arc::new(all);
        self.upstreams.insert((), all.clone()).await;
        if self.upstream_changes.load(Ordering::SeqCst) != seen {
            // As of a client: read before a change and kept after it.
            self.upstreams.invalidate(&()).await;
        }
        Ok(all)
    }

    /// After a change on this node: at once.
    pub fn forget_upstreams(&self) {
        self.upstream_changes.fetch_add(1, Ordering::SeqCst);
        self.upstreams.invalidate_all();
    }

    /// For what must be answered also while the database is away: what was known last, then.
    pub async fn resources_known(&self, db: &Db) -> Arc<Resources> {
        match timeout(BRIEFLY, self.resources(db)).await {
            Ok(Ok(resources)) => resources,
            _ => self.last_resources.read().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// What enabled clients are registered for; what was known last, while the database is away.
    pub async fn response_types_known(&self, db: &Db) -> Arc<BTreeSet<String>> {
        if let Ok(Ok(known)) = timeout(BRIEFLY, client::response_types(db)).await {
            let known = Arc::new(known);
            *self.last_response_types.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
            return known;
        }
        self.last_response_types.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True at most once per `pause` and client: an invented `kid` must not make us fetch at will.
    pub async fn may_refetch(&self, client_id: &str, pause: Duration) -> bool {
        let fresh = self.refetched.get(client_id).await.is_none_or(|last| last.elapsed() >= pause);
        if fresh {
            self.refetched.insert(client_id.to_owned(), Instant::now()).await;
        }
        fresh
    }

    /// True for the first to say so of this in each hour.
    pub fn is_first_use(&self, of: &str, hour: i64) -> bool {
        let mut first = false;
        self.used.entry(of.to_owned()).and_upsert_with(|known| {
            first = known.is_none_or(|known| known.into_value() != hour);
            hour
        });
        first
    }

    /// After a change on this node: at once.
    pub fn forget_resources(&self) {
        self.resources.invalidate_all();
        self.documents.invalidate_all();
    }
}
