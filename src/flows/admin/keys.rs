//! Signing keys: announced, then signing, then retired, then removed (OpenID Connect Core §10.1.1).

use crate::{
    app::{
        App,
        keys::{opens, seal_context},
    },
    crypto::{jwe, jwk},
    flows::{
        Trouble,
        event::{self, Changed},
        nodes, write,
    },
    protocol::{Error, Result, client_metadata::SIGNING_ALGORITHMS},
    store::{
        Sealed, lease,
        signing_key::{self, State},
    },
};

pub use crate::store::signing_key::SigningKey;

/// A new key. It is published at once and signs after the time of announcement, when all servers have read it; the one
/// before it is published until the last token that it can have signed has expired.
///
/// What others encrypt for a key needs no announcement: that key is published once every server can open with it.
///
/// # Errors
/// When the database is away.
pub async fn rotate(app: &App, algorithm: &str, announce: i64) -> Result<SigningKey> {
    let key = add(app, algorithm, announce).await?;
    event::changed(Changed::SigningKey(&key.kid), "announced");
    Ok(key)
}

async fn add(app: &App, algorithm: &str, announce: i64) -> Result<SigningKey> {
    let announce = if opens(algorithm) { 0 } else { announce };
    let key = generate(app, algorithm, app.now() + announce).await?;
    let row = key.clone();
    write!(app, db => signing_key::insert(db, row).await).await?;
    taken_up(app, key).await
}

/// The key as it stands once this server knows it.
async fn taken_up(app: &App, key: SigningKey) -> Result<SigningKey> {
    nodes::refresh(app).await?;
    Ok(app.keys.ring().row(&key.kid).cloned().unwrap_or(key))
}

/// Replaces every key that has got too old (`keys.rotate_after`), so that each signs for that long.
///
/// # Errors
/// When the database is away; a later run does the rest.
pub async fn rotate_old(app: &App) -> Result<()> {
    let Some(after) = app.config.keys.rotate_after.get() else { return Ok(()) };
    nodes::refresh(app).await?;
    let (ring, mut seen) = (app.keys.ring(), Vec::new());
    for newest in ring.rows() {
        if seen.contains(&&newest.algorithm) {
            continue;
        }
        seen.push(&newest.algorithm);
        let announce = if opens(&newest.algorithm) { 0 } else { app.config.keys.announce.get() };
        if newest.signs_from + after - announce <= app.now() {
            let key = add(app, &newest.algorithm, announce).await?;
            event::by_itself(Changed::SigningKey(&key.kid), "announced");
        }
    }
    Ok(())
}

/// What an emergency has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// These are gone: no longer published, and nothing that they signed is believed any more.
    pub kids: Vec<String>,
    /// What signs instead, unless another key does so anyway.
    pub successor: Option<SigningKey>,
}

/// Others may have the keys: a new one signs at once, and all before it of that algorithm are dropped at once, the
/// announced and the retired ones too, which lay beside the one that leaked.
///
/// # Errors
/// When the database is away; then nothing has changed.
pub async fn replace_at_once(app: &App, algorithm: &str) -> Result<Dropped> {
    let now = app.now();
    let old = signing_key::all(&app.db).await?.into_iter().filter(|key| key.algorithm == algorithm);
    let kids: Vec<String> = old.map(|key| key.kid).collect();
    let key = SigningKey { agreed_at: Some(now), ..generate(app, algorithm, now).await? };
    let row = key.clone();
    write!(app, db => {
        let (algorithm, kid) = (row.algorithm.clone(), row.kid.clone());
        signing_key::insert(db, row).await?;
        signing_key::remove_others(db, &algorithm, &kid).await
    })
    .await?;
    let key = taken_up(app, key).await?;
    dropped(&kids);
    event::changed(Changed::SigningKey(&key.kid), "created");
    Ok(Dropped { kids, successor: Some(key) })
}

