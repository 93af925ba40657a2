//! NIST SP 800-63B-4 §3.2.2, decision D6: whoever guesses waits longer each time; it passes by itself.
//! In memory, so each node counts for itself.

use std::net::IpAddr;

use moka::sync::Cache;

use crate::protocol::{Code, Error, Result, rule, trace::Shown};

/// Failures that cost nothing.
const FREE: u32 = 4;
/// The longest wait, in seconds.
const LONGEST: i64 = 15 * 60;
/// A counter that rests this long is forgotten.
const FORGOTTEN: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// What guesses are counted against.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// An IPv4 address or an IPv6 /64.
    Address(IpAddr),
    /// A user name or e-mail address as it was typed, known or not, so that both answer alike.
    Account(String),
    /// The same at a browser that has signed in to the account before (K11): strangers cannot lock it out.
    KnownDevice(String, String),
    /// A client and the address that speaks for it.
    Client(String, IpAddr),
    /// The set-up page.
    SetUp(IpAddr),
    /// Clients that register themselves from there.
    Registration(IpAddr),
    /// What makes this server send mail.
    Mails(IpAddr),
    /// Links that did not work.
    Link(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
}

pub struct Throttle {
    failures: Option<Cache<Key, Failures>>,
}

impl Throttle {
    /// `on = false`: nothing is counted, for benchmarks and certification.
    pub fn new(on: bool) -> Self {
        let cache = || Cache::builder().max_capacity(100_000).time_to_idle(FORGOTTEN).build();
        Throttle { failures: on.then(cache) }
    }

    /// # Errors
    /// `429` with the seconds to wait, when one of the keys has failed too often.
    pub fn check(&self, keys: &[Key], now: i64) -> Result<()> {
        let Some(failures) = &self.failures else { return Ok(()) };
        let wait = keys.iter().filter_map(|key| failures.get(key).map(|failed| failed.last + delay(failed, key) - now));
        match wait.max() {
            Some(seconds) if seconds > 0 => Err(too_many(seconds)),
            _ => Ok(()),
        }
    }

    pub fn failed(&self, keys: &[Key], now: i64) {
        let Some(failures) = &self.failures else { return };
        for key in keys {
            failures.entry(key.clone()).and_upsert_with(|old| match old {
                Some(old) => {
                    let old = old.into_value();
                    Failures { count: decayed(old, now).saturating_add(1), last: now }
                }
                None => Failures { count: 1, last: now },
            });
        }
    }

    pub fn succeeded(&self, keys: &[Key]) {
        if let Some(failures) = &self.failures {
            for key in keys {
                failures.invalidate(key);
            }
        }
    }
}

/// One failure is forgiven for each longest wait that passes without another.
fn decayed(failed: Failures, now: i64) -> u32 {
    let forgiven = u32::try_from((now - failed.last).max(0) / LONGEST).unwrap_or(u32::MAX);
    failed.count.saturating_sub(forgiven)
}

/// Doubling from the fifth failure. Addresses are shared by people, so they may fail ten times as often.
fn delay(failed: Failures, key: &Key) -> i64 {
    let free = if matches!(key, Key::Address(_) | Key::Registration(_) | Key::Mails(_)) { FREE * 10 } else { FREE };
    match failed.count.checked_sub(free) {
        None | Some(0) => 0,
        Some(over) => (1_i64 << over.min(20)).min(LONGEST),
    }
}

fn too_many(seconds: i64) -> Error {
    Code::TooManyRequests
        .because("too many failed attempts; wait before the next")
        .under(&rule::THROTTLE)
        .received(Shown::number(seconds))
        .retry_after(seconds)
}

/// The address that guesses are counted against: IPv6 by its /64, which one household has.
pub fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => std::net::Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
        },
    }
}
