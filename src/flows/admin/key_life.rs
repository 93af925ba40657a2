//! OpenID Connect Core §10.1.1 and §10.2.1: how keys go from announced to signing, to retired, to removed. Pure: given
//! the keys, the time, and which keys every server has read, the rows as they have to be.

use crate::{
    app::keys::opens,
    config::Keys,
    store::signing_key::{SigningKey, State},
};

/// No token lives longer (decision D2), whatever the settings were when it was signed.
const LONGEST_TOKEN: i64 = 3600;
/// Relying parties' clocks may be a minute off.
const CLOCKS: i64 = 60;
/// A server that stopped at the wrong moment signs with the old key until it reads the keys again, and the others
/// change over without it after so many seconds.
pub const GONE_AFTER: i64 = 30;

/// How long a key is of use after the next one has taken over: until the last token that it can have signed has expired.
/// What others encrypt for it they do for as long as they may keep a published key, which is as long as we announce one.
pub fn overlap(algorithm: &str, settings: &Keys) -> i64 {
    let kept = if opens(algorithm) { settings.announce.get() } else { 0 };
    kept + LONGEST_TOKEN + CLOCKS + GONE_AFTER
}

/// When a key begins to work that all servers have read `now`.
///
/// A key that could be read everywhere only late, say because a server did not reach the database, has been missing
/// from some answers until now, and these may be kept for a while.
fn start(key: &SigningKey, settings: &Keys, now: i64) -> i64 {
    if opens(&key.algorithm) {
        return now;
    }
    let announced = (key.signs_from - key.created_at).clamp(0, settings.kept().get());
    key.signs_from.max(now + announced)
}

/// The keys whose rows have to change, each with what it becomes. `keys` are the newest first.
pub fn changes<'a>(
    keys: &'a [SigningKey],
    settings: &Keys,
    is_everywhere: impl Fn(&SigningKey) -> bool,
    now: i64,
) -> Vec<(&'a SigningKey, SigningKey)> {
    let mut next = keys.to_vec();
    for key in &mut next {
        let waits = key.agreed_at.is_none() && !matches!(key.state(now), State::Retired | State::Removed);
        if waits && is_everywhere(key) {
            key.signs_from = start(key, settings, now);
            key.agreed_at = Some(now);
        }
    }
    for at in 0..next.len() {
        let (newer, older) = next.split_at_mut(at);
        // What has ended stays ended.
        let Some(key) = older.first_mut().filter(|key| key.retired_at.is_none_or(|at| at > now)) else { continue };
        let successors = newer.iter().filter(|other| other.algorithm == key.algorithm && other.agreed_at.is_some());
        let retired_at = successors.map(|other| other.signs_from).min();
        if retired_at != key.retired_at {
            key.retired_at = retired_at;
            key.removed_at = retired_at.map(|at| at + overlap(&key.algorithm, settings));
        }
    }
    keys.iter().zip(next).filter(|(old, new)| *old != new).collect()
}
