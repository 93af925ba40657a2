//! `/authorize/{id}/consent`: what an app asks for, in plain words.

use askama::Template;

use super::{ClientCard, Destination};
use crate::http::{
    pages::view::{Frame, Person},
    text::Texts,
};

/// Field: `answer` = `allow`, `deny`, or `switch` (another account).
#[derive(Template, Debug)]
#[template(path = "pages/consent.html")]
pub struct Consent {
    pub frame: Frame,
    pub action: String,
    pub client: ClientCard,
    pub returns_to: Destination,
    pub account: Person,
    pub scopes: Vec<ScopeLine>,
}

/// One scope on the page.
#[derive(Clone, Debug)]
pub struct ScopeLine {
    pub topic: Topic,
    pub title: String,
    pub detail: Option<String>,
}

/// What a scope is about; it picks the icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Identity,
    Profile,
    Email,
    Address,
    Phone,
    Offline,
    Other,
}

impl ScopeLine {
    /// The scope in the person's language; one that OpenID Connect does not define by the description that its resource
    /// gives, or else by its bare name.
    pub fn of(texts: &Texts, scope: &str, described: Option<&str>) -> Self {
        let known = |topic, title, detail| Self {
            topic,
            title: texts.get(title).to_owned(),
            detail: Some(texts.get(detail).to_owned()),
        };
        match scope {
            "openid" => known(Topic::Identity, "scope.openid", "scope.openid_detail"),
            "profile" => known(Topic::Profile, "scope.profile", "scope.profile_detail"),
            "email" => known(Topic::Email, "scope.email", "scope.email_detail"),
            "address" => known(Topic::Address, "scope.address", "scope.address_detail"),
            "phone" => known(Topic::Phone, "scope.phone", "scope.phone_detail"),
            "offline_access" => known(Topic::Offline, "scope.offline_access", "scope.offline_access_detail"),
            _ => Self::foreign(texts, scope, described),
        }
    }

    fn foreign(texts: &Texts, scope: &str, described: Option<&str>) -> Self {
        let (title, detail) = match described.map(str::trim).filter(|words| !words.is_empty()) {
            Some(words) => (words.to_owned(), None),
            None => (texts.with("scope.other", &[("scope", scope)]), Some(texts.get("scope.other_detail").to_owned())),
        };
        Self { topic: Topic::Other, title, detail }
    }
}
