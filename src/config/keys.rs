//! `[keys]`: the keys that sign, and the key that seals them.
use serde_json::Value;

use super::{
    parse::{Seconds, optional, seconds, whole},
    reader::Reader,
    secret::{RawKey, raw_key},
    setting::{Fallback, Fault, Given, Parsed, Shown, section},
};

section! {
    /// The keys that sign, and the key that seals them.
    pub struct Keys at "keys." {
        /// The length of new RSA keys: 2048, 3072 or 4096. 2048 signs several times faster and is what RFC 7518 §3.3 asks
        /// for; 3072 suits data that must stay safe beyond 2030. Default: 2048.
        bits: u32 = Fallback::Fixed("2048"), bits;
        /// How long a new key is published before it signs, so that everybody who caches keys has it. From 10s to 30d.
        /// Default: 24h.
        announce: Seconds = Fallback::Fixed("24h"), seconds(10, 30 * Seconds::DAY);
        /// How long a key signs before the server replaces it by itself: longer than `announce`, at most 3650d, or "off".
        /// Default: 90d.
        rotate_after: Period = Fallback::Fixed("90d"), period(Seconds::MINUTE, 3650 * Seconds::DAY);
        /// The key that seals every secret in the database: 32 random bytes in base64. Default: the file `master.key` in
        /// the data folder, which is made at the first start. Whoever loses it loses the signing keys.
        master_key: Option<RawKey> = Fallback::Unset, optional(raw_key);
        /// The master key before this one, while it is being replaced: at the next start what it sealed is sealed anew
        /// with the current one; after that it can be dropped. Default: none.
        previous_master_key: Option<RawKey> = Fallback::Unset, optional(raw_key);
    }
}

/// A span of time, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(Option<Seconds>);

impl Period {
    /// In seconds.
    pub fn get(self) -> Option<i64> {
        self.0.map(Seconds::get)
    }
}

impl Shown for Period {
    fn show(&self) -> Value {
        self.0.map_or_else(|| "off".into(), |seconds| seconds.show())
    }
}

fn period(shortest: u32, longest: u32) -> impl Fn(&Given<'_>) -> Parsed<Period> {
    move |given| match given.value.as_str() {
        Some("off") => Ok(Period(None)),
        _ => match seconds(shortest, longest)(given) {
            Ok(seconds) => Ok(Period(Some(seconds))),
            Err(fault) => Err(Fault { remedy: format!("{}, or \"off\"", fault.remedy), ..fault }),
        },
    }
}

fn bits(given: &Given<'_>) -> Parsed<u32> {
    const REMEDY: &str = "use 2048, 3072 or 4096";
    match whole(0..=u32::MAX)(given) {
        Ok(bits @ (2048 | 3072 | 4096)) => Ok(bits),
        _ => Err(Fault::new("the value is not a length that Signet makes keys of", REMEDY)),
    }
}

impl Keys {
    /// How long apps may keep the published keys without asking again (case SEC-061): so much shorter than a key is
    /// announced that all of them ask in between, and than a retired one is published.
    pub fn kept(&self) -> Seconds {
        const AT_MOST: u32 = 300;
        Seconds::new((self.announce.duration().as_secs() / 2).try_into().unwrap_or(AT_MOST).min(AT_MOST))
    }

    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.announce < Seconds::new(Seconds::DAY) {
            let message = "clients that cache keys for a day will refuse tokens after a rotation";
            reader.warn("keys.announce", message);
        }
        if self.rotate_after.get().is_some_and(|after| after <= self.announce.get()) {
            let problem = format!("it is not longer than keys.announce, which is {}", self.announce);
            reader.refuse("keys.rotate_after", problem, "lengthen it, shorten keys.announce, or use \"off\"");
        }
    }
}
