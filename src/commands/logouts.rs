//! `signet logouts`: which apps were told that people have signed out, and what they answered (scope OP11).

use clap::{Args, Subcommand, value_parser};
use serde_json::{Value, json};

use super::{
    failure::Failure,
    output::{self, Format, utc, utc_or_dash},
};
use crate::{
    app::App,
    config::Config,
    flows::{
        admin::logouts::{self, Delivery, State, Wanted},
        subject,
    },
};

#[derive(Debug, Subcommand)]
pub enum Logouts {
    /// List what apps were told in the last days, the newest first
    List(List),
}

#[derive(Debug, Args)]
pub struct List {
    /// Only of this app
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Only what was tried in vain
    #[arg(long)]
    failed: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=10_000))]
    most: u64,
    #[command(flatten)]
    format: Format,
}

impl Logouts {
    /// # Errors
    /// When the database does not answer.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let Logouts::List(List { client, failed, most, format }) = self;
        let app = super::open(config).await?;
        let wanted = Wanted { client_id: client, failed, after: None, most };
        let found = logouts::list(&app, wanted).await?;
        format.print(&found.iter().map(|row| as_json(&app, row)).collect(), || {
            let head = ["SIGNED OUT", "APP", "STATE", "ATTEMPTS", "ANSWER", "NEXT TRY", "TRACE"].map(str::to_owned);
            output::columns([head].into_iter().chain(found.iter().map(row)))
        })
    }
}

fn row(delivery: &Delivery) -> [String; 7] {
    [
        utc(delivery.created_at),
        delivery.client_id.clone(),
        State::of(delivery).as_str().to_owned(),
        delivery.attempts.to_string(),
        delivery.last_answer.clone().unwrap_or("-".to_owned()),
        utc_or_dash(delivery.next_at),
        delivery.trace_id.clone(),
    ]
}

fn as_json(app: &App, delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "client_id": delivery.client_id,
        "user_id": delivery.user_id,
        "sid": subject::sid(app, &delivery.client_id, delivery.session_id),
        "uri": delivery.uri,
        "state": State::of(delivery).as_str(),
        "signed_out_at": utc(delivery.created_at),
        "attempts": delivery.attempts,
        "last_answer": delivery.last_answer,
        "next_at": delivery.next_at.map(utc),
        "told_at": delivery.told_at.map(utc),
        "given_up_at": delivery.given_up_at.map(utc),
        "trace_id": delivery.trace_id,
    })
}
