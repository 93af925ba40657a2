//! What a run records of its checks. An event has no field that a secret fits in:
//! [`Shown`] can only be made from values that are no secrets.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Error, Scope, rule::Rule};

/// The use-case that a trace follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Authorize,
    Login,
    Consent,
    Token,
    Userinfo,
    Introspect,
    Revoke,
    Logout,
    LogoutDelivery,
    SetUp,
    /// RFC 7591, RFC 7592.
    Register,
    /// A logo that this server fetches.
    Logo,
    /// The HTTP API of administration.
    Api,
    /// What a person does to their own account.
    Account,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Authorize => "authorize",
            Kind::Login => "login",
            Kind::Consent => "consent",
            Kind::Token => "token",
            Kind::Userinfo => "userinfo",
            Kind::Introspect => "introspect",
            Kind::Revoke => "revoke",
            Kind::Logout => "logout",
            Kind::LogoutDelivery => "logout_delivery",
            Kind::SetUp => "set_up",
            Kind::Register => "register",
            Kind::Logo => "logo",
            Kind::Api => "api",
            Kind::Account => "account",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Refused,
}

/// One check: the rule, what it wanted, what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub rule: std::borrow::Cow<'static, str>,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub received: Option<Shown>,
    /// The error that the client or the person was told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub said: Option<Shown>,
}

/// Text that may be kept and printed. Long input is cut; control characters are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shown(String);

const LONGEST: usize = 400;

impl Shown {
    /// A word of our own.
    pub fn word(word: &'static str) -> Self {
        Shown(word.to_owned())
    }

    pub fn number(number: i64) -> Self {
        Shown(number.to_string())
    }

    /// A client's identifier, which is public (RFC 6749 §2.2).
    pub fn client_id(id: &str) -> Self {
        Shown(clean(id))
    }

    /// A URI that is registered, and so public.
    pub fn uri(uri: &str) -> Self {
        Shown(clean(uri))
    }

    /// A URI as it came, without the values behind `?` and `#`, where apps put secrets by mistake.
    pub fn foreign_uri(uri: &str) -> Self {
        Shown(clean(&without_values(uri)))
    }

    /// Where two URIs part: both, and the first character that differs.
    pub fn difference(received: &str, registered: &str) -> Self {
        let at = received.chars().zip(registered.chars()).take_while(|(a, b)| a == b).count();
        let here = |text: &str| text.chars().nth(at).map_or("the end".to_owned(), |c| format!("{c:?}"));
        Shown(clean(&format!(
            "{} (differs from {registered} at character {}: {} instead of {})",
            without_values(received),
            at + 1,
            here(received),
            here(registered)
        )))
    }

    pub fn scope(scope: &Scope) -> Self {
        Shown(clean(&scope.to_string()))
    }

    /// A value that the specification fixes: a response type, a prompt, a grant type, a method.
    /// The parameter's name decides whether it may be kept.
    pub fn parameter(name: &'static str, value: &str) -> Self {
        const OPEN: [&str; 10] = [
            "response_type",
            "response_mode",
            "prompt",
            "max_age",
            "grant_type",
            "display",
            "scope",
            "code_challenge_method",
            "acr_values",
            "client_assertion_type",
        ];
        if name == "resource" {
            Shown::foreign_uri(value)
        } else if OPEN.contains(&name) {
            Shown(clean(value))
        } else {
            Shown(format!("({} characters)", value.chars().count()))
        }
    }

    /// Why something could not be fetched, in words of ours; for the operator, never for whoever named the address.
    pub fn cause(cause: &str) -> Self {
        Shown(clean(cause))
    }

    /// The length alone of something that must not be kept.
    pub fn length(secret: &str) -> Self {
        Shown(format!("({} characters)", secret.chars().count()))
    }

    /// A list of words of ours and identifiers.
    pub fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> Self {
        Shown(clean(&items.into_iter().collect::<Vec<_>>().join(", ")))
    }

    pub(super) fn error(error: &Error) -> Self {
        Shown(clean(&format!("{}: {}", error.code.as_str(), error.described())))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `https://rp.example/cb?token=…#…`
fn without_values(uri: &str) -> String {
    let (uri, fragment) = uri.split_once('#').map_or((uri, ""), |(uri, _)| (uri, "#…"));
    let Some((path, query)) = uri.split_once('?') else { return format!("{uri}{fragment}") };
    let names = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) => format!("{name}=…"),
        None => "…".to_owned(),
    });
    format!("{path}?{}{fragment}", names.collect::<Vec<_>>().join("&"))
}

fn clean(text: &str) -> String {
    let mut kept: String = text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        kept.push('…');
    }
    kept
}

/// The events of one run, gathered in memory and written off the request's path.
#[derive(Debug, Clone)]
pub struct Trace {
    /// 16 characters that the person's error page shows.
    pub id: String,
    pub kind: Kind,
    pub client_id: Option<String>,
    pub user_id: Option<uuid::Uuid>,
    /// Whence the request came; for the log alone.
    pub address: Option<IpAddr>,
    pub checks: Vec<Check>,
}

impl Trace {
    pub fn new(id: String, kind: Kind) -> Self {
        Trace { id, kind, client_id: None, user_id: None, address: None, checks: Vec::new() }
    }

    pub fn from(self, address: IpAddr) -> Self {
        Trace { address: Some(address), ..self }
    }

    /// The rule was met.
    pub fn passed(&mut self, rule: &'static Rule, received: Option<Shown>) {
        self.checks.push(Check {
            rule: rule.name.into(),
            outcome: Outcome::Passed,
            expected: None,
            received,
            said: None,
        });
    }

    /// The run ends here, or goes on otherwise, because of this error.
    pub fn refused(&mut self, error: &Error) {
        self.checks.push(error.check());
    }
}
