//! `/account/providers`: accounts elsewhere that open this one.

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::Frame,
    views::{Complaint, Mark, Moment, ProviderButton},
};

/// Field of the form that disconnects: `remove`.
#[derive(Template, Debug)]
#[template(path = "pages/account/providers.html")]
pub struct ProvidersPage {
    pub frame: Frame,
    pub area: Area,
    pub complaint: Option<Complaint>,
    pub connected: Vec<ConnectedAccount>,
    /// Those that one can be connected with.
    pub offered: Vec<ProviderButton>,
    /// The person may change something now.
    pub is_fresh: bool,
    /// Where the person signs in to be able to.
    pub again: String,
}

#[derive(Clone, Debug)]
pub struct ConnectedAccount {
    pub id: String,
    /// What people call the provider.
    pub provider: String,
    /// What the person recognizes the account there by.
    pub label: Option<String>,
    /// One can sign in with it.
    pub works: bool,
    pub added: Option<Moment>,
    pub last_used: Option<Moment>,
}

impl ProvidersPage {
    fn connect(&self, button: &ProviderButton) -> String {
        self.frame.with("providers.connect", &[("provider", &button.title)])
    }
}
