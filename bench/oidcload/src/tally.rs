//! What the workers add up to.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

const SAMPLES: usize = 8;

pub struct Tally {
    pub operations: u64,
    pub errors: u64,
    pub exchanges: u64,
    pub connections: u64,
    /// In microseconds.
    pub latency: Histogram<u64>,
    /// The different errors, and how often each was.
    pub messages: BTreeMap<String, u64>,
}

impl Tally {
    pub fn new() -> Self {
        let latency = Histogram::new_with_bounds(1, 600_000_000, 3).expect("bounds that are known to be good");
        Self { operations: 0, errors: 0, exchanges: 0, connections: 0, latency, messages: BTreeMap::new() }
    }

    pub fn success(&mut self, took: Duration, exchanges: u64) {
        self.operations += 1;
        self.exchanges += exchanges;
        self.latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    pub fn failure(&mut self, message: &str) {
        self.errors += 1;
        let message: String = message.chars().take(400).collect();
        if self.messages.len() < SAMPLES || self.messages.contains_key(&message) {
            *self.messages.entry(message).or_default() += 1;
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.operations += other.operations;
        self.errors += other.errors;
        self.exchanges += other.exchanges;
        self.connections += other.connections;
        self.latency.add(&other.latency).expect("the same bounds");
        for (message, count) in &other.messages {
            *self.messages.entry(message.clone()).or_default() += count;
        }
    }

    /// The latency below which that share of the operations was, in milliseconds.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        Duration::from_micros(self.latency.value_at_quantile(share)).as_secs_f64() * 1e3
    }
}
