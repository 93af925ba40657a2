//! The only source of chance: the operating system's, or for tests a seeded one.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{
    Rng, SeedableRng, TryRng,
    rngs::{StdRng, SysRng},
};

#[derive(Clone)]
pub enum Random {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Random::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Fresh bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness: nothing that follows could be trusted.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Random::System => SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives randomness"),
            Random::Seeded(random) => random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes),
        }
        bytes
    }
}
