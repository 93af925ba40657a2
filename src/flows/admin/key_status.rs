//! Whether a rotation would break an app: which of the apps with traffic have fetched the key that will sign.

use crate::{
    app::App,
    flows::nodes,
    protocol::Result,
    store::{
        client::{self, BUILT_IN, Client},
        node::Node,
        signing_key::{self, SigningKey, State},
        token_caller::{self, Reader},
    },
};

/// An app that got no tokens for so long will hardly miss a key.
const TRAFFIC: i64 = 30 * 86_400;

/// How the keys stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Those that are announced or sign, newest first.
    pub keys: Vec<KeyStatus>,
    /// The servers that are there.
    pub nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    pub key: SigningKey,
    /// Servers that have not read it yet; it signs when there are none.
    pub unread_by: Vec<String>,
    pub apps: Vec<AppStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppStatus {
    pub client_id: String,
    pub name: String,
    pub seen: Seen,
    /// Its last fetch of the keys that we know of.
    pub fetched_at: Option<i64>,
}

/// Whether an app has fetched a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// From every place from where it fetches keys at all.
    Yes,
    No,
    /// No fetch was ever known to be this app's.
    Unknown,
}

impl Seen {
    pub const fn as_str(self) -> &'static str {
        match self {
            Seen::Yes => "seen",
            Seen::No => "not seen",
            Seen::Unknown => "unknown",
        }
    }
}

/// # Errors
/// When the database is away.
pub async fn status(app: &App) -> Result<Status> {
    let (now, nodes) = (app.now(), nodes::present(app).await?);
    let (clients, readers) = with_traffic(app).await?;
    let in_use = signing_key::all(&app.db).await?.into_iter();
    let in_use = in_use.filter(|key| matches!(key.state(now), State::Announced | State::Signing));
    let keys = in_use.map(|key| {
        let unread = nodes.iter().filter(|node| !node.knows(&key.kid)).map(|node| node.id.clone());
        KeyStatus { unread_by: unread.collect(), apps: apps(&clients, &readers, &key), key }
    });
    Ok(Status { keys: keys.collect(), nodes })
}

/// Apps with traffic that are not known to have fetched the key of that algorithm that is still announced.
///
/// # Errors
/// When the database is away.
pub async fn behind(app: &App, algorithm: &str) -> Result<Vec<AppStatus>> {
    let keys = status(app).await?.keys.into_iter();
    let announced =
        keys.filter(|status| status.key.algorithm == algorithm && status.key.state(app.now()) == State::Announced);
    Ok(announced.take(1).flat_map(|status| status.apps).filter(|app| app.seen != Seen::Yes).collect())
}

/// Apps with traffic, and how they stand to a key.
///
/// # Errors
/// When the database is away.
pub async fn of(app: &App, key: &SigningKey) -> Result<Vec<AppStatus>> {
    let (clients, readers) = with_traffic(app).await?;
    Ok(apps(&clients, &readers, key))
}

async fn with_traffic(app: &App) -> Result<(Vec<Client>, Vec<Reader>)> {
    let (since, readers) = (app.now() - TRAFFIC, token_caller::readers(&app.db).await?);
    let mut ids: Vec<&str> =
        readers.iter().filter(|reader| reader.used_at >= since).map(|reader| &*reader.client_id).collect();
    ids.dedup();
    let clients = client::named(&app.db, &ids).await?;
    let clients = clients.into_iter().filter(|client| client.is_enabled() && client.origin != BUILT_IN);
    Ok((clients.collect(), readers))
}

fn apps(clients: &[Client], readers: &[Reader], key: &SigningKey) -> Vec<AppStatus> {
    let one = |client: &Client| {
        let own: Vec<&Reader> = readers.iter().filter(|reader| reader.client_id == client.client_id).collect();
        AppStatus {
            client_id: client.client_id.clone(),
            name: client.name().to_owned(),
            seen: seen(&own, key),
            fetched_at: own.iter().filter_map(|reader| reader.fetched_at).max(),
        }
    };
    clients.iter().map(one).collect()
}

/// An app may run in several places, each with the keys that it fetched itself. What has got no tokens since the key was
/// made may be gone, as after an update that changed the user agent; it counts only when there is nothing else.
fn seen(readers: &[&Reader], key: &SigningKey) -> Seen {
    let fetching: Vec<_> =
        readers.iter().filter_map(|reader| Some((reader.used_at >= key.created_at, reader.newest_key?))).collect();
    let alive = fetching.iter().any(|(alive, _)| *alive);
    let mut counted = fetching.iter().filter(|(is_alive, _)| *is_alive == alive);
    match fetching.is_empty() {
        true => Seen::Unknown,
        false if alive && counted.all(|(_, newest)| *newest >= key.created_at) => Seen::Yes,
        false if !alive && counted.any(|(_, newest)| *newest >= key.created_at) => Seen::Yes,
        false => Seen::No,
    }
}
