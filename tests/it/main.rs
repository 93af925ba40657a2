//! Every test, in one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod config;
mod crypto;
mod flows;
mod harness;
mod pages;
mod protocol;
mod security;
