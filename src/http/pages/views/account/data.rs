//! `/account/data`: a copy of everything, and the end of the account.

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::Frame,
    views::{Complaint, TextField},
};

/// Field of the form that deletes: `current_password`, of whom has one.
#[derive(Template, Debug)]
#[template(path = "pages/account/data.html")]
pub struct DataPage {
    pub frame: Frame,
    pub area: Area,
    pub complaint: Option<Complaint>,
    /// How long the account can be taken back, in words; none where it goes at once.
    pub grace: Option<String>,
    pub login: String,
    pub password: Option<TextField>,
    /// Where somebody without a password signs in first.
    pub again: Option<String>,
}

impl DataPage {
    fn consequence(&self) -> String {
        match &self.grace {
            Some(time) => self.frame.with("data.delete_later", &[("time", time)]),
            None => self.frame.t("data.delete_now").to_owned(),
        }
    }
}
