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
pub async fn rotate(app: &App, announce: i64) -> Result<SigningKey> {
    let key = generate(app, app.now() + announce).await?;
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

/// The first key of an installation signs at once. Of several nodes that start together one makes it.
///
/// # Errors
/// When the database is away, or another node does not finish.
pub async fn ensure(app: &App) -> Result<()> {
    const LEASE: &str = "first-signing-key";
    /// Seconds that a node may take for it; after that it has died over it, and the next one tries.
    const TIME: i64 = 20;
    for _ in 0..10 * (TIME + 5) {
        if !signing_key::all(&app.db).await?.is_empty() {
            return reload_keys(app).await;
        }
        let (holder, now) = (app.nonce(), app.now());
        let mine = write!(app, db => lease::take(db, LEASE, &holder, now, now + TIME).await);
        if mine.await? {
            let key = generate(app, app.now()).await?;
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
async fn generate(app: &App, signs_from: i64) -> Result<SigningKey> {
    let bits = app.config.keys.bits;
    let der = tokio::task::spawn_blocking(move || jwk::generate_rsa(bits)).await;
    let der = der.map_err(Error::internal)?.map_err(Error::internal)?;
    let public_jwk = jwk::public_jwk(&der).map_err(Error::internal)?;
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
