//! A profile as somebody wants it against the one that there is: which members are theirs to set, and what becomes of
//! the rest.

use serde_json::{Map, Value};

use super::profile::Profile;
use crate::{
    app::App,
    config::Usernames,
    flows::{Field, Why, profile_rules as rules},
    protocol::{
        claims::{self, StandardClaims},
        text::{self, Unfit},
    },
    store::user::{User, Wanted},
};

/// What people may say of themselves besides the texts among the standard claims.
const MEMBERS: [&str; 4] = ["username", "phone_number", "bio", "address"];

/// What tools send back because they got it, and what others try (case SEC-145).
const NOT_THEIRS: [&str; 26] = [
    "id",
    "sub",
    "email",
    "email_verified",
    "phone_number_verified",
    "created_at",
    "updated_at",
    "delete_at",
    "password",
    "password_hash",
    "admin",
    "is_admin",
    "superuser",
    "role",
    "roles",
    "groups",
    "permissions",
    "scope",
    "scopes",
    "enabled",
    "disabled",
    "active",
    "mfa_enabled",
    "token_version",
    "unconfirmed_since",
    "phone_key",
];

/// RFC 7396 §2 over `before`. What is not the person's to set may be there if it says what is so.
pub fn merged(user: &User, before: &Profile, changes: &Map<String, Value>) -> Result<Profile, Vec<Field>> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(before) else { return Err(Vec::new()) };
    let mut problems = Vec::new();
    for (name, value) in changes {
        let mut known = MEMBERS.iter().chain(claims::TEXTS);
        match known.find(|known| *known == name).copied() {
            Some("address") => merge_address(&mut members, value, &mut problems),
            Some(name) => match value {
                Value::Null => drop(members.remove(name)),
                Value::String(_) => drop(members.insert(name.to_owned(), value.clone())),
                _ => problems.push(Field { name, why: "must be text or null".into() }),
            },
            None => problems.extend(foreign(user, name, value)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    serde_json::from_value(Value::Object(members)).map_err(|_| Vec::new())
}

fn merge_address(members: &mut Map<String, Value>, change: &Value, problems: &mut Vec<Field>) {
    let mut wrong = |why: &str| problems.push(Field { name: "address", why: why.into() });
    let change = match change {
        Value::Null => return drop(members.remove("address")),
        Value::Object(change) => change,
        _ => return wrong("must be an object or null"),
    };
    let mut address = match members.remove("address") {
        Some(Value::Object(address)) => address,
        _ => Map::new(),
    };
    for (name, value) in change {
        match value {
            _ if !claims::ADDRESS.contains(&name.as_str()) => {
                wrong("has members formatted, street_address, locality, region, postal_code and country")
            }
            Value::Null => drop(address.remove(name)),
            Value::String(_) => drop(address.insert(name.clone(), value.clone())),
            _ => wrong("has members that are text or null"),
        }
    }
    if !address.is_empty() {
        members.insert("address".to_owned(), Value::Object(address));
    }
}

fn foreign(user: &User, name: &str, value: &Value) -> Option<Field> {
    let mut known = user.all_claims();
    known.insert("sub".to_owned(), user.sub().into());
    known.insert("id".to_owned(), user.sub().into());
    known.insert("created_at".to_owned(), user.created_at.into());
    let as_it_is = known.get(name).is_some_and(|known| known == value);
    if as_it_is {
        return None;
    }
    match NOT_THEIRS.into_iter().find(|known| *known == name) {
        Some(name) => Some(Field { name, why: Why::NotYours }),
        None => {
            let name: String = name.chars().take(40).collect();
            Some(Field { name: "profile", why: format!("has no member {name:?}").into() })
        }
    }
}

/// The person as they are to be, `updated_at` aside.
pub struct Change {
    pub user: User,
    before: User,
}

impl Change {
    pub fn is_empty(&self) -> bool {
        self.user == self.before
    }

    /// What they are to be known by that they were not before.
    pub fn wanted(&self) -> Wanted {
        let (new, old) = (&self.user, &self.before);
        let name = new.username.as_deref().filter(|_| new.username != old.username);
        let number = new.phone_key.as_deref().filter(|_| new.phone_key != old.phone_key);
        Wanted::default().username(name).phone(number)
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let (new, old) = (&self.user, &self.before);
        let name = (new.username != old.username).then_some("username");
        let number = (new.phone_key != old.phone_key).then_some("phone_number");
        name.into_iter().chain(number)
    }

    /// The answer will tell whether somebody is known by it.
    pub fn asks_for_a_name(&self) -> bool {
        self.names().next().is_some()
    }
}

/// Only what changes is judged: what an operator has said of the person stays as it is.
pub fn judge(app: &App, user: &User, wanted: Profile) -> Result<Change, Vec<Field>> {
    let mut problems = Vec::new();
    let mut new = user.clone();
    let wanted = told(wanted);
    set_username(app, &mut new, wanted.username.as_deref(), &mut problems);
    if wanted.phone_number != user.phone_number {
        let number = rules::phone_number(app, wanted.phone_number.as_deref(), &mut problems);
        if number != user.phone_number || number != user.phone_key {
            new.phone_number_verified = user.phone_number_verified && number == user.phone_number;
            (new.phone_key, new.phone_number) = (number.clone(), number);
        }
    }
    if wanted.bio != user.bio {
        wanted.bio.as_deref().into_iter().for_each(|bio| rules::check_bio(bio, &mut problems));
        new.bio = wanted.bio;
    }
    new.claims = wanted.claims;
    rules::check_claims(&difference(&new.claims, &user.claims), &mut problems);
    preferred(user, &mut new, &mut problems);
    if problems.is_empty() { Ok(Change { user: new, before: user.clone() }) } else { Err(problems) }
}

/// Forms send empty text for what nobody has filled in.
fn told(profile: Profile) -> Profile {
    let Ok(Value::Object(mut members)) = serde_json::to_value(&profile) else { return profile };
    let is_empty = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
    if let Some(Value::Object(address)) = members.get_mut("address") {
        address.retain(|_, value| !is_empty(value));
    }
    members.retain(|_, value| !is_empty(value) && value.as_object().is_none_or(|members| !members.is_empty()));
    serde_json::from_value(Value::Object(members)).unwrap_or(profile)
}

fn set_username(app: &App, new: &mut User, wanted: Option<&str>, problems: &mut Vec<Field>) {
    let mut wrong = |why| problems.push(Field { name: "username", why });
    let form = wanted.map(text::username).and_then(Result::ok);
    if form == new.username && wanted.is_some() == new.username.is_some() {
        return;
    }
    match (app.config.accounts.usernames, wanted) {
        (Usernames::Off, _) => wrong(Why::NotYours),
        (Usernames::Required, None) => wrong(Why::Missing),
        // Nobody gives up the last name by which they can sign in.
        (_, None) if new.email.is_none() => wrong(Why::Missing),
        _ => new.username = rules::own_username(app, wanted, problems),
    }
}

/// A spelling of the user name goes with the name; what else an operator has set stays.
fn preferred(old: &User, new: &mut User, problems: &mut Vec<Field>) {
    let Some(spelling) = new.claims.preferred_username.clone() else { return };
    if rules::spells(&spelling, new.username.as_deref()) {
        return;
    }
    match old.claims.preferred_username == Some(spelling.clone()) {
        true if rules::spells(&spelling, old.username.as_deref()) => new.claims.preferred_username = None,
        true => {}
        false => problems.push(Field { name: "preferred_username", why: Unfit::NotTheName.into() }),
    }
}

/// The claims of `new` that `old` has not or has otherwise.
fn difference(new: &StandardClaims, old: &StandardClaims) -> StandardClaims {
    let members = |claims| match serde_json::to_value(claims) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let old = members(old);
    let fresh = members(new).into_iter().filter(|(name, value)| old.get(name) != Some(value)).collect();
    serde_json::from_value(Value::Object(fresh)).unwrap_or_default()
}
