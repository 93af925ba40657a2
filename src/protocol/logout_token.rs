//! OpenID Connect Back-Channel Logout §2.4: the logout token's claims. There is never a `nonce`, so that nobody takes it
//! for an ID token.

use serde::{Serialize, ser::SerializeMap};

/// The `typ` of its header (§2.4).
pub const TYPE: &str = "logout+jwt";
/// Seconds that it is good for: two minutes at most.
pub const LIFE: i64 = 120;

#[derive(Debug, Clone, Serialize)]
pub struct LogoutToken<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub aud: &'a str,
    pub iat: i64,
    pub exp: i64,
    pub jti: &'a str,
    pub events: Events,
    pub sid: &'a str,
}

/// The one member that makes it a logout token.
#[derive(Debug, Clone, Copy)]
pub struct Events;

impl Serialize for Events {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nothing = serde_json::Map::new();
        let mut events = serializer.serialize_map(Some(1))?;
        events.serialize_entry("http://schemas.openid.net/event/backchannel-logout", &nothing)?;
        events.end()
    }
}
