//! `[events]`: the traces of each run, which `signet trace` shows.
use super::{
    parse::{Seconds, seconds},
    setting::{Fallback, section},
};

section! {
    /// What is remembered of each run.
    pub struct Events at "events." {
        /// How long. From 1h to 90d. Default: 7d.
        keep: Seconds = Fallback::Fixed("7d"), seconds(Seconds::HOUR, 90 * Seconds::DAY);
    }
}
