//! Refusals as pages: a plain sentence for the person, code and cause for the developer, and the trace's id.

use poem::{
    IntoResponse, Response, handler,
    http::{HeaderValue, header},
    web::Path,
};

use super::{
    logout,
    request::Page,
    view::Frame,
    views::{ErrorPage, Reason},
};
use crate::{
    app::App,
    flows::Refused,
    http::{browser::Browser, headers::Policy},
    protocol::{Code, rule, trace::Kind},
};

/// Shown where it arose, with a 4xx or 5xx status.
pub fn show(app: &App, browser: &Browser, refused: &Refused) -> Response {
    page(app, browser, refused, reason(refused), Vec::new())
}

/// A form that is not one of ours: 403 (case SEC-098).
pub fn forged(app: &App, browser: &Browser, refused: &Refused) -> Response {
    page(app, browser, refused, Reason::Forged, Vec::new())
}

/// A page that is not for this person.
pub fn forbidden(app: &App, browser: &Browser) -> Response {
    let error = Code::AccessDenied.because("this page is for administrators");
    let refused = Refused::at_once(app, Kind::Login, browser.visitor.address, error);
    page(app, browser, &refused, Reason::Forbidden, Vec::new())
}

fn page(app: &App, browser: &Browser, refused: &Refused, reason: Reason<'_>, frames: Vec<String>) -> Response {
    let error = &refused.error;
    if let Some(cause) = &error.cause {
        tracing::error!(%cause, trace_id = refused.trace_id, "a page failed");
    }
    let mut frame = browser.frame(app);
    frame.trace_id = Some(refused.trace_id.clone());
    let page = ErrorPage::new(frame, reason, error.code.as_str(), &error.described()).with_frames(frames);
    let mut response = page.into_view().into_response();
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn reason(refused: &Refused) -> Reason<'_> {
    let error = &refused.error;
    let rule = error.detail.as_ref().map(|detail| detail.rule.name);
    let seconds = error.retry_after.and_then(|seconds| seconds.try_into().ok()).unwrap_or(5);
    match (error.code, rule) {
        (Code::TooManyRequests, _) => Reason::TooMany { seconds },
        (Code::TemporarilyUnavailable, _) => Reason::Busy { seconds },
        (Code::ServerError, _) => Reason::Failed,
        (_, Some(name)) if name == rule::REDIRECT_URI.name => Reason::RedirectUri,
        (_, Some(name)) if name == rule::CLIENT.name => Reason::UnknownClient,
        (_, Some(name)) if name == rule::JOURNEY.name => Reason::JourneyGone,
        (_, Some(name)) if name == rule::BROWSER.name => Reason::NoCookies,
        (_, Some(name)) if name == rule::CSRF.name => Reason::Forged,
        (_, Some(name)) if name == rule::SESSION.name => Reason::SetUpLink,
        (code, _) => Reason::Code(code.as_str()),
    }
}

/// Where `error_uri` of an answer to an app leads: what the id in it is good for. Every id gets the same words: whether
/// there is such a run is not for strangers.
#[handler]
pub fn explain(page: Page, Path(trace): Path<String>) -> Response {
    let is_id = trace.len() == 16 && trace.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if !is_id {
        return not_found(&page);
    }
    let frame = Frame { trace_id: Some(trace.clone()), ..page.frame() };
    let view = ErrorPage::new(frame, Reason::Told { trace: &trace }, "", "");
    page.show(view.into_view(), &Policy::default())
}

/// What is not there, or not for this person: nobody learns which.
pub fn not_found(page: &Page) -> Response {
    let account = page.browser.path("/account");
    let view = ErrorPage::new(page.frame(), Reason::NotFound, "not_found", "there is nothing at this address");
    page.show(view.to_account(account).into_view(), &Policy::default())
}

/// The session has ended, but the address that the app asked for is not its own: the page says both.
pub fn signed_out(app: &App, browser: &Browser, refused: &Refused, frames: Vec<String>) -> Response {
    let policy = Policy { frames: logout::sources(&frames), ..Policy::default() };
    let mut response = page(app, browser, refused, Reason::PostLogoutRedirectUri, frames);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.header());
    response
}
