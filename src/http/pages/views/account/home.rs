//! `/account`: what is known of the person who is signed in.

use askama::Template;

use super::{Area, Section};
use crate::http::pages::{
    view::{Frame, Person},
    views::Moment,
};

#[derive(Template, Debug)]
#[template(path = "pages/account/home.html")]
pub struct AccountHome {
    pub frame: Frame,
    pub area: Area,
    pub person: Person,
    pub email_verified: bool,
    pub signed_in: Option<Moment>,
    /// When the session ends by itself.
    pub ends: Option<Moment>,
    /// Methods of the sign-in, as in `amr`.
    pub methods: Vec<String>,
    /// The page "Try a sign-in", for those who may.
    pub try_it: Option<String>,
    /// The mails that were not sent, for those who may see them, where there is no mail server.
    pub outbox: Option<String>,
}

impl AccountHome {
    /// The methods in words.
    pub fn means(&self) -> String {
        let named = self.methods.iter().filter(|method| !matches!(method.as_str(), "uv" | "federated_two"));
        let word = |method: &String| match method.as_str() {
            "pwd" => self.frame.texts.get("account.by_password"),
            "otp" => self.frame.texts.get("account.by_totp"),
            "recovery_code" => self.frame.texts.get("account.by_recovery_code"),
            "federated" => self.frame.texts.get("account.by_provider"),
            "hwk" | "swk" => self.frame.texts.get("account.by_passkey"),
            "trusted" => self.frame.texts.get("account.by_trusted_device"),
            _ => self.frame.texts.get("account.by_other"),
        };
        self.frame.texts.list(named.map(word))
    }
}
