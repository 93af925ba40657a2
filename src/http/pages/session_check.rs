//! `/session/check` (OpenID Connect Session Management §3.2): the page that apps keep in a hidden frame, to notice by
//! themselves that somebody has signed in or out here.

use poem::{
    Response, handler,
    http::{HeaderValue, header},
};

use super::{request::Page, view::View, views::SessionCheck};
use crate::http::headers::FRAMED;

/// The same for everybody, and small.
const FOR_AN_HOUR: &str = "public, max-age=3600";

#[handler]
pub fn show(page: Page) -> Response {
    use poem::IntoResponse;
    let view = SessionCheck { frame: page.browser.frame(&page.app), cookie: page.browser.state_cookie() };
    let mut response = View::ok(view).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, FRAMED);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_AN_HOUR));
    response
}
