//! `/account/factors`: what a person proves with besides the password.

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::Frame,
    views::{AppKey, Complaint, Input, Moment},
};

/// Fields: `do` = `begin`, `confirm`, `remove`, `renew`, `forget-all` or the id of a trusted browser; `code` to confirm. Of
/// passkeys `add-passkey` with `ticket`, `credential` and `name`; `rename-passkey` with `passkey` and `name`;
/// `remove-passkey` with `passkey`.
#[derive(Template, Debug)]
#[template(path = "pages/account/factors.html")]
pub struct FactorsPage {
    pub frame: Frame,
    pub area: Area,
    pub complaint: Option<Complaint>,
    /// The code was not right.
    pub problem: bool,
    pub passkeys: Vec<PasskeyEntry>,
    /// Where a script learns what a new passkey is to be, if passkeys work here.
    pub ask: Option<String>,
    /// Of the new passkey.
    pub name: Input,
    /// The passkey that was made was no good.
    pub refused: bool,
    /// There is an authenticator app, set up then.
    pub app_since: Option<Moment>,
    /// Recovery codes, where there is something for them to stand in for.
    pub codes_left: Option<u64>,
    /// An app that is being set up.
    pub key: Option<AppKey>,
    /// The person may change something now.
    pub is_fresh: bool,
    /// Where the person signs in to be able to.
    pub again: String,
    /// Browsers can be trusted at all.
    pub has_trust: bool,
    pub trusted: Vec<TrustedBrowser>,
}

#[derive(Clone, Debug)]
pub struct PasskeyEntry {
    pub id: String,
    pub name: String,
    /// On all devices of its owner.
    pub synced: bool,
    pub added: Option<Moment>,
    pub last_used: Option<Moment>,
}

#[derive(Clone, Debug)]
pub struct TrustedBrowser {
    pub id: String,
    /// Browser and system, where it says what it is.
    pub name: Option<String>,
    pub address: Option<String>,
    pub last_used: Option<Moment>,
    pub until: Option<Moment>,
}

impl FactorsPage {
    fn name<'a>(&'a self, device: &'a TrustedBrowser) -> &'a str {
        device.name.as_deref().unwrap_or_else(|| self.frame.t("sessions.browser"))
    }

    /// So few that it is time for new ones.
    fn are_few(&self, count: &u64) -> bool {
        *count <= 3
    }

    fn left(&self, count: &u64) -> String {
        self.frame.with("factors.codes_left", &[("count", &count.to_string())])
    }
}
