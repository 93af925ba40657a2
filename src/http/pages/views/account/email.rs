//! `/account/email`: the address, and another one.

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::Frame,
    views::{Complaint, TextField},
};

/// Fields: `email`, and `current_password` of whom has signed in too long ago.
#[derive(Template, Debug)]
#[template(path = "pages/account/email.html")]
pub struct EmailPage {
    pub frame: Frame,
    pub area: Area,
    pub current: Option<String>,
    pub verified: bool,
    pub complaint: Option<Complaint>,
    pub fields: Vec<TextField>,
    /// Where somebody without a password signs in first.
    pub again: Option<String>,
}
