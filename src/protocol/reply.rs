//! RFC 6749 §4.1.2, RFC 9207, OAuth 2.0 Form Post Response Mode: the answer to an authorization request.

use super::{Code, Error, Params, Result, rule, trace::Shown};

/// How the answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// For discovery.
pub const MODES: [&str; 3] = ["query", "fragment", "form_post"];

impl ResponseMode {
    /// `response_mode`; each response type has its default. What only a fragment may carry is not put into a query (§3.0).
    pub fn requested(params: &Params, default: ResponseMode) -> Result<ResponseMode> {
        match params.get("response_mode") {
            None => Ok(default),
            Some("query") if default == ResponseMode::Fragment => Err(Code::InvalidRequest
                .because("tokens must not travel in a query; use fragment or form_post")
                .under(&rule::RESPONSE_MODE)
                .expected(Shown::list(["fragment", "form_post"]))
                .received(Shown::word("query"))),
            Some("query") => Ok(ResponseMode::Query),
            Some("fragment") => Ok(ResponseMode::Fragment),
            Some("form_post") => Ok(ResponseMode::FormPost),
            Some(other) => Err(Code::InvalidRequest
                .because("response_mode must be query, fragment or form_post")
                .under(&rule::RESPONSE_MODE)
                .expected(Shown::list(MODES))
                .received(Shown::parameter("response_mode", other))),
        }
    }
}

/// Where the answer goes. Having one means that the redirect URI is proven to be the client's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTo {
    redirect_uri: String,
    state: Option<String>,
    mode: ResponseMode,
}

/// The answer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// 303 to this address.
    Redirect(String),
    /// A page with a form that posts itself.
    FormPost { action: String, fields: Vec<(&'static str, String)> },
}

impl ReplyTo {
    /// Only [`super::authorize`] makes these, after it has compared the URI with the registered ones.
    pub(super) fn proven(redirect_uri: String, state: Option<String>, mode: ResponseMode) -> Self {
        ReplyTo { redirect_uri, state, mode }
    }

    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// `fields`: what the response type promises.
    pub fn success(&self, issuer: &str, fields: Vec<(&'static str, String)>) -> Reply {
        self.with(issuer, fields)
    }

    /// `about`: the page that carries the trace id, as `error_uri`; no other member may (§4.1.2.1).
    pub fn failure(&self, issuer: &str, error: &Error, about: &str) -> Reply {
        let fields = vec![
            ("error", error.code.as_str().to_owned()),
            ("error_description", error.described()),
            ("error_uri", about.to_owned()),
        ];
        self.with(issuer, fields)
    }

    /// RFC 9207 §2: every answer names the issuer that it comes from.
    fn with(&self, issuer: &str, mut fields: Vec<(&'static str, String)>) -> Reply {
        fields.extend(self.state.iter().map(|state| ("state", state.clone())));
        fields.push(("iss", issuer.to_owned()));
        match self.mode {
            ResponseMode::FormPost => Reply::FormPost { action: self.redirect_uri.clone(), fields },
            ResponseMode::Fragment => Reply::Redirect(format!("{}#{}", self.redirect_uri, encode(&fields))),
            ResponseMode::Query => Reply::Redirect(and_query(&self.redirect_uri, &encode(&fields))),
        }
    }
}

/// Appends to the URI as it was registered, byte for byte; its own query stays (§3.1.2).
pub fn and_query(uri: &str, query: &str) -> String {
    match uri {
        uri if query.is_empty() => uri.to_owned(),
        uri if uri.ends_with(['?', '&']) => format!("{uri}{query}"),
        uri if uri.contains('?') => format!("{uri}&{query}"),
        uri => format!("{uri}?{query}"),
    }
}

fn encode(fields: &[(&'static str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
