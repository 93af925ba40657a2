//! Every sentence a page says, by key and language, and the choice of the language (BCP 47; RFC 4647 §3.4, lookup).
//!
//! The sentences are in `templates/text/*.toml`. To add a language: a file there, and a line in [`SOURCES`].

use std::{collections::HashMap, sync::LazyLock};

use toml::{Table, Value};

/// Tag and sentences of each language. The first is what a person gets who asked for none of them.
const SOURCES: &[(&str, &str)] = &[
    ("en", include_str!("../../templates/text/en.toml")),
    ("de", include_str!("../../templates/text/de.toml")),
    ("fr", include_str!("../../templates/text/fr.toml")),
    ("es", include_str!("../../templates/text/es.toml")),
    ("zh-Hans", include_str!("../../templates/text/zh-Hans.toml")),
];

/// Ranges that do not name their script, and the one they mean (CLDR, likely subtags). Whole ranges: what `zh-TW` is cut
/// down to must not become Simplified Chinese.
const SCRIPTS: &[(&str, &str)] = &[("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh-SG", "zh-Hans")];

/// How many entries of a list that a stranger sent are looked at.
const MOST_RANGES: usize = 32;

static LANGUAGES: LazyLock<Vec<Texts>> =
    LazyLock::new(|| SOURCES.iter().map(|(tag, source)| Texts::read(tag, source)).collect());

/// The sentences of one language.
#[derive(Debug)]
pub struct Texts {
    tag: &'static str,
    sentences: HashMap<String, String>,
}

/// A part of a sentence: plain words, or a value that was filled in and may be set off by the page.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    pub text: &'a str,
    pub filled: bool,
}

impl Texts {
    fn read(tag: &'static str, source: &str) -> Self {
        let table: Table = source.parse().expect("the text files are TOML; a test reads each");
        let mut sentences = HashMap::new();
        flatten("", table, &mut sentences);
        Self { tag, sentences }
    }

    /// The language's tag, as in `<html lang>`.
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// The language's name in itself.
    pub fn name(&self) -> &str {
        self.get("language.name")
    }

    /// The sentence as it stands in the file. A key that is in no file (a test forbids it) shows itself.
    pub fn get<'a>(&'a self, key: &'a str) -> &'a str {
        self.sentences.get(key).map_or(key, String::as_str)
    }

    /// The sentence with each `{name}` replaced by its value. The result is text, not HTML.
    pub fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.pieces(key, values).iter().map(|piece| piece.text).collect()
    }

    /// The same, in pieces, so that a page can set the values off.
    pub fn pieces<'a>(&'a self, key: &'a str, values: &[(&str, &'a str)]) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let mut rest = self.get(key);
        while let Some((before, value, after)) = next_value(rest, values) {
            pieces.push(Piece { text: before, filled: false });
            pieces.push(Piece { text: value, filled: true });
            rest = after;
        }
        pieces.push(Piece { text: rest, filled: false });
        pieces
    }

    /// The words one after the other, as the language writes a list.
    pub fn list<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> String {
        let join = |list: String, next: String| self.with("layout.list", &[("first", &list), ("next", &next)]);
        words.into_iter().map(str::to_owned).reduce(join).unwrap_or_default()
    }

    /// All keys, for the test that compares the languages.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.sentences.keys().map(String::as_str)
    }
}

/// Every language there is, the default first.
pub fn languages() -> &'static [Texts] {
    &LANGUAGES
}

/// The language of exactly this tag.
pub fn find(tag: &str) -> Option<&'static Texts> {
    languages().iter().find(|texts| texts.tag.eq_ignore_ascii_case(tag))
}

/// The language for one request: what the client asked for (`ui_locales`, OpenID Connect Core §3.1.2.1), else what the
/// person chose before, else what the browser prefers, else English. All three come from strangers; none can fail.
pub fn choose(ui_locales: Option<&str>, chosen: Option<&str>, accept_language: Option<&str>) -> &'static Texts {
    let asked = || ui_locales?.split_ascii_whitespace().take(MOST_RANGES).find_map(lookup);
    let preferred = || preferences(accept_language?).into_iter().find_map(lookup);
    asked().or_else(|| lookup(chosen?)).or_else(preferred).unwrap_or(&languages()[0])
}

/// RFC 4647 §3.4: the range, then the range without its last subtag, and so on.
fn lookup(range: &str) -> Option<&'static Texts> {
    let asked = range.trim();
    let mut range = SCRIPTS.iter().find(|(short, _)| short.eq_ignore_ascii_case(asked)).map_or(asked, |(_, full)| full);
    loop {
        if let Some(texts) = find(range) {
            return Some(texts);
        }
        range = &range[..range.rfind('-')?];
    }
}

/// The ranges of an `Accept-Language` value, the most wanted first (RFC 9110 §12.5.4). Refused and odd ones are left out.
fn preferences(value: &str) -> Vec<&str> {
    let mut wanted: Vec<(f32, &str)> = value.split(',').take(MOST_RANGES).filter_map(weighed).collect();
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    wanted.into_iter().map(|(_, range)| range).collect()
}

fn weighed(entry: &str) -> Option<(f32, &str)> {
    let (range, weight) = match entry.split_once(';') {
        None => (entry, 1.0),
        Some((range, parameter)) => (range, parameter.trim().strip_prefix("q=")?.parse().ok()?),
    };
    let wanted = weight > 0.0 && weight <= 1.0;
    wanted.then_some((weight, range.trim()))
}

/// The text before the first `{name}` that has a value, that value, and the text after it.
fn next_value<'a>(sentence: &'a str, values: &[(&str, &'a str)]) -> Option<(&'a str, &'a str, &'a str)> {
    sentence.match_indices('{').find_map(|(start, _)| {
        let (name, after) = sentence[start + 1..].split_once('}')?;
        let (_, value) = values.iter().find(|(known, _)| *known == name)?;
        Some((&sentence[..start], *value, after))
    })
}

fn flatten(prefix: &str, table: Table, sentences: &mut HashMap<String, String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) => flatten(&key, inner, sentences),
            Value::String(sentence) => drop(sentences.insert(key, sentence)),
            other => drop(sentences.insert(key, other.to_string())),
        }
    }
}
