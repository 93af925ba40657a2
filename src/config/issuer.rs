//! OpenID Connect Discovery 1.0 §3, RFC 8414 §2: the issuer's URL; RFC 6454: origins of web pages.
use std::fmt;

use serde_json::Value;
use url::Url;

use super::setting::{Fault, Given, Parsed, Shown};

/// The issuer: what `iss` says, byte for byte as written, and the root of every URL that is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    url: Url,
}

impl Issuer {
    /// Exactly as written: relying parties compare it byte by byte.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Taken apart.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The URL of one of our pages or endpoints; `path` begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.text.trim_end_matches('/'))
    }

    /// The path under which everything is served, without a slash at its end; mostly empty.
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The origin of our pages, as browsers send it.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether browsers reach us by https, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Shown for Issuer {
    fn show(&self) -> Value {
        self.text.as_str().into()
    }
}

/// An https URL without query, fragment and user; http for the machine itself only.
pub fn issuer(given: &Given<'_>) -> Parsed<Issuer> {
    const EXAMPLE: &str = "write a URL like \"https://id.example.com\"";
    let text = given.value.as_str().ok_or_else(|| Fault::new("the issuer is not a text", EXAMPLE))?;
    let url = Url::parse(text).map_err(|error| Fault::new(format!("the issuer is not a URL ({error})"), EXAMPLE))?;
    secure(&url, "the issuer")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::new("the issuer must have no user name or password", "remove what stands before the @"));
    }
    if text.contains('?') || url.query().is_some() {
        return Err(Fault::new("the issuer must have no query", "remove the ? and what follows"));
    }
    if text.contains('#') || url.fragment().is_some() {
        return Err(Fault::new("the issuer must have no fragment", "remove the # and what follows"));
    }
    let normal = url.as_str();
    if text != normal && Some(text) != normal.strip_suffix('/') {
        let remedy = format!("write \"{}\"", normal.trim_end_matches('/'));
        return Err(Fault::new("browsers and relying parties would write this URL otherwise", remedy));
    }
    Ok(Issuer { text: text.to_owned(), url })
}

/// Plain http is for the machine itself.
fn secure(url: &Url, what: &str) -> Parsed<()> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(Fault::new(
            format!("{what} must be https; plain http is for localhost, 127.0.0.1 and [::1] only"),
            "write https://",
        )),
        _ => Err(Fault::new(format!("{what} must be an https URL"), "write https://")),
    }
}

/// The three names of the machine itself.
pub fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// The origin of a web page, as browsers write it in the `Origin` header (RFC 6454 §6.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Shown for Origin {
    fn show(&self) -> Value {
        self.0.as_str().into()
    }
}

/// Scheme, host and port, and nothing more.
pub fn origin(given: &Given<'_>) -> Parsed<Origin> {
    const EXAMPLE: &str = "write an origin like \"https://app.example.com\"";
    let text = given.value.as_str().ok_or_else(|| Fault::new("the origin is not a text", EXAMPLE))?;
    let url = Url::parse(text).map_err(|error| Fault::new(format!("the origin is not a URL ({error})"), EXAMPLE))?;
    secure(&url, "the origin")?;
    let normal = url.origin().ascii_serialization();
    if text != normal {
        return Err(Fault::new(
            "an origin is scheme, host and port as browsers write them",
            format!("write \"{normal}\""),
        ));
    }
    Ok(Origin(normal))
}
