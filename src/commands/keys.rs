//! `signet keys`: the keys that sign tokens, from announced to removed.

use clap::{Subcommand, builder::PossibleValuesParser, value_parser};
use serde_json::{Value, json};

use super::{
    failure::Failure,
    output::{self, Format, utc, utc_or_dash},
};
use crate::{
    config::Config,
    flows::admin::keys::{self, SigningKey},
    protocol::client_metadata::SIGNING_ALGORITHMS,
};

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// List the keys, newest first
    List(Format),
    /// Make a new key: published at once, it signs after the time of announcement
    Rotate {
        /// How long to announce it; 0 signs at once, which apps that cache keys do not expect [default: keys.announce]
        #[arg(long, value_name = "SECONDS", value_parser = value_parser!(i64).range(0..=30 * 86_400))]
        announce: Option<i64>,
        /// What it signs with
        #[arg(long, value_name = "ALGORITHM", default_value = keys::FIRST, value_parser = PossibleValuesParser::new(SIGNING_ALGORITHMS))]
        algorithm: String,
        #[command(flatten)]
        format: Format,
    },
}

impl Keys {
    /// # Errors
    /// When the database does not answer.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let app = super::open(config).await?;
        match self {
            Keys::List(format) => {
                let (keys, now) = (keys::all(&app).await?, app.now());
                let listed: Value = keys.iter().map(|key| as_json(key, now)).collect();
                format.print(&listed, || table(&keys, now))
            }
            Keys::Rotate { announce, algorithm, format } => {
                let announce = announce.unwrap_or(app.config.keys.announce.get());
                let key = keys::rotate(&app, &algorithm, announce).await?;
                format.print(&as_json(&key, app.now()), || {
                    format!("The key {} is published and signs from {}.\n", key.kid, utc(key.signs_from))
                })
            }
        }
    }
}

fn as_json(key: &SigningKey, now: i64) -> Value {
    json!({
        "kid": key.kid,
        "algorithm": key.algorithm,
        "state": key.state(now).as_str(),
        "created_at": utc(key.created_at),
        "signs_from": utc(key.signs_from),
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
