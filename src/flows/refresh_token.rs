//! RFC 6749 §1.5, decision D3: refresh tokens are derived, not stored. A token names its grant and generation
//! and proves them with a code that only this server can make; the grant's row says which generation is the newest.
//! So a repeat within the grace window gets the very same successor, on every node.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::app::App;

/// What a genuine token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    pub grant: Uuid,
    pub generation: i32,
}

/// The token of a grant's generation.
pub fn derive(app: &App, named: Named) -> String {
    let generation = named.generation.to_be_bytes();
    let tag = app.macs.refresh.tag(&[b"refresh", named.grant.as_bytes(), &generation]);
    let mut bytes = Vec::with_capacity(52);
    bytes.extend_from_slice(named.grant.as_bytes());
    bytes.extend_from_slice(&generation);
    bytes.extend_from_slice(&tag);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Nothing, unless this server made it.
pub fn read(app: &App, token: &str) -> Option<Named> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (grant, rest) = bytes.split_first_chunk::<16>()?;
    let (generation, tag) = rest.split_first_chunk::<4>()?;
    let genuine = app.macs.refresh.verify(&[b"refresh", grant, generation], tag);
    genuine.then(|| Named { grant: Uuid::from_bytes(*grant), generation: i32::from_be_bytes(*generation) })
}

/// Seconds that a code and what comes of it live, without refreshing. A spent code is remembered for as long as
/// anything of it could live (case SEC-031).
pub fn tokens_life(app: &App) -> i64 {
    let lifetimes = &app.config.lifetimes;
    lifetimes.code.get() + lifetimes.access_token.get().max(lifetimes.id_token.get())
}

/// When a grant that is used now expires: idle from now, never beyond its absolute end.
pub fn next_end(app: &App, created_at: i64) -> i64 {
    let lifetimes = &app.config.lifetimes;
    (app.now() + lifetimes.refresh_idle.get()).min(created_at + lifetimes.refresh_absolute.get())
}
