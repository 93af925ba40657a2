//! Signet, an OpenID Connect provider.
pub mod http;
