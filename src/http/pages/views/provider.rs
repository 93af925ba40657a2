//! Signing in with a provider: its buttons, and the pages on the way.

use askama::Template;
use poem::http::StatusCode;

use super::{ClientCard, Complaint, TextField};
use crate::{
    flows::upstream::Said,
    http::pages::view::{Frame, Person, initial},
};

/// A button that leads to a provider: a form of its own, so that it works without scripts.
#[derive(Clone, Debug)]
pub struct ProviderButton {
    /// Where its form goes.
    pub action: String,
    /// Part of its id.
    pub name: String,
    pub title: String,
    pub mark: Mark,
}

/// What people know a provider by, beside its name.
#[derive(Clone, Debug)]
pub enum Mark {
    Google,
    GitHub,
    /// Where the operator's picture of it is.
    Picture(String),
    Letter,
}

impl ProviderButton {
    /// The letter that stands for it.
    pub fn letter(&self) -> String {
        initial(&self.title)
    }
}

/// A sign-in by a provider that went no further; the other ways in are still there.
#[derive(Template, Debug)]
#[template(path = "pages/provider.html")]
pub struct ProviderPage {
    pub frame: Frame,
    pub what: Said,
    /// What people call it, where it is known.
    pub provider: String,
    /// Somebody who is signed in wanted to connect it with their account.
    pub is_link: bool,
    /// Where the other ways in are, or the account.
    pub back: Option<String>,
}

/// How pages say it.
impl Said {
    pub const ALL: [Self; 8] =
        [Self::Stale, Self::Denied, Self::Failed, Self::Away, Self::Unwelcome, Self::Closed, Self::Taken, Self::Full];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Stale => "provider-stale",
            Self::Denied => "provider-denied",
            Self::Failed => "provider-failed",
            Self::Away => "provider-away",
            Self::Unwelcome => "provider-unwelcome",
            Self::Closed => "provider-closed",
            Self::Taken => "provider-taken",
            Self::Full => "provider-full",
        }
    }

    pub const fn status(self) -> StatusCode {
        match self {
            Self::Stale | Self::Failed => StatusCode::BAD_REQUEST,
            Self::Denied | Self::Unwelcome | Self::Closed => StatusCode::FORBIDDEN,
            Self::Taken | Self::Full => StatusCode::CONFLICT,
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Stale => ("provider.stale", "provider.stale_lead"),
            Self::Denied => ("provider.denied", "provider.denied_lead"),
            Self::Failed => ("provider.failed", "provider.failed_lead"),
            Self::Away => ("provider.away", "provider.away_lead"),
            Self::Unwelcome => ("provider.unwelcome", "provider.unwelcome_lead"),
            Self::Closed => ("provider.closed", "provider.closed_lead"),
            Self::Taken => ("provider.taken", "provider.taken_lead"),
            Self::Full => ("provider.full", "provider.full_lead"),
        }
    }

    /// The same to somebody who is signed in already.
    const fn keys_of_link(self) -> (&'static str, &'static str) {
        match self {
            Self::Stale => ("provider.link_stale", "provider.link_stale_lead"),
            Self::Denied => ("provider.link", "provider.denied_lead"),
            Self::Failed => ("provider.link", "provider.link_failed_lead"),
            Self::Away => ("provider.away", "provider.link_away_lead"),
            Self::Unwelcome => ("provider.link", "provider.unwelcome_lead"),
            Self::Closed | Self::Taken | Self::Full => self.keys(),
        }
    }
}

impl ProviderPage {
    const fn keys(&self) -> (&'static str, &'static str) {
        if self.is_link { self.what.keys_of_link() } else { self.what.keys() }
    }

    fn title(&self) -> String {
        self.frame.with(self.keys().0, &[("provider", &self.provider)])
    }

    fn lead(&self) -> String {
        self.frame.with(self.keys().1, &[("provider", &self.provider)])
    }
}

/// `/authorize/{id}/connect`. Fields: `answer` = `yes` or `no`, once somebody has signed in.
#[derive(Template, Debug)]
#[template(path = "pages/connect.html")]
pub struct Connect {
    pub frame: Frame,
    pub action: String,
    pub client: ClientCard,
    pub provider: String,
    /// What the person recognizes the account there by.
    pub label: Option<String>,
    /// Whom it would be connected with; none before the person has signed in.
    pub person: Option<Person>,
    /// Where the person signs in.
    pub sign_in: String,
    /// Where the person gets an account instead.
    pub enrol: Option<String>,
}

impl Connect {
    fn title(&self) -> String {
        let key = if self.person.is_some() { "provider.connect" } else { "provider.connect_first" };
        self.frame.with(key, &[("provider", &self.provider)])
    }

    fn lead(&self) -> String {
        let key = if self.person.is_some() { "provider.connect_lead" } else { "provider.connect_first_lead" };
        self.frame.with(key, &[("provider", &self.provider)])
    }
}

/// `/authorize/{id}/enrol`. Fields: `email` and `username`, as far as they are asked for.
#[derive(Template, Debug)]
#[template(path = "pages/enrol.html")]
pub struct Enrol {
    pub frame: Frame,
    pub action: String,
    pub client: ClientCard,
    pub provider: String,
    pub complaint: Option<Complaint>,
    pub fields: Vec<TextField>,
    /// For who has an account.
    pub sign_in: String,
}

impl Enrol {
    fn lead(&self) -> String {
        self.frame.with("provider.enrol_lead", &[("provider", &self.provider)])
    }
}
