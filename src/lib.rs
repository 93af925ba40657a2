//! Signet, an OpenID Connect provider.
//!
//! Read top to bottom; each layer may use only the layers above it in this list.

pub mod protocol; // what the standards say: pure, no I/O
pub mod crypto; // what proves it: keys, hashes, seals
pub mod config; // what the operator says
pub mod store; // what we remember: one file per table
pub mod app; // what every request shares
pub mod flows; // what we do: one file per use-case
pub mod http; // how the world reaches us
pub mod jobs; // what happens by itself
pub mod commands; // what an operator types

#[path = "../migrations/mod.rs"]
pub mod migrations;
