//! Fields of forms: what was typed, and what is wrong with it.

use crate::{
    app::{moment, text::Texts},
    flows::{Field, Why},
    protocol::{password::Weak, text::Unfit},
};

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
    NotADomainOfOurs,
    NotALink,
    NotADate,
    NotAZone,
    NotALanguage,
    NotANumber,
    LikeANumber,
    LookAlike,
    Reserved,
    Invisible,
    NotYours,
    Taken,
    /// The address that the account has already.
    AlreadyYours,
    TooLong,
    /// Not the password of the account.
    Wrong,
    PasswordTooShort {
        minimum: usize,
    },
    PasswordTooCommon,
    PasswordAboutYou,
    PasswordGuessable,
    PasswordUsed,
    PasswordNoUpper,
    PasswordNoLower,
    PasswordNoDigit,
    PasswordNoSymbol,
    /// Hashing has no room at the moment.
    Busy {
        seconds: u64,
    },
}

impl InputProblem {
    /// The flow's reason in the page's words.
    pub fn of(field: &Field) -> Self {
        match (&field.why, field.name) {
            (Why::Missing, _) => Self::Missing,
            (Why::Taken, _) => Self::Taken,
            (Why::Wrong, _) => Self::Wrong,
            (Why::Domain, _) => Self::NotADomainOfOurs,
            (Why::Unchanged, _) => Self::AlreadyYours,
            (Why::NotYours, _) => Self::NotYours,
            (Why::Weak(weak), _) => Self::of_weak(weak),
            (Why::Unfit(unfit), _) => Self::of_unfit(*unfit),
            (_, "email") => Self::NotAnEmail,
            (_, "username") => Self::NotAUsername,
            _ => Self::TooLong,
        }
    }

    fn of_weak(weak: &Weak) -> Self {
        match weak {
            Weak::TooShort { least, .. } => Self::PasswordTooShort { minimum: *least },
            Weak::TooLong => Self::TooLong,
            Weak::Control | Weak::Common => Self::PasswordTooCommon,
            Weak::About(_) => Self::PasswordAboutYou,
            Weak::Guessable => Self::PasswordGuessable,
            Weak::Used => Self::PasswordUsed,
            Weak::NoUpper => Self::PasswordNoUpper,
            Weak::NoLower => Self::PasswordNoLower,
            Weak::NoDigit => Self::PasswordNoDigit,
            Weak::NoSymbol => Self::PasswordNoSymbol,
        }
    }

    const fn of_unfit(unfit: Unfit) -> Self {
        match unfit {
            Unfit::NotTheName => Self::NotYours,
            Unfit::Empty => Self::Missing,
            Unfit::TooLong(_) => Self::TooLong,
            Unfit::Invisible => Self::Invisible,
            Unfit::Space | Unfit::AtSign => Self::NotAUsername,
            Unfit::NotAnAddress => Self::NotAnEmail,
            Unfit::LikeANumber => Self::LikeANumber,
            Unfit::LookAlike => Self::LookAlike,
            Unfit::Reserved => Self::Reserved,
            Unfit::NotALink => Self::NotALink,
            Unfit::NotADate => Self::NotADate,
            Unfit::NotAZone => Self::NotAZone,
            Unfit::NotALanguage => Self::NotALanguage,
            Unfit::NotANumber => Self::NotANumber,
        }
    }

    pub fn sentence(self, texts: &Texts) -> String {
        let key = match self {
            Self::Missing => "input.missing",
            Self::NotAnEmail => "input.not_an_email",
            Self::NotAUsername => "input.not_a_username",
            Self::Taken => "input.taken",
            Self::NotADomainOfOurs => "input.not_a_domain_of_ours",
            Self::AlreadyYours => "input.already_yours",
            Self::Wrong => "input.wrong",
            Self::NotALink => "input.not_a_link",
            Self::NotADate => "input.not_a_date",
            Self::NotAZone => "input.not_a_zone",
            Self::NotALanguage => "input.not_a_language",
            Self::NotANumber => "input.not_a_number",
            Self::LikeANumber => "input.like_a_number",
            Self::LookAlike => "input.look_alike",
            Self::Reserved => "input.reserved",
            Self::Invisible => "input.invisible",
            Self::NotYours => "input.not_yours",
            Self::TooLong => "input.too_long",
            Self::PasswordTooCommon => "input.password_common",
            Self::PasswordAboutYou => "input.password_about_you",
            Self::PasswordGuessable => "input.password_guessable",
            Self::PasswordUsed => "input.password_used",
            Self::PasswordNoUpper => "input.password_no_upper",
            Self::PasswordNoLower => "input.password_no_lower",
            Self::PasswordNoDigit => "input.password_no_digit",
            Self::PasswordNoSymbol => "input.password_no_symbol",
            Self::PasswordTooShort { minimum } => {
                return texts.with("input.password_short", &[("minimum", &minimum.to_string())]);
            }
            Self::Busy { seconds } => return texts.with("input.busy", &[("wait", &moment::span(texts, seconds))]),
        };
        texts.get(key).to_owned()
    }
}
