//! Reads single values. Everything can be a text, because the environment and flags have nothing else.
use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use serde_json::Value;

use super::{
    error::misleads,
    setting::{Fault, Given, Parsed, Secrecy, Shown},
};

/// A span of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(u32);

impl Seconds {
    pub const MINUTE: u32 = 60;
    pub const HOUR: u32 = 60 * Self::MINUTE;
    pub const DAY: u32 = 24 * Self::HOUR;

    pub const fn new(seconds: u32) -> Self {
        Self(seconds)
    }

    /// As the clock counts.
    pub fn get(self) -> i64 {
        self.0.into()
    }

    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = [(Self::DAY, 'd'), (Self::HOUR, 'h'), (Self::MINUTE, 'm')];
        match units.into_iter().find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit)) {
            Some((unit, letter)) => write!(f, "{}{letter}", self.0 / unit),
            None => write!(f, "{}s", self.0),
        }
    }
}

impl Shown for Seconds {
    fn show(&self) -> Value {
        self.to_string().into()
    }
}

/// A setting that is one of a few words; made by `words!`.
pub trait Word: Copy + 'static {
    const ALL: &'static [Self];
    fn word(self) -> &'static str;
}

/// One of the words of `W`.
pub fn word<W: Word>(given: &Given<'_>) -> Parsed<W> {
    let found = given.value.as_str().and_then(|text| W::ALL.iter().find(|choice| choice.word() == text));
    found.copied().ok_or_else(|| {
        let words: Vec<_> = W::ALL.iter().map(|choice| format!("\"{}\"", choice.word())).collect();
        Fault::new("the value is not one of the known words", format!("use {}", words.join(" or ")))
    })
}

/// `true` or `false`, also as the words `on` and `off`.
pub fn switch(given: &Given<'_>) -> Parsed<bool> {
    match given.value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if matches!(text.as_str(), "on" | "true") => Ok(true),
        Value::String(text) if matches!(text.as_str(), "off" | "false") => Ok(false),
        _ => Err(Fault::new("the value is neither on nor off", "use true or false")),
    }
}

/// One line of text, at most `longest` characters, with nothing invisible in it.
pub fn text(longest: usize) -> impl Fn(&Given<'_>) -> Parsed<String> {
    move |given| {
        let value = given.value.as_str().ok_or_else(|| Fault::new("the value is not a text", "put it in quotes"))?;
        if value.trim().is_empty() {
            return Err(Fault::new("the value is empty", "give a text, or leave the key out"));
        }
        if value.trim() != value || value.chars().any(misleads) {
            return Err(Fault::new("the value has control characters, or spaces around it", "remove them"));
        }
        match value.chars().count() {
            length if length > longest => {
                Err(Fault::new(format!("the value has {length} characters"), format!("use at most {longest}")))
            }
            _ => Ok(value.to_owned()),
        }
    }
}

