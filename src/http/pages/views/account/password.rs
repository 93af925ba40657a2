//! `/account/password`: another password, or a first one.

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::Frame,
    views::{Complaint, NewPassword, TextField},
};

/// Fields: `current_password` of whom has one, `new_password`.
#[derive(Template, Debug)]
#[template(path = "pages/account/password.html")]
pub struct PasswordPage {
    pub frame: Frame,
    pub area: Area,
    /// For the browser that keeps passwords by name.
    pub login: String,
    pub complaint: Option<Complaint>,
    /// None of whom has none yet.
    pub current: Option<TextField>,
    pub new_password: NewPassword,
    /// Where somebody without a password signs in first.
    pub again: Option<String>,
}
