//! A cookie jar that shows its cookies, with the rules of RFC 6265bis that protect a sign-in.
use url::Url;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    /// Lower-case names, values as they were sent.
    pub attributes: Vec<(String, String)>,
}

impl Cookie {
    pub fn parse(header: &str) -> Self {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a cookie has a name");
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.to_ascii_lowercase(), value.to_string())
        };
        Cookie { name: name.into(), value: value.into(), attributes: parts.map(pair).collect() }
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// The server asks to forget it.
    pub fn is_over(&self) -> bool {
        match (self.attribute("max-age"), self.attribute("expires")) {
            (Some(seconds), _) => seconds.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
            (None, Some(date)) => date.contains(" 1970 ") || date.contains("-1970 "),
            (None, None) => false,
        }
    }

    /// A browser drops a cookie that breaks its own promises.
    fn is_refused_at(&self, url: &Url) -> Option<&'static str> {
        let secure = url.scheme() == "https";
        let (path, domain) = (self.attribute("path"), self.attribute("domain"));
        if self.has("secure") && !secure {
            return Some("Secure, but the page is not https");
        }
        if self.name.starts_with("__Secure-") && !self.has("secure") {
            return Some("__Secure- without Secure");
        }
        if self.name.starts_with("__Host-") && (!self.has("secure") || path != Some("/") || domain.is_some()) {
            return Some("__Host- without Secure and Path=/, or with Domain");
        }
        if self.attribute("samesite").is_some_and(|rule| rule.eq_ignore_ascii_case("none")) && !self.has("secure") {
            return Some("SameSite=None without Secure");
        }
        None
    }

    fn fits(&self, url: &Url) -> bool {
        let path = self.attribute("path").filter(|path| path.starts_with('/')).unwrap_or("/");
        let here = url.path();
        here == path || here.starts_with(path) && (path.ends_with('/') || here[path.len()..].starts_with('/'))
    }
}

/// Cookies of one origin: the browser of the tests visits no other.
#[derive(Clone, Debug, Default)]
pub struct Jar(pub Vec<Cookie>);

impl Jar {
    pub fn store(&mut self, url: &Url, header: &str) {
        let cookie = Cookie::parse(header);
        if let Some(reason) = cookie.is_refused_at(url) {
            panic!("a browser would refuse this cookie ({reason}): {header}");
        }
        self.0.retain(|known| known.name != cookie.name || known.attribute("path") != cookie.attribute("path"));
        if !cookie.is_over() {
            self.0.push(cookie);
        }
    }

    /// The Cookie header of a request. `from_elsewhere` is a cross-site POST, which carries no Lax cookie.
    pub fn header(&self, url: &Url, from_elsewhere: bool) -> Option<String> {
        let lax = |cookie: &&Cookie| cookie.attribute("samesite").is_none_or(|rule| !rule.eq_ignore_ascii_case("none"));
        let fitting = self.0.iter().filter(|cookie| cookie.fits(url));
        let sent = fitting.filter(|cookie| !from_elsewhere || !lax(cookie));
        let pairs: Vec<String> = sent.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}
