//! `/docs` and `/redoc`: the contract as pages for developers, by poem-openapi. Their scripts and styles stand in the
//! page, so the policy names each by its hash (CSP3 §2.3.1). What they would load from elsewhere is blocked.

use std::{fmt::Write, sync::OnceLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::body::Bytes;
use poem::{
    Endpoint, Response,
    endpoint::make_sync,
    http::{HeaderValue, header},
};

use super::browser;

/// The style that ReDoc's script adds for its scroll bars. The browser tests say when it has become another.
const SCROLL_BARS: &str = "'sha256-sDI9pUw6Z98NC0sorERcD03vlQ8zZwyaBSQ06jerL4M='";

/// The page and its policy. They are large and few ask for them, so they are made for the first who does.
pub fn page(html: impl Fn() -> String + Send + Sync + 'static) -> impl Endpoint {
    let made = OnceLock::new();
    make_sync(move |_| {
        let (html, policy) = made.get_or_init(|| {
            let html = html();
            let policy = policy(&html);
            (Bytes::from(html), policy)
        });
        let response = Response::builder().content_type("text/html; charset=utf-8");
        response.header(header::CONTENT_SECURITY_POLICY, policy).body(html.clone())
    })
}

/// `connect-src` lets "Try it out" reach our own endpoints; ReDoc searches in a worker that it makes from a blob.
fn policy(html: &str) -> HeaderValue {
    let (mut scripts, mut styles) = (String::new(), String::new());
    for (name, content) in inline(html) {
        let list = if name == "script" { &mut scripts } else { &mut styles };
        let _ = write!(list, " {}", source(content));
    }
    // Styled components begin as an empty element, which the page's own script then fills by the style sheet's API.
    let empty = source("");
    let policy = format!(
        "default-src 'none'; script-src{scripts}; style-src{styles} {empty} {SCROLL_BARS}; img-src 'self' data:; \
         connect-src 'self'; worker-src blob:; form-action 'none'; base-uri 'none'; object-src 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn source(content: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(browser::sha256(content)))
}

/// Name and content of each script and style that stands in the page, as an HTML parser cuts them out.
fn inline(html: &str) -> Vec<(&'static str, &str)> {
    let (mut found, mut rest) = (Vec::new(), html);
    let next = |rest: &str| {
        let at = |name: &'static str| Some((rest.find(&format!("<{name}"))?, name));
        [at("script"), at("style")].into_iter().flatten().min()
    };
    while let Some((at, name)) = next(rest) {
        let Some((_, content)) = rest[at..].split_once('>') else { break };
        let Some((content, after)) = content.split_once(&format!("</{name}")) else { break };
        found.push((name, content));
        rest = after;
    }
    found
}
