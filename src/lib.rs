//! Signet, an OpenID Connect provider.
//!
//! Read top to bottom; each layer may use only the layers above it in this list.

pub mod protocol; // what the standards say: pure, no I/O
