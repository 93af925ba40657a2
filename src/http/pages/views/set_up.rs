//! `/setup`: the first administrator, made in the browser behind the one-time link.

use askama::Template;

use super::login;
use crate::{app::text::Texts, http::pages::view::Frame};

/// Fields: `email`, `username` (may be empty), `name`, `password`.
#[derive(Template, Debug)]
#[template(path = "pages/set_up.html")]
pub struct SetUp {
    pub frame: Frame,
    pub action: String,
    pub email: Input,
    pub username: Input,
    pub name: Input,
    /// Never filled in again.
    pub password: Option<InputProblem>,
    /// What is asked of a password here.
    pub rules: Vec<PasswordRule>,
}

/// A field with what was typed, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pub value: String,
    pub problem: Option<InputProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputProblem {
    Missing,
    NotAnEmail,
    /// Letters, digits, dot, dash, underscore.
    NotAUsername,
    Taken,
    TooLong,
    PasswordTooShort {
        minimum: usize,
    },
    PasswordTooCommon,
    PasswordAboutYou,
    /// Hashing has no room at the moment.
    Busy {
        seconds: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRule {
    Length { minimum: usize },
    AnyCharacter,
    NotCommon,
    NotAboutYou,
}

impl InputProblem {
    pub fn sentence(self, texts: &Texts) -> String {
        let key = match self {
            Self::Missing => "input.missing",
            Self::NotAnEmail => "input.not_an_email",
            Self::NotAUsername => "input.not_a_username",
            Self::Taken => "input.taken",
            Self::TooLong => "input.too_long",
            Self::PasswordTooCommon => "input.password_common",
            Self::PasswordAboutYou => "input.password_about_you",
            Self::PasswordTooShort { minimum } => {
                return texts.with("input.password_short", &[("minimum", &minimum.to_string())]);
            }
            Self::Busy { seconds } => return texts.with("input.busy", &[("wait", &login::wait(texts, seconds))]),
        };
        texts.get(key).to_owned()
    }
}

impl PasswordRule {
    pub fn sentence(self, texts: &Texts) -> String {
        match self {
            Self::Length { minimum } => texts.with("rule.length", &[("minimum", &minimum.to_string())]),
            Self::AnyCharacter => texts.get("rule.any_character").to_owned(),
            Self::NotCommon => texts.get("rule.not_common").to_owned(),
            Self::NotAboutYou => texts.get("rule.not_about_you").to_owned(),
        }
    }
}

impl SetUp {
    /// The first field that needs the person: a wrong one, or the first of all.
    fn focus(&self) -> &'static str {
        let fields = [
            ("email", self.email.problem.is_some()),
            ("name", self.name.problem.is_some()),
            ("username", self.username.problem.is_some()),
            ("password", self.password.is_some()),
        ];
        fields.iter().find(|(_, wrong)| *wrong).map_or("email", |(name, _)| name)
    }

    fn wrong(&self) -> bool {
        let problems = [self.email.problem, self.name.problem, self.username.problem, self.password];
        problems.iter().any(Option::is_some)
    }
}

/// The end of the set-up, with the one thing to do next. The form posts `csrf` to `try_it`, which starts the sign-in.
#[derive(Template, Debug)]
#[template(path = "pages/set_up_done.html")]
pub struct SetUpDone {
    pub frame: Frame,
    pub try_it: String,
    /// Where "not now" leads: the account.
    pub account: String,
}
