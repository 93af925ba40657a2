//! RFC 7519 §2: a NumericDate, as strangers write it.

use serde_json::Value;

/// The end of the year 9999: later dates are mistakes (milliseconds) or attacks (1e300).
const LAST: i64 = 253_402_300_799;

/// Whole seconds; none for anything that is no date of our era. Hostile numbers are refused, not converted.
pub fn read(value: &Value) -> Option<i64> {
    let seconds = match value.as_i64() {
        Some(whole) => whole,
        None => {
            let seconds = value.as_f64()?;
            #[expect(clippy::cast_possible_truncation, reason = "range checked in the same expression")]
            (0.0..=LAST as f64).contains(&seconds).then_some(seconds as i64)?
        }
    };
    (0..=LAST).contains(&seconds).then_some(seconds)
}
