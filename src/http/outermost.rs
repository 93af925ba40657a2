//! The outermost layer sees every request before anything else and every answer after everything else:
//! limits, time, panics, headers, the access log.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use poem::{
    Body, Endpoint, IntoResponse, Request, Response, Result,
    http::{HeaderValue, Method, StatusCode, header},
};
use tracing::Instrument;

use super::{
    allowed,
    api::problem,
    browser::Browser,
    cors, headers,
    pages::{
        view::Site,
        views::{ErrorPage, Reason},
    },
};
use crate::{
    app::App,
    flows::register,
    protocol::{Code, discovery::path},
};

/// Decision D10.
const LONGEST_URL: usize = 16 * 1024;
const LONGEST_HEADERS: usize = 32 * 1024;
const LONGEST_COOKIES: usize = 8 * 1024;
const LONGEST_FORM: usize = 64 * 1024;
const LONGEST_JSON: usize = 256 * 1024;
/// Reliability promise 4.
const LONGEST_WORK: Duration = Duration::from_secs(30);

pub struct Outermost<E> {
    app: App,
    site: Arc<Site>,
    /// The issuer's path.
    base: String,
    inner: E,
}

impl<E> Outermost<E> {
    pub fn new(app: App, site: Arc<Site>, base: String, inner: E) -> Self {
        Outermost { app, site, base, inner }
    }
}

impl<E: Endpoint> Endpoint for Outermost<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let (id, began) = (self.app.nonce(), Instant::now());
        let method = request.method().clone();
        let path = request.uri().path().strip_prefix(&*self.base).unwrap_or(request.uri().path()).to_owned();
        let sharing = cors::sharing(&self.app, &path);
        let span = tracing::info_span!("request", id);
        let reader = cors::reader(&self.app, request.headers().get(header::ORIGIN).cloned(), sharing);
        let face = Face::of(self, &request, &path);
        let answer = async {
            match refusal(&mut request, longest_body(&path)).await {
                Some(status) => Some(face.show(&self.app, status)),
                None if cors::is_preflight(&request, sharing) => None,
                None => Some(self.answer(request, face, &path).instrument(span.clone()).await),
            }
        };
        // Side by side: a database that is away is waited for once.
        let (reader, answer) = tokio::join!(reader, answer);
        let mut response = answer.unwrap_or_else(|| cors::preflight(reader.as_ref(), &path));
        cors::share(response.headers_mut(), reader, sharing);
        headers::complete(response.headers_mut(), self.app.config.server.issuer.is_https());
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-request-id", value);
        }
        let _entered = span.enter();
        let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
        let status = response.status().as_u16();
        // What went well is in the traces; a line for each is there for whoever asks for it (log.level = "debug").
        match status {
            500.. => tracing::warn!(%method, path = shape(&path), status, milliseconds, "answered"),
            400.. => tracing::info!(%method, path = shape(&path), status, milliseconds, "answered"),
            _ => tracing::debug!(%method, path = shape(&path), status, milliseconds, "answered"),
        }
        Ok(response)
    }
}

impl<E: Endpoint> Outermost<E> {
    /// The handler's answer; what has no words of its own gets a page or JSON.
    async fn answer(&self, request: Request, face: Face, at: &str) -> Response {
        let inner = AssertUnwindSafe(self.inner.get_response(request)).catch_unwind();
        let mut response = match tokio::time::timeout(LONGEST_WORK, inner).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                tracing::error!("a handler panicked");
                return face.show(&self.app, StatusCode::INTERNAL_SERVER_ERROR);
            }
            Err(_) => return face.show(&self.app, StatusCode::SERVICE_UNAVAILABLE),
        };
        let mut status = response.status();
        if status == StatusCode::METHOD_NOT_ALLOWED && at == path::REGISTER && !register::is_offered(&self.app) {
            // Decision D16: what is not offered has no methods either.
            status = StatusCode::NOT_FOUND;
        }
        let headers = response.headers();
        let is_json =
            headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        // The framework's own words, which are plain text, are for its developers.
        let is_bare = !headers.contains_key(header::CACHE_CONTROL) && !is_json;
        if (status.is_client_error() || status.is_server_error()) && is_bare {
            response = face.show(&self.app, status);
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed(at)));
        }
        response
    }
}

/// Metadata of clients can have key sets and many addresses in it.
fn longest_body(path: &str) -> usize {
    let is_json = path.starts_with(path::REGISTER) || path.starts_with("/api/");
    if is_json { LONGEST_JSON } else { LONGEST_FORM }
}

