//! Refusals as JSON (RFC 6749 §5.2, RFC 6750 §3), with the id under which the trace can be read.

use poem_openapi::{ApiResponse, Object, payload::Json};

use crate::{
    flows::{Refused, userinfo::NO_TOKEN},
    protocol::{Code, Error},
};

/// What went wrong, for the app's developer.
#[derive(Debug, Clone, Object)]
pub struct ErrorBody {
    /// The registered error code.
    pub error: String,
    /// A sentence for the developer of the app.
    pub error_description: String,
    /// Names the run for `signet trace`.
    pub trace_id: String,
}

/// Every way in which an endpoint refuses.
#[derive(ApiResponse)]
pub enum Failure {
    /// The request is wrong.
    #[oai(status = 400)]
    Refused(
        Json<ErrorBody>,
        #[oai(header = "WWW-Authenticate")] Option<String>,
        #[oai(header = "Cache-Control")] String,
    ),
    /// The client or the token is not proven.
    #[oai(status = 401)]
    Unauthenticated(
        Json<ErrorBody>,
        #[oai(header = "WWW-Authenticate")] String,
        #[oai(header = "Cache-Control")] String,
    ),
    /// The token is good, but not for this.
    #[oai(status = 403)]
    Forbidden(Json<ErrorBody>, #[oai(header = "WWW-Authenticate")] String, #[oai(header = "Cache-Control")] String),
    /// Too many failed attempts.
    #[oai(status = 429)]
    TooMany(Json<ErrorBody>, #[oai(header = "Retry-After")] String, #[oai(header = "Cache-Control")] String),
    /// The server's fault.
    #[oai(status = 500)]
    Broken(Json<ErrorBody>, #[oai(header = "Cache-Control")] String),
    /// A dependency is away, or the server is overloaded.
    #[oai(status = 503)]
    Unavailable(Json<ErrorBody>, #[oai(header = "Retry-After")] String, #[oai(header = "Cache-Control")] String),
}

/// What a 401 asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// Client authentication.
    Basic,
    /// An access token.
    Bearer,
}

impl Failure {
    pub fn of(refused: Refused, challenge: Challenge) -> Self {
        let Refused { error, trace_id } = refused;
        if let Some(cause) = &error.cause {
            tracing::error!(%cause, trace_id, "a request failed");
        }
        let described = error.described();
        let body =
            Json(ErrorBody { error: error.code.as_str().to_owned(), error_description: described.clone(), trace_id });
        let no_store = "no-store".to_owned();
        let retry = error.retry_after.unwrap_or(5).to_string();
        match error.code.status() {
            401 => Failure::Unauthenticated(body, asked(challenge, &error), no_store),
            403 => Failure::Forbidden(body, asked(challenge, &error), no_store),
            429 => Failure::TooMany(body, retry, no_store),
            500 => Failure::Broken(body, no_store),
            503 => Failure::Unavailable(body, retry, no_store),
            _ => {
                // RFC 6750 §3: a protected resource always says how it wants its tokens.
                let bearer = (challenge == Challenge::Bearer).then(|| asked(challenge, &error));
                Failure::Refused(body, bearer, no_store)
            }
        }
    }
}

/// RFC 6750 §3.1: a request without any token is told no error code, one with too little the scope that is needed.
pub fn asked(challenge: Challenge, error: &Error) -> String {
    let described = error.described();
    match challenge {
        Challenge::Basic => "Basic realm=\"signet\", charset=\"UTF-8\"".to_owned(),
        Challenge::Bearer if described == NO_TOKEN => "Bearer realm=\"signet\"".to_owned(),
        Challenge::Bearer => {
            let needed = error.detail.as_ref().filter(|_| error.code == Code::InsufficientScope);
            let needed = needed.and_then(|detail| detail.expected.as_ref());
            let scope = needed.map_or(String::new(), |scope| format!(", scope=\"{}\"", scope.as_str()));
            let code = error.code.as_str();
            format!("Bearer realm=\"signet\", error=\"{code}\", error_description=\"{described}\"{scope}")
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Failure::of(refused, Challenge::Basic)
    }
}
