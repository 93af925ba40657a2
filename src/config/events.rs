//! `[events]`: the traces of each run, which `signet trace` shows.
use super::{
    parse::{Seconds, seconds, whole},
    setting::{Fallback, section},
};

section! {
    /// What is remembered of each run.
    pub struct Events at "events." {
        /// How long. From 1h to 90d. Default: 7d.
        keep: Seconds = Fallback::Fixed("7d"), seconds(Seconds::HOUR, 90 * Seconds::DAY);
        /// The most runs that are kept, whatever their age; the oldest go first. From 1000 to 1000000000. Default: 1000000.
        most: u32 = Fallback::Fixed("1000000"), whole(1000..=1_000_000_000);
    }
}
