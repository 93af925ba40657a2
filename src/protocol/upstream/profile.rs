//! OpenID Connect Core §5.1: what a provider says of a person, in our words. Nothing of it is a right here: groups count
//! only where the operator has named them (case SEC-141).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Settings;
use crate::protocol::{Code, Error, claims::StandardClaims, numeric_date, rule, text, trace::Shown};

/// Characters of a claim that are kept.
const LONGEST: usize = 200;
/// Groups that are looked at.
const MOST_GROUPS: usize = 1000;

/// A person, as a provider describes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// In the one form that decides who is who.
    pub email: Option<String>,
    pub email_verified: bool,
    pub claims: StandardClaims,
    /// What the person is called there: a wish, and not a name here.
    pub username: Option<String>,
    pub groups: Vec<String>,
    /// The person has proved two factors there, and the operator believes it.
    pub two_factors: bool,
    /// When the person signed in there, in seconds, where the provider tells.
    pub signed_in_at: Option<i64>,
}

impl Profile {
    /// `said`: what the ID token, userinfo or API of the provider says, as one object.
    pub fn read(said: &Map<String, Value>, settings: &Settings) -> Self {
        let claim = |name: &str| find(said, settings, name);
        let words = |name: &str| claim(name).and_then(Value::as_str).and_then(kept);
        let email = claim("email").and_then(Value::as_str).and_then(|email| text::email(email).ok());
        Profile {
            email_verified: email.is_some() && claim("email_verified").is_some_and(is_true),
            email,
            claims: StandardClaims {
                name: words("name"),
                given_name: words("given_name"),
                family_name: words("family_name"),
                nickname: words("nickname"),
                ..StandardClaims::default()
            },
            username: words("preferred_username"),
            groups: groups(said, settings),
            two_factors: settings.trust_second_factor && has_two_factors(said, settings),
            signed_in_at: said.get("auth_time").and_then(numeric_date::read),
        }
    }

    /// What the operator has mapped by name is the provider's to say: over what is known here.
    pub fn refreshed(&self, known: &StandardClaims, settings: &Settings) -> StandardClaims {
        let mut claims = known.clone();
        let said = &self.claims;
        for (name, value, mine) in [
            ("name", &said.name, &mut claims.name),
            ("given_name", &said.given_name, &mut claims.given_name),
            ("family_name", &said.family_name, &mut claims.family_name),
            ("nickname", &said.nickname, &mut claims.nickname),
        ] {
            if settings.claims.contains_key(name) && value.is_some() {
                mine.clone_from(value);
            }
        }
        claims
    }

    /// OpenID Connect Core §2, §3.1.2.1: when the person proved who they are. A provider that was asked for a sign-in at `since`
    /// or later, and tells of an older one, has not asked the person. One that does not tell is believed.
    ///
    /// # Errors
    /// When it is too old.
    pub fn signed_in(&self, since: Option<i64>, now: i64) -> Result<i64, Error> {
        /// Seconds by which clocks may differ.
        const SKEW: i64 = 60;
        let at = self.signed_in_at.unwrap_or(now).min(now);
        if let Some(since) = since.filter(|since| at.saturating_add(SKEW) < *since) {
            let error = Code::AccessDenied.because("the provider did not ask the person to sign in again");
            let error = error.under(&rule::UPSTREAM_TOKEN).expected(Shown::number(since));
            return Err(error.received(Shown::number(at)));
        }
        Ok(at)
    }

    /// Whether the address is one that the operator lets in: any, or a verified one of these domains.
    pub fn is_of_domains(&self, domains: &[String]) -> bool {
        let domain = self.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        let known = |domain| domains.iter().any(|known| known.eq_ignore_ascii_case(domain));
        domains.is_empty() || self.email_verified && domain.is_some_and(known)
    }

    /// Whether the person is in one of these groups.
    pub fn is_in(&self, groups: &[String]) -> bool {
        self.groups.iter().any(|group| groups.contains(group))
    }
}

/// The value that stands for one of our claims.
pub fn find<'a>(said: &'a Map<String, Value>, settings: &Settings, name: &str) -> Option<&'a Value> {
    at(said, settings.claims.get(name).map_or(name, String::as_str))
}

/// The subject by the mapping: a text, or a whole number as text.
pub fn subject(said: &Map<String, Value>, settings: &Settings) -> Option<String> {
    match find(said, settings, "sub")? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    }
}

/// A member, or one within members: `user.profile.name`. A member whose own name has dots comes first, as names that are
/// URIs do.
pub fn at<'a>(said: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = said.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    at(said.get(first)?.as_object()?, rest)
}

/// Some providers write it as text.
fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true) || value.as_str() == Some("true")
}

/// A text that pages can show, cut.
fn kept(words: &str) -> Option<String> {
    let words: String = words.trim().chars().take(LONGEST).collect();
    (!words.is_empty() && text::is_visible(&words)).then_some(words)
}

fn groups(said: &Map<String, Value>, settings: &Settings) -> Vec<String> {
    let Some(claim) = &settings.groups_claim else { return Vec::new() };
    match at(said, claim) {
        Some(Value::String(one)) => kept_groups([one.as_str()].into_iter()),
        // Roles with what they are of, as some providers name them.
        Some(Value::Object(all)) => kept_groups(all.keys().map(String::as_str)),
        Some(Value::Array(all)) => kept_groups(all.iter().filter_map(Value::as_str)),
        _ => Vec::new(),
    }
}

/// None that no operator could write down.
fn kept_groups<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let fits = |group: &&str| group.len() <= 255 && !group.chars().any(char::is_control);
    all.take(MOST_GROUPS).filter(fits).map(str::to_owned).collect()
}

/// RFC 8176 §2: what says of itself that it is two, or something known together with something had; or one of the contexts
/// that the operator has named.
fn has_two_factors(said: &Map<String, Value>, settings: &Settings) -> bool {
    let amr: Vec<&str> =
        said.get("amr").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let any = |names: &[&str]| names.iter().any(|name| amr.contains(name));
    let acr = said.get("acr").and_then(Value::as_str);
    any(&["mfa", "mca"])
        || any(&["pwd", "pin"]) && any(&["otp", "hwk", "swk", "sc"])
        || acr.is_some_and(|acr| settings.second_factor_acr.iter().any(|known| known == acr))
}
