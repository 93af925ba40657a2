//! `/account/apps`: what apps may see.

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::Frame,
    views::{ClientCard, Moment, ScopeLine, Topic},
};

/// Field of each form: `client_id`.
#[derive(Template, Debug)]
#[template(path = "pages/account/apps.html")]
pub struct AppsPage {
    pub frame: Frame,
    pub area: Area,
    pub apps: Vec<AppAccess>,
}

#[derive(Clone, Debug)]
pub struct AppAccess {
    pub client_id: String,
    pub client: ClientCard,
    pub scopes: Vec<ScopeLine>,
    pub since: Option<Moment>,
    pub last_used: Option<Moment>,
}
