//! `signet users providers`: accounts at providers that open somebody's.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Who, called, find, names};
use crate::{
    commands::{
        failure::Failure,
        output::{self, utc},
    },
    config::Config,
    flows::admin::connections::{self, Connection},
};

#[derive(Debug, Subcommand)]
pub enum UserProviders {
    /// List the accounts at providers that open a person's
    List(Who),
    /// Connect an account at a provider with a person's, who is told by mail
    Add(Add),
    /// Disconnect one; it ends every session and token of the person, who is told by mail
    Remove {
        #[command(flatten)]
        who: Who,
        /// Its id, as `list` shows it
        #[arg(long, value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    who: Who,
    /// The name of the provider, as `signet providers list` shows it
    #[arg(long, value_name = "NAME")]
    provider: String,
    /// What the provider calls the person, for good: sub of its ID tokens, of GitHub the number
    #[arg(long)]
    subject: String,
}

impl UserProviders {
    /// # Errors
    /// That there is no such person, provider or connection, or that somebody has it already.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let app = crate::commands::open(config).await?;
        match self {
            UserProviders::List(Who { who, format }) => {
                let user = find(&app, &who).await?;
                let all = connections::of(&app, user.id).await?;
                format.print(&all.iter().map(as_json).collect(), || table(&all))
            }
            UserProviders::Add(Add { who: Who { who, format }, provider, subject }) => {
                let user = find(&app, &who).await?;
                let made = connections::connect(&app, user.id, &provider, &subject).await?;
                format.print(&as_json(&made), || {
                    format!("Whoever {provider} knows as {subject} comes into the account of {}.\n", called(&user))
                })
            }
            UserProviders::Remove { who: Who { who, format }, id } => {
                let user = find(&app, &who).await?;
                connections::disconnect(&app, user.id, id.parse().unwrap_or_default()).await?;
                let mut answer = names(&user);
                answer["disconnected"] = id.into();
                format.print(&answer, || {
                    format!(
                        "It opens the account of {} no more, who is signed out everywhere. If it was the only way in: signet \
                         users set-password {} --password-stdin\n",
                        called(&user),
                        user.id
                    )
                })
            }
        }
    }
}

fn as_json(row: &Connection) -> Value {
    json!({
        "id": row.id,
        "provider": row.upstream,
        "issuer": row.issuer,
        "subject": row.subject,
        "label": row.label,
        "created_at": utc(row.created_at),
        "last_used_at": utc(row.last_used_at),
    })
}

fn table(all: &[Connection]) -> String {
    let head = ["ID", "PROVIDER", "SUBJECT", "LABEL", "CONNECTED", "LAST USED"].map(str::to_owned);
    let rows = all.iter().map(|row| {
        let label = row.label.clone().unwrap_or_else(|| "-".to_owned());
        let (created, used) = (utc(row.created_at), utc(row.last_used_at));
        [row.id.to_string(), row.upstream.clone(), row.subject.clone(), label, created, used]
    });
    output::columns([head].into_iter().chain(rows))
}
