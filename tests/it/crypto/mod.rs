//! `src/crypto`, and what else guards the doors: the listener and the outgoing fetch.

pub mod doors;
mod foreign_passwords;
mod jwe;
mod jwk;
mod jws;
mod listener;
mod outbound;
mod own_keys;
mod pairwise;
mod password;
mod seal;
mod secret;

use std::sync::LazyLock;

use signet::crypto::{jwk::generate_rsa, jws::Signer};
use zeroize::Zeroizing;

/// Key generation takes a good part of a second in a debug build, so the tests share two pairs.
static KEYS: LazyLock<[Zeroizing<Vec<u8>>; 2]> = LazyLock::new(|| [(); 2].map(|()| generate_rsa(2048).unwrap()));

fn der() -> &'static [u8] {
    &KEYS[0]
}

fn other_der() -> &'static [u8] {
    &KEYS[1]
}

fn signer() -> Signer {
    Signer::new(der(), "RS256").unwrap()
}
