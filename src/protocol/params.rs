//! RFC 6749 §3.1, §3.2: request parameters. Names must not repeat; an empty value counts as absent.

use super::{Code, Result, rule, trace::Shown};

/// The parameters of one request, from the query or a form, in their order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// The only parameter a request may repeat: RFC 8707 §2.
const REPEATABLE: [&str; 1] = ["resource"];

/// At most so many (decision D10).
const MOST: usize = 100;

impl Params {
    /// Reads `application/x-www-form-urlencoded` text. Never fails: what is wrong is found by
    /// [`Params::check`], because the authorization endpoint must first learn where to say so.
    pub fn parse(form: &str) -> Self {
        let pairs = url::form_urlencoded::parse(form.as_bytes()).into_owned();
        Params(pairs.filter(|(_, value)| !value.is_empty()).take(MOST + 1).collect())
    }

    /// These, then those of a second source: what stands in both is a repeat.
    pub fn and(mut self, more: Params) -> Self {
        self.0.extend(more.0);
        self.0.truncate(MOST + 1);
        self
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Those of these names alone.
    pub fn only(&self, names: &[&str]) -> Self {
        Params(self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect())
    }

    /// All but those of these names.
    pub fn without(&self, names: &[&str]) -> Self {
        Params(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// These, and of the others those that are not among these.
    pub fn over(mut self, others: &Params) -> Self {
        let own: Vec<String> = self.0.iter().map(|(name, _)| name.clone()).collect();
        self.0.extend(others.0.iter().filter(|(name, _)| !own.contains(name)).cloned());
        self.0.retain(|(_, value)| !value.is_empty());
        self.0.truncate(MOST + 1);
        self
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn require(&self, name: &'static str) -> Result<&str> {
        self.get(name).ok_or_else(|| {
            Code::InvalidRequest
                .because(format!("{name} is missing"))
                .under(&rule::PARAMETERS)
                .expected(Shown::word(name))
        })
    }

    pub fn is_repeated(&self, name: &str) -> bool {
        self.all(name).count() > 1
    }

    /// One value each, UTF-8, no control characters; `scope` has a grammar and an error of its own.
    pub fn check(&self) -> Result<()> {
        self.check_values(is_plain)
    }

    /// The same of a form that people fill in: their texts may have lines.
    pub fn check_typed(&self) -> Result<()> {
        self.check_values(|value| is_plain(&value.replace(['\r', '\n'], "")))
    }

    fn check_values(&self, is_sound: impl Fn(&str) -> bool) -> Result<()> {
        if self.0.len() > MOST {
            return Err(Code::InvalidRequest.because(format!("more than {MOST} parameters")).under(&rule::PARAMETERS));
        }
        for (i, (name, value)) in self.0.iter().enumerate() {
            if !is_plain(name) {
                return Err(Code::InvalidRequest
                    .because("a parameter name is not plain text")
                    .under(&rule::PARAMETERS));
            }
            let shown = shown(name);
            if !REPEATABLE.contains(&name.as_str()) && self.0[..i].iter().any(|(n, _)| n == name) {
                return Err(Code::InvalidRequest.because(format!("{shown} is given twice")).under(&rule::PARAMETERS));
            }
            if name != "scope" && !is_sound(value) {
                let what = format!("{shown} is not UTF-8 text, or has control characters");
                return Err(Code::InvalidRequest.because(what).under(&rule::PARAMETERS));
            }
        }
        Ok(())
    }

    /// As a form again: how a journey keeps its request.
    pub fn encode(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// A name as parameters have one, for the developer. Whatever else somebody writes into an address is not repeated on
/// our pages.
fn shown(name: &str) -> &str {
    let is_name = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_name { name } else { "a parameter" }
}

/// Bytes that are no UTF-8 were replaced while reading; nobody sends U+FFFD on purpose.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c == '\u{fffd}')
}
