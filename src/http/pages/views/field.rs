//! What forms are made of (`parts/field.html`, `parts/complaint.html`).

use super::{Input, InputProblem};
use crate::app::{moment, text::Texts};

/// A field with a label: text, or a password.
#[derive(Clone, Debug)]
pub struct TextField {
    pub id: &'static str,
    pub name: &'static str,
    pub label: String,
    /// `type` of the input; or `textarea`, for several lines.
    pub kind: &'static str,
    pub autocomplete: &'static str,
    pub most: u16,
    pub required: bool,
    /// Nothing on the form is required, so nothing says that it is optional.
    pub unmarked: bool,
    pub hint: Option<String>,
    /// The id of a list of what it may be.
    pub list: Option<&'static str>,
    /// As wide as the form, where others stand side by side.
    pub wide: bool,
    pub input: Input,
    pub focus: bool,
}

impl TextField {
    /// A text that may be left out.
    pub fn new(id: &'static str, name: &'static str, label: &str) -> Self {
        TextField {
            id,
            name,
            label: label.to_owned(),
            kind: "text",
            autocomplete: "off",
            most: 255,
            required: false,
            unmarked: false,
            hint: None,
            list: None,
            wide: false,
            input: Input::default(),
            focus: false,
        }
    }

    pub fn email(id: &'static str, label: &str) -> Self {
        TextField { kind: "email", autocomplete: "email", most: 320, ..Self::new(id, "email", label) }.required()
    }

    /// The password that the person has.
    pub fn password(id: &'static str, name: &'static str, label: &str) -> Self {
        let field = Self::new(id, name, label);
        TextField { kind: "password", autocomplete: "current-password", most: 1024, ..field }.required()
    }

    pub fn required(self) -> Self {
        TextField { required: true, ..self }
    }

    pub fn kind(self, kind: &'static str) -> Self {
        TextField { kind, ..self }
    }

    /// A token of HTML §4.10.18.7.1.
    pub fn autocomplete(self, autocomplete: &'static str) -> Self {
        TextField { autocomplete, ..self }
    }

    pub fn most(self, most: u16) -> Self {
        TextField { most, ..self }
    }

    pub fn hint(self, hint: &str) -> Self {
        TextField { hint: Some(hint.to_owned()), ..self }
    }

    pub fn list(self, id: &'static str) -> Self {
        TextField { list: Some(id), ..self }
    }

    pub fn wide(self) -> Self {
        TextField { wide: true, ..self }
    }

    /// What was typed; a password never comes back.
    pub fn given(self, input: Input) -> Self {
        let value = if self.kind == "password" { String::new() } else { input.value };
        TextField { input: Input { value, ..input }, ..self }
    }

    pub fn problem(&self) -> Option<InputProblem> {
        self.input.problem
    }

    /// The ids of what is said about it.
    pub fn described(&self) -> Option<String> {
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.id));
        let problem = self.problem().map(|_| format!("{}-problem", self.id));
        let all: Vec<String> = hint.into_iter().chain(problem).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// How a name is typed, and not a sentence.
    pub fn is_plain(&self) -> bool {
        matches!(self.name, "email" | "username" | "login" | "zoneinfo" | "locale")
            || matches!(self.kind, "url" | "email")
    }
}

/// What stands above a form that is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The fields say what is wrong.
    LookAgain,
    TooMany {
        seconds: u64,
    },
    Busy {
        seconds: u64,
    },
    /// Nobody would be left to administer the server.
    LastAdmin,
    /// Nothing would open the account.
    LastWayIn,
}

impl Complaint {
    pub fn sentence(self, texts: &Texts) -> String {
        match self {
            Self::LookAgain => texts.get("input.look_again").to_owned(),
            Self::LastAdmin => texts.get("input.last_admin").to_owned(),
            Self::LastWayIn => texts.get("input.last_way_in").to_owned(),
            Self::TooMany { seconds } => texts.with("input.too_many", &[("wait", &moment::span(texts, seconds))]),
            Self::Busy { seconds } => texts.with("input.busy", &[("wait", &moment::span(texts, seconds))]),
        }
    }
}
