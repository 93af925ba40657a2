//! Case SEC-117 where people were imported: hashes of other programs take their own time, so an unknown name must take
//! the time of one of them as often as a known one does.

use std::sync::{Arc, Mutex, PoisonError};

use crate::store::{Phc, password::Unlike};

/// Seconds for which a sample is good; each costs a look at all passwords.
const LIFE: i64 = 600;

/// How the stored hashes differ from today's, as it was a while ago.
#[derive(Default)]
pub struct Decoys(Mutex<Option<Taken>>);

struct Taken {
    at: i64,
    sample: Arc<Unlike>,
}

impl Decoys {
    /// The last sample, and whether it is time for another. Only one caller is told so.
    pub fn look(&self, now: i64) -> (Option<Arc<Unlike>>, bool) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(taken) = taken.as_mut() else { return (None, true) };
        let is_old = now - taken.at >= LIFE;
        if is_old {
            taken.at = now;
        }
        (Some(taken.sample.clone()), is_old)
    }

    pub fn keep(&self, sample: Unlike, now: i64) -> Arc<Unlike> {
        let sample = Arc::new(sample);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Taken { at: now, sample: sample.clone() });
        sample
    }
}

impl Unlike {
    /// The hash that a name without one is checked against; always the same for a name as long as the sample is.
    /// `point` is a number that follows from the name alone.
    pub fn decoy(&self, point: u64) -> Option<&Phc> {
        let is_unlike = u128::from(point) * u128::from(self.total) < u128::from(self.unlike) << 64;
        let place = usize::try_from(point >> 8).unwrap_or_default().checked_rem(self.some.len())?;
        self.some.get(place).filter(|_| is_unlike)
    }
}
