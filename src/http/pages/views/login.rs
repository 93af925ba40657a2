//! `/authorize/{id}/login`, and wherever else a password is asked.

use askama::Template;

use super::{ClientCard, Destination, Mark, ProviderButton};
use crate::{
    app::{moment::span, text::Texts},
    http::pages::view::{Frame, Person},
};

/// Fields: `username`, `password` or `credential` (what a passkey has signed), `answer` = `login`, `cancel`, or `another` (on being asked again: "Not you?").
#[derive(Template, Debug)]
#[template(path = "pages/login.html")]
pub struct Login {
    pub frame: Frame,
    /// Where the form goes.
    pub action: String,
    /// The app that asked, if one did.
    pub client: Option<ClientCard>,
    /// What was typed before, or the hint of the app.
    pub username: String,
    /// Who is asked again, when a signed-in person must prove it anew.
    pub again: Option<Person>,
    pub problem: Option<LoginProblem>,
    /// Whether a link can be mailed that signs in without the password.
    pub link: bool,
    /// Whether the person can go back to the app without signing in.
    pub cancel: bool,
    /// Where a script learns what a passkey is to sign, if passkeys work here.
    pub passkey: Option<String>,
    /// Whom people can sign in with instead.
    pub providers: Vec<ProviderButton>,
    /// The page for a forgotten password.
    pub forgot: String,
    /// The page for people who have no account, where they may make one.
    pub register: Option<String>,
}

/// Why the last attempt did not succeed. Nothing here tells whether the account exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginProblem {
    Wrong,
    TooMany {
        seconds: u64,
    },
    Busy,
    /// The same where people register and confirm their address: that may be what is missing, and nobody else may learn it.
    WrongOrUnconfirmed,
    Passkey,
    /// The form was too old, or came from another browser; a fresh one is on the page.
    Stale,
    /// A link was asked for, and not whose.
    Nameless,
}

impl Login {
    /// Whether the browser may offer passkeys by itself: not the one again that has just failed.
    fn fills_in(&self) -> bool {
        self.again.is_none() && self.problem != Some(LoginProblem::Passkey)
    }

    /// What the last attempt met, in words; a person who is asked again has no name to get wrong.
    fn complaint(&self) -> Option<String> {
        match self.problem? {
            LoginProblem::Wrong | LoginProblem::WrongOrUnconfirmed if self.again.is_some() => {
                Some(self.frame.t("login.again_wrong").to_owned())
            }
            problem => Some(problem.sentence(self.frame.texts)),
        }
    }
}

impl LoginProblem {
    /// Of a name and a password. `confirms`: people confirm the address with which they register.
    pub const fn wrong(confirms: bool) -> Self {
        if confirms { Self::WrongOrUnconfirmed } else { Self::Wrong }
    }

    pub fn sentence(self, texts: &Texts) -> String {
        match self {
            Self::Wrong => texts.get("login.wrong").to_owned(),
            Self::TooMany { seconds } => texts.with("login.too_many", &[("wait", &span(texts, seconds))]),
            Self::WrongOrUnconfirmed => texts.get("login.wrong_or_unconfirmed").to_owned(),
            Self::Busy => texts.get("login.busy").to_owned(),
            Self::Passkey => texts.get("login.passkey_wrong").to_owned(),
            Self::Stale => texts.get("login.stale").to_owned(),
            Self::Nameless => texts.get("login.nameless").to_owned(),
        }
    }
}
