//! RFC 9068: the JWT access token's claims, and what a verifier of one reads back.

use serde::{Deserialize, Serialize};

/// `typ` of the header (§2.1): what tells it from an ID token.
pub const TYPE: &str = "at+jwt";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessToken {
    pub iss: String,
    /// The person, or for `client_credentials` the client.
    pub sub: String,
    /// One audience (decision D2).
    pub aud: String,
    pub client_id: String,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
}

/// `jti` names the grant that the token came from, so that revoking the grant reaches it.
pub fn jti(grant: uuid::Uuid, random: &str) -> String {
    format!("{}.{random}", grant.simple())
}

/// The grant in a `jti`; tokens of clients for themselves have none.
pub fn grant_of(jti: &str) -> Option<uuid::Uuid> {
    let (grant, _) = jti.split_once('.')?;
    uuid::Uuid::try_parse(grant).ok()
}
