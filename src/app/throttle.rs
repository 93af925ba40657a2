//! NIST SP 800-63B-4 §3.2.2, decision D6: whoever guesses waits longer each time; it passes by itself.
//! In memory, so each node counts for itself.

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::protocol::{Code, Error, Result, rule, trace::Shown};

/// Failures that cost nothing.
const FREE: u32 = 4;
/// The longest wait, in seconds.
const LONGEST: i64 = 15 * 60;
/// A counter that rests this long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// What guesses are counted against.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// An IPv4 address or an IPv6 /64.
    Address(IpAddr),
    /// A user name or e-mail address as it was typed, known or not, so that both answer alike.
    Account(String),
    /// The same at a browser that has signed in to the account before (K11): strangers cannot lock it out.
    KnownDevice(String, String),
    /// The second factors of a person. A right password does not reset it (case SEC-125).
    SecondFactor(Uuid),
    /// The same at a browser that has signed in to the account before: who knows the password elsewhere cannot lock it
    /// out.
    KnownSecondFactor(Uuid, String),
    /// A client and the address that speaks for it.
    Client(String, IpAddr),
    /// The set-up page.
    SetUp(IpAddr),
    /// Clients that register themselves from there.
    Registration(IpAddr),
    /// What makes this server send mail.
    Mails(IpAddr),
    /// Passkeys that did not open anything.
    Passkeys(IpAddr),
    /// Sign-ins by a provider that came to nothing. Wrong passwords of somebody else at the same address keep nobody from
    /// signing in so.
    Provider(IpAddr),
    /// Logout tokens that were no provider's.
    LogoutToken(IpAddr),
    /// Links that did not work.
    Link(IpAddr),
    /// Names and numbers that a person asked for and somebody else has.
    Names(Uuid),
}

/// How long somebody waits before their next try counts, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    pub seconds: i64,
    pub locked: Locked,
}

/// What has failed too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// The account, or a name that nobody has.
    Account,
    /// Whoever tries from there.
    Address,
}

impl Wait {
    /// `429`, with the seconds to wait.
    pub fn refusal(self) -> Error {
        Code::TooManyRequests
            .because("too many failed attempts; wait before the next")
            .under(&rule::THROTTLE)
            .received(Shown::number(self.seconds))
            .retry_after(self.seconds)
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
    /// Somebody was told that this waits. An attack that goes on is no news.
    told: bool,
}

/// How many tries of those who wait are kept in a minute, of all together: a storm must not fill the disk.
const KEPT_A_MINUTE: usize = 60;

/// A place among those who try for one account at this moment.
pub struct Turn(#[expect(dead_code, reason = "it is given back when it is dropped")] Option<OwnedSemaphorePermit>);

/// How long somebody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(2);

pub struct Throttle {
    failures: Option<Cache<Key, Failures>>,
    /// Who tries for an account at this moment.
    turns: Cache<Key, Arc<Semaphore>>,
    /// A minute, and the tries that were kept of it.
    kept: Mutex<(i64, HashSet<[Key; 2]>)>,
}

impl Throttle {
    /// `on = false`: nothing is counted, for benchmarks and certification.
    pub fn new(on: bool) -> Self {
        let cache = || Cache::builder().max_capacity(100_000).time_to_idle(FORGOTTEN).build();
        let turns = Cache::builder().max_capacity(100_000).time_to_idle(Duration::from_secs(60)).build();
        Throttle { failures: on.then(cache), turns, kept: Mutex::default() }
    }

    /// Whoever has failed before is judged one try after another, so that many at once get no more tries than one would:
    /// a failure counts before the next is looked at. None for who has waited for too long.
    pub async fn turn(&self, key: &Key, now: i64) -> Option<Turn> {
        let Some(failures) = &self.failures else { return Some(Turn(None)) };
        let has_failed = failures.get(key).is_some_and(|failed| decayed(failed, now) > 0);
        let turns = self.turns.get_with_by_ref(key, || Arc::new(Semaphore::new(FREE as usize)));
        let places = if has_failed { FREE } else { 1 };
        let turn = tokio::time::timeout(PATIENCE, turns.acquire_many_owned(places)).await;
        Some(Turn(Some(turn.ok()?.ok()?)))
    }

    /// # Errors
    /// `429` with the seconds to wait, when one of the keys has failed too often.
    pub fn check(&self, keys: &[Key], now: i64) -> Result<()> {
        self.wait(keys, now).map_or(Ok(()), |wait| Err(wait.refusal()))
    }

    /// The longest of the waits, if one of the keys has failed too often.
    pub fn wait(&self, keys: &[Key], now: i64) -> Option<Wait> {
        let failures = self.failures.as_ref()?;
        let of = |key: &Key| {
            let failed = failures.get(key)?;
            let seconds = failed.last + delay(failed, key) - now;
            (seconds > 0).then_some(Wait { seconds, locked: key.locks() })
        };
        keys.iter().filter_map(of).max_by_key(|wait| (wait.seconds, wait.locked == Locked::Account))
    }

    /// True when an account waits from now on that did not before.
    pub fn failed(&self, keys: &[Key], now: i64) -> bool {
        let Some(failures) = &self.failures else { return false };
        let mut is_news = false;
        for key in keys {
            failures.entry(key.clone()).and_upsert_with(|old| {
                let old = old.map(moka::Entry::into_value);
                let count = old.map_or(0, |old| decayed(old, now));
                let told = count > 0 && old.is_some_and(|old| old.told);
                let failed = Failures { count: count.saturating_add(1), last: now, told };
                let waits = key.locks() == Locked::Account && delay(failed, key) > 0;
                is_news |= waits && !told;
                Failures { told: told || waits, ..failed }
            });
        }
        is_news
    }

    pub fn succeeded(&self, keys: &[Key]) {
        if let Some(failures) = &self.failures {
            for key in keys {
                failures.invalidate(key);
            }
        }
    }

    /// Whether a try of somebody who waits is worth keeping: one a minute for each account and address, and not too many
    /// of all.
    pub fn is_kept(&self, keys: &[Key; 2], now: i64) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now / 60;
        if kept.0 != minute {
            *kept = (minute, HashSet::new());
        }
        kept.1.len() < KEPT_A_MINUTE && kept.1.insert(keys.clone())
    }
}

impl Key {
    fn locks(&self) -> Locked {
        match self {
            Key::Account(_) | Key::KnownDevice(..) | Key::SecondFactor(_) | Key::KnownSecondFactor(..) => {
                Locked::Account
            }
            _ => Locked::Address,
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
    let is_shared = matches!(
        key,
        Key::Address(_)
            | Key::Registration(_)
            | Key::Mails(_)
            | Key::Passkeys(_)
            | Key::Provider(_)
            | Key::LogoutToken(_)
    );
    let free = if is_shared { FREE * 10 } else { FREE };
    match failed.count.checked_sub(free) {
        None | Some(0) => 0,
        Some(over) => (1_i64 << over.min(20)).min(LONGEST),
    }
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
