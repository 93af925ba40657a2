//! Logs, on the standard error stream: text on a terminal, one JSON object a line otherwise. One event is one line,
//! whatever the values in it are (case SEC-168).

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    borrow::Cow,
    fmt,
    io::{self, IsTerminal, Write},
};

use tracing::{Subscriber, field::Field, subscriber::set_global_default};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    field::MakeExt,
    fmt::{FormatFields, MakeWriter, format, format::Writer, layer},
    layer::SubscriberExt,
    registry::LookupSpan,
};

use crate::config::{
    Log, LogFormat,
    error::{misleads, printable},
};

/// The server's log, as the settings want it. A panic becomes an event like every other.
pub fn for_server(log: &Log) {
    let terminal = io::stderr().is_terminal();
    let filter = EnvFilter::new(filter(&log.level));
    // It fails when there is a subscriber already, as a test may have.
    let _ = match is_for_people(log) {
        false => set_global_default(Registry::default().with(filter).with(machines(io::stderr))),
        true => set_global_default(Registry::default().with(filter).with(people(io::stderr, terminal))),
    };
    std::panic::set_hook(Box::new(|panic| {
        let trace = Backtrace::capture();
        let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
        let place = panic.location().map(ToString::to_string);
        let said = panic.payload_as_str().unwrap_or("a panic");
        tracing::error!(place, backtrace = trace, "a defect: {said}");
    }));
}

/// Whether people read the standard error stream, and no machine gathers it.
pub fn is_for_people(log: &Log) -> bool {
    match log.format {
        LogFormat::Json => false,
        LogFormat::Text => true,
        LogFormat::Auto => io::stderr().is_terminal(),
    }
}

/// Commands say what they did themselves; only warnings are worth more lines.
pub fn for_commands() {
    let filter = EnvFilter::new("warn");
    let _ = set_global_default(Registry::default().with(filter).with(people(io::stderr, io::stderr().is_terminal())));
}

/// A bare level is about us. What others log below a warning can hold what we never would, such as a request's
/// headers (case SEC-167); who wants it names them: `info,hyper=debug`.
pub fn filter(level: &str) -> String {
    let parts: Vec<&str> = level.split(',').map(str::trim).collect();
    let quiet = |part: &str| matches!(part, "off" | "error" | "warn");
    let expand = |part: &&str| match *part {
        part if part.contains('=') || quiet(part) => part.to_owned(),
        level => format!("warn,signet={level}"),
    };
    parts.iter().map(expand).collect::<Vec<_>>().join(",")
}

/// Lines for people.
pub fn people<S, W>(sink: W, terminal: bool) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    let lines = layer().fmt_fields(fields()).with_writer(sink);
    // On a terminal NO_COLOR decides.
    if terminal { lines } else { lines.with_ansi(false) }
}

/// One JSON object a line.
pub fn machines<S, W>(sink: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    layer().json().flatten_event(true).with_span_list(false).with_writer(Escaped(sink))
}

/// `message name=value …`, with no character that could end the line or steer the terminal.
fn fields() -> impl for<'w> FormatFields<'w> + 'static {
    let field = |out: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug| {
        let value = printable(&format!("{value:?}"));
        match field.name() {
            "message" => write!(out, "{value}"),
            name => write!(out, "{name}={value}"),
        }
    };
    format::debug_fn(field).delimited(" ")
}

/// JSON leaves characters in texts that steer terminals or change the direction of reading; here they are escaped.
struct Escaped<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Escaped<W> {
    type Writer = Escaped<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Escaped(self.0.make_writer())
    }
}

impl<W: Write> Write for Escaped<W> {
    /// Gets one event at a time.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = match event.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
            true => Cow::Borrowed(event),
            false => Cow::Owned(escaped(&String::from_utf8_lossy(event)).into_bytes()),
        };
        self.0.write_all(&line)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Outside of texts JSON has no such character, so `\u` is right wherever one stands (RFC 8259 §7).
fn escaped(event: &str) -> String {
    let mut line = String::with_capacity(event.len() + 16);
    for c in event.chars() {
        if c != '\n' && misleads(c) {
            line.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            line.push(c);
        }
    }
    line
}
