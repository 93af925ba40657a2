//! What we do: one file per use-case. Knows nothing of HTTP.

pub mod access;
pub mod account;
pub mod admin;
pub mod api_access;
pub mod arrival;
pub mod attempt;
pub mod authorize;
pub mod authorization_response;
pub mod client_auth;
pub mod client_keys;
pub mod client_use;
pub mod consent;
pub mod cursor;
pub mod declared;
pub mod decoy;
pub mod discover;
pub mod due;
pub mod event;
pub mod factors;
pub mod forget;
pub mod grants;
pub mod health;
pub mod hint;
pub mod introspect;
pub mod issue;
pub mod lease;
pub mod login;
pub mod logo;
pub mod logout;
pub mod logout_delivery;
pub mod magic_link;
pub mod mail;
pub mod nodes;
pub mod passkey_login;
pub mod passwords;
pub mod profile_rules;
pub mod readers;
pub mod refresh_token;
pub mod request_object;
pub mod revoke;
pub mod session_end;
pub mod session_state;
pub mod register;
pub mod registration;
pub mod second_factor;
pub mod sector;
pub mod set_up;
pub mod start;
pub mod subject;
pub mod token;
pub mod try_it;
pub mod upstream;
pub mod userinfo;
pub mod visitor;

use std::net::IpAddr;

use crate::{
    app::App,
    protocol::{
        Code, Error,
        authorize::Refusal,
        password::Weak,
        rule,
        text::Unfit,
        trace::{Kind, Trace},
    },
};

/// A run that was refused, with the id under which its checks can be read.
#[derive(Debug, thiserror::Error)]
#[error("{error} (trace {trace_id})")]
pub struct Refused {
    pub error: Box<Error>,
    pub trace_id: String,
}

impl Refused {
    /// A run that ended before any flow began.
    pub fn at_once(app: &App, kind: Kind, address: IpAddr, error: Error) -> Self {
        let mut trace = app.trace(kind).from(address);
        let refused = Refused::by(&mut trace, error);
        app.record(trace);
        refused
    }

    /// Notes the refusal where it is looked for: in the trace and in the log.
    fn by(trace: &mut Trace, error: Error) -> Self {
        event::refused(trace, &error);
        trace.refused(&error);
        Refused { error: Box::new(error), trace_id: trace.id.clone() }
    }
}

/// Ends a run: keeps its checks, and gives a refusal its id.
fn settle<T>(app: &App, mut trace: Trace, result: Result<T, Error>) -> Result<T, Refused> {
    let refused = result.map_err(|error| Refused::by(&mut trace, error));
    app.record(trace);
    refused
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Refusal::Show(refused.error)
    }
}

/// Why a change to accounts or the administration was not made.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("{}", .0.iter().map(|field| format!("{}: {}", field.name, field.why)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Field>),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    Broken(Error),
}

/// What is wrong with one field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub why: Why,
}

/// Prints as the end of a sentence about the field; pages have words of their own for each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("is missing")]
    Missing,
    #[error("is taken")]
    Taken,
    #[error("is not right")]
    Wrong,
    #[error("is not yours to set")]
    NotYours,
    #[error("must be of a domain that may register here")]
    Domain,
    #[error("is your address already")]
    Unchanged,
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    Weak(#[from] Weak),
    #[error("{0}")]
    Said(String),
}

impl From<&str> for Why {
    fn from(said: &str) -> Self {
        Why::Said(said.to_owned())
    }
}

impl From<String> for Why {
    fn from(said: String) -> Self {
        Why::Said(said)
    }
}

impl Field {
    /// Somebody has this already.
    pub fn taken(name: &'static str) -> Self {
        Field { name, why: Why::Taken }
    }
}

impl Trouble {
    pub fn field(name: &'static str, why: impl Into<Why>) -> Self {
        Trouble::Invalid(vec![Field { name, why: why.into() }])
    }
}

impl Trouble {
    /// The same about a field that has another name where it came in.
    #[must_use]
    pub fn in_field(self, name: &'static str) -> Self {
        match self {
            Trouble::Invalid(fields) => {
                Trouble::Invalid(fields.into_iter().map(|field| Field { name, ..field }).collect())
            }
            other => other,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Broken(error)
    }
}

impl From<sea_orm::DbErr> for Trouble {
    fn from(error: sea_orm::DbErr) -> Self {
        Trouble::Broken(error.into())
    }
}

impl From<crate::crypto::password::Busy> for Error {
    fn from(busy: crate::crypto::password::Busy) -> Self {
        Error::unavailable(busy, 2)
    }
}

/// Work that the database does in the one write of a flow.
macro_rules! write {
    ($app:expr, $db:ident => $work:expr) => {
        $app.writer.write(Box::new(move |$db| Box::pin(async move { $work })))
    };
}

/// One statement through the door for writes.
macro_rules! write_one {
    ($app:expr, $db:ident => $work:expr) => {
        $app.writer.write_one(Box::new(move |$db| Box::pin(async move { $work.await })))
    };
}

pub(crate) use {write, write_one};

/// The journey is over, or never was.
fn no_journey() -> Error {
    Code::InvalidRequest
        .because("this sign-in has expired or was finished; go back to the app and start again")
        .under(&rule::JOURNEY)
}
