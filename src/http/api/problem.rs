//! RFC 9457: refusals of the API.

use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Object, payload::Json, types::ToJSON};

use crate::{
    app::throttle::{Locked, Wait},
    flows::{Field, Refused, Trouble, second_factor::Ticket},
    http::failure::{self, Challenge},
    protocol::{Code, Error, rule},
};

/// What went wrong, for whoever wrote the program.
#[derive(Debug, Clone, Object)]
pub struct ProblemBody {
    /// `about:blank`: what kind of problem it is, the status and `code` say.
    #[oai(rename = "type")]
    pub kind: String,
    /// The name of the HTTP status.
    pub title: String,
    pub status: u16,
    /// A sentence about this request.
    pub detail: String,
    /// A word for programs. It stays the same from release to release.
    pub code: String,
    /// What is wrong with each member or parameter.
    #[oai(skip_serializing_if_is_empty)]
    pub errors: Vec<MemberError>,
    /// With `second_factor_needed`: for the second call of the sign-in, within five minutes.
    #[oai(skip_serializing_if_is_none)]
    pub ticket: Option<String>,
    /// With `second_factor_needed`: what the person can prove with, `totp`, `passkey`, `recovery_code` or `mail_code`;
    /// nothing of who must first set something up, at the login page.
    #[oai(skip_serializing_if_is_empty)]
    pub factors: Vec<String>,
    /// Names the run for `signet trace`.
    #[oai(skip_serializing_if_is_none)]
    pub trace_id: Option<String>,
}

/// What is wrong with one member of the request.
#[derive(Debug, Clone, Object)]
pub struct MemberError {
    pub member: String,
    pub why: String,
}

/// Every way in which the API refuses.
#[derive(ApiResponse)]
pub enum Problem {
    /// A refusal: 400 where the request is wrong, 401 without a good access token, 403 where the token is not for this or
    /// nobody may do it, 404, 409 where it does not fit what is there, 413 and 415 where the body is too large or of
    /// another kind, 423 while the account waits after too many failed attempts and 429 while the address does, 503 when
    /// the server is busy. `code` is the word for programs.
    #[oai(content_type = "application/problem+json")]
    Refused(
        StatusCode,
        Json<ProblemBody>,
        /// With 401 and 403 (RFC 6750 §3).
        #[oai(header = "WWW-Authenticate")]
        Option<String>,
        /// Seconds; with 423, 429 and 503.
        #[oai(header = "Retry-After")]
        Option<String>,
        #[oai(header = "Cache-Control")] String,
    ),
}

/// The words of [`ProblemBody::code`] that no error of a protocol has.
pub mod word {
    pub const INVALID_MEMBERS: &str = "invalid_members";
    pub const INVALID_LINK: &str = "invalid_link";
    pub const NOT_INVITED: &str = "not_invited";
    pub const NOT_FOUND: &str = "not_found";
    pub const CONFLICT: &str = "conflict";
    pub const TOO_MANY_REQUESTS: &str = "too_many_requests";
    pub const WRONG_CREDENTIALS: &str = "wrong_credentials";
    pub const SECOND_FACTOR_NEEDED: &str = "second_factor_needed";
    pub const WRONG_CODE: &str = "wrong_code";
    pub const INVALID_TICKET: &str = "invalid_ticket";
    pub const ACCOUNT_LOCKED: &str = "account_locked";
}

/// RFC 6750 §3, without an error.
const REALM: &str = "Bearer realm=\"signet\"";

