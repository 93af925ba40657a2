//! The one error we speak to clients: a registered code, a sentence for the
//! developer, the rule that decided, and, for our own log only, the cause.

use std::borrow::Cow;

use super::{
    rule::Rule,
    trace::{Check, Outcome, Shown},
};

/// RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6, RFC 6750 §3.1, RFC 7591 §3.2.2, RFC 8707 §2, RFC 9470 §3:
/// the codes that this server answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    AccessDenied,
    AccountSelectionRequired,
    ConsentRequired,
    InsufficientScope,
    InsufficientUserAuthentication,
    InvalidClient,
    InvalidClientMetadata,
    InvalidGrant,
    InvalidRedirectUri,
    InvalidRequest,
    InvalidRequestObject,
    InvalidRequestUri,
    InvalidScope,
    InvalidSoftwareStatement,
    InvalidTarget,
    InvalidToken,
    LoginRequired,
    RegistrationNotSupported,
    ServerError,
    TemporarilyUnavailable,
    TooManyRequests,
    UnauthorizedClient,
    UnmetAuthenticationRequirements,
    UnsupportedGrantType,
    UnsupportedResponseType,
    UnsupportedTokenType,
}

impl Code {
    /// The code as it is registered with IANA.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::AccessDenied => "access_denied",
            Code::AccountSelectionRequired => "account_selection_required",
            Code::ConsentRequired => "consent_required",
            Code::InsufficientScope => "insufficient_scope",
            Code::InsufficientUserAuthentication => "insufficient_user_authentication",
            Code::InvalidClient => "invalid_client",
            Code::InvalidClientMetadata => "invalid_client_metadata",
            Code::InvalidGrant => "invalid_grant",
            Code::InvalidRedirectUri => "invalid_redirect_uri",
            Code::InvalidRequest => "invalid_request",
            Code::InvalidRequestObject => "invalid_request_object",
            Code::InvalidRequestUri => "invalid_request_uri",
            Code::InvalidScope => "invalid_scope",
            Code::InvalidSoftwareStatement => "invalid_software_statement",
            Code::InvalidTarget => "invalid_target",
            Code::InvalidToken => "invalid_token",
            Code::LoginRequired => "login_required",
            Code::RegistrationNotSupported => "registration_not_supported",
            Code::ServerError => "server_error",
            Code::TemporarilyUnavailable => "temporarily_unavailable",
            // RFC 8628 names slow_down for polling only; for throttling there is no registered code.
            Code::TooManyRequests => "temporarily_unavailable",
            Code::UnauthorizedClient => "unauthorized_client",
            Code::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Code::UnsupportedGrantType => "unsupported_grant_type",
            Code::UnsupportedResponseType => "unsupported_response_type",
            Code::UnsupportedTokenType => "unsupported_token_type",
        }
    }

    /// The status this code takes where it is answered as JSON.
    pub const fn status(self) -> u16 {
        match self {
            Code::InsufficientUserAuthentication | Code::InvalidClient | Code::InvalidToken => 401,
            Code::InsufficientScope => 403,
            Code::TooManyRequests => 429,
            Code::ServerError => 500,
            Code::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }

    /// An error of this code. Lower case, no full stop, about *this* request; never a secret.
    pub fn because(self, description: impl Into<Cow<'static, str>>) -> Error {
        Error {
            code: self,
            description: description.into(),
            detail: None,
            cause: None,
            retry_after: None,
            trace_id: None,
        }
    }
}

/// What decided a refusal: kept for the trace, not for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    pub rule: &'static Rule,
    pub expected: Option<Shown>,
    pub received: Option<Shown>,
}

#[derive(Debug, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct Error {
    pub code: Code,
    pub description: Cow<'static, str>,
    pub detail: Option<Box<Detail>>,
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Seconds after which a repeat may succeed (RFC 9110 §10.2.3).
    pub retry_after: Option<i64>,
    /// The run that it ended, where no [`Refused`](crate) carries it.
    pub trace_id: Option<String>,
}

impl Error {
    /// Our fault: the client learns nothing but `server_error`.
    pub fn internal(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        let mut error = Code::ServerError.because("something went wrong here");
        error.cause = Some(Box::new(cause));
        error
    }

    /// A dependency is away; the same request may succeed in `seconds`.
    pub fn unavailable(cause: impl std::error::Error + Send + Sync + 'static, seconds: i64) -> Self {
        let mut error = Code::TemporarilyUnavailable.because("the service is busy; try again in a moment");
        error.cause = Some(Box::new(cause));
        error.retry_after = Some(seconds);
        error
    }

    /// The rule that refused.
    pub fn under(mut self, rule: &'static Rule) -> Self {
        self.detail = Some(Box::new(Detail { rule, expected: None, received: None }));
        self
    }

    /// What the rule wanted. Nothing without [`Error::under`] before it.
    pub fn expected(mut self, value: Shown) -> Self {
        if let Some(detail) = &mut self.detail {
            detail.expected = Some(value);
        }
        self
    }

    /// What came instead. Nothing without [`Error::under`] before it.
    pub fn received(mut self, value: Shown) -> Self {
        if let Some(detail) = &mut self.detail {
            detail.received = Some(value);
        }
        self
    }

    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// `error_description` as RFC 6749 §5.2 allows it: printable ASCII without `"` and `\`.
    pub fn described(&self) -> String {
        let plain = |c: char| match c {
            '"' | '\\' => '\'',
            ' '..='~' => c,
            _ => '?',
        };
        self.description.chars().map(plain).collect()
    }

    /// This refusal as the last check of a run.
    pub fn check(&self) -> Check {
        let (rule, expected, received) = match self.detail.as_deref() {
            Some(detail) => (detail.rule, detail.expected.clone(), detail.received.clone()),
            None => (super::rule::of(self.code), None, None),
        };
        let said = Some(Shown::error(self));
        Check { rule: rule.name.into(), outcome: Outcome::Refused, expected, received, said }
    }
}
