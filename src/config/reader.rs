//! Takes one setting after the other out of the layers, and collects what is wrong, what to warn of and what applies.
use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    error::{Problem, Warning, quoted},
    parse::under,
    secret::{self, HIDDEN},
    setting::{Fallback, Fault, Given, Parsed, Secrecy, Setting, Shown},
    sources::{Found, Layers, Source},
};

/// One setting as it applies.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// The full key: `clients[0].client_id`.
    pub key: String,
    /// Its value, masked; null when it is not set.
    pub value: Value,
    /// Who said it.
    pub source: Source,
}

/// Reads typed values and keeps the books.
pub struct Reader<'a> {
    layers: &'a Layers,
    /// Which entry of the lists of tables is being read.
    indexes: Vec<usize>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Warning>,
    pub effective: Vec<Effective>,
}

impl<'a> Reader<'a> {
    pub fn new(layers: &'a Layers) -> Self {
        Self { layers, indexes: Vec::new(), problems: Vec::new(), warnings: Vec::new(), effective: Vec::new() }
    }

    /// Reads one setting. `None` means that a problem has been noted.
    pub fn take<T: Shown>(&mut self, setting: &Setting, parse: impl Fn(&Given<'_>) -> Parsed<T>) -> Option<T> {
        let key = self.full(setting.key);
        let found = match self.find(setting, &key) {
            Ok(found) => found,
            Err(problem) => {
                self.problems.push(*problem);
                return None;
            }
        };
        let Some(found) = found else { return self.absent(setting, key) };
        match parse(&Given { value: &found.value, base: &found.base }) {
            Ok(value) => {
                self.effective.push(Effective { key, value: value.show(), source: found.source.clone() });
                Some(value)
            }
            Err(Fault { problem, remedy }) => {
                let value = Some(masked(setting.secrecy, &found.value));
                let source = Some(found.source.clone());
                self.problems.push(Problem { source, key, value, problem, remedy });
                None
            }
        }
    }

    fn absent<T: Shown>(&mut self, setting: &Setting, key: String) -> Option<T> {
        match (T::absent(), &setting.fallback) {
            (Some(nothing), Fallback::Unset) => {
                self.effective.push(Effective { key, value: Value::Null, source: Source::Default });
                Some(nothing)
            }
            (_, Fallback::Required) => {
                self.refuse(&key, "this setting is missing", "add it");
                None
            }
            // What it derives from is wrong, and has been reported.
            _ => None,
        }
    }

    /// The strongest value; the contents of the file, where a file was named instead.
    fn find(&mut self, setting: &Setting, key: &str) -> Result<Option<Cow<'a, Found>>, Box<Problem>> {
        let file_key = setting.file_key().map(|pattern| self.full(&pattern));
        for layer in self.layers.strongest_first() {
            let file = file_key.as_ref().and_then(|file_key| layer.get(file_key));
            match (layer.get(key), file) {
                (Some(found), None) => return Ok(Some(Cow::Borrowed(found))),
                (None, Some(file)) => return self.contents(key, file).map(|found| Some(Cow::Owned(found))),
                (Some(found), Some(file)) => {
                    return Err(Box::new(Problem {
                        source: Some(found.source.clone()),
                        key: key.to_owned(),
                        value: Some(HIDDEN.to_owned()),
                        problem: format!("{} names a file for it too", file.source),
                        remedy: "keep one of the two".to_owned(),
                    }));
                }
                (None, None) => {}
            }
        }
        Ok(self.fallback(setting).map(Cow::Owned))
    }

    fn fallback(&self, setting: &Setting) -> Option<Found> {
        let (value, base) = match setting.fallback {
            Fallback::Fixed(text) => (text.to_owned(), self.layers.directory.as_path()),
            // What it derives from has found its folder already.
            Fallback::Derived(from) => (from(self)?, Path::new("")),
            Fallback::Unset | Fallback::Required => return None,
        };
        Some(Found { value: value.into(), source: Source::Default, base: base.to_owned() })
    }

