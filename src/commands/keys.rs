//! `signet keys`: the keys that sign tokens, from announced to removed, and who has fetched them.

use std::io::{self, Write};

use clap::{Args, Subcommand, builder::PossibleValuesParser, value_parser};
use serde_json::{Value, json};

use super::{
    failure::Failure,
    output::{self, Format, utc, utc_or_dash},
};
use crate::{
    app::{App, keys::opens},
    config::{Config, error::printable},
    flows::admin::{
        key_status::{self, AppStatus, KeyStatus, Seen},
        keys::{self, Dropped, SigningKey},
    },
};

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// List the keys, newest first
    List(Format),
    /// Make a new key: published at once, it signs after the time of announcement
    Rotate(Rotate),
    /// Say of every app that got tokens in the last 30 days whether it has fetched the keys that sign, or will
    Status(Format),
    /// Drop a key that others may have: at once, nothing that it signed is believed any more
    Drop {
        /// The key, as `signet keys list` names it
        // One in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, Args)]
pub struct Rotate {
    /// How long to announce it; 0 signs at once, which apps that cache keys do not expect [default: keys.announce]
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(i64).range(0..=30 * 86_400))]
    announce: Option<i64>,
    /// What it signs with, or for what others encrypt for it
    #[arg(long, value_name = "ALGORITHM", default_value = keys::FIRST, value_parser = PossibleValuesParser::new(keys::algorithms()))]
    algorithm: String,
    /// Others may have the keys: sign with a new one at once, and drop all others of the algorithm at once
    #[arg(long, conflicts_with = "announce")]
    emergency: bool,
    #[command(flatten)]
    format: Format,
}

impl Keys {
    /// # Errors
    /// When the database does not answer, or there is no such key.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let app = super::open(config).await?;
        match self {
            Keys::List(format) => {
                let (keys, now) = (keys::all(&app).await?, app.now());
                let list = keys.iter().map(|key| as_json(key, now)).collect();
                format.print(&Value::Array(list), || table(&keys, now))
            }
            Keys::Rotate(rotate) => rotate.run(&app).await,
            Keys::Status(format) => status(&app, format).await,
            Keys::Drop { kid, format } => {
                let dropped = keys::drop_at_once(&app, &kid).await?;
                report(&app, &dropped, format).await
            }
        }
    }
}

impl Rotate {
    async fn run(self, app: &App) -> Result<(), Failure> {
        if self.emergency {
            let dropped = keys::replace_at_once(app, &self.algorithm).await?;
            return report(app, &dropped, self.format).await;
        }
        if opens(&self.algorithm) && self.announce.is_some() {
            let why = format!("--announce: a key for {} is published when it is used, not before", self.algorithm);
            return Err(Failure::usage(why));
        }
        warn(&key_status::behind(app, &self.algorithm).await?);
        let announce = self.announce.unwrap_or(app.config.keys.announce.get());
        let key = keys::rotate(app, &self.algorithm, announce).await?;
        self.format.print(&as_json(&key, app.now()), || made(&key))
    }
}

fn made(key: &SigningKey) -> String {
    let from = utc(key.signs_from);
    match (opens(&key.algorithm), key.agreed_at) {
        (true, None) => format!("The key {} is published once every server has read it.\n", key.kid),
        (true, Some(_)) => format!("The key {} is published; the one before it still opens.\n", key.kid),
        (false, Some(_)) => format!("The key {} is published and signs from {from}.\n", key.kid),
        (false, None) => {
            format!("The key {} is published and signs from {from}, once every server has read it.\n", key.kid)
        }
    }
}

/// Beside the answer, so that scripts can read that.
fn warn(behind: &[AppStatus]) {
    if behind.is_empty() {
        return;
    }
    let apps = behind.iter().map(|app| format!("{} ({})", app.client_id, app.seen.as_str())).collect::<Vec<_>>();
    let text = format!("the key that was announced before has not reached these apps: {}", apps.join(", "));
    // Without a standard error stream nobody would read it.
    let _ = writeln!(io::stderr(), "warning: {}", printable(&text));
}

