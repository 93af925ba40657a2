//! A stored hash of a password, whoever made it.

use argon2::Block;
use zeroize::Zeroizing;

use super::{argon::Argon, foreign::Foreign};

/// Why a hash from elsewhere cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("is not a hash of a kind that can be checked here: Argon2, bcrypt, PBKDF2, scrypt")]
    Unknown,
    #[error("is not a whole hash: a part is missing or cannot be read")]
    Broken,
    #[error("would take more memory or time for one check than this server gives")]
    TooDear,
}

/// All that decides a hash but the password.
#[derive(Clone)]
pub enum Recipe {
    Argon2(Argon),
    Foreign(Foreign),
}

impl Recipe {
    /// Equal steps mean equal work: Argon2's blocks (1 KiB) filled, other's rounds.
    pub fn work(&self) -> u64 {
        match self {
            Recipe::Argon2(argon) => u64::from(argon.params().m_cost()) * u64::from(argon.params().t_cost()),
            Recipe::Foreign(foreign) => foreign.work(),
        }
    }

    pub fn compute(&self, password: &[u8], memory: &mut Vec<Block>) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Recipe::Argon2(argon) => argon.compute(password, memory),
            Recipe::Foreign(foreign) => foreign.compute(password),
        }
    }

    pub fn as_good_as(&self, today: &Argon) -> bool {
        matches!(self, Recipe::Argon2(argon) if argon.as_good_as(today))
    }
}

pub struct Stored {
    pub recipe: Recipe,
    pub hash: Vec<u8>,
}

impl Stored {
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        // Django writes the name of its own hasher before what others wrote.
        let text = ["argon2", "bcrypt$"].iter().find_map(|name| text.strip_prefix(name)).unwrap_or(text);
        if text.starts_with("$argon2") {
            let (argon, hash) = Argon::parse(text)?;
            return Ok(Stored { recipe: Recipe::Argon2(argon), hash });
        }
        let (foreign, hash) = Foreign::parse(text)?;
        Ok(Stored { recipe: Recipe::Foreign(foreign), hash })
    }
}
