//! `[lifetimes]`: how long things live.
use super::{
    parse::{Seconds, seconds},
    reader::Reader,
    setting::{Fallback, section},
};

const MINUTE: u32 = Seconds::MINUTE;
const HOUR: u32 = Seconds::HOUR;
const DAY: u32 = Seconds::DAY;

section! {
    /// How long things live: a number of seconds, or a text like "90s", "10m", "1h", "14d".
    pub struct Lifetimes at "lifetimes." {
        /// An authorization code, from its making to its redemption (RFC 6749 §4.1.2). At most 60s. Default: 60s.
        code: Seconds = Fallback::Fixed("60s"), seconds(1, 60);
        /// An access token. At most 1h. Default: 10m.
        access_token: Seconds = Fallback::Fixed("10m"), seconds(1, HOUR);
        /// An ID token. At most 1h. Default: 10m.
        id_token: Seconds = Fallback::Fixed("10m"), seconds(1, HOUR);
        /// A refresh token that is not used. At most 365d, and not longer than `refresh_absolute`. Default: 14d.
        refresh_idle: Seconds = Fallback::Fixed("14d"), seconds(MINUTE, 365 * DAY);
        /// A line of refresh tokens, however often they are used. At most 365d. Default: 90d.
        refresh_absolute: Seconds = Fallback::Fixed("90d"), seconds(MINUTE, 365 * DAY);
        /// How long the refresh token that was just used still gives the same successor, for a client that lost the
        /// answer or has two tabs. At most 60s. Default: 10s.
        refresh_grace: Seconds = Fallback::Fixed("10s"), seconds(0, 60);
        /// A sign-in in a browser that is not used. Not longer than `session_absolute`. Default: 1h.
        session_idle: Seconds = Fallback::Fixed("1h"), seconds(MINUTE, 30 * DAY);
        /// A sign-in in a browser, however much it is used. At most 30d. Default: 24h.
        session_absolute: Seconds = Fallback::Fixed("24h"), seconds(MINUTE, 30 * DAY);
        /// The way through the pages, from the app's request to its answer. At most 1d. Default: 30m.
        journey: Seconds = Fallback::Fixed("30m"), seconds(MINUTE, DAY);
        /// A link to a new password, in a mail. At most 24h. Default: 30m.
        reset_link: Seconds = Fallback::Fixed("30m"), seconds(5 * MINUTE, DAY);
        /// A link that confirms an address, in a mail. At most 7d. Default: 24h.
        verification_link: Seconds = Fallback::Fixed("24h"), seconds(5 * MINUTE, 7 * DAY);
    }
}

impl Lifetimes {
    /// What is renewed by use cannot outlive what is not.
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        for (idle, absolute, idle_key, absolute_key) in [
            (self.refresh_idle, self.refresh_absolute, "lifetimes.refresh_idle", "lifetimes.refresh_absolute"),
            (self.session_idle, self.session_absolute, "lifetimes.session_idle", "lifetimes.session_absolute"),
        ] {
            if idle > absolute {
                let remedy = format!("shorten it, or lengthen {absolute_key}");
                reader.refuse(idle_key, format!("it is longer than {absolute_key}, which is {absolute}"), remedy);
            }
        }
    }
}
