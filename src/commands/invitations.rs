//! `signet invitations`: who may register an account where registration is not open to everybody.

use clap::Subcommand;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    failure::Failure,
    output::{self, Format, utc},
    registration_tokens::time_between,
};
use crate::{
    config::Config,
    flows::{
        Trouble,
        admin::invitations::{self, Invitation, LONGEST, NewInvitation, SHORTEST},
    },
};

#[derive(Debug, Subcommand)]
pub enum Invitations {
    /// Make an invitation and print its link
    Create {
        /// The one address that may register with it [default: any]
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// How long it is good: 90s, 10m, 1h, 14d
        #[arg(long, alias = "expires", value_name = "TIME", default_value = "7d", value_parser = time)]
        expires_in: i64,
        /// Mail it to that address, too
        #[arg(long, requires = "email")]
        send: bool,
        #[command(flatten)]
        format: Format,
    },
    /// List all invitations, newest first
    List(Format),
    /// Make an invitation worthless; who came by it stays
    Revoke {
        #[arg(value_name = "ID")]
        id: Uuid,
        #[command(flatten)]
        format: Format,
    },
}

fn time(text: &str) -> Result<i64, String> {
    time_between(SHORTEST, LONGEST, text)
}

impl Invitations {
    /// # Errors
    /// What is wrong with the invitation, or that there is none.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let app = super::open(config).await?;
        match self {
            Invitations::Create { email, expires_in, send, format } => {
                let new = NewInvitation { email, expires_in, send };
                let (invitation, link) = invitations::create(&app, new).await?;
                let mut answer = as_json(&invitation, app.now());
                answer["link"] = link.as_str().into();
                answer["sent"] = send.into();
                format.print(&answer, || described(&invitation, &link, send))
            }
            Invitations::List(format) => {
                let (all, now) = (invitations::all(&app).await?, app.now());
                format.print(&all.iter().map(|one| as_json(one, now)).collect(), || table(&all, now))
            }
            Invitations::Revoke { id, format } => {
                invitations::revoke(&app, id).await.map_err(|trouble| unknown(trouble, id))?;
                let answer = json!({ "id": id, "revoked": true });
                format.print(&answer, || format!("{id} is good for nothing any more.\n"))
            }
        }
    }
}

fn described(invitation: &Invitation, link: &str, send: bool) -> String {
    let shown = output::pairs([("id", invitation.id().to_string()), ("link", link.to_owned())]);
    let whom = invitation.email.as_deref().unwrap_or("one person");
    let until = utc(invitation.expires_at);
    let sent = if send { "The server mails it. " } else { "" };
    format!("{shown}It lets {whom} register until {until}. {sent}Keep it now: it is not shown again.\n")
}

fn unknown(trouble: Trouble, id: Uuid) -> Failure {
    match trouble {
        Trouble::NotFound(_) => {
            Failure::failed(format!("there is no invitation {id}; `signet invitations list` shows all"))
        }
        other => other.into(),
    }
}

fn as_json(invitation: &Invitation, now: i64) -> Value {
    json!({
        "id": invitation.id(),
        "email": invitation.email,
        "state": invitations::state(invitation, now),
        "created_at": utc(invitation.created_at),
        "expires_at": utc(invitation.expires_at),
        "used_at": invitation.used_at.map(utc),
    })
}

fn table(all: &[Invitation], now: i64) -> String {
    let head = ["ID", "STATE", "UNTIL", "FOR"].map(str::to_owned);
    let rows = all.iter().map(|one| {
        let whom = one.email.clone().unwrap_or("anybody".to_owned());
        [one.id().to_string(), invitations::state(one, now).to_owned(), utc(one.expires_at), whom]
    });
    output::columns([head].into_iter().chain(rows))
}
