//! `/try` and `/try/callback`: a real sign-in by a built-in app, with everything that went over the wire.

use askama::Template;
use serde_json::{Map, Value};
use url::Url;

use super::{Moment, claim};
use crate::{app::text::Texts, http::pages::view::Frame};

/// Explains, and starts: the form posts `csrf` to `action`.
#[derive(Template, Debug)]
#[template(path = "pages/try.html")]
pub struct TryIt {
    pub frame: Frame,
    pub action: String,
}

/// What happened, message by message.
#[derive(Template, Debug)]
#[template(path = "pages/try_result.html")]
pub struct TryResult {
    pub frame: Frame,
    pub exchanges: Vec<Exchange>,
    pub tokens: Vec<DecodedToken>,
    pub claims: Vec<ClaimRow>,
    /// The answer of the userinfo endpoint, pretty JSON.
    pub userinfo: Option<String>,
    /// Where the flow stopped, if it did.
    pub problem: Option<TryProblem>,
    /// Where "again" posts to.
    pub again: String,
    pub account: String,
}

#[derive(Clone, Debug)]
pub struct TryProblem {
    pub code: String,
    pub description: String,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub stage: Stage,
    pub request: Message,
    pub response: Option<Message>,
}

/// The steps of the code flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Discovery,
    Authorize,
    Callback,
    Token,
    Keys,
    UserInfo,
}

/// One HTTP message, as a person reads it.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// `GET https://…` or `200 OK`.
    pub line: String,
    /// Of the query or of a form, decoded.
    pub parameters: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
}

#[derive(Clone, Debug)]
pub struct DecodedToken {
    pub kind: TokenKind,
    pub raw: String,
    /// Pretty JSON; nothing for an opaque token.
    pub header: Option<String>,
    pub payload: Option<String>,
    pub signature: Signature,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Id,
    Access,
    Refresh,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// By a key of the JWKS.
    Verified {
        algorithm: String,
        key: String,
    },
    Wrong,
    /// A token without a signature to check.
    Opaque,
}

/// One claim, where it was found and what it means.
#[derive(Clone, Debug)]
pub struct ClaimRow {
    pub name: String,
    pub value: String,
    pub meaning: Option<String>,
    pub in_id_token: bool,
    pub in_userinfo: bool,
}

/// Claims that are seconds since 1970.
const TIMES: [&str; 5] = ["exp", "iat", "nbf", "auth_time", "updated_at"];

impl Message {
    /// A request, with the query of its address taken apart.
    pub fn request(method: &str, address: &str) -> Self {
        let Ok(mut url) = Url::parse(address) else {
            return Self { line: format!("{method} {address}"), ..Self::default() };
        };
        let parameters = url.query_pairs().into_owned().collect();
        url.set_query(None);
        Self { line: format!("{method} {url}"), parameters, ..Self::default() }
    }

    /// An answer: `302`, `Found`.
    pub fn response(status: u16, reason: &str) -> Self {
        Self { line: format!("{status} {reason}"), ..Self::default() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The fields of a form body.
    pub fn form(mut self, body: &str) -> Self {
        self.parameters.extend(url::form_urlencoded::parse(body.as_bytes()).into_owned());
        self
    }

    /// Longer than what people want to scroll past; it unfolds.
    fn is_long(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.lines().count() > 24)
    }

    /// A body; JSON is laid out.
    pub fn body(self, body: &str) -> Self {
        let json = serde_json::from_str::<Value>(body).ok().map(|value| pretty(&value));
        Self { body: Some(json.unwrap_or_else(|| body.to_owned())), ..self }
    }
}

impl Stage {
    fn title(self) -> &'static str {
        match self {
            Self::Discovery => "try.discovery",
            Self::Authorize => "try.authorize",
            Self::Callback => "try.callback",
            Self::Token => "try.token",
            Self::Keys => "try.keys",
            Self::UserInfo => "try.userinfo",
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::Discovery => "try.discovery_detail",
            Self::Authorize => "try.authorize_detail",
            Self::Callback => "try.callback_detail",
            Self::Token => "try.token_detail",
            Self::Keys => "try.keys_detail",
            Self::UserInfo => "try.userinfo_detail",
        }
    }
}

impl TokenKind {
    fn title(self) -> &'static str {
        match self {
            Self::Id => "try.id_token",
            Self::Access => "try.access_token",
            Self::Refresh => "try.refresh_token",
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::Id => "try.id_token_detail",
            Self::Access => "try.access_token_detail",
            Self::Refresh => "try.refresh_token_detail",
        }
    }
}

impl DecodedToken {
    /// A token whose header and payload have been read.
    pub fn jwt(kind: TokenKind, raw: &str, header: &Value, payload: &Value, signature: Signature) -> Self {
        Self { kind, raw: raw.to_owned(), header: Some(pretty(header)), payload: Some(pretty(payload)), signature }
    }

    pub fn opaque(kind: TokenKind, raw: &str) -> Self {
        Self { kind, raw: raw.to_owned(), header: None, payload: None, signature: Signature::Opaque }
    }
}

impl ClaimRow {
    /// The claims of both places, each once, in the order in which they were sent.
    pub fn all(texts: &Texts, id_token: &Map<String, Value>, userinfo: &Map<String, Value>) -> Vec<Self> {
        let only_there = userinfo.iter().filter(|(name, _)| !id_token.contains_key(*name));
        let row = |(name, value): (&String, &Value)| Self {
            name: name.clone(),
            value: readable(texts, name, value),
            meaning: claim::meaning(texts, name).map(str::to_owned),
            in_id_token: id_token.contains_key(name),
            in_userinfo: userinfo.contains_key(name),
        };
        id_token.iter().chain(only_there).map(row).collect()
    }
}

fn readable(texts: &Texts, name: &str, value: &Value) -> String {
    let moment = || Moment::of(texts, value.as_i64().filter(|_| TIMES.contains(&name))?);
    match (value, moment()) {
        (_, Some(moment)) => format!("{value} ({})", moment.words),
        (Value::String(text), None) => text.clone(),
        (other, None) => other.to_string(),
    }
}

/// JSON as a person reads it.
pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
