//! What every answer says to the browser about itself (case SEC-097).

use poem::http::{HeaderMap, HeaderName, HeaderValue, header};

const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// The policy of a page: our own files, and what it names besides.
#[derive(Debug, Default)]
pub struct Policy<'a> {
    /// Where the answer to a form may lead: the app that asked (K1).
    pub forms: Vec<String>,
    /// The hash of the one script that stands in a page.
    pub script: Option<&'a str>,
    /// Origins of the apps' frames (OpenID Connect Front-Channel Logout §2).
    pub frames: Vec<String>,
    /// Scripts of the page ask this server for something, as for what a passkey is to sign.
    pub asks: bool,
    /// The page stands in a window that an app has opened (K7).
    pub popup: bool,
}

/// K7: the window must not be cut off from the app that opened it.
pub const POPUP: (HeaderName, HeaderValue) = (COOP, HeaderValue::from_static("same-origin-allow-popups"));

impl Policy<'_> {
    pub fn header(&self) -> HeaderValue {
        let list = |first: &str, more: &[String]| {
            more.iter()
                .filter(|source| is_source(source))
                .fold(first.to_owned(), |list, source| format!("{list} {source}"))
        };
        let frames =
            if self.frames.is_empty() { String::new() } else { format!("; {}", list("frame-src", &self.frames)) };
        let asks = if self.asks { "; connect-src 'self'" } else { "" };
        let script = self.script.map_or(String::new(), |hash| format!(" '{hash}'"));
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'{script}; img-src 'self'; form-action {}; \
             base-uri 'none'; object-src 'none'; frame-ancestors 'none'{frames}{asks}",
            list("'self'", &self.forms),
        );
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    }
}

/// Nothing that could end the directive or begin another; a star stands for the port alone.
fn is_source(source: &str) -> bool {
    let source = source.strip_suffix(":*").unwrap_or(source);
    source.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/[]%+".contains(&b))
}

/// K6: the one page that apps may frame. It holds no data and no controls.
pub const FRAMED: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors *",
);

/// A mail in the outbox, for the frame of its page: it has its style in itself, and nothing in it does anything.
pub const LETTER: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox",
);

/// For what is not a page.
const NO_PAGE: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

/// Adds what the handler did not say. `https`: the issuer is, so browsers shall never come without.
pub fn complete(headers: &mut HeaderMap, https: bool) {
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let is_framed = headers.get(header::CONTENT_SECURITY_POLICY) == Some(&FRAMED);
    let mut set = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    set(
        header::CONTENT_SECURITY_POLICY,
        if is_page { Policy::default().header() } else { HeaderValue::from_static(NO_PAGE) },
    );
    set(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !is_framed {
        set(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    // Not no-referrer: our own forms would then say `Origin: null` (K2). Nothing leaks across sites.
    set(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    set(COOP, HeaderValue::from_static("same-origin"));
    set(CORP, HeaderValue::from_static(if is_page && !is_framed { "same-origin" } else { "cross-origin" }));
    set(PERMISSIONS, HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"));
    set(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if https {
        set(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    }
}
