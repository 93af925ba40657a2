//! `/account/profile`: what a person says of themself (OpenID Connect Core §5.1).

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::Frame,
    views::{Complaint, TextField},
};

/// Fields: the claims by their names, those of the address too; `username`, `phone_number` and `bio`.
#[derive(Template, Debug)]
#[template(path = "pages/account/profile.html")]
pub struct ProfilePage {
    pub frame: Frame,
    pub area: Area,
    pub complaint: Option<Complaint>,
    pub groups: Vec<Group>,
}

/// Fields that belong together.
#[derive(Clone, Debug)]
pub struct Group {
    pub id: &'static str,
    pub title: String,
    pub fields: Vec<TextField>,
}
