//! One binary for every test: it links the server once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod harness;
mod protocol;
mod security;
mod flows;
