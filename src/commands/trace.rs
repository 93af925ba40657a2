//! `signet trace`: why a run ended as it did, check by check (scope AD10).

use std::fmt::Write;

use clap::{Args, value_parser};
use serde_json::{Value, json};

use super::{
    failure::Failure,
    output::{self, Format, utc},
};
use crate::{
    app::App,
    config::{Config, error::printable},
    flows::admin::traces::{self, TraceEvent},
    protocol::{
        rule,
        trace::{Check, Outcome, Shown},
    },
};

#[derive(Debug, Args)]
pub struct Trace {
    /// The id that an error page, an error in JSON or the log names
    #[arg(value_name = "TRACE_ID", required_unless_present = "refused", value_parser = trace_id)]
    id: Option<String>,
    /// List the latest refusals instead
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20", conflicts_with = "id")]
    #[arg(value_parser = value_parser!(u64).range(1..=10_000))]
    refused: Option<u64>,
    #[command(flatten)]
    format: Format,
}

impl Trace {
    /// # Errors
    /// When nothing is known of the run, or the database does not answer.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let app = super::open(config).await?;
        match (self.refused, self.id) {
            (Some(most), _) => refusals(&app, most, self.format).await,
            (None, Some(id)) => timeline(&app, &id, self.format).await,
            (None, None) => Ok(()),
        }
    }
}

/// Read aloud or copied by hand, an id may come in capitals and with the letters that its alphabet leaves out
/// because they look like digits.
fn trace_id(given: &str) -> Result<String, String> {
    let id: String = given.trim().to_lowercase().replace('o', "0").replace(['i', 'l'], "1");
    if id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase() && byte != b'u') {
        return Ok(id);
    }
    Err("a trace id has 16 letters and digits, such as 0k3v9w2m7x1q8r4t".to_owned())
}

async fn timeline(app: &App, id: &str, format: Format) -> Result<(), Failure> {
    let events = traces::of(app, id).await?;
    if events.is_empty() {
        return Err(Failure::failed(format!(
            "nothing is known of the run {id} in {}; runs are written a moment after they end and kept for {} (events.keep)",
            app.config.database.url.masked(),
            app.config.events.keep,
        )));
    }
    let answer = json!({ "trace_id": id, "events": events.iter().map(as_json).collect::<Vec<_>>() });
    format.print(&answer, || events.iter().map(story).collect::<Vec<_>>().join("\n"))
}

async fn refusals(app: &App, most: u64, format: Format) -> Result<(), Failure> {
    let events = traces::refusals(app, most).await?;
    format.print(&events.iter().map(as_json).collect(), || {
        let head = ["TIME", "TRACE", "RUN", "CLIENT", "RULE", "SAID"].map(str::to_owned);
        output::columns([head].into_iter().chain(events.iter().map(refusal)))
    })
}

/// What ended the run: its last refusal.
fn refusal(event: &TraceEvent) -> [String; 6] {
    let check = event.checks().into_iter().rfind(|check| check.outcome == Outcome::Refused);
    let rule = check.as_ref().map_or("-", |check| &*check.rule).to_owned();
    let said = check.as_ref().and_then(|check| check.said.as_ref()).map_or("-", Shown::as_str).to_owned();
    let client = event.client_id.clone().unwrap_or("-".to_owned());
    [utc(event.at), event.trace_id.clone(), event.kind.clone(), client, rule, said]
}

/// When, what, for whom; then each check.
fn story(event: &TraceEvent) -> String {
    let mut text = format!("{}  {}", utc(event.at), event.kind);
    if let Some(client) = &event.client_id {
        let _ = write!(text, "  client {}", printable(client));
    }
    if let Some(user) = event.user_id {
        let _ = write!(text, "  user {user}");
    }
    text.push('\n');
    for check in event.checks() {
        text.push_str(&told(&check));
    }
    text
}

fn told(check: &Check) -> String {
    let refused = check.outcome == Outcome::Refused;
    let known = rule::named(&check.rule).filter(|_| refused);
    let shown = |value: &Option<Shown>| value.as_ref().map(|shown| shown.as_str().to_owned());
    let details = [
        ("    expected", shown(&check.expected)),
        ("    received", shown(&check.received)),
        ("    answered", shown(&check.said)),
        ("    rule", known.map(|rule| rule.source.to_owned())),
        ("    remedy", known.map(|rule| rule.remedy.to_owned())),
    ];
    let mark = if refused { '✗' } else { '✓' };
    let details = details.into_iter().filter_map(|(name, value)| Some((name, value?)));
    format!("  {mark} {}\n{}", printable(&check.rule), output::pairs(details))
}

fn as_json(event: &TraceEvent) -> Value {
    let checks: Vec<Value> = event.checks().iter().map(check_as_json).collect();
    json!({
        "trace_id": event.trace_id,
        "at": utc(event.at),
        "kind": event.kind,
        "client_id": event.client_id,
        "user_id": event.user_id,
        "refused": event.refused,
        "checks": checks,
    })
}

/// As it is stored, with what the rule says for refusals.
fn check_as_json(check: &Check) -> Value {
    let mut value = json!(check);
    if check.outcome == Outcome::Refused
        && let Some(rule) = rule::named(&check.rule)
    {
        value["source"] = rule.source.into();
        value["remedy"] = rule.remedy.into();
    }
    value
}
