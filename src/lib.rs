//! Signet.
pub mod config;
