//! What happened to people, apps and keys, for the log (case SEC-169): one line each, always with the same fields:
//! `event`, `result`, `user`, `client`, `address`, `trace_id`. The request around it adds its own id.

use std::fmt;

use tracing::field::display;
use uuid::Uuid;

use crate::{
    protocol::{Code, Error, rule, trace::Trace},
    store::mail::{Mail, Then},
};

/// What alerts can rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Login,
    SecondFactor,
    /// A passkey whose counter has gone back: there may be a copy of it.
    CopiedPasskey,
    Logout,
    /// An app was told that a session has ended, or could not be.
    LogoutDelivery,
    /// A mail was handed over, or could not be.
    Mail,
    Consent,
    /// The first administrator, or another by a link.
    SetUp,
    CodeReuse,
    RefreshTokenReuse,
    /// A rule said no, or a limit was hit.
    Refused,
    Throttled,
    /// A person did something to their own account.
    Account,
    User,
    Client,
    SigningKey,
    SetUpLink,
    RegistrationToken,
    Invitation,
    Provider,
}

impl Event {
    pub const fn as_str(self) -> &'static str {
        match self {
            Event::Login => "login",
            Event::SecondFactor => "second_factor",
            Event::CopiedPasskey => "copied_passkey",
            Event::Logout => "logout",
            Event::LogoutDelivery => "logout_delivery",
            Event::Mail => "mail",
            Event::Consent => "consent",
            Event::SetUp => "set_up",
            Event::CodeReuse => "code_reuse",
            Event::RefreshTokenReuse => "refresh_token_reuse",
            Event::Refused => "refused",
            Event::Throttled => "throttled",
            Event::Account => "account",
            Event::User => "user",
            Event::Client => "client",
            Event::SigningKey => "signing_key",
            Event::SetUpLink => "set_up_link",
            Event::RegistrationToken => "registration_token",
            Event::Invitation => "invitation",
            Event::Provider => "provider",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that a browser or an app did.
pub fn happened(trace: &Trace, event: Event, result: &'static str) {
    let (user, address) = (trace.user_id.map(display), trace.address.map(display));
    let (client, trace_id, name) = (trace.client_id.as_deref(), &*trace.id, event.as_str());
    match event {
        Event::CodeReuse | Event::RefreshTokenReuse => {
            tracing::warn!(event = name, result, user, client, address, trace_id, "{event} {result}");
        }
        Event::LogoutDelivery if result == "given up" => {
            tracing::warn!(event = name, result, user, client, address, trace_id, "{event} {result}");
        }
        _ => tracing::info!(event = name, result, user, client, address, trace_id, "{event} {result}"),
    }
}

/// An attempt at a mail. Whom it is for stands in the report of mails, not here: people are named by id.
pub fn mailed(mail: &Mail, then: Then, answer: &str) {
    let (event, letter, attempt) = (Event::Mail.as_str(), mail.letter.as_str(), mail.attempts + 1);
    let (user, id) = (mail.user_id.map(display), display(mail.id));
    match then {
        Then::Sent { .. } => tracing::info!(event, result = "sent", user, mail = id, letter, attempt, "mail sent"),
        Then::Kept { .. } => tracing::info!(event, result = "kept", user, mail = id, letter, attempt, "mail kept"),
        Then::Again { .. } => {
            tracing::warn!(event, result = "not sent", user, mail = id, letter, attempt, answer, "mail not sent yet");
        }
        Then::Dead { .. } => {
            tracing::warn!(event, result = "given up", user, mail = id, letter, attempt, answer, "mail given up");
        }
    }
}

/// The end of a run by a rule; the rule's name is the reason, and stays the same from release to release.
pub fn refused(trace: &Trace, error: &Error) {
    let (user, address) = (trace.user_id.map(display), trace.address.map(display));
    let (client, trace_id, kind) = (trace.client_id.as_deref(), &*trace.id, trace.kind.as_str());
    let reason = error.detail.as_ref().map_or_else(|| rule::of(error.code), |detail| detail.rule).name;
    let result = error.code.as_str();
    if error.code == Code::TooManyRequests {
        let event = Event::Throttled.as_str();
        tracing::warn!(event, result, kind, reason, user, client, address, trace_id, "{kind} throttled");
    } else {
        let event = Event::Refused.as_str();
        tracing::info!(event, result, kind, reason, user, client, address, trace_id, "{kind} refused: {reason}");
    }
}

/// What an operator has changed.
#[derive(Debug, Clone, Copy)]
pub enum Changed<'a> {
    User(Uuid),
    /// So many at once.
    Users(u64),
    Client(&'a str),
    SigningKey(&'a str),
    SetUpLink,
    RegistrationToken(Uuid),
    Invitation(Uuid),
    Provider(&'a str),
}

/// An operator did something, at the terminal or in the settings.
pub fn changed(what: Changed<'_>, result: &'static str) {
    by("operator", what, result);
}

/// The server did what it is set to do.
pub fn by_itself(what: Changed<'_>, result: &'static str) {
    by("signet", what, result);
}

fn by(actor: &'static str, what: Changed<'_>, result: &'static str) {
    let count = match what {
        Changed::Users(count) => Some(count),
        _ => None,
    };
    let (event, user, client, kid, token) = match what {
        Changed::User(user) => (Event::User, Some(display(user)), None, None, None),
        Changed::Users(_) => (Event::User, None, None, None, None),
        Changed::Client(client) => (Event::Client, None, Some(client), None, None),
        Changed::SigningKey(kid) => (Event::SigningKey, None, None, Some(kid), None),
        Changed::SetUpLink => (Event::SetUpLink, None, None, None, None),
        Changed::RegistrationToken(id) => (Event::RegistrationToken, None, None, None, Some(display(id))),
        Changed::Invitation(id) => (Event::Invitation, None, None, None, Some(display(id))),
        Changed::Provider(_) => (Event::Provider, None, None, None, None),
    };
    let provider = match what {
        Changed::Provider(name) => Some(name),
        _ => None,
    };
    let name = event.as_str();
    tracing::info!(event = name, result, actor, user, client, kid, token, provider, count, "{event} {result}");
}
