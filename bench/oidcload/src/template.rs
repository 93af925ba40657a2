//! `{name}` templates, compiled once into literal pieces and variable slots.

use std::collections::BTreeMap;

/// Variables are numbered: a worker keeps their values in a `Vec`.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, usize>);

impl Names {
    pub fn slot(&mut self, name: &str) -> usize {
        let next = self.0.len();
        *self.0.entry(name.to_owned()).or_insert(next)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Variable { slot: usize, url: bool },
}

#[derive(Debug, Clone, Default)]
pub struct Template(Vec<Part>);

impl Template {
    /// `{name}` inserts, `{name|url}` percent-encodes.
    pub fn parse(text: &str, names: &mut Names) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("a brace is not closed in {text:?}"))?;
            let (name, url) = name.strip_suffix("|url").map_or((name, false), |name| (name, true));
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(Part::Variable { slot: names.slot(name), url });
            rest = after;
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(Self(parts))
    }

    pub fn write(&self, values: &[String], out: &mut String) {
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Variable { slot, url: false } => out.push_str(&values[*slot]),
                Part::Variable { slot, url: true } => url_encode(&values[*slot], out),
            }
        }
    }

    pub fn render(&self, values: &[String]) -> String {
        let mut out = String::new();
        self.write(values, &mut out);
        out
    }

    /// The variables that this template reads.
    pub fn slots(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().filter_map(|part| match part {
            Part::Variable { slot, .. } => Some(*slot),
            Part::Literal(_) => None,
        })
    }
}

/// Percent-encodes everything outside RFC 3986 "unreserved".
pub fn url_encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)] as char);
            out.push(HEX[usize::from(byte & 15)] as char);
        }
    }
}

/// Decodes `%XX` and `+`.
pub fn url_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        out.push(match (first, escaped(after)) {
            (b'%', Some(byte)) => {
                rest = &after[2..];
                byte
            }
            (b'+', _) => b' ',
            (other, _) => *other,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn escaped(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok()
}

/// The entities that servers put into attributes.
pub fn html_unescape(text: &str) -> String {
    const ENTITIES: &[(&str, &str)] = &[
        ("&#x2F;", "/"),
        ("&#47;", "/"),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&#x3D;", "="),
        ("&#61;", "="),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#38;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    ENTITIES.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_inserts_and_encodes() {
        let template = Template::parse("a={x}&b={y|url}", &mut Names::default()).unwrap();
        assert_eq!(template.render(&["1".to_owned(), "a b/ü".to_owned()]), "a=1&b=a%20b%2F%C3%BC");
    }

    #[test]
    fn an_open_brace_is_refused() {
        assert!(Template::parse("{x", &mut Names::default()).is_err());
    }

    #[test]
    fn url_encoding_goes_there_and_back() {
        let mut encoded = String::new();
        url_encode("a+b c%/ü", &mut encoded);
        assert_eq!(url_decode(&encoded), "a+b c%/ü");
        assert_eq!(url_decode("a+b%2"), "a b%2");
    }

    #[test]
    fn entities_become_characters() {
        assert_eq!(html_unescape("a&amp;b&#x2F;c&quot;"), "a&b/c\"");
    }
}
