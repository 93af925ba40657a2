//! RFC 9106: passwords as Argon2id, computed by a few threads of their own with a bounded queue.
//!
//! A hash takes tens of megabytes and milliseconds. The runtime's threads never compute one, each thread here fills
//! the same memory again (half of the cost of a fresh allocation is page faults), and a crowd waits or is sent away.

mod argon;
mod foreign;
mod line;
mod stored;

use std::{fmt, io, sync::Arc, thread, time::Duration};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use self::{
    argon::Argon,
    line::{Job, Shared},
    stored::{Recipe, Stored},
};
use super::secret::equal;

pub use self::stored::Unusable;

/// What a hash from elsewhere may ask for, however much this server's own take: one per thread must fit.
const MOST_FOREIGN_KIB: u32 = 256 * 1024;

/// What one hash costs (RFC 9106 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
}

/// The answer to [`HashPool::verify`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the one that was hashed.
    pub right: bool,
    /// The hash was made at another cost than today's: after a right password, hash it anew.
    pub outdated: bool,
}

/// Too many passwords are waiting; answer 503 and ask to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at the moment")]
pub struct Busy;

/// The threads that hash. Dropping it ends them.
pub struct HashPool {
    today: Argon,
    wait: Duration,
    shared: Arc<Shared>,
}

/// Of the threads that hash, from 0 to 19: they still get a tenth of a core that others keep busy.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

impl HashPool {
    /// `threads` hashes at once, `queue` more may wait for `wait` at most. Fails on a cost that Argon2 does not know
    /// and when the system gives no thread.
    pub fn new(cost: Cost, threads: usize, queue: usize, wait: Duration) -> io::Result<Self> {
        let today = Argon::of(cost).ok_or_else(|| io::Error::other("the password cost is out of range"))?;
        let shared = Arc::new(Shared::new(queue.max(1)));
        let pool = HashPool { today, wait, shared };
        for number in 0..threads.max(1) {
            let shared = pool.shared.clone();
            thread::Builder::new().name(format!("password-{number}")).spawn(move || {
                give_way();
                shared.serve();
            })?;
        }
        Ok(pool)
    }

    /// The PHC string of a password. `salt` is 128 random bits.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String, Busy> {
        let recipe = self.today.with_salt(&salt);
        let hash = self.run(Recipe::Argon2(recipe.clone()), password).await?;
        Ok(recipe.write(&hash))
    }

    /// Compares a password with a stored hash, whoever made it (see [`check`]). Without one (an unknown name, an account without password) the
    /// same work is done for nothing, so that the duration does not tell which names exist.
    pub async fn verify(&self, password: &str, phc: Option<&str>) -> Result<Verdict, Busy> {
        let stored = phc.map(Stored::parse).transpose().unwrap_or_else(|why| {
            tracing::error!(%why, "a stored password hash cannot be used; the password is refused");
            None
        });
        let today = || Recipe::Argon2(self.today.clone());
        let recipe = stored.as_ref().map_or_else(today, |stored| stored.recipe.clone());
        let computed = self.run(recipe, password).await?;
        Ok(stored.map_or(Verdict { right: false, outdated: false }, |stored| Verdict {
            right: equal(&stored.hash, &computed),
            outdated: !stored.recipe.as_good_as(&self.today),
        }))
    }

    /// How each hash begins that is made today.
    pub fn prefix(&self) -> String {
        self.today.prefix()
    }

    /// Argon2 blocks (1 KiB) filled, and rounds of other algorithms, since the start. Equal steps mean equal work.
    pub fn blocks_filled(&self) -> u64 {
        self.shared.work_done()
    }

    /// Waits for a thread at most `wait`, then for the result however long it takes: work begun is not thrown away.
    async fn run(&self, recipe: Recipe, password: &str) -> Result<Zeroizing<Vec<u8>>, Busy> {
        let (started, begun) = oneshot::channel();
        let (done, result) = oneshot::channel();
        let password = Zeroizing::new(password.as_bytes().to_vec());
        self.shared.push(Job { recipe, password, started, done })?;
        tokio::time::timeout(self.wait, begun).await.map_err(|_| Busy)?.map_err(|_| Busy)?;
        result.await.map_err(|_| Busy)
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for HashPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashPool").field("params", self.today.params()).finish_non_exhaustive()
    }
}

/// Whether a hash that was made elsewhere can be checked here: Argon2 of any kind and version, bcrypt, PBKDF2 and scrypt
/// as PHC strings and as passlib, Django and Werkzeug write them, within bounds of memory and time.
///
/// # Errors
/// Why not.
pub fn check(hash: &str) -> Result<(), Unusable> {
    match Stored::parse(hash)?.recipe {
        Recipe::Argon2(argon) if argon.params().m_cost() > MOST_FOREIGN_KIB => Err(Unusable::TooDear),
        _ => Ok(()),
    }
}

/// A crowd that signs in takes what is left: everything else goes first, so that apps get their tokens meanwhile. It works
/// for a thread by itself on Linux alone, and nothing depends on it.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS) {
        tracing::warn!(%error, "passwords are hashed at the priority of everything else");
    }
}
