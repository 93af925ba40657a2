//! `signet mails`: which mails were sent, which wait, and which nobody took (scope AC10).

use clap::{Args, Subcommand, value_parser};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    failure::Failure,
    output::{self, Format, utc, utc_or_dash},
};
use crate::{
    app::App,
    config::Config,
    flows::{
        Trouble,
        admin::mails::{self, Mail, State, Wanted},
    },
};

#[derive(Debug, Subcommand)]
pub enum Mails {
    /// List the mails of the last days, the newest first
    List(List),
    /// Show where mails go, and how many wait or were given up
    ShowStatus(Format),
    /// Try a mail again now, a given-up one too
    Retry {
        #[arg(value_name = "ID")]
        id: Uuid,
        #[command(flatten)]
        format: Format,
    },
    /// Hand a mail to the server of the settings, and print what it says
    Test {
        #[arg(value_name = "ADDRESS")]
        address: String,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, Args)]
pub struct List {
    /// Only what was tried in vain
    #[arg(long)]
    failed: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=10_000))]
    most: u64,
    #[command(flatten)]
    format: Format,
}

impl Mails {
    /// # Errors
    /// When there is no such mail, or the server did not take one.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let app = super::open(config).await?;
        match self {
            Mails::List(List { failed, most, format }) => {
                let found = mails::list(&app, Wanted { failed, after: None, most }).await?;
                format.print(&found.iter().map(as_json).collect(), || {
                    let head = ["QUEUED", "TO", "LETTER", "STATE", "ATTEMPTS", "ANSWER", "NEXT TRY", "ID"];
                    output::columns([head.map(str::to_owned)].into_iter().chain(found.iter().map(row)))
                })
            }
            Mails::ShowStatus(format) => show_status(&app, format).await,
            Mails::Retry { id, format } => {
                mails::retry(&app, id).await.map_err(|trouble| unknown(trouble, id))?;
                let answer = json!({ "id": id, "retried": true });
                format.print(&answer, || format!("{id} is tried again within seconds, by a running server.\n"))
            }
            Mails::Test { address, format } => {
                let answer = mails::test(&app, &address).await?;
                let said = json!({ "to": address, "answer": answer });
                format.print(&said, || format!("The mail server took the mail: {answer}\n"))
            }
        }
    }
}

async fn show_status(app: &App, format: Format) -> Result<(), Failure> {
    let (way, counts) = (way(app), mails::counts(app).await?);
    let answer = json!({
        "way": way,
        "waiting": counts.waiting,
        "oldest_waiting_at": counts.oldest.map(utc),
        "given_up": counts.dead,
        "last_sent_at": counts.last_sent.map(utc),
    });
    format.print(&answer, || {
        output::pairs([
            ("mails go to", way),
            ("waiting", counts.waiting.to_string()),
            ("the oldest since", utc_or_dash(counts.oldest)),
            ("given up", counts.dead.to_string()),
            ("last sent", utc_or_dash(counts.last_sent)),
        ])
    })
}

fn way(app: &App) -> String {
    let mail = &app.config.mail;
    match &mail.host {
        Some(host) => format!("{}:{} ({})", host.as_str(), mail.port, mail.tls.as_str()),
        None if app.config.is_local() => app.url("/outbox"),
        None => "nowhere; set mail.host".to_owned(),
    }
}

fn unknown(trouble: Trouble, id: Uuid) -> Failure {
    match trouble {
        Trouble::NotFound(_) => Failure::failed(format!("there is no mail {id}; `signet mails list` shows all")),
        other => other.into(),
    }
}

fn row(mail: &Mail) -> [String; 8] {
    [
        utc(mail.created_at),
        mail.recipient.clone(),
        mail.letter.clone(),
        State::of(mail).as_str().to_owned(),
        mail.attempts.to_string(),
        mail.last_answer.clone().unwrap_or("-".to_owned()),
        utc_or_dash(mail.next_at),
        mail.id.to_string(),
    ]
}

fn as_json(mail: &Mail) -> Value {
    json!({
        "id": mail.id,
        "to": mail.recipient,
        "letter": mail.letter,
        "user_id": mail.user_id,
        "state": State::of(mail).as_str(),
        "queued_at": utc(mail.created_at),
        "attempts": mail.attempts,
        "last_answer": mail.last_answer,
        "next_at": mail.next_at.map(utc),
        "sent_at": mail.sent_at.map(utc),
        "given_up_at": mail.dead_at.map(utc),
    })
}
