//! `/account/password`: another password.

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::Frame,
    views::{Complaint, NewPassword, TextField},
};

/// Fields: `current_password`, `new_password`.
#[derive(Template, Debug)]
#[template(path = "pages/account/password.html")]
pub struct PasswordPage {
    pub frame: Frame,
    pub area: Area,
    /// For the browser that keeps passwords by name.
    pub login: String,
    pub complaint: Option<Complaint>,
    pub current: TextField,
    pub new_password: NewPassword,
}