/// Too much of anything is refused before it is read further.
async fn refusal(request: &mut Request, longest_body: usize) -> Option<StatusCode> {
    let uri = request.uri();
    let url = uri.path().len() + uri.query().map_or(0, str::len);
    if url > LONGEST_URL {
        return Some(StatusCode::URI_TOO_LONG);
    }
    let all: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let cookies: usize = request.headers().get_all(header::COOKIE).iter().map(HeaderValue::len).sum();
    if all > LONGEST_HEADERS || cookies > LONGEST_COOKIES {
        return Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Some(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > longest_body) {
        return Some(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match request.take_body().into_bytes_limit(longest_body).await {
        Ok(bytes) => {
            request.set_body(Body::from(bytes));
            None
        }
        Err(poem::error::ReadBodyError::PayloadTooLarge) => Some(StatusCode::PAYLOAD_TOO_LARGE),
        Err(poem::error::ReadBodyError::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut => {
            Some(StatusCode::REQUEST_TIMEOUT)
        }
        Err(_) => Some(StatusCode::BAD_REQUEST),
    }
}

/// How an answer without words of its own is shown: to people as a page, to apps as JSON.
struct Face {
    browser: Option<Browser>,
    /// RFC 9457 instead of OAuth's own shape.
    is_api: bool,
    site: Arc<Site>,
}

impl Face {
    fn of<E>(outermost: &Outermost<E>, request: &Request, path: &str) -> Self {
        let for_apps = ["/oauth2", "/.well-known", "/api", "/health"];
        let is_app = for_apps.iter().any(|prefix| path == *prefix || path.starts_with(&format!("{prefix}/")));
        let site = outermost.site.clone();
        let is_api = path.starts_with("/api/");
        Face { is_api, browser: (!is_app).then(|| Browser::of(&outermost.app, &site, request)), site }
    }

    fn show(&self, app: &App, status: StatusCode) -> Response {
        let trace_id = app.trace(crate::protocol::trace::Kind::Authorize).id;
        let (code, description) = words(status);
        let mut response = match &self.browser {
            Some(browser) => {
                let mut frame = browser.frame(app);
                frame.trace_id = Some(trace_id.clone());
                frame.site = self.site.clone();
                let page = ErrorPage::new(frame, reason(status), code, description).with_status(status);
                let lost = status == StatusCode::NOT_FOUND;
                let page = if lost { page.to_account(browser.path("/account")) } else { page };
                page.into_view().into_response()
            }
            None if self.is_api => {
                let problem = problem::bare(status, description, trace_id.clone());
                let json = Response::builder().status(status).content_type("application/problem+json");
                json.header(header::CACHE_CONTROL, "no-store").body(problem)
            }
            None => {
                let body = serde_json::json!({ "error": code, "error_description": description, "trace_id": trace_id });
                let json = Response::builder().status(status).content_type("application/json");
                json.header(header::CACHE_CONTROL, "no-store").body(body.to_string())
            }
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        let status = status.as_u16();
        // What a person reports by its reference must be found.
        if status >= 500 {
            tracing::error!(trace_id, status, "no flow could answer");
        } else {
            tracing::debug!(trace_id, status, "refused before any flow");
        }
        response
    }
}

fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => (Code::InvalidRequest.as_str(), "this method is not allowed here"),
        StatusCode::REQUEST_TIMEOUT => (Code::InvalidRequest.as_str(), "the request took too long to arrive"),
        StatusCode::PAYLOAD_TOO_LARGE => {
            (Code::InvalidRequest.as_str(), "the body is larger than 64 KiB, or 256 KiB where it is JSON")
        }
        StatusCode::URI_TOO_LONG => (Code::InvalidRequest.as_str(), "the address is longer than 16 KiB"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (Code::InvalidRequest.as_str(), "this kind of body is not accepted here"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            (Code::InvalidRequest.as_str(), "the headers are larger than 32 KiB, or the cookies than 8 KiB")
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            (Code::TemporarilyUnavailable.as_str(), "the request could not be finished in time")
        }
        status if status.is_server_error() => (Code::ServerError.as_str(), "something went wrong here"),
        _ => (Code::InvalidRequest.as_str(), "the request is malformed"),
    }
}

fn reason(status: StatusCode) -> Reason<'static> {
    match status {
        StatusCode::NOT_FOUND => Reason::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Reason::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            Reason::TooLarge
        }
        StatusCode::SERVICE_UNAVAILABLE => Reason::Busy { seconds: 5 },
        status if status.is_server_error() => Reason::Failed,
        _ => Reason::BadRequest,
    }
}

/// The path without what names one journey or trace.
fn shape(path: &str) -> String {
    let part = |part: &str| match part.len() {
        36 if part.matches('-').count() == 4 => "{id}".to_owned(),
        _ => part.chars().take(64).collect(),
    };
    path.split('/').take(8).map(part).collect::<Vec<_>>().join("/")
}
