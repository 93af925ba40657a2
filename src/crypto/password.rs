//! RFC 9106: passwords as Argon2id, computed by a few threads of their own with a bounded queue.
//!
//! A hash takes tens of megabytes and milliseconds. The runtime's threads never compute one, each thread here fills
//! the same memory again (half of the cost of a fresh allocation is page faults), and a crowd waits or is sent away.

use std::{
    collections::VecDeque,
    fmt, io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use tokio::sync::oneshot;
use zeroize::{Zeroize, Zeroizing};

use super::secret::equal;

/// How long a thread without work keeps its memory.
const IDLE: Duration = Duration::from_secs(10);
/// glibc gives a freed block back to the system at once only if it was larger than this; the rest is never touched.
const RETURNED_AT_ONCE: usize = 33 * 1024 * 1024 / Block::SIZE;
/// What a stored hash may ask for: one from elsewhere must not take the server's memory.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_ITERATIONS: u32 = 64;
const MOST_PARALLELISM: u32 = 64;
const OUTPUT: usize = 32;

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
    today: Recipe,
    wait: Duration,
    shared: Arc<Shared>,
}

impl HashPool {
    /// `threads` hashes at once, `queue` more may wait for `wait` at most. Fails on a cost that Argon2 does not know
    /// and when the system gives no thread.
    pub fn new(cost: Cost, threads: usize, queue: usize, wait: Duration) -> io::Result<Self> {
        let today = Recipe::of(cost).ok_or_else(|| io::Error::other("the password cost is out of range"))?;
        let shared = Arc::new(Shared {
            most: queue.max(1),
            line: Mutex::default(),
            ready: Condvar::new(),
            blocks_filled: AtomicU64::new(0),
        });
        let pool = HashPool { today, wait, shared };
        for number in 0..threads.max(1) {
            let shared = pool.shared.clone();
            thread::Builder::new().name(format!("password-{number}")).spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    /// The PHC string of a password. `salt` is 128 random bits.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String, Busy> {
        let hash = self.run(self.today.with_salt(&salt), password).await?;
        let params = &self.today.params;
        Ok(format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            params.m_cost(),
            params.t_cost(),
            params.p_cost(),
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash.as_slice()),
        ))
    }

    /// Compares a password with a stored PHC string. Without one (an unknown name, an account without password) the
    /// same work is done for nothing, so that the duration does not tell which names exist.
    pub async fn verify(&self, password: &str, phc: Option<&str>) -> Result<Verdict, Busy> {
        let stored = phc.and_then(Stored::parse);
        if phc.is_some() && stored.is_none() {
            tracing::error!("a stored password hash is not one that this version reads; the password is refused");
        }
        let recipe = stored.as_ref().map_or_else(|| self.today.clone(), |stored| stored.recipe.clone());
        let computed = self.run(recipe, password).await?;
        Ok(stored.map_or(Verdict { right: false, outdated: false }, |stored| Verdict {
            right: equal(&stored.hash, &computed),
            outdated: !stored.recipe.as_good_as(&self.today),
        }))
    }

    /// Argon2 blocks (1 KiB) filled since the start. Equal steps mean equal work.
    pub fn blocks_filled(&self) -> u64 {
        self.shared.blocks_filled.load(Ordering::Relaxed)
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
        let mut line = self.shared.line();
        line.closed = true;
        line.jobs.clear();
        self.shared.ready.notify_all();
    }
}

impl fmt::Debug for HashPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashPool").field("params", &self.today.params).finish_non_exhaustive()
    }
}

/// All that decides a hash but the password.
#[derive(Clone)]
struct Recipe {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
}

impl Recipe {
    fn of(cost: Cost) -> Option<Self> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, Some(OUTPUT)).ok()?;
        bearable(&params).then(|| Recipe {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params,
            salt: vec![0; 16],
        })
    }

    fn with_salt(&self, salt: &[u8]) -> Self {
        Recipe { salt: salt.to_vec(), ..self.clone() }
    }

    fn as_good_as(&self, today: &Recipe) -> bool {
        self.algorithm == today.algorithm
            && self.version == today.version
            && self.params == today.params
            && self.salt.len() >= today.salt.len()
    }

    fn compute(&self, password: &[u8], memory: &mut Vec<Block>) -> argon2::Result<Zeroizing<Vec<u8>>> {
        let blocks = self.params.block_count();
        if memory.capacity() < blocks {
            wipe(memory);
            *memory = Vec::with_capacity(blocks.max(RETURNED_AT_ONCE));
        }
        if memory.len() < blocks {
            memory.resize(blocks, Block::default());
        }
        let mut hash = Zeroizing::new(vec![0; self.params.output_len().unwrap_or(OUTPUT)]);
        Argon2::new(self.algorithm, self.version, self.params.clone()).hash_password_into_with_memory(
            password,
            &self.salt,
            &mut hash,
            &mut memory[..blocks],
        )?;
        Ok(hash)
    }
}

