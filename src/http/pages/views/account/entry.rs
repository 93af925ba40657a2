//! The pages before an account can be used: registering, confirming an address, a forgotten password.

use askama::Template;

use crate::http::pages::{
    view::Frame,
    views::{ClientCard, Complaint, NewPassword, TextField},
};

/// `/account/register`. Fields: `email`, `name`, `username`, `password`.
#[derive(Template, Debug)]
#[template(path = "pages/account/register.html")]
pub struct Register {
    pub frame: Frame,
    pub action: String,
    /// The app that the person came from.
    pub client: Option<ClientCard>,
    pub complaint: Option<Complaint>,
    /// All but the password.
    pub fields: Vec<TextField>,
    pub new_password: NewPassword,
    /// Where people sign in who have an account.
    pub sign_in: String,
}

/// `/account/verify`. Field: `password`.
#[derive(Template, Debug)]
#[template(path = "pages/account/verify.html")]
pub struct Verify {
    pub frame: Frame,
    pub action: String,
    pub email: String,
    pub complaint: Option<Complaint>,
    /// Nobody is signed in here whose address it would be.
    pub password: Option<TextField>,
    /// Where they sign in first, if they have no password.
    pub sign_in: Option<String>,
}

/// `/account/forgot`. Field: `login`.
#[derive(Template, Debug)]
#[template(path = "pages/account/forgot.html")]
pub struct Forgot {
    pub frame: Frame,
    pub action: String,
    pub complaint: Option<Complaint>,
    pub login: TextField,
    pub sign_in: String,
}

/// `/account/reset`. Field: `password`.
#[derive(Template, Debug)]
#[template(path = "pages/account/reset.html")]
pub struct Reset {
    pub frame: Frame,
    pub action: String,
    /// For the browser that keeps passwords by name.
    pub login: String,
    pub complaint: Option<Complaint>,
    pub new_password: NewPassword,
}

/// `/account/email/confirm`, `/account/email/keep` and `/account/keep`: one question about a link.
#[derive(Template, Debug)]
#[template(path = "pages/account/question.html")]
pub struct Question {
    pub frame: Frame,
    pub action: String,
    pub what: Asked,
    /// The address, or the time, that it is about.
    pub about: String,
    pub complaint: Option<Complaint>,
    /// Where the person is not signed in.
    pub password: Option<TextField>,
    /// Where they sign in first, if they have no password.
    pub sign_in: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    ConfirmEmail,
    KeepEmail,
    KeepAccount,
    SignIn,
}

impl Question {
    fn title(&self) -> &str {
        self.frame.t(match self.what {
            Asked::ConfirmEmail => "question.confirm_email",
            Asked::KeepEmail => "question.keep_email",
            Asked::KeepAccount => "question.keep_account",
            Asked::SignIn => "login.title",
        })
    }

    fn lead(&self) -> &'static str {
        match self.what {
            Asked::ConfirmEmail => "question.confirm_email_lead",
            Asked::KeepEmail => "question.keep_email_lead",
            Asked::KeepAccount => "question.keep_account_lead",
            Asked::SignIn => "question.sign_in_lead",
        }
    }

    fn detail(&self) -> Option<&str> {
        match self.what {
            Asked::KeepEmail => Some(self.frame.t("question.keep_email_detail")),
            Asked::SignIn => Some(self.frame.t("question.sign_in_detail")),
            Asked::ConfirmEmail if self.password.is_some() => Some(self.frame.t("question.confirm_email_why")),
            _ => None,
        }
    }

    fn submit(&self) -> &str {
        self.frame.t(match self.what {
            Asked::ConfirmEmail => "question.confirm_email_submit",
            Asked::KeepEmail => "question.keep_email_submit",
            Asked::KeepAccount => "question.keep_account_submit",
            Asked::SignIn => "login.submit",
        })
    }
}
