//! Addresses that came from others. Only what a type here has let through becomes a link.

use url::{Host, Url};

/// An address that a page may link to or show an image from: `https`, plain `http` on this machine, or a path of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(String);

impl Link {
    /// A client's own address, or nothing if it is not one that a person can safely follow (`javascript:`, `data:` …).
    pub fn web(address: &str) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        let safe = url.scheme() == "https" || url.scheme() == "http" && is_this_machine(&url);
        (plain && safe).then(|| Self(url.into()))
    }

    /// A path of this server.
    pub fn local(path: &str) -> Option<Self> {
        local_path(path).map(|path| Self(path.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The value, if a browser would stay on this server when sent there: a rooted path that is not `//host` in disguise.
pub fn local_path(value: &str) -> Option<&str> {
    let rooted = value.starts_with('/') && !value.starts_with("//");
    let plain = value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (rooted && plain).then_some(value)
}

/// One part of a path: whatever it has in it, it stays one part (RFC 3986 §2.1).
pub fn segment(text: &str) -> String {
    let spelt = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(spelt).collect()
}

/// Where the browser goes when the person agrees, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A web site, by host (and port where it is unusual). International names stay in their ASCII form, which cannot
    /// be mistaken for another.
    Site(String),
    /// A program that listens on this machine.
    ThisDevice,
    /// An app that owns a URI scheme.
    App(String),
}

impl Destination {
    /// Of a redirect URI that has been checked.
    pub fn of(redirect_uri: &str) -> Self {
        let Ok(url) = Url::parse(redirect_uri) else {
            return Self::App(String::new());
        };
        match (url.scheme(), url.host_str(), url.port()) {
            ("http" | "https", ..) if is_this_machine(&url) => Self::ThisDevice,
            ("http" | "https", Some(host), None) => Self::Site(host.to_owned()),
            ("http" | "https", Some(host), Some(port)) => Self::Site(format!("{host}:{port}")),
            (scheme, ..) => Self::App(scheme.to_owned()),
        }
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