/// What it means that keys are gone.
async fn report(app: &App, dropped: &Dropped, format: Format) -> Result<(), Failure> {
    let apps = match &dropped.successor {
        Some(key) => key_status::of(app, key).await?,
        None => Vec::new(),
    };
    let refetch: Vec<&AppStatus> = apps.iter().filter(|app| app.seen != Seen::Yes).collect();
    let json = json!({
        "dropped": dropped.kids,
        "key": dropped.successor.as_ref().map(|key| as_json(key, app.now())),
        "must_refetch": refetch.iter().map(|app| &app.client_id).collect::<Vec<_>>(),
    });
    format.print(&json, || {
        let mut text = format!(
            "Dropped on every server within 5 seconds: {}\n\
             No token that was signed with it is good any more here; people stay signed in, and refresh tokens work.\n",
            dropped.kids.join(", ")
        );
        let Some(key) = &dropped.successor else { return text };
        text.push_str(&format!(
            "The key {} is in its place.\n\
             An app that has the old keys in its cache goes on believing what others sign with them, and refuses new\n\
             tokens, until it fetches the keys again: at the latest after {}, if it does as our headers say.\n",
            key.kid,
            app.config.keys.kept()
        ));
        if !refetch.is_empty() {
            text.push_str("Make these fetch them now, by a restart if need be:\n");
            text.push_str(&app_table(refetch));
        }
        text
    })
}

async fn status(app: &App, format: Format) -> Result<(), Failure> {
    let (status, now) = (key_status::status(app).await?, app.now());
    let json = json!({
        "keys": status.keys.iter().map(|key| status_json(key, now)).collect::<Vec<_>>(),
        "servers": status.nodes.iter().map(|node| json!({ "id": node.id, "seen_at": utc(node.seen_at) })).collect::<Vec<_>>(),
    });
    format.print(&json, || status.keys.iter().map(|key| status_text(key, now)).collect::<Vec<_>>().join("\n"))
}

fn status_json(status: &KeyStatus, now: i64) -> Value {
    let mut json = as_json(&status.key, now);
    json["unread_by"] = json!(status.unread_by);
    let app = |app: &AppStatus| {
        let fetched_at = app.fetched_at.map(utc);
        json!({ "client_id": app.client_id, "name": app.name, "seen": app.seen.as_str(), "fetched_at": fetched_at })
    };
    json["apps"] = status.apps.iter().map(app).collect();
    json
}

fn status_text(status: &KeyStatus, now: i64) -> String {
    let key = &status.key;
    let mut text = format!("{} {} {}, from {}\n", key.algorithm, key.kid, key.state(now).as_str(), utc(key.signs_from));
    if !status.unread_by.is_empty() {
        text.push_str(&format!("waits for {} to read it\n", status.unread_by.join(", ")));
    }
    match status.apps.is_empty() {
        true => text.push_str("no app got tokens in the last 30 days\n"),
        false => text.push_str(&app_table(&status.apps)),
    }
    text
}

fn app_table<'a>(apps: impl IntoIterator<Item = &'a AppStatus>) -> String {
    let head = ["  APP", "NAME", "KEY", "LAST FETCH"].map(str::to_owned);
    let rows = apps.into_iter().map(|app| {
        let id = format!("  {}", app.client_id);
        [id, app.name.clone(), app.seen.as_str().to_owned(), utc_or_dash(app.fetched_at)]
    });
    output::columns([head].into_iter().chain(rows))
}

fn as_json(key: &SigningKey, now: i64) -> Value {
    json!({
        "kid": key.kid,
        "algorithm": key.algorithm,
        "state": key.state(now).as_str(),
        "created_at": utc(key.created_at),
        "signs_from": utc(key.signs_from),
        "agreed_at": key.agreed_at.map(utc),
        "retired_at": key.retired_at.map(utc),
        "removed_at": key.removed_at.map(utc),
    })
}

fn table(keys: &[SigningKey], now: i64) -> String {
    let head = ["KEY", "ALGORITHM", "STATE", "SINCE", "SIGNS FROM", "RETIRED", "REMOVED"].map(str::to_owned);
    let rows = keys.iter().map(|key| {
        [
            key.kid.clone(),
            key.algorithm.clone(),
            key.state(now).as_str().to_owned(),
            utc(key.created_at),
            utc(key.signs_from),
            utc_or_dash(key.retired_at),
            utc_or_dash(key.removed_at),
        ]
    });
    output::columns([head].into_iter().chain(rows))
}
