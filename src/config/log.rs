//! `[log]`: what the server says of its work, and how.
use tracing_subscriber::EnvFilter;

use super::{
    parse::word,
    setting::{Fallback, Fault, Given, Parsed, section, words},
};

section! {
    /// The log, on the standard error stream.
    pub struct Log at "log." {
        /// `text` for people, `json` for machines, `auto`: text on a terminal, JSON otherwise. Default: auto.
        format: LogFormat = Fallback::Fixed("auto"), word;
        /// A level (`error`, `warn`, `info`, `debug`, `trace`, `off`), or a list like "info,signet=debug". Default: info.
        level: String = Fallback::Fixed("info"), filter;
    }
}

words! {
    /// How log lines are written.
    pub enum LogFormat {
        /// Text on a terminal, JSON otherwise.
        Auto = "auto",
        /// For people.
        Text = "text",
        /// For machines: one object a line.
        Json = "json",
    }
}

/// A bare word that is no level would silence everything else without a word; it is always a slip.
fn filter(given: &Given<'_>) -> Parsed<String> {
    const REMEDY: &str = "write a level (error, warn, info, debug, trace, off) or a list like \"info,signet=debug\"";
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let text = given.value.as_str().ok_or_else(|| Fault::new("the value is not a text", REMEDY))?;
    let unclear = text.split(',').map(str::trim).any(|directive| match directive.rsplit_once('=') {
        Some((target, level)) => target.is_empty() || !LEVELS.contains(&level),
        None => !LEVELS.contains(&directive),
    });
    if unclear || text.chars().any(char::is_control) || EnvFilter::builder().parse(text).is_err() {
        return Err(Fault::new("the value is not a filter of log levels", REMEDY));
    }
    Ok(text.to_owned())
}
