//! The keys that sign tokens: what `signet keys` does, for machines of the operator.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, types::Any};
use serde_json::Value;

use super::{Admin, answer::Answer, body::Body, problem::Problem};
use crate::{
    app::{App, keys::opens},
    flows::{
        Trouble,
        admin::{
            key_status::{self, AppStatus},
            keys::{self, SigningKey},
        },
    },
    http::oauth::Topic,
};

pub struct Keys;

/// A key. Times are seconds since 1970.
#[derive(Debug, Clone, Object)]
struct Key {
    kid: String,
    algorithm: String,
    /// `announced`, `signing`, `retired` or `removed`.
    state: String,
    created_at: i64,
    /// Not before then, and not before every server has read it.
    signs_from: i64,
    /// When every server had read it.
    agreed_at: Option<i64>,
    retired_at: Option<i64>,
    removed_at: Option<i64>,
    /// The public half (RFC 7517).
    public_jwk: Any<Value>,
}

/// Whether an app has fetched a key.
#[derive(Debug, Clone, Object)]
struct Reader {
    client_id: String,
    name: String,
    /// `seen`, `not seen`, or `unknown` when no fetch was ever known to be this app's.
    seen: String,
    /// The last fetch of the keys that is known to be this app's.
    fetched_at: Option<i64>,
}

/// A key that is announced or signs, and who has fetched it.
#[derive(Debug, Clone, Object)]
struct KeyReaders {
    key: Key,
    /// Servers that have not read it yet; it signs when there are none.
    unread_by: Vec<String>,
    /// Every app that got tokens in the last 30 days.
    apps: Vec<Reader>,
}

/// A server that was seen in the last 30 seconds.
#[derive(Debug, Clone, Object)]
struct Node {
    id: String,
    seen_at: i64,
}

#[derive(Debug, Clone, Object)]
struct Status {
    keys: Vec<KeyReaders>,
    servers: Vec<Node>,
}

/// What to rotate.
#[derive(Debug, Clone, Object)]
struct Rotation {
    /// `RS256` if left out.
    algorithm: Option<String>,
    /// Seconds from now until the new key signs; `keys.announce` if left out.
    #[oai(validator(minimum(value = "0"), maximum(value = "2592000")))]
    announce: Option<i64>,
    /// Others may have the keys: a new one signs at once, and all others of the algorithm are dropped at once.
    #[oai(default)]
    emergency: bool,
}

#[derive(Debug, Clone, Object)]
struct Rotated {
    /// The new key.
    key: Key,
    /// Keys that are gone: nothing that they signed is believed any more.
    dropped: Vec<String>,
    /// Apps that had not fetched the key that was still announced; in an emergency, apps that must fetch the new one.
    behind: Vec<Reader>,
}

#[OpenApi(tag = "Topic::Administration")]
impl Keys {
    /// The keys, newest first.
    #[oai(path = "/api/keys", method = "get", operation_id = "list_keys")]
    async fn list(&self, app: Data<&App>, _admin: Admin) -> Result<Answer<Vec<Key>>, Problem> {
        let keys = keys::all(&app).await.map_err(Trouble::from)?;
        Ok(keys.iter().map(|key| shown(key, app.now())).collect::<Vec<_>>().into())
    }

    /// Make a new key.
    #[oai(path = "/api/keys/rotate", method = "post", operation_id = "rotate_keys")]
    async fn rotate(&self, app: Data<&App>, _admin: Admin, asked: Body<Rotation>) -> Result<Answer<Rotated>, Problem> {
        Ok(rotated(&app, asked.0).await?.into())
    }

    /// Which apps have fetched the keys that sign, or will.
    #[oai(path = "/api/keys/status", method = "get", operation_id = "key_status")]
    async fn status(&self, app: Data<&App>, _admin: Admin) -> Result<Answer<Status>, Problem> {
        let status = key_status::status(&app).await.map_err(Trouble::from)?;
        let keys = status.keys.into_iter().map(|status| KeyReaders {
            key: shown(&status.key, app.now()),
            unread_by: status.unread_by,
            apps: readers(status.apps),
        });
        let servers = status.nodes.into_iter().map(|node| Node { id: node.id, seen_at: node.seen_at });
        Ok(Status { keys: keys.collect(), servers: servers.collect() }.into())
    }
}

async fn rotated(app: &App, asked: Rotation) -> Result<Rotated, Trouble> {
    let algorithm = asked.algorithm.as_deref().unwrap_or(keys::FIRST);
    if !keys::algorithms().contains(&algorithm) {
        let why = format!("is none of {}", keys::algorithms().join(", "));
        return Err(Trouble::field("algorithm", why));
    }
    if asked.announce.is_some() && (asked.emergency || opens(algorithm)) {
        return Err(Trouble::field("announce", "is not for emergencies, nor for keys that others encrypt for"));
    }
    if asked.emergency {
        let dropped = keys::replace_at_once(app, algorithm).await?;
        let key = dropped.successor.ok_or(Trouble::NotFound("key"))?;
        let behind = readers(key_status::of(app, &key).await?);
        return Ok(Rotated { key: shown(&key, app.now()), dropped: dropped.kids, behind });
    }
    let behind = readers(key_status::behind(app, algorithm).await?);
    let announce = asked.announce.unwrap_or(app.config.keys.announce.get());
    let key = keys::rotate(app, algorithm, announce).await?;
    Ok(Rotated { key: shown(&key, app.now()), dropped: Vec::new(), behind })
}

fn shown(key: &SigningKey, now: i64) -> Key {
    Key {
        kid: key.kid.clone(),
        algorithm: key.algorithm.clone(),
        state: key.state(now).as_str().to_owned(),
        created_at: key.created_at,
        signs_from: key.signs_from,
        agreed_at: key.agreed_at,
        retired_at: key.retired_at,
        removed_at: key.removed_at,
        public_jwk: Any(key.public_jwk.clone()),
    }
}

fn readers(apps: Vec<AppStatus>) -> Vec<Reader> {
    let reader = |app: AppStatus| Reader {
        client_id: app.client_id,
        name: app.name,
        seen: app.seen.as_str().to_owned(),
        fetched_at: app.fetched_at,
    };
    apps.into_iter().map(reader).collect()
}
