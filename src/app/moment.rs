//! Points and spans of time, as pages and mails write them.

use time::OffsetDateTime;

use super::text::Texts;

const MONTHS: [&str; 12] = [
    "date.january",
    "date.february",
    "date.march",
    "date.april",
    "date.may",
    "date.june",
    "date.july",
    "date.august",
    "date.september",
    "date.october",
    "date.november",
    "date.december",
];

/// The two ways to write a time: for machines (`<time datetime>`) and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub machine: String,
    pub words: String,
}

impl Moment {
    /// Of seconds since 1970; nothing for a number that is no date.
    pub fn of(texts: &Texts, seconds: i64) -> Option<Self> {
        let at = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        let clock = format!("{:02}:{:02}", at.hour(), at.minute());
        let month = usize::from(u8::from(at.month())) - 1;
        let day = if at.day() == 1 { texts.get("date.first").to_owned() } else { at.day().to_string() };
        let year = at.year().to_string();
        let values = [("day", day.as_str()), ("month", texts.get(MONTHS[month])), ("year", &year), ("clock", &clock)];
        Some(Self {
            machine: format!("{:04}-{:02}-{:02}T{clock}:{:02}Z", at.year(), month + 1, at.day(), at.second()),
            words: texts.with("date.pattern", &values),
        })
    }
}

/// A span of time in words; never fewer than two of a unit, so that no language needs a singular.
pub fn span(texts: &Texts, seconds: u64) -> String {
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;
    let say = |key, number: u64| texts.with(key, &[("number", &number.to_string())]);
    match seconds {
        0..120 => say("time.seconds", seconds.max(2)),
        120..7200 => say("time.minutes", seconds.div_ceil(60)),
        _ if seconds >= 2 * DAY && seconds.is_multiple_of(DAY) => say("time.days", seconds / DAY),
        _ => say("time.hours", seconds.div_ceil(HOUR)),
    }
}
