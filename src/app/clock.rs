//! The only reader of the clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// Stands still until it is moved: for tests.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    pub fn fixed(at: i64) -> Self {
        Clock::Fixed(Arc::new(AtomicI64::new(at)))
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
            Clock::System => time::OffsetDateTime::now_utc().unix_timestamp(),
            Clock::Fixed(at) => at.load(Ordering::Relaxed),
        }
    }

    /// Moves a fixed clock; the system's is not ours to move.
    pub fn advance(&self, seconds: i64) {
        if let Clock::Fixed(at) = self {
            at.fetch_add(seconds, Ordering::Relaxed);
        }
    }
}