/// One key is dropped at once. In the place of the one that signs comes the announced one, which apps may know
/// already, and without one a new one.
///
/// # Errors
/// When there is no such key, or the database is away; then nothing has changed.
pub async fn drop_at_once(app: &App, kid: &str) -> Result<Dropped, Trouble> {
    let (keys, now) = (signing_key::all(&app.db).await?, app.now());
    let key = keys.iter().find(|key| key.kid == kid).ok_or(Trouble::NotFound("key"))?;
    let mut heirs = keys.iter().rev().filter(|other| other.algorithm == key.algorithm && other.kid != kid);
    let heir = match key.state(now) {
        State::Signing => match heirs.find(|heir| heir.agreed_at.is_some() && heir.state(now) == State::Announced) {
            Some(announced) => Some(announced.clone()),
            None => Some(generate(app, &key.algorithm, now).await?),
        },
        _ => None,
    };
    let (gone, next) = (kid.to_owned(), heir.clone());
    write!(app, db => {
        if let Some(old) = next {
            let new = SigningKey { signs_from: now, agreed_at: Some(now), ..old.clone() };
            if old.agreed_at.is_some() { signing_key::change(db, &old, &new).await.map(drop)? }
            else { signing_key::insert(db, new).await? }
        }
        signing_key::remove(db, &gone).await
    })
    .await?;
    let successor = match heir {
        Some(heir) => Some(taken_up(app, heir).await?),
        None => nodes::refresh(app).await.map(|()| None)?,
    };
    dropped(&[kid.to_owned()]);
    Ok(Dropped { kids: vec![kid.to_owned()], successor })
}

fn dropped(kids: &[String]) {
    for kid in kids {
        event::changed(Changed::SigningKey(kid), "dropped");
    }
}

/// # Errors
/// When the database is away.
pub async fn all(app: &App) -> Result<Vec<SigningKey>> {
    Ok(signing_key::all(&app.db).await?)
}

/// The algorithm of the first key, which every client can use (OpenID Connect Core §15.1).
pub const FIRST: &str = "RS256";

/// Every algorithm that keys are made for.
pub fn algorithms() -> Vec<&'static str> {
    SIGNING_ALGORITHMS.into_iter().chain(jwe::ALGORITHMS).collect()
}

/// The first key of an installation signs at once.
///
/// # Errors
/// When the database is away, or another node does not finish.
pub async fn ensure(app: &App) -> Result<()> {
    ensure_of(app, FIRST).await
}

/// The first key of an algorithm works at once: nobody can have cached the keys that it is missing from and need it,
/// since nobody was registered for it. Of several nodes that want it together one makes it.
///
/// # Errors
/// When the database is away, or another node does not finish.
pub async fn ensure_of(app: &App, algorithm: &str) -> Result<()> {
    /// Seconds that a node may take for it; after that it has died over it, and the next one tries.
    const TIME: i64 = 20;
    if app.keys.ring().has(algorithm) {
        return Ok(());
    }
    let name = format!("first-key-{algorithm}");
    for _ in 0..10 * (TIME + 5) {
        if signing_key::all(&app.db).await?.iter().any(|key| key.algorithm == algorithm) {
            return nodes::refresh(app).await;
        }
        let (name, holder, now) = (name.clone(), app.nonce(), app.now());
        let mine = write!(app, db => lease::take(db, &name, &holder, now, now + TIME).await);
        if mine.await? {
            let key = generate(app, algorithm, app.now()).await?;
            let kid = key.kid.clone();
            write!(app, db => signing_key::insert(db, key).await).await?;
            event::changed(Changed::SigningKey(&kid), "created");
            return await_agreement(app, &kid).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Err(Error::internal(std::io::Error::other("another node was to make the first signing key and did not")))
}

/// So that the client can go to any server with what it was just registered for.
async fn await_agreement(app: &App, kid: &str) -> Result<()> {
    // The others read it within that time (D9), or go on without it for longer than anybody should wait here.
    for _ in 0..50 {
        nodes::refresh(app).await?;
        if app.keys.ring().row(kid).is_none_or(|key| key.agreed_at.is_some()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Making an RSA key takes up to half a second of computing: not on a worker.
async fn generate(app: &App, algorithm: &str, signs_from: i64) -> Result<SigningKey> {
    let (bits, name) = (app.config.keys.bits, algorithm.to_owned());
    let der = tokio::task::spawn_blocking(move || jwk::generate(&name, bits)).await;
    let der = der.map_err(Error::internal)?.map_err(Error::internal)?;
    let public_jwk = jwk::public_jwk(&der, algorithm).map_err(Error::internal)?;
    let kid = public_jwk["kid"].as_str().unwrap_or_default().to_owned();
    let sealed = app.master_key.seal(&seal_context(&kid), &der, app.random.bytes());
    Ok(SigningKey {
        algorithm: public_jwk["alg"].as_str().unwrap_or_default().to_owned(),
        kid,
        private_key: Sealed(sealed),
        public_jwk,
        created_at: app.now(),
        signs_from,
        agreed_at: None,
        retired_at: None,
        removed_at: None,
    })
}
