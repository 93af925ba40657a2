//! What a person sees when it cannot go on: a plain sentence, and for the developer the code, the cause and the trace.

use askama::Template;
use poem::http::StatusCode;

use crate::{
    app::{moment, text::Texts},
    http::pages::view::{Frame, View},
};

/// Shown at the address where the error arose.
#[derive(Template, Debug)]
#[template(path = "pages/error.html")]
pub struct ErrorPage {
    pub frame: Frame,
    pub status: StatusCode,
    /// What the person wanted has happened; only the app did something wrong.
    pub done: bool,
    pub title: String,
    /// What it means for the person, and what they can do.
    pub sentence: String,
    /// What the developer of the app can do.
    pub remedy: Option<String>,
    /// The registered error code, or ours; empty where the app has been told it.
    pub code: String,
    /// What was wrong with this request; in English, as in the specifications.
    pub description: String,
    /// A way on for those who are signed in.
    pub to_account: Option<String>,
    /// Apps that sign the person out by themselves.
    pub frames: Vec<String>,
}

/// Why there is an error page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<'a> {
    /// An error of the protocol that cannot be told to the app.
    Code(&'a str),
    /// The app's return address is not one of its registered ones.
    RedirectUri,
    /// The session has ended, but the address to return to is not one of the app's.
    PostLogoutRedirectUri,
    /// Nobody is registered by the `client_id`.
    UnknownClient,
    /// The sign-in has ended, has been answered already, or was begun in another browser.
    JourneyGone,
    /// The browser sent no cookie back.
    NoCookies,
    /// A form came without our token: from elsewhere, or after too long.
    Forged,
    /// The one-time link has been used or has expired.
    SetUpLink,
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    TooMany {
        seconds: u64,
    },
    Busy {
        seconds: u64,
    },
    /// Our own fault.
    Failed,
    /// The app was told why, and sends its people or developers here by `error_uri`.
    Told {
        trace: &'a str,
    },
}

/// An OAuth or OpenID error code: what it says to the person and what it says to the developer.
type Words = (&'static str, &'static str, &'static str);

/// RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6, RFC 8707 §2, RFC 9101 §7, RFC 9470 §3.
const CODES: &[Words] = &[
    ("invalid_request", "code.invalid_request", "mend.invalid_request"),
    ("invalid_client", "code.unknown_client", "mend.unknown_client"),
    ("unauthorized_client", "code.unauthorized_client", "mend.unauthorized_client"),
    ("access_denied", "code.access_denied", "mend.access_denied"),
    ("unsupported_response_type", "code.misconfigured", "mend.unsupported_response_type"),
    ("unsupported_response_mode", "code.misconfigured", "mend.unsupported_response_mode"),
    ("invalid_scope", "code.invalid_scope", "mend.invalid_scope"),
    ("invalid_target", "code.invalid_scope", "mend.invalid_target"),
    ("invalid_grant", "code.expired", "mend.invalid_grant"),
    ("server_error", "code.server_error", "mend.server_error"),
    ("temporarily_unavailable", "code.busy", "mend.busy"),
    ("interaction_required", "code.interaction_required", "mend.interaction_required"),
    ("login_required", "code.interaction_required", "mend.interaction_required"),
    ("account_selection_required", "code.interaction_required", "mend.interaction_required"),
    ("consent_required", "code.interaction_required", "mend.interaction_required"),
    ("invalid_request_uri", "code.expired", "mend.invalid_request_uri"),
    ("invalid_request_object", "code.misconfigured", "mend.invalid_request_object"),
    ("request_not_supported", "code.misconfigured", "mend.not_supported"),
    ("request_uri_not_supported", "code.misconfigured", "mend.not_supported"),
    ("registration_not_supported", "code.misconfigured", "mend.not_supported"),
    ("unmet_authentication_requirements", "code.unmet", "mend.unmet"),
];
const OTHER_CODE: Words = ("", "code.invalid_request", "mend.invalid_request");

impl ErrorPage {
    /// `code` and `description` are for the developer and are shown as they are: nothing secret, nothing of the request.
    pub fn new(frame: Frame, reason: Reason, code: &str, description: &str) -> Self {
        let (title, sentence, remedy) = reason.words(frame.texts);
        Self {
            status: reason.status(),
            done: reason == Reason::PostLogoutRedirectUri,
            title,
            sentence,
            remedy,
            code: code.to_owned(),
            description: description.to_owned(),
            to_account: None,
            frames: Vec::new(),
            frame,
        }
    }

    /// With a link to the account at this address.
    pub fn to_account(self, address: String) -> Self {
        Self { to_account: Some(address), ..self }
    }

    /// With the apps' frames: the page's `frame-src` must name their origins.
    pub fn with_frames(self, frames: Vec<String>) -> Self {
        Self { frames, ..self }
    }

    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub fn into_view(self) -> View<Self> {
        View::with(self.status, self)
    }
}

impl Reason<'_> {
    pub fn status(self) -> StatusCode {
        match self {
            Self::Code("server_error") | Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Code("temporarily_unavailable") | Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Code(_)
            | Self::RedirectUri
            | Self::PostLogoutRedirectUri
            | Self::UnknownClient
            | Self::BadRequest
            | Self::NoCookies => StatusCode::BAD_REQUEST,
            Self::Told { .. } => StatusCode::OK,
            Self::JourneyGone | Self::SetUpLink => StatusCode::GONE,
            Self::Forged | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// Title, sentence, remedy.
    fn words(self, texts: &Texts) -> (String, String, Option<String>) {
        let say = |key: &str| texts.get(key).to_owned();
        let plain = |title: &str, sentence: &str| (say(title), say(sentence), None);
        let after = |title: &str, sentence: &str, seconds: u64| {
            (say(title), texts.with(sentence, &[("wait", &moment::span(texts, seconds))]), None)
        };
        let mended = |sentence: &str, remedy: &str| (say("error.cannot_continue"), say(sentence), Some(say(remedy)));
        match self {
            Self::Code(code) => {
                let (_, sentence, remedy) = CODES.iter().find(|(known, ..)| *known == code).unwrap_or(&OTHER_CODE);
                mended(sentence, remedy)
            }
            Self::RedirectUri => mended("code.redirect_uri", "mend.redirect_uri"),
            Self::PostLogoutRedirectUri => {
                (say("error.signed_out"), say("code.post_logout"), Some(say("mend.post_logout")))
            }
            Self::UnknownClient => mended("code.unknown_client", "mend.unknown_client"),
            Self::JourneyGone => plain("error.expired", "error.expired_detail"),
            Self::NoCookies => plain("error.cookies", "error.cookies_detail"),
            Self::Forged => plain("error.forged", "error.forged_detail"),
            Self::SetUpLink => plain("error.set_up_link", "error.set_up_link_detail"),
            Self::BadRequest => plain("error.bad_request", "error.bad_request_detail"),
            Self::Forbidden => plain("error.forbidden", "error.forbidden_detail"),
            Self::NotFound => plain("error.not_found", "error.not_found_detail"),
            Self::MethodNotAllowed => plain("error.method", "error.method_detail"),
            Self::TooLarge => plain("error.too_large", "error.too_large_detail"),
            Self::TooMany { seconds } => after("error.too_many", "error.too_many_detail", seconds),
            Self::Busy { seconds } => after("error.busy", "error.busy_detail", seconds),
            Self::Failed => plain("error.failed", "error.failed_detail"),
            Self::Told { trace } => {
                (say("error.told"), say("error.told_detail"), Some(texts.with("mend.told", &[("trace", trace)])))
            }
        }
    }
}
