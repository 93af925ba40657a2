//! RFC 9106: Argon2, of every kind and version that a stored hash may have.

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::{Cost, line::wipe, stored::Unusable};

/// glibc gives a freed block back to the system at once only if it was larger than this; the rest is never touched.
const RETURNED_AT_ONCE: usize = 33 * 1024 * 1024 / Block::SIZE;
/// What a hash may ask for: one from elsewhere must not take the server's memory, nor minutes of its time.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_ITERATIONS: u32 = 100;
const MOST_PARALLELISM: u32 = 64;
/// Memory times passes.
const MOST_WORK_KIB: u64 = 8 * 1024 * 1024;
const OUTPUT: usize = 32;

/// All that decides a hash but the password.
#[derive(Clone)]
pub struct Argon {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
}

impl Argon {
    /// Argon2id at a cost, unless Argon2 does not know it.
    pub fn of(cost: Cost) -> Option<Self> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, Some(OUTPUT)).ok()?;
        let version = Version::V0x13;
        bearable(&params).then(|| Argon { algorithm: Algorithm::Argon2id, version, params, salt: vec![0; 16] })
    }

    /// With the hash beside it.
    pub fn parse(phc: &str) -> Result<(Self, Vec<u8>), Unusable> {
        let phc = PasswordHash::new(phc).map_err(|_| Unusable::Broken)?;
        let params = Params::try_from(&phc).map_err(|_| Unusable::Broken)?;
        if !bearable(&params) {
            return Err(Unusable::TooDear);
        }
        let algorithm = Algorithm::new(phc.algorithm.as_str()).map_err(|_| Unusable::Broken)?;
        // The first version did not write its number.
        let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from).map_err(|_| Unusable::Broken)?;
        let (Some(salt), Some(hash)) = (&phc.salt, &phc.hash) else { return Err(Unusable::Broken) };
        let (salt, hash) = (salt.as_ref().to_vec(), hash.as_bytes().to_vec());
        if salt.len() < argon2::MIN_SALT_LEN || !params.keyid().is_empty() || !params.data().is_empty() {
            return Err(Unusable::Broken);
        }
        Ok((Argon { algorithm, version, params, salt }, hash))
    }

    pub fn with_salt(&self, salt: &[u8]) -> Self {
        Argon { salt: salt.to_vec(), ..self.clone() }
    }

    /// The PHC string.
    pub fn write(&self, hash: &[u8]) -> String {
        format!("{}{}${}", self.prefix(), STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(hash))
    }

    /// All of it before the salt.
    pub fn prefix(&self) -> String {
        let (name, version, params) = (self.algorithm.as_str(), u32::from(self.version), &self.params);
        format!("${name}$v={version}$m={},t={},p={}$", params.m_cost(), params.t_cost(), params.p_cost())
    }

    pub fn as_good_as(&self, today: &Argon) -> bool {
        self.algorithm == today.algorithm
            && self.version == today.version
            && self.params == today.params
            && self.salt.len() >= today.salt.len()
    }

    pub fn params(&self) -> &Params {
        &self.params
    }

    pub fn compute(&self, password: &[u8], memory: &mut Vec<Block>) -> Option<Zeroizing<Vec<u8>>> {
        let blocks = self.params.block_count();
        if memory.capacity() < blocks {
            wipe(memory);
            *memory = Vec::with_capacity(blocks.max(RETURNED_AT_ONCE));
        }
        if memory.len() < blocks {
            memory.resize(blocks, Block::default());
        }
        let mut hash = Zeroizing::new(vec![0; self.params.output_len().unwrap_or(OUTPUT)]);
        Argon2::new(self.algorithm, self.version, self.params.clone())
            .hash_password_into_with_memory(password, &self.salt, &mut hash, &mut memory[..blocks])
            .ok()?;
        Some(hash)
    }
}

fn bearable(params: &Params) -> bool {
    params.m_cost() <= MOST_MEMORY_KIB
        && params.t_cost() <= MOST_ITERATIONS
        && params.p_cost() <= MOST_PARALLELISM
        && u64::from(params.m_cost()) * u64::from(params.t_cost()) <= MOST_WORK_KIB
}
