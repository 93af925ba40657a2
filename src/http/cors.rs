//! CORS (Fetch §3.2), for the endpoints that scripts of registered origins may call. Never for pages.

use std::time::Duration;

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};
use tokio::time::timeout;

use super::api;
use crate::{app::App, protocol::discovery::path};

/// Which origins may read the answer of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    Nobody,
    /// What is the same for everybody and public.
    Everybody,
    Registered,
}

pub fn sharing(app: &App, request_path: &str) -> Sharing {
    match request_path {
        path::TOKEN | path::USERINFO | path::REVOKE => Sharing::Registered,
        other if api::is_of_accounts(other) && app.config.accounts.api => Sharing::Registered,
        path::JWKS => Sharing::Everybody,
        other if other.contains("/.well-known/") => Sharing::Everybody,
        _ => Sharing::Nobody,
    }
}

/// Waiting longer for the database to name an origin helps no script.
const PATIENCE: Duration = Duration::from_secs(5);

/// The origin that may read the answer, as the header says it.
pub async fn reader(app: &App, origin: Option<HeaderValue>, sharing: Sharing) -> Option<HeaderValue> {
    let origin = origin?;
    match sharing {
        Sharing::Nobody => None,
        Sharing::Everybody => Some(HeaderValue::from_static("*")),
        Sharing::Registered => {
            let text = origin.to_str().ok().filter(|text| text.len() <= 255)?;
            // While the database is away nobody is registered: the browser then refuses, which is the safe side.
            let known = timeout(PATIENCE, app.cache.is_registered_origin(&app.db, text)).await;
            matches!(known, Ok(Ok(true))).then_some(origin)
        }
    }
}

pub fn is_preflight(request: &Request, sharing: Sharing) -> bool {
    sharing != Sharing::Nobody
        && request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight; without a reader it permits nothing.
pub fn preflight(reader: Option<&HeaderValue>, request_path: &str) -> Response {
    let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
    let of_accounts = api::is_of_accounts(request_path);
    let methods = if of_accounts { "GET, POST, PUT, PATCH, DELETE" } else { "GET, POST" };
    if reader.is_some() {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

/// Never with credentials: cookies are for pages.
pub fn share(headers: &mut HeaderMap, reader: Option<HeaderValue>, sharing: Sharing) {
    if let Some(reader) = reader {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, reader);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("www-authenticate, retry-after, x-request-id"),
        );
    }
    if sharing == Sharing::Registered {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}
