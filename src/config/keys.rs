//! `[keys]`: the keys that sign, and the key that seals them.
use super::{
    parse::{Seconds, optional, seconds, whole},
    reader::Reader,
    secret::{RawKey, raw_key},
    setting::{Fallback, Fault, Given, Parsed, section},
};

section! {
    /// The keys that sign, and the key that seals them.
    pub struct Keys at "keys." {
        /// The length of new RSA keys: 2048, 3072 or 4096. 2048 signs several times faster and is what RFC 7518 §3.3 asks
        /// for; 3072 suits data that must stay safe beyond 2030. Default: 2048.
        bits: u32 = Fallback::Fixed("2048"), bits;
        /// How long a new key is published before it signs, so that everybody who caches keys has it. From 1m to 30d.
        /// Default: 24h.
        announce: Seconds = Fallback::Fixed("24h"), seconds(Seconds::MINUTE, 30 * Seconds::DAY);
        /// The key that seals every secret in the database: 32 random bytes in base64. Default: the file `master.key` in
        /// the data folder, which is made at the first start. Whoever loses it loses the signing keys.
        master_key: Option<RawKey> = Fallback::Unset, optional(raw_key);
        /// The master key before this one, while it is being replaced: at the next start what it sealed is sealed anew
        /// with the current one; after that it can be dropped. Default: none.
        previous_master_key: Option<RawKey> = Fallback::Unset, optional(raw_key);
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
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.announce < Seconds::new(Seconds::DAY) {
            let message = "clients that cache keys for a day will refuse tokens after a rotation";
            reader.warn("keys.announce", message);
        }
    }
}
