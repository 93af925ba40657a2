//! One line of an import: the members that it may have, and the person that they make.

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::Problem;
use crate::{
    app::App,
    crypto::password::check,
    flows::{
        admin::users::{self, NewUser, User},
        passwords::{self, About},
    },
    protocol::claims::{self, Address, StandardClaims},
    store::Phc,
};

/// What a line may say that is no text among the standard claims.
const MEMBERS: [&str; 19] = [
    "id",
    "sub",
    "username",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "address",
    "address.formatted",
    "address.street_address",
    "address.locality",
    "address.region",
    "address.postal_code",
    "address.country",
    "password_hash",
    "password",
    "disabled",
    "created_at",
    "updated_at",
];

/// Everything that a line may say: OpenID Connect Core §5.1, and what this server keeps besides.
pub fn members() -> impl Iterator<Item = &'static str> {
    MEMBERS.iter().chain(claims::TEXTS).copied()
}

/// Somebody who can be written, but for those who are there already.
pub struct Record {
    pub user: User,
    pub hash: Option<Phc>,
    /// In clear, and judged; still to be hashed.
    pub password: Option<String>,
}

/// Takes the members one after the other, and notes what is wrong with them.
struct Members {
    left: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Record {
    /// # Errors
    /// Everything that is wrong with the line.
    pub fn read(app: &App, members: Map<String, Value>) -> Result<Self, Vec<Problem>> {
        let mut members = Members::of(members);
        let id = members.id();
        let (hash, password) = members.secret();
        let (disabled, created_at) = (members.switch("disabled"), members.moment("created_at", app.now()));
        let updated_at = members.moment("updated_at", app.now());
        let new = members.person();
        let mut problems = members.end();
        let (user, wrong) = users::person(app, new);
        problems.extend(wrong.into_iter().map(|field| Problem::new(field.name, field.why.to_string())));
        let about = About::person(&user);
        if let Some(weak) = password.as_deref().and_then(|given| passwords::weakness(app, &about, given)) {
            problems.push(Problem::new("password", weak.to_string()));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let now = app.now();
        let user = User {
            id: id.unwrap_or(user.id),
            created_at: created_at.unwrap_or(now),
            updated_at: updated_at.or(created_at).unwrap_or(now),
            disabled_at: disabled.then_some(now),
            ..user
        };
        Ok(Record { user, hash: hash.map(Phc), password })
    }
}

impl Members {
    /// What is null or empty was not said.
    fn of(mut left: Map<String, Value>) -> Self {
        left.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
        let mut members = Members { left, problems: Vec::new() };
        members.flatten_address();
        members
    }

    /// JSON has an object where a table has columns.
    fn flatten_address(&mut self) {
        match self.left.remove("address") {
            None => {}
            Some(Value::Object(parts)) => {
                let parts = parts.into_iter().filter(|(_, value)| !value.is_null());
                self.left.extend(parts.map(|(name, value)| (format!("address.{name}"), value)));
            }
            Some(_) => self.refuse("address", "must be an object; a table has columns such as address.country"),
        }
    }

    fn refuse(&mut self, member: &str, why: impl Into<String>) {
        self.problems.push(Problem::new(member, why));
    }

    fn text(&mut self, name: &'static str) -> Option<String> {
        match self.left.remove(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.refuse(name, "must be a text");
                None
            }
        }
    }

    fn switch(&mut self, name: &'static str) -> bool {
        let word = match self.left.remove(name) {
            None => return false,
            Some(Value::Bool(value)) => return value,
            Some(Value::String(word)) => word.to_ascii_lowercase(),
            Some(other) => other.to_string(),
        };
        match &*word {
            "true" | "1" | "yes" => true,
            "false" | "0" | "no" => false,
            _ => {
                self.refuse(name, "must be true or false");
                false
            }
        }
    }

    /// Seconds since 1970, or RFC 3339. Nothing has happened yet that is to come.
    fn moment(&mut self, name: &'static str, now: i64) -> Option<i64> {
        let said = self.left.remove(name)?;
        let of_text = |text: &str| {
            text.parse().ok().or_else(|| Some(OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp()))
        };
        let seconds = said.as_i64().or_else(|| of_text(said.as_str()?));
        let past = seconds.filter(|seconds| (0..=now).contains(seconds));
        if past.is_none() {
            self.refuse(name, "must be a time that has passed, in seconds since 1970 or as in 2024-02-29T12:00:00Z");
        }
        past
    }

    fn id(&mut self) -> Option<Uuid> {
        let (id, sub) = (self.text("id"), self.text("sub"));
        if id.is_some() && sub.is_some() && id != sub {
            self.refuse("sub", "is another than id");
        }
        let id = Uuid::try_parse(&id.or(sub)?).ok();
        if id.is_none_or(|id| id.is_nil()) {
            self.refuse("id", "must be a UUID");
        }
        id
    }

    /// A hash of another program, or a password in clear.
    fn secret(&mut self) -> (Option<String>, Option<String>) {
        const LONGEST: usize = 512;
        let (hash, password) = (self.text("password_hash"), self.text("password"));
        if hash.is_some() && password.is_some() {
            self.refuse("password", "comes with a password_hash; one of the two must do");
        }
        if let Some(hash) = &hash {
            match check(hash) {
                Ok(()) if hash.len() > LONGEST => self.refuse("password_hash", "is longer than any hash"),
                Ok(()) => {}
                Err(why) => self.refuse("password_hash", why.to_string()),
            }
        }
        (hash, password)
    }

    fn person(&mut self) -> NewUser {
        let address = Address {
            formatted: self.text("address.formatted"),
            street_address: self.text("address.street_address"),
            locality: self.text("address.locality"),
            region: self.text("address.region"),
            postal_code: self.text("address.postal_code"),
            country: self.text("address.country"),
        };
        let claims = StandardClaims {
            name: self.text("name"),
            given_name: self.text("given_name"),
            family_name: self.text("family_name"),
            middle_name: self.text("middle_name"),
            nickname: self.text("nickname"),
            preferred_username: self.text("preferred_username"),
            profile: self.text("profile"),
            picture: self.text("picture"),
            website: self.text("website"),
            gender: self.text("gender"),
            birthdate: self.text("birthdate"),
            zoneinfo: self.text("zoneinfo"),
            locale: self.text("locale"),
            address: (address != Address::default()).then_some(address),
        };
        NewUser {
            username: self.text("username"),
            email: self.text("email"),
            email_verified: self.switch("email_verified"),
            phone_number: self.text("phone_number"),
            phone_number_verified: self.switch("phone_number_verified"),
            claims,
            password: None,
            admin: false,
        }
    }

    /// What was said and not understood must not be lost in silence.
    fn end(mut self) -> Vec<Problem> {
        let unknown: Vec<String> = self.left.keys().cloned().collect();
        for name in unknown {
            self.refuse(&name, "is not a member that is known here");
        }
        self.problems
    }
}