    fn contents(&mut self, key: &str, named: &Found) -> Result<Found, Box<Problem>> {
        let file_key = format!("{key}_file");
        let refuse = |Fault { problem, remedy }| {
            let (source, value) = (Some(named.source.clone()), Some(quoted(&named.value)));
            Box::new(Problem { source, key: file_key.clone(), value, problem, remedy })
        };
        let path = super::parse::path(&Given { value: &named.value, base: &named.base }).map_err(refuse)?;
        let file = secret::read_file(&path).map_err(refuse)?;
        if file.exposed {
            let message = format!("every user of this machine can read {0}; run chmod 600 {0}", path.display());
            self.warnings.push(Warning { source: Some(named.source.clone()), key: file_key, message });
        }
        let source = Source::SecretFile { path, named_by: Box::new(named.source.clone()) };
        Ok(Found { value: file.text.as_str().into(), source, base: named.base.clone() })
    }

    /// Reads the entries of a list of tables: `clients`, or `resources[].scopes` inside an entry of `resources`.
    pub fn entries<T>(&mut self, list: &str, mut read: impl FnMut(&mut Self) -> Option<T>) -> Vec<T> {
        let count = self.layers.count(&self.full(list));
        let mut entries = Vec::with_capacity(count);
        for index in 0..count {
            self.indexes.push(index);
            entries.extend(read(self));
            self.indexes.pop();
        }
        entries
    }

    /// The settings file, and where each entry of its lists begins.
    pub fn provenance(&self) -> (Option<PathBuf>, BTreeMap<String, Source>) {
        (self.layers.path.clone(), self.layers.entries.clone())
    }

    /// The key with the numbers of the entries that are being read.
    pub fn full(&self, pattern: &str) -> String {
        self.indexes.iter().fold(pattern.to_owned(), |key, index| key.replacen("[]", &format!("[{index}]"), 1))
    }

    /// A setting that was read before, as it is shown.
    pub fn shown(&self, key: &str) -> Option<&str> {
        self.effective.iter().rfind(|entry| entry.key == key)?.value.as_str()
    }

    /// Whether anybody said anything about a key.
    pub fn is_given(&self, key: &str) -> bool {
        self.layers.find(key).is_some()
    }

    /// Notes that a setting, fine by itself, does not go with the others.
    pub fn refuse(&mut self, key: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        let fault = Fault::new(problem, remedy);
        self.problems.push(problem_with(&self.effective, &self.layers.entries, key, fault));
    }

    /// Notes something that works and should still be known.
    pub fn warn(&mut self, key: &str, message: impl Into<String>) {
        let entry = self.effective.iter().find(|entry| entry.key == key && entry.source != Source::Default);
        let source = entry.map(|entry| entry.source.clone());
        self.warnings.push(Warning { source, key: key.to_owned(), message: message.into() });
    }
}

/// A problem with a setting that was read, or with the entry of a list that lacks it.
pub fn problem_with(
    effective: &[Effective],
    entries: &BTreeMap<String, Source>,
    key: &str,
    Fault { problem, remedy }: Fault,
) -> Problem {
    let known = effective.iter().find(|entry| entry.key == key && entry.source != Source::Default);
    let around = || key.match_indices('.').rev().find_map(|(dot, _)| entries.get(&key[..dot]));
    let source = known.map(|entry| &entry.source).or_else(|| entries.get(key)).or_else(around).cloned();
    let value = effective.iter().find(|entry| entry.key == key && !entry.value.is_null());
    let value = value.map(|entry| quoted(&entry.value));
    Problem { source, key: key.to_owned(), value, problem, remedy }
}

/// A value that could not be read, as far as it may be printed.
fn masked(secrecy: Secrecy, value: &Value) -> String {
    const SCHEMES: [&str; 5] = ["sqlite", "postgres", "postgresql", "mysql", "mariadb"];
    let scheme = value.as_str().and_then(|text| text.split_once(':')).map(|(scheme, _)| scheme);
    match (secrecy, scheme) {
        (Secrecy::Open, _) => quoted(value),
        (Secrecy::Url, Some("sqlite")) => quoted(value),
        (Secrecy::Url, Some(scheme)) if SCHEMES.contains(&scheme) => format!("{scheme}:{HIDDEN}"),
        _ => HIDDEN.to_owned(),
    }
}

/// The default of a path inside the data folder.
pub fn in_data_dir(reader: &Reader<'_>, name: &str) -> Option<String> {
    let data_dir = reader.shown("data_dir")?;
    Some(under(Path::new(data_dir), name).to_string_lossy().into_owned())
}
