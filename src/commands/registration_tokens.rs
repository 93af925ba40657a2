//! `signet registration-tokens`: who may register clients where registration is not open to everybody.

use clap::Subcommand;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    failure::Failure,
    output::{self, Format, utc},
};
use crate::{
    config::{Config, parse::seconds, setting::Given},
    flows::{
        Trouble,
        admin::registration_tokens::{self as tokens, NewToken, Token},
    },
};

#[derive(Debug, Subcommand)]
pub enum RegistrationTokens {
    /// Make a token and print it
    Create {
        /// What you call it
        #[arg(long)]
        name: String,
        /// How many clients it is good for
        #[arg(long, value_name = "N", default_value_t = 1)]
        uses: i64,
        /// How long it is good: 90s, 10m, 1h, 14d
        #[arg(long, value_name = "TIME", default_value = "7d", value_parser = time)]
        expires_in: i64,
        #[command(flatten)]
        format: Format,
    },
    /// List all tokens, newest first
    List(Format),
    /// Make a token worthless; clients that came by it stay
    Revoke {
        #[arg(value_name = "ID")]
        id: Uuid,
        #[command(flatten)]
        format: Format,
    },
}

fn time(text: &str) -> Result<i64, String> {
    time_between(tokens::SHORTEST, tokens::LONGEST, text)
}

/// As the settings write it.
pub(super) fn time_between(shortest: i64, longest: i64, text: &str) -> Result<i64, String> {
    let given = Given { value: &text.into(), base: "".as_ref() };
    let bounds = u32::try_from(shortest).ok().zip(u32::try_from(longest).ok());
    let (shortest, longest) = bounds.unwrap_or((1, u32::MAX));
    seconds(shortest, longest)(&given)
        .map(|time| time.get())
        .map_err(|fault| format!("{}; {}", fault.problem, fault.remedy))
}

impl RegistrationTokens {
    /// # Errors
    /// What is wrong with the token, or that there is none.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let app = super::open(config).await?;
        match self {
            RegistrationTokens::Create { name, uses, expires_in, format } => {
                let (token, secret) = tokens::create(&app, NewToken { name, uses, expires_in }).await?;
                let mut answer = as_json(&token, app.now());
                answer["token"] = secret.reveal().into();
                format.print(&answer, || {
                    let told = [("id", token.id.to_string()), ("token", secret.reveal().to_owned())];
                    let until = utc(token.expires_at);
                    let shown = output::pairs(told);
                    format!("{shown}It registers {uses} client(s) until {until}. Keep it now: it is not shown again.\n")
                })
            }
            RegistrationTokens::List(format) => {
                let (all, now) = (tokens::all(&app).await?, app.now());
                format.print(&all.iter().map(|token| as_json(token, now)).collect(), || table(&all, now))
            }
            RegistrationTokens::Revoke { id, format } => {
                tokens::revoke(&app, id).await.map_err(|trouble| unknown(trouble, id))?;
                let answer = json!({ "id": id, "revoked": true });
                format.print(&answer, || format!("{id} is good for nothing any more.\n"))
            }
        }
    }
}

fn unknown(trouble: Trouble, id: Uuid) -> Failure {
    match trouble {
        Trouble::NotFound(_) => {
            Failure::failed(format!("there is no registration token {id}; `signet registration-tokens list` shows all"))
        }
        other => other.into(),
    }
}

fn as_json(token: &Token, now: i64) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "state": tokens::state(token, now),
        "uses": token.uses,
        "used": token.used,
        "created_at": utc(token.created_at),
        "expires_at": utc(token.expires_at),
        "revoked_at": token.revoked_at.map(utc),
    })
}

fn table(all: &[Token], now: i64) -> String {
    let head = ["ID", "STATE", "USED", "UNTIL", "NAME"].map(str::to_owned);
    let rows = all.iter().map(|token| {
        let used = format!("{} of {}", token.used, token.uses);
        [token.id.to_string(), tokens::state(token, now).to_owned(), used, utc(token.expires_at), token.name.clone()]
    });
    output::columns([head].into_iter().chain(rows))
}
