//! RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1: where answers may go. Compared as strings, exactly.

use url::{Host, Url};

use super::{Code, Error, Result, rule, trace::Shown};

/// Finds the registered URI that `given` is. Only native apps' loopback addresses may differ, in the port (RFC 8252 §7.3).
pub fn is_registered(registered: &[String], given: &str, native: bool) -> bool {
    registered.iter().any(|uri| uri == given || native && is_same_but_port(uri, given))
}

/// `http://127.0.0.1[:port]/…` and `http://[::1][:port]/…` only; never a name, which another host could answer to.
fn is_same_but_port(registered: &str, given: &str) -> bool {
    match (without_port(registered), without_port(given)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

fn without_port(uri: &str) -> Option<(&'static str, &str)> {
    let (host, rest) =
        ["http://127.0.0.1", "http://[::1]"].into_iter().find_map(|h| Some((h, uri.strip_prefix(h)?)))?;
    let Some(after) = rest.strip_prefix(':') else { return rest.starts_with('/').then_some((host, rest)) };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let (port, path) = after.split_at(digits);
    let sound = port.parse::<u16>().is_ok_and(|port| port > 0) && path.starts_with('/');
    sound.then_some((host, path))
}

/// Refuses with both URIs and the first character where they part.
pub fn unregistered(registered: &[String], given: &str) -> Error {
    let nearest =
        registered.iter().max_by_key(|uri| uri.chars().zip(given.chars()).take_while(|(a, b)| a == b).count());
    let error = Code::InvalidRequest
        .because("redirect_uri is not one that the client registered")
        .under(&rule::REDIRECT_URI)
        .expected(Shown::list(registered.iter().map(String::as_str)));
    match nearest {
        Some(nearest) => error.received(Shown::difference(given, nearest)),
        None => error.received(Shown::foreign_uri(given)),
    }
}

/// What a client may register: absolute, no fragment, https; http only to the loopback interface;
/// for native apps also a scheme of their own with a dot in it (RFC 8252 §7.1).
pub fn check(uri: &str, native: bool) -> Result<(), String> {
    let url = Url::parse(uri).map_err(|problem| format!("{uri} is not an absolute URI: {problem}"))?;
    if uri.contains('#') {
        return Err(format!("{uri} has a fragment; a redirect URI must have none"));
    }
    if !is_spelt_as_sent(uri) {
        return Err(format!("{uri} has a character that must be percent-encoded"));
    }
    if url.host_str().is_some_and(|host| host.contains('*')) {
        return Err(format!("{uri} has a wildcard; register each host by itself"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{uri} has a user name in it"));
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(format!("{uri} is plain http; use https (http is for 127.0.0.1, [::1] and localhost only)")),
        scheme if native && scheme.contains('.') => Ok(()),
        scheme if native => Err(format!("{uri}: a scheme of an app's own needs a dot, such as com.example.{scheme}")),
        _ => Err(format!("{uri} must begin with https://")),
    }
}

/// RFC 3986 §2: only characters that stand in URIs. Browsers rewrite others, such as a backslash, into what nobody
/// has registered.
fn is_spelt_as_sent(uri: &str) -> bool {
    let is_hex = |digit: Option<u8>| digit.is_some_and(|digit| digit.is_ascii_hexdigit());
    let bytes = uri.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => is_hex(bytes.get(at + 1).copied()) && is_hex(bytes.get(at + 2).copied()),
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=".contains(byte),
    })
}

/// The loopback interface, as a name or a literal address.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `scheme://host[:port]` of a URI (RFC 6454 §6.2), for CORS and for a page's `form-action`.
pub fn origin(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    match url.scheme() {
        "http" | "https" => Some(url.origin().ascii_serialization()),
        _ => None,
    }
}

/// Where the answer to a form may lead that ends at this URI: there, and wherever an app sends a browser from there, since
/// Chromium holds the whole way to the page's `form-action`. An app that has a provider of its own leads on to its own
/// apps: another site, over https, or for who develops another port.
pub fn ways_on(uri: &str) -> Vec<String> {
    let first = match csp_source(uri) {
        Some(source) if source.starts_with("https:") => None,
        Some(source) if source.starts_with("http://localhost") => Some("http://localhost:*".to_owned()),
        Some(source) if source.starts_with("http://127.0.0.1") => Some("http://127.0.0.1:*".to_owned()),
        source => source,
    };
    first.into_iter().chain(["https:".to_owned()]).collect()
}

/// The source expression that lets a form's answer go to this URI (CSP3 §2.3.1): its origin, or a scheme of an app's own.
pub fn csp_source(uri: &str) -> Option<String> {
    // CSP3 has no syntax for IPv6 hosts: for `http://[::1]` only the scheme can be named.
    if Url::parse(uri).is_ok_and(|url| matches!(url.host(), Some(Host::Ipv6(_)))) {
        return Some("http:".to_owned());
    }
    origin(uri).or_else(|| Url::parse(uri).ok().map(|url| format!("{}:", url.scheme())))
}
