//! What all pages share: the frame around them, and how a page becomes an answer.

use std::{borrow::Cow, sync::Arc};

use askama::Template;
use poem::{
    IntoResponse, Response,
    http::{StatusCode, header},
};

use super::{assets, brand};
use crate::app::text::{self, Piece, Texts};

/// What every page shows of this server. Made once, at start.
#[derive(Debug)]
pub struct Site {
    /// The operator's name for it.
    pub name: String,
    /// The issuer's path without its last slash: empty, or like `/auth`. Every link of ours starts with it.
    pub base: String,
    /// Whether `/static/brand-logo` exists.
    pub logo: bool,
    /// What `/static/brand.css` answers.
    pub style: String,
    /// Changes with the style and the logo, for the links to them.
    pub version: String,
}

impl Site {
    pub fn new(name: &str, base: &str, accent: Option<&str>, logo: Option<&[u8]>) -> Self {
        let style = brand::brand_css(accent.unwrap_or(brand::DEFAULT_ACCENT));
        let version = assets::version_of([style.as_bytes(), logo.unwrap_or_default()]);
        Self {
            name: name.to_owned(),
            base: base.trim_end_matches('/').to_owned(),
            logo: logo.is_some(),
            style,
            version,
        }
    }
}

/// What stands around a page, and what its forms need.
#[derive(Clone, Debug)]
pub struct Frame {
    pub texts: &'static Texts,
    pub site: Arc<Site>,
    /// Goes with every form of ours as `csrf`.
    pub csrf: String,
    /// Where a change of language comes back to: a path of ours, with its query. Without it, no change is offered.
    pub here: Option<String>,
    /// Who is signed in, where the page may say so.
    pub person: Option<Person>,
    pub trace_id: Option<String>,
}

impl Frame {
    /// The sentence of this key.
    pub fn t<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key)
    }

    /// The sentence of this key, with its values.
    pub fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.texts.with(key, values)
    }

    /// The sentence of this key in pieces, so that the values can be set off.
    pub fn pieces<'a>(&'a self, key: &'a str, values: &[(&str, &'a str)]) -> Vec<Piece<'a>> {
        self.texts.pieces(key, values)
    }

    /// The address of a file of ours.
    pub fn asset(&self, name: &str) -> String {
        format!("{}/static/{name}?v={}", self.site.base, assets::version())
    }

    /// The address of the operator's style (`brand.css`) or logo (`brand-logo`).
    pub fn brand(&self, name: &str) -> String {
        format!("{}/static/{name}?v={}", self.site.base, self.site.version)
    }

    pub fn languages(&self) -> &'static [Texts] {
        text::languages()
    }

    pub fn speaks(&self, other: &Texts) -> bool {
        self.texts.tag() == other.tag()
    }
}

/// Somebody with an account here, as pages name them.
#[derive(Clone, Debug, Default)]
pub struct Person {
    pub name: Option<String>,
    pub email: Option<String>,
    pub username: Option<String>,
}

impl Person {
    /// The name that is shown first.
    pub fn title(&self) -> &str {
        let known = [&self.name, &self.email, &self.username];
        known.into_iter().flatten().map(|value| value.trim()).find(|value| !value.is_empty()).unwrap_or("–")
    }

    /// What tells this account from another of the same name.
    pub fn detail(&self) -> Option<&str> {
        let known = [&self.email, &self.username];
        known.into_iter().flatten().map(String::as_str).find(|value| *value != self.title())
    }

    /// What the person would type to sign in.
    pub fn login(&self) -> &str {
        self.email.as_deref().or(self.username.as_deref()).unwrap_or_default()
    }

    /// The letter in the round picture.
    pub fn initial(&self) -> String {
        initial(self.title())
    }
}

/// The letter that stands for a name where there is no picture.
pub fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "•".to_owned(), |c| c.to_uppercase().collect())
}

/// A page as an answer: HTML that no cache keeps.
#[derive(Debug)]
pub struct View<T> {
    status: StatusCode,
    page: T,
}

impl<T> View<T> {
    pub fn ok(page: T) -> Self {
        Self { status: StatusCode::OK, page }
    }

    pub fn with(status: StatusCode, page: T) -> Self {
        Self { status, page }
    }
}

impl<T: Template + Send> IntoResponse for View<T> {
    fn into_response(self) -> Response {
        let (status, html) = match self.page.render() {
            Ok(html) => (self.status, Cow::Owned(html)),
            Err(error) => {
                tracing::error!(%error, page = std::any::type_name::<T>(), "a page could not be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, Cow::Borrowed(BROKEN))
            }
        };
        Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-store")
            .body(html.into_owned())
    }
}

/// The last resort, which needs no template.
const BROKEN: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Error</title>\
    <h1>Something went wrong</h1><p>This page could not be shown. Please try again.</p></html>";
