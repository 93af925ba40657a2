//! The threads that hash, and the bounded line in front of them.

use std::{
    collections::VecDeque,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::Block;
use tokio::sync::oneshot;
use zeroize::{Zeroize, Zeroizing};

use super::{Busy, stored::Recipe};

/// How long a thread without work keeps its memory.
const IDLE: Duration = Duration::from_secs(10);

pub struct Job {
    pub recipe: Recipe,
    pub password: Zeroizing<Vec<u8>>,
    /// Tells the waiter that its turn has come. Closed when the waiter has gone.
    pub started: oneshot::Sender<()>,
    pub done: oneshot::Sender<Zeroizing<Vec<u8>>>,
}

#[derive(Default)]
struct Line {
    jobs: VecDeque<Job>,
    closed: bool,
}

pub struct Shared {
    most: usize,
    line: Mutex<Line>,
    ready: Condvar,
    work: AtomicU64,
}

enum Next {
    Job(Job),
    Idle,
    Closed,
}

impl Shared {
    /// `most` may wait.
    pub fn new(most: usize) -> Self {
        Shared { most, line: Mutex::default(), ready: Condvar::new(), work: AtomicU64::new(0) }
    }

    /// What the jobs since the start have cost.
    pub fn work_done(&self) -> u64 {
        self.work.load(Ordering::Relaxed)
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, job: Job) -> Result<(), Busy> {
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

    /// Sends everybody away, the threads too.
    pub fn close(&self) {
        let mut line = self.line();
        line.closed = true;
        line.jobs.clear();
        self.ready.notify_all();
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
    pub fn serve(&self) {
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
        self.work.fetch_add(job.recipe.work(), Ordering::Relaxed);
        match job.recipe.compute(&job.password, memory) {
            // The waiter may have gone meanwhile; then nobody needs the result.
            Some(hash) => drop(job.done.send(hash)),
            None => tracing::error!("a password could not be hashed"),
        }
    }
}

/// Only what was used: `Vec`'s own way touches the whole capacity, byte by byte.
pub fn wipe(memory: &mut [Block]) {
    memory.iter_mut().for_each(Zeroize::zeroize);
}
