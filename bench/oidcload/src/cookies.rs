//! Just enough of a cookie jar: name, value, path, deletion. One host, so no domains.

#[derive(Default, Debug)]
pub struct Jar(Vec<Cookie>);

#[derive(Debug)]
struct Cookie {
    name: String,
    value: String,
    path: String,
}

impl Jar {
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Stores one `Set-Cookie` value; the path of the request gives the default path.
    pub fn set(&mut self, header: &str, request_path: &str) {
        let mut parts = header.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (name, value) = (name.trim(), value.trim());
        let mut path = match request_path.rfind('/') {
            Some(0) | None => "/",
            Some(end) => &request_path[..end],
        };
        let mut gone = false;
        for attribute in parts {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match key.trim().to_ascii_lowercase().as_str() {
                "path" if value.trim().starts_with('/') => path = value.trim(),
                "max-age" => gone |= value.trim().parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                "expires" => gone |= value.contains(" 1970 ") || value.contains("-1970 "),
                _ => {}
            }
        }
        self.0.retain(|cookie| !(cookie.name == name && cookie.path == path));
        if !gone {
            self.0.push(Cookie { name: name.into(), value: value.into(), path: path.into() });
        }
    }

    /// Writes the `Cookie` line for a path, if any cookie applies.
    pub fn write(&self, path: &str, out: &mut String) {
        let path = path.split('?').next().unwrap_or(path);
        let mut first = true;
        for cookie in self.0.iter().filter(|cookie| cookie.applies(path)) {
            out.push_str(if first { "cookie: " } else { "; " });
            out.push_str(&cookie.name);
            out.push('=');
            out.push_str(&cookie.value);
            first = false;
        }
        if !first {
            out.push_str("\r\n");
        }
    }
}

impl Cookie {
    /// RFC 6265 section 5.1.4.
    fn applies(&self, path: &str) -> bool {
        path == self.path
            || path.strip_prefix(&self.path).is_some_and(|rest| self.path.ends_with('/') || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(jar: &Jar, path: &str) -> String {
        let mut out = String::new();
        jar.write(path, &mut out);
        out
    }

    #[test]
    fn a_cookie_goes_to_its_path_until_it_is_deleted() {
        let mut jar = Jar::default();
        jar.set("a=1; Path=/; HttpOnly", "/x/y");
        jar.set("b=2; path=/auth/7", "/auth/7");
        jar.set("c=3", "/auth/login");
        assert_eq!(line(&jar, "/auth/7?x=1"), "cookie: a=1; b=2; c=3\r\n");
        assert_eq!(line(&jar, "/authx"), "cookie: a=1\r\n");
        jar.set("a=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT", "/");
        jar.set("b=; path=/auth/7; Max-Age=0", "/");
        assert_eq!(line(&jar, "/auth/7"), "cookie: c=3\r\n");
    }
}