impl Problem {
    fn of(error: &Error, trace_id: Option<String>) -> Self {
        if let Some(cause) = &error.cause {
            tracing::error!(%cause, trace_id, "a request failed");
        }
        let (status, code) = status(error);
        let body = ProblemBody { trace_id, ..ProblemBody::new(status, code, error.described()) };
        let challenge = match error.code {
            Code::InvalidToken | Code::InsufficientScope | Code::InsufficientUserAuthentication => {
                Some(failure::asked(Challenge::Bearer, error))
            }
            // Not a word of RFC 6750, but RFC 9110 §15.5.2 asks for a challenge.
            Code::InvalidGrant => Some(REALM.to_owned()),
            _ => None,
        };
        Problem::new(body)
            .asking(challenge)
            .retrying(error.retry_after.or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(5)))
    }

    fn new(body: ProblemBody) -> Self {
        let status = StatusCode::from_u16(body.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Problem::Refused(status, Json(body), None, None, "no-store".to_owned())
    }

    fn asking(self, challenge: Option<String>) -> Self {
        let Problem::Refused(status, body, _, retry, cache) = self;
        Problem::Refused(status, body, challenge, retry, cache)
    }

    fn retrying(self, seconds: Option<i64>) -> Self {
        let Problem::Refused(status, body, challenge, _, cache) = self;
        Problem::Refused(status, body, challenge, seconds.map(|seconds| seconds.to_string()), cache)
    }

    /// What is wrong with the members of a body.
    pub fn of_members(refused: Refused, errors: Vec<MemberError>) -> Self {
        let code = if errors.is_empty() { Code::InvalidRequest.as_str() } else { word::INVALID_MEMBERS };
        let (detail, trace_id) = (refused.error.described(), Some(refused.trace_id));
        Problem::new(ProblemBody { errors, trace_id, ..ProblemBody::new(StatusCode::BAD_REQUEST, code, detail) })
    }

    /// The same whatever is wrong (case SEC-117).
    pub fn wrong_credentials() -> Self {
        let detail = "wrong name or password, or the address is not confirmed yet".to_owned();
        let body = ProblemBody::new(StatusCode::UNAUTHORIZED, word::WRONG_CREDENTIALS, detail);
        Problem::new(body).asking(Some(REALM.to_owned()))
    }

    /// For whoever knows the password.
    pub fn second_factor_needed(ticket: Option<&Ticket>) -> Self {
        let detail = match ticket {
            Some(_) => "a second factor is needed; send a code with the ticket",
            None => "a second factor is needed; set one up at the login page",
        };
        let body = ProblemBody::new(StatusCode::FORBIDDEN, word::SECOND_FACTOR_NEEDED, detail.to_owned());
        let factors = ticket.map(|ticket| ticket.factors.iter().map(|factor| (*factor).to_owned()).collect());
        let ticket = ticket.map(|ticket| ticket.secret.reveal().to_owned());
        Problem::new(ProblemBody { ticket, factors: factors.unwrap_or_default(), ..body })
    }

    pub fn wrong_code() -> Self {
        let detail = "the code is not right, or was used already".to_owned();
        let body = ProblemBody::new(StatusCode::UNAUTHORIZED, word::WRONG_CODE, detail);
        Problem::new(body).asking(Some(REALM.to_owned()))
    }

    pub fn invalid_ticket() -> Self {
        let detail = "the ticket is used up or has expired; sign in again".to_owned();
        let body = ProblemBody::new(StatusCode::UNAUTHORIZED, word::INVALID_TICKET, detail);
        Problem::new(body).asking(Some(REALM.to_owned()))
    }

    /// RFC 4918 §11.3 for an account, RFC 6585 §4 for an address.
    pub fn waits(wait: Wait) -> Self {
        let detail = "too many failed attempts; wait before the next".to_owned();
        let body = match wait.locked {
            Locked::Account => ProblemBody::new(StatusCode::LOCKED, word::ACCOUNT_LOCKED, detail),
            Locked::Address => ProblemBody::new(StatusCode::TOO_MANY_REQUESTS, word::TOO_MANY_REQUESTS, detail),
        };
        Problem::new(body).retrying(Some(wait.seconds))
    }

    pub fn wrong_kind(detail: &str) -> Self {
        Problem::new(ProblemBody::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
    }
}

impl ProblemBody {
    fn new(status: StatusCode, code: &str, detail: String) -> Self {
        ProblemBody {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Refused").to_owned(),
            status: status.as_u16(),
            detail,
            code: code.to_owned(),
            errors: Vec::new(),
            ticket: None,
            factors: Vec::new(),
            trace_id: None,
        }
    }

    /// A refusal that says no more than its status.
    fn plain(status: StatusCode, detail: &str) -> Self {
        ProblemBody::new(status, code_of(status), detail.to_owned())
    }
}

/// The status and the word of an error. Where the protocol has one word for several things, the rule tells them apart.
fn status(error: &Error) -> (StatusCode, &'static str) {
    let by = |rule: &'static rule::Rule| error.detail.as_ref().is_some_and(|detail| detail.rule == rule);
    match error.code {
        Code::AccessDenied if by(&rule::MAIL_LINK) => (StatusCode::BAD_REQUEST, word::INVALID_LINK),
        Code::AccessDenied if by(&rule::SIGN_UP) => (StatusCode::FORBIDDEN, word::NOT_INVITED),
        Code::InvalidGrant if by(&rule::SECOND_FACTOR) => (StatusCode::FORBIDDEN, word::SECOND_FACTOR_NEEDED),
        // A refresh token that is no good any more: who used it must sign in again.
        Code::InvalidGrant => (StatusCode::UNAUTHORIZED, Code::InvalidGrant.as_str()),
        Code::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, word::TOO_MANY_REQUESTS),
        code => (StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST), code.as_str()),
    }
}

/// The word of a refusal that says no more than its status.
fn code_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => word::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::REQUEST_TIMEOUT => "request_timeout",
        StatusCode::CONFLICT => word::CONFLICT,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "too_large"
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::SERVICE_UNAVAILABLE => Code::TemporarilyUnavailable.as_str(),
        status if status.is_server_error() => Code::ServerError.as_str(),
        _ => Code::InvalidRequest.as_str(),
    }
}

/// A refusal that no handler had words for.
pub fn bare(status: StatusCode, detail: &str, trace_id: String) -> String {
    ProblemBody { trace_id: Some(trace_id), ..ProblemBody::plain(status, detail) }.to_json_string()
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Problem::of(&refused.error, Some(refused.trace_id))
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        let detail = trouble.to_string();
        match trouble {
            Trouble::NotFound(_) => Problem::new(ProblemBody::plain(StatusCode::NOT_FOUND, &detail)),
            Trouble::Conflict(_) => Problem::new(ProblemBody::plain(StatusCode::CONFLICT, &detail)),
            Trouble::Invalid(fields) => {
                let of = |field: &Field| MemberError { member: field.name.to_owned(), why: field.why.to_string() };
                let errors = fields.iter().map(of).collect();
                let body = ProblemBody::new(StatusCode::BAD_REQUEST, word::INVALID_MEMBERS, detail);
                Problem::new(ProblemBody { errors, ..body })
            }
            Trouble::Broken(error) => Problem::of(&error, error.trace_id.clone()),
        }
    }
}
