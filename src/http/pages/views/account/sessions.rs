//! `/account/sessions`: where a person is signed in.

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::Frame,
    views::{Complaint, Moment, TextField},
};

/// Fields: `end` = the id of a device, `others` or `everywhere`; `current_password` of whom has signed in too long ago.
#[derive(Template, Debug)]
#[template(path = "pages/account/sessions.html")]
pub struct SessionsPage {
    pub frame: Frame,
    pub area: Area,
    pub complaint: Option<Complaint>,
    /// The one that looks stands first.
    pub devices: Vec<Device>,
    pub password: Option<TextField>,
}

#[derive(Clone, Debug)]
pub struct Device {
    pub id: String,
    /// Browser and system, where they say what they are.
    pub name: Option<String>,
    pub is_program: bool,
    pub is_this: bool,
    pub address: Option<String>,
    pub place: Option<String>,
    pub created: Option<Moment>,
    pub last_used: Option<Moment>,
    /// Those that were used there, by name.
    pub apps: Vec<String>,
}

impl SessionsPage {
    fn has_others(&self) -> bool {
        self.devices.iter().any(|device| !device.is_this)
    }

    fn name<'a>(&'a self, device: &'a Device) -> &'a str {
        let unknown = if device.is_program { "sessions.program" } else { "sessions.browser" };
        device.name.as_deref().unwrap_or_else(|| self.frame.t(unknown))
    }

    fn apps(&self, device: &Device) -> String {
        self.frame.texts.list(device.apps.iter().map(String::as_str))
    }

    /// Address and place in one.
    fn whence(&self, device: &Device) -> Option<String> {
        match (&device.address, &device.place) {
            (Some(address), Some(place)) => Some(format!("{place} · {address}")),
            (one, other) => one.clone().or_else(|| other.clone()),
        }
    }
}
