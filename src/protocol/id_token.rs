//! OpenID Connect Core §2: the ID token's claims.

use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Debug, Clone, Serialize)]
pub struct IdToken<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub aud: &'a str,
    /// Seconds since 1970, whole (some clients refuse fractions).
    pub exp: i64,
    pub iat: i64,
    pub auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
    pub acr: &'a str,
    pub amr: &'a [&'a str],
    /// The session at this server (OpenID Front-Channel Logout §3), not its cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<&'a str>,
    /// §3.1.3.6: of the access token that comes along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// §3.3.2.11: of the code that comes along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_hash: Option<String>,
    /// What `claims` asked for here, or the client is set to.
    #[serde(flatten)]
    pub about: Map<String, Value>,
}
