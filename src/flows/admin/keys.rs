//! Signing keys: announced, then signing, then retired, then removed (OpenID Connect Core §10.1.1).

use crate::{
    app::{App, keys::seal_context, open::reload_keys},
    crypto::jwk,
    flows::{
        event::{self, Changed},
        write,
    },
    protocol::{Error, Result},
    store::{Sealed, lease, signing_key},
};

pub use crate::store::signing_key::SigningKey;

/// A new key. It is published at once and signs after the time of announcement; the one before it is published
/// until the last token that it can have signed has expired.
///
/// # Errors
/// When the database is away.
pub async fn rotate(app: &App, algorithm: &str, announce: i64) -> Result<SigningKey> {
    let key = generate(app, algorithm, app.now() + announce).await?;
    let row = key.clone();
    let signs_from = row.signs_from;
    // Tokens live at most an hour (D2); a relying party's clock may be a minute off.
    let longest = app.config.lifetimes.access_token.get().max(app.config.lifetimes.id_token.get()) + 60;
    write!(app, db => {
        let (algorithm, kid) = (row.algorithm.clone(), row.kid.clone());
        signing_key::insert(db, row).await?;
        signing_key::retire_others(db, &algorithm, &kid, signs_from, signs_from + longest).await
    })
    .await?;
    reload_keys(app).await?;
    event::changed(Changed::SigningKey(&key.kid), "announced");
    Ok(key)
}

/// # Errors
/// When the database is away.
pub async fn all(app: &App) -> Result<Vec<SigningKey>> {
    Ok(signing_key::all(&app.db).await?)
}

/// The algorithm of the first key, which every client can use (OpenID Connect Core §15.1).
pub const FIRST: &str = "RS256";

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
            return reload_keys(app).await;
        }
        let (name, holder, now) = (name.clone(), app.nonce(), app.now());
        let mine = write!(app, db => lease::take(db, &name, &holder, now, now + TIME).await);
        if mine.await? {
            let key = generate(app, algorithm, app.now()).await?;
            let kid = key.kid.clone();
            write!(app, db => signing_key::insert(db, key).await).await?;
            event::changed(Changed::SigningKey(&kid), "created");
            return reload_keys(app).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Err(Error::internal(std::io::Error::other("another node was to make the first signing key and did not")))
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
        retired_at: None,
        removed_at: None,
    })
}