/// A whole number within bounds.
pub fn whole(bounds: RangeInclusive<u32>) -> impl Fn(&Given<'_>) -> Parsed<u32> {
    move |given| {
        let remedy = format!("use a whole number from {} to {}", bounds.start(), bounds.end());
        let number = number(given.value).ok_or_else(|| Fault::new("the value is not a whole number", &*remedy))?;
        match u32::try_from(number) {
            Ok(number) if bounds.contains(&number) => Ok(number),
            _ if number < i64::from(*bounds.start()) => Err(Fault::new("the value is too small", remedy)),
            _ => Err(Fault::new("the value is too large", remedy)),
        }
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A span of time within bounds, both in seconds: `"90s"`, `"10m"`, `"1h"`, `"14d"`, or a number of seconds.
pub fn seconds(shortest: u32, longest: u32) -> impl Fn(&Given<'_>) -> Parsed<Seconds> {
    move |given| {
        let range = format!("from {} to {}", Seconds(shortest), Seconds(longest));
        let unclear = || {
            Fault::new("the value is not a span of time", format!("write \"90s\", \"10m\", \"1h\" or \"14d\", {range}"))
        };
        let seconds = number(given.value)
            .filter(|number| *number >= 0)
            .or_else(|| span(given.value.as_str()?))
            .ok_or_else(unclear)?;
        match u32::try_from(seconds) {
            Ok(seconds) if (shortest..=longest).contains(&seconds) => Ok(Seconds(seconds)),
            _ if seconds < i64::from(shortest) => Err(Fault::new("the time is too short", format!("use {range}"))),
            _ => Err(Fault::new("the time is too long", format!("use {range}"))),
        }
    }
}

fn span(text: &str) -> Option<i64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => Seconds::MINUTE,
        "h" => Seconds::HOUR,
        "d" => Seconds::DAY,
        _ => return None,
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Digits that do not fit are a time that is too long, not one that cannot be read.
    (!digits.is_empty()).then(|| digits.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(unit.into()))
}

/// A path, from the folder of whoever said it.
pub fn path(given: &Given<'_>) -> Parsed<PathBuf> {
    match given.value.as_str() {
        None => Err(Fault::new("the value is not a path", "put it in quotes")),
        Some("") => Err(Fault::new("the path is empty", "give a path, or leave the key out")),
        Some(text) if text.contains('\0') => Err(Fault::new("the path has a NUL character", "remove it")),
        Some(text) => Ok(under(given.base, text)),
    }
}

/// `text` as seen from `base`.
pub fn under(base: &Path, text: &str) -> PathBuf {
    base.join(text.strip_prefix("./").filter(|rest| !rest.is_empty() && !rest.starts_with('/')).unwrap_or(text))
}

/// A list of values, or one text with commas.
pub fn list<T>(item: impl Fn(&Given<'_>) -> Parsed<T>) -> impl Fn(&Given<'_>) -> Parsed<Vec<T>> {
    move |given| {
        let values = match given.value {
            Value::Array(values) => values.clone(),
            Value::String(text) if text.trim().is_empty() => Vec::new(),
            Value::String(text) => text.split(',').map(|part| part.trim().into()).collect(),
            _ => return Err(Fault::new("the value is not a list", "write [\"one\", \"two\"]")),
        };
        let read = |(index, value)| {
            let given = Given { value, base: given.base };
            item(&given).map_err(|fault| Fault { problem: format!("item {}: {}", index + 1, fault.problem), ..fault })
        };
        values.iter().enumerate().map(read).collect()
    }
}

/// A setting that may be left out.
pub fn optional<T>(inner: impl Fn(&Given<'_>) -> Parsed<T>) -> impl Fn(&Given<'_>) -> Parsed<Option<T>> {
    move |given| inner(given).map(Some)
}

/// A network, or one address.
pub fn network(given: &Given<'_>) -> Parsed<IpNet> {
    let text = given.value.as_str().unwrap_or_default();
    let network = text.parse().or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)));
    network.map_err(|_| Fault::new("this is not a network", "write \"10.0.0.0/8\", \"fd00::/8\" or a single address"))
}

impl Shown for String {
    fn show(&self) -> Value {
        self.as_str().into()
    }
}

impl Shown for bool {
    fn show(&self) -> Value {
        (*self).into()
    }
}

impl Shown for u32 {
    fn show(&self) -> Value {
        (*self).into()
    }
}

impl Shown for PathBuf {
    fn show(&self) -> Value {
        self.to_string_lossy().into()
    }
}

impl Shown for IpNet {
    fn show(&self) -> Value {
        self.to_string().into()
    }
}

impl Shown for Value {
    fn show(&self) -> Value {
        self.clone()
    }
}

impl<T: Shown> Shown for Vec<T> {
    const SECRECY: Secrecy = T::SECRECY;

    fn show(&self) -> Value {
        self.iter().map(Shown::show).collect()
    }
}

impl<T: Shown> Shown for Option<T> {
    const SECRECY: Secrecy = T::SECRECY;

    fn show(&self) -> Value {
        self.as_ref().map_or(Value::Null, Shown::show)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}
