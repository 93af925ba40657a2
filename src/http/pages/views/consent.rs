//! `/authorize/{id}/consent`: what an app asks for, in plain words.

use askama::Template;

use super::{ClientCard, Destination, claim};
use crate::{
    app::text::Texts,
    http::pages::view::{Frame, Person},
    protocol::scope,
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

/// What a line is about; it picks the icon. In the order in which people read them: who they are first, and last what
/// goes on without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Identity,
    Profile,
    Email,
    Phone,
    Address,
    Other,
    Offline,
}

impl ScopeLine {
    /// What the app asks for: scopes with the descriptions that resources give, and single claims beyond them.
    pub fn all<'a>(
        texts: &Texts,
        scopes: impl Iterator<Item = (&'a str, Option<&'a str>)>,
        claims: &[&str],
    ) -> Vec<Self> {
        let scopes = scopes.map(|(scope, described)| Self::of(texts, scope, described));
        let mut lines: Vec<Self> = scopes.chain(Self::of_claims(texts, claims)).collect();
        lines.sort_by_key(|line| line.topic);
        lines
    }

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
            scope::ACCOUNT => known(Topic::Other, "scope.account", "scope.account_detail"),
            "offline_access" => known(Topic::Offline, "scope.offline_access", "scope.offline_access_detail"),
            _ => Self::foreign(texts, scope, described),
        }
    }

    /// Single claims (OpenID Connect Core §5.5), a line for each topic. Those of the profile are named one by one.
    fn of_claims(texts: &Texts, claims: &[&str]) -> Vec<Self> {
        let whole = [("email", "email"), ("phone_number", "phone"), ("address", "address")];
        let about = |claim: &str| whole.iter().find(|(start, _)| claim.starts_with(start)).map(|(_, scope)| *scope);
        let mut topics: Vec<&str> = claims.iter().filter_map(|claim| about(claim)).collect();
        topics.dedup();
        let of_profile = claims.iter().filter(|claim| about(claim).is_none());
        let of_profile: Vec<&str> = of_profile.map(|name| claim::meaning(texts, name).unwrap_or(name)).collect();
        let profile = (!of_profile.is_empty()).then(|| Self {
            topic: Topic::Profile,
            title: texts.get("scope.claims").to_owned(),
            detail: Some(texts.list(of_profile)),
        });
        profile.into_iter().chain(topics.into_iter().map(|scope| Self::of(texts, scope, None))).collect()
    }

    fn foreign(texts: &Texts, scope: &str, described: Option<&str>) -> Self {
        let (title, detail) = match described.map(str::trim).filter(|words| !words.is_empty()) {
            Some(words) => (words.to_owned(), None),
            None => (texts.with("scope.other", &[("scope", scope)]), Some(texts.get("scope.other_detail").to_owned())),
        };
        Self { topic: Topic::Other, title, detail }
    }
}
