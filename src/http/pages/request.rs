//! What every page handler takes from its request: the server, the browser, the parameters.

use std::sync::Arc;

use poem::{
    FromRequest, IntoResponse, Request, RequestBody, Response, Result,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};

use super::{
    error,
    view::{Frame, Site},
};
use crate::{
    app::App,
    flows::Refused,
    http::{
        Inside,
        browser::Browser,
        headers::{POPUP, Policy},
        oauth::form,
    },
    protocol::{Params, trace::Kind},
};

pub struct Page {
    pub app: App,
    pub inside: Inside,
    pub browser: Browser,
    /// Of the query.
    pub query: Params,
    /// Of the form.
    pub form: Params,
    /// The browser says that another site made it send this request.
    is_from_elsewhere: bool,
    /// The path with its query, without the issuer's path: where a change of language returns to.
    pub here: String,
    /// The account of who is here has something to do with providers.
    pub has_providers: bool,
}

impl<'a> FromRequest<'a> for Page {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> Result<Self> {
        let app = poem::web::Data::<&App>::from_request_without_body(request).await?.0.clone();
        let site = poem::web::Data::<&Arc<Site>>::from_request_without_body(request).await?.0.clone();
        let inside = poem::web::Data::<&Inside>::from_request_without_body(request).await?.0.clone();
        let form = match *request.method() {
            poem::http::Method::POST => form::read(request, body).await?.params().clone(),
            _ => Params::default(),
        };
        let uri = request.original_uri();
        Ok(Page {
            browser: Browser::of(&app, &site, request),
            is_from_elsewhere: is_from_elsewhere(&app, request.headers()),
            app,
            inside,
            query: Params::parse(uri.query().unwrap_or_default()),
            form,
            here: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            has_providers: false,
        })
    }
}

impl Page {
    /// The frame of a page that offers other languages.
    pub fn frame(&self) -> Frame {
        Frame { here: Some(self.here.clone()), ..self.browser.frame(&self.app) }
    }

    /// A page, with the cookie that names the browser.
    pub fn show(&self, page: impl IntoResponse, policy: &Policy<'_>) -> Response {
        let mut response = page.into_response();
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.header());
        if policy.popup {
            let (name, value) = POPUP;
            response.headers_mut().insert(name, value);
        }
        self.browser.dress(response)
    }

    /// To another page of ours.
    pub fn go(&self, path: &str) -> Response {
        self.browser.dress(see_other(&self.browser.path(path)))
    }

    /// A refusal that has nobody else to be told to.
    pub fn refuse(&self, refused: &Refused) -> Response {
        self.browser.dress(error::show(&self.app, &self.browser, refused))
    }

    /// # Errors
    /// The page to show, when the form is not one that this browser was given.
    pub fn check_form(&self) -> Result<(), Box<Response>> {
        let token = self.form.get("csrf").filter(|_| !self.is_from_elsewhere);
        let checked = self.form.check_typed().and_then(|()| self.browser.visitor.check_form(&self.app, token));
        checked.map_err(|problem| {
            let refused = Refused::at_once(&self.app, Kind::Login, self.browser.visitor.address, problem);
            Box::new(error::forged(&self.app, &self.browser, &refused))
        })
    }
}

/// Fetch §3.1, Fetch Metadata §2: browsers say where a form stands. Ours stand on our own pages, whose referrer policy
/// lets `Origin` through (K2); who sends neither header is believed by the token alone.
fn is_from_elsewhere(app: &App, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN);
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    origin.is_some_and(|origin| origin.as_bytes() != app.config.server.issuer.origin().as_bytes())
        || matches!(site, Some(b"cross-site" | b"same-site"))
}

/// 303, never 307: a form must not be sent on (RFC 9700 §4.12).
pub fn see_other(address: &str) -> Response {
    let response = Response::builder().status(StatusCode::SEE_OTHER).header(header::CACHE_CONTROL, "no-store");
    match HeaderValue::from_str(address) {
        Ok(address) => response.header(header::LOCATION, address).finish(),
        // Addresses are percent-encoded long before; this is the last fence.
        Err(_) => response.status(StatusCode::BAD_REQUEST).finish(),
    }
}