/// Only what was used: `Vec`'s own way touches the whole capacity, byte by byte.
fn wipe(memory: &mut [Block]) {
    memory.iter_mut().for_each(Zeroize::zeroize);
}

fn bearable(params: &Params) -> bool {
    params.m_cost() <= MOST_MEMORY_KIB && params.t_cost() <= MOST_ITERATIONS && params.p_cost() <= MOST_PARALLELISM
}

struct Stored {
    recipe: Recipe,
    hash: Vec<u8>,
}

impl Stored {
    fn parse(phc: &str) -> Option<Self> {
        let phc = PasswordHash::new(phc).ok()?;
        let params = Params::try_from(&phc).ok().filter(bearable)?;
        let algorithm = Algorithm::new(phc.algorithm.as_str()).ok()?;
        let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from).ok()?;
        let salt = phc.salt?.as_ref().to_vec();
        let hash = phc.hash?.as_bytes().to_vec();
        (salt.len() >= argon2::MIN_SALT_LEN)
            .then_some(Stored { recipe: Recipe { algorithm, version, params, salt }, hash })
    }
}

struct Job {
    recipe: Recipe,
    password: Zeroizing<Vec<u8>>,
    /// Tells the waiter that its turn has come. Closed when the waiter has gone.
    started: oneshot::Sender<()>,
    done: oneshot::Sender<Zeroizing<Vec<u8>>>,
}

#[derive(Default)]
struct Line {
    jobs: VecDeque<Job>,
    closed: bool,
}

struct Shared {
    most: usize,
    line: Mutex<Line>,
    ready: Condvar,
    blocks_filled: AtomicU64,
}

enum Next {
    Job(Job),
    Idle,
    Closed,
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), Busy> {
        let mut line = self.line();
        if line.jobs.len() >= self.most {
            line.jobs.retain(|waiting| !waiting.started.is_closed());
        }
        if line.jobs.len() >= self.most {
            return Err(Busy);
        }
        line.jobs.push_back(job);
        drop(line);
        self.ready.notify_one();
        Ok(())
    }

    /// The next job, or [`Next::Idle`] once when `impatient` and nothing has come for a while.
    fn next(&self, impatient: bool) -> Next {
        let mut line = self.line();
        loop {
            if line.closed {
                return Next::Closed;
            }
            if let Some(job) = line.jobs.pop_front() {
                return Next::Job(job);
            }
            if !impatient {
                line = self.ready.wait(line).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (woken, waited) = self.ready.wait_timeout(line, IDLE).unwrap_or_else(PoisonError::into_inner);
            line = woken;
            if waited.timed_out() && line.jobs.is_empty() && !line.closed {
                return Next::Idle;
            }
        }
    }

    /// The life of one thread.
    fn work(&self) {
        let mut memory = Vec::new();
        loop {
            match self.next(memory.capacity() > 0) {
                Next::Job(job) => self.answer(job, &mut memory),
                Next::Idle => {
                    wipe(&mut memory);
                    memory = Vec::new();
                }
                Next::Closed => return wipe(&mut memory),
            }
        }
    }

    fn answer(&self, job: Job, memory: &mut Vec<Block>) {
        if job.started.send(()).is_err() {
            return;
        }
        let params = &job.recipe.params;
        self.blocks_filled.fetch_add(u64::from(params.m_cost()) * u64::from(params.t_cost()), Ordering::Relaxed);
        match job.recipe.compute(&job.password, memory) {
            // The waiter may have gone meanwhile; then nobody needs the result.
            Ok(hash) => drop(job.done.send(hash)),
            Err(error) => tracing::error!(%error, "a password could not be hashed"),
        }
    }
}
