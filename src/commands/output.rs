//! How answers look: text for people, JSON for scripts. Secrets pass here once, right after they were made.

use std::io::{self, Write};

use clap::Args;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::failure::Failure;
use crate::config::error::printable;

/// What the answer is for.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Format {
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

impl Format {
    /// # Errors
    /// When the answer cannot be written.
    pub fn print(self, json: &Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { print(&format!("{json}\n")) } else { print(&text()) }
    }
}

/// # Errors
/// When the answer cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader has seen enough, as `head` has.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| {
            Failure::failed(format!(
                "the answer cannot be written to the standard output: {error}; what was asked was done"
            ))
        }),
    }
}

/// For whoever sits before a local server, beside its log: mails that are not sent, with their links. The log never has
/// them (case SEC-167), which is why this is not an event of it.
pub fn tell(lines: &str) {
    let mut errors = io::stderr().lock();
    for line in lines.lines() {
        // Without a standard error stream there is the page.
        let _ = writeln!(errors, "{}", printable(line));
    }
}

/// RFC 3339, in UTC.
pub fn utc(at: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(at).ok();
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| at.to_string())
}

/// The same, or a dash.
pub fn utc_or_dash(at: Option<i64>) -> String {
    at.map_or_else(|| "-".to_owned(), utc)
}

/// A name and its value on each line.
pub fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    columns(pairs.into_iter().map(|(name, value)| [name.to_owned(), value]))
}

/// Rows under one another. Values from the database are made harmless to terminals.
pub fn columns<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().map(|row| row.map(|cell| printable(&cell))).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let line: String = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
