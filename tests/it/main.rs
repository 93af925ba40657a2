//! Every test, in one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod api;
mod commands;
mod config;
mod crypto;
mod factors;
mod federation;
mod flows;
mod harness;
mod house;
mod keys;
mod mail;
mod pages;
mod processes;
mod protocol;
mod registration;
mod security;
mod store;
