//! What every request shares: settings, database, clock, chance, keys. Cheap to clone.

pub mod by_line;
pub mod cache;
pub mod clock;
pub mod connection;
pub mod database;
pub mod decoys;
pub mod keys;
pub mod mailer;
pub mod moment;
pub mod open;
pub mod outbound;
pub mod places;
pub mod public_address;
pub mod random;
pub mod readers;
pub mod recorder;
pub mod reseal;
pub mod text;
pub mod throttle;
pub mod writer;

use std::{ops::Deref, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::sync::Notify;
use uuid::Uuid;

use self::{
    cache::Cache,
    clock::Clock,
    connection::Db,
    decoys::Decoys,
    keys::Keys,
    mailer::Mailer,
    outbound::Outbound,
    places::Places,
    random::Random,
    readers::Readers,
    recorder::{Recorder, Run},
    throttle::Throttle,
    writer::Writer,
};
use crate::{
    config::Config,
    crypto::{mac::MacKey, passkey::Passkeys, password::HashPool, seal::MasterKey, secret::Secret},
    protocol::trace::{Kind, Trace},
    store::login_attempt::LoginAttempt,
};

/// The server, as its requests see it.
#[derive(Clone)]
pub struct App(Arc<Shared>);

pub struct Shared {
    pub config: Config,
    pub clock: Clock,
    pub random: Random,
    /// For reading; writes go through [`Shared::writer`].
    pub db: Db,
    pub writer: Writer,
    pub master_key: MasterKey,
    pub macs: Macs,
    pub keys: Keys,
    /// Who fetched them.
    pub readers: Readers,
    pub hashing: HashPool,
    /// None where browsers know no passkeys.
    pub passkeys: Option<Passkeys>,
    /// What unknown names are checked against.
    pub decoys: Decoys,
    pub outbound: Outbound,
    pub mailer: Mailer,
    pub cache: Cache,
    pub places: Places,
    pub recorder: Recorder<Run>,
    /// Tries to sign in.
    pub attempts: Recorder<LoginAttempt>,
    pub throttle: Throttle,
    /// Wakes whoever tells clients of logouts on this node.
    pub logouts: Arc<Notify>,
    /// Wakes whoever sends mails on this node.
    pub mails: Arc<Notify>,
}

/// Keys of our own for message authentication codes; the same on every node.
pub struct Macs {
    /// Refresh tokens are derived with it.
    pub refresh: MacKey,
    /// Form tokens and the known-device cookie.
    pub browser: MacKey,
    /// Codes that people type are kept as its tags. Derived from the one before.
    pub codes: MacKey,
    /// Pairwise subjects are derived with it (OpenID Connect Core §8.1).
    pub pairwise: MacKey,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl From<Shared> for App {
    fn from(shared: Shared) -> Self {
        App(Arc::new(shared))
    }
}

impl App {
    /// The one source of time: seconds since 1970.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// 256 fresh bits.
    pub fn secret(&self) -> Secret {
        Secret::from_bytes(self.random.bytes())
    }

    pub fn id(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.bytes()).into_uuid()
    }

    /// A fresh id that sorts by time (RFC 9562 §5.7), for rows that come and go quickly: neighbors in time are
    /// neighbors in the index, so a commit writes few pages.
    pub fn ordered_id(&self) -> Uuid {
        let milliseconds = u64::try_from(self.now()).unwrap_or_default() * 1000;
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &self.random.bytes()).into_uuid()
    }

    /// 128 fresh bits as text, for what must be unique rather than secret.
    pub fn nonce(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random.bytes::<16>())
    }

    /// Begins to follow a run.
    pub fn trace(&self, kind: Kind) -> Trace {
        Trace::new(trace_id(self.now(), self.random.bytes()), kind)
    }

    /// Keeps what a run recorded; never waits.
    pub fn record(&self, trace: Trace) {
        self.recorder.record(Run::new(trace, self.now()));
    }

    pub fn issuer(&self) -> &str {
        self.config.server.issuer.as_str()
    }

    /// An address under the issuer; `path` begins with `/`.
    pub fn url(&self, path: &str) -> String {
        self.config.server.issuer.at(path)
    }
}

/// The time and 48 fresh bits, in letters that are hard to mistake for one another (Crockford's base 32).
/// It names a run to people and opens nothing, so it need not be hard to guess.
fn trace_id(now: i64, bytes: [u8; 6]) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let time = u128::from(u32::try_from(now).unwrap_or(u32::MAX));
    let number = bytes.iter().fold(time, |number, byte| number << 8 | u128::from(*byte));
    (0..16).rev().map(|i| char::from(LETTERS[(number >> (5 * i) & 31) as usize])).collect()
}
