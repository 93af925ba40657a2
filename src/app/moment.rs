//! A point in time, as a page writes it.

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
