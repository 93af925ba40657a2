//! Reads the settings file into a layer: every key with its line, every unknown key refused.
use std::{
    fs::File,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::{
    catalog,
    error::{Problem, Warning, printable},
    secret::reason,
    setting::Fault,
    sources::{Found, Layers, Source},
    suggest::nearest,
};

/// More settings than anybody writes.
const LARGEST: u64 = 1024 * 1024;

/// A settings file on its way into the layers.
pub struct Reading<'a> {
    path: Arc<Path>,
    base: PathBuf,
    /// The offset at which each line starts.
    lines: Vec<usize>,
    layers: &'a mut Layers,
    problems: &'a mut Vec<Problem>,
}

/// Reads the file at `path`. `named_by` is who asked for it by name, if anybody did.
pub fn read(
    path: &Path,
    named_by: Option<Source>,
    layers: &mut Layers,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Warning>,
) {
    let text = match text(path) {
        Ok(text) => text,
        Err(Fault { problem, remedy }) => {
            let whole = Source::File { path: path.into(), line: 0 };
            let problem = match named_by {
                Some(_) => format!("the settings file {} {problem}", path.display()),
                None => format!("the settings file {problem}"),
            };
            let source = Some(named_by.unwrap_or(whole));
            return problems.push(Problem { source, key: String::new(), value: None, problem, remedy });
        }
    };
    let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let base = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut reading = Reading { path: path.into(), base, lines, layers, problems };
    let (table, errors) = DeTable::parse_recoverable(&text);
    if errors.is_empty() {
        reading.table(table.get_ref(), "", "");
    } else {
        errors.iter().for_each(|error| reading.syntax(error));
    }
    layers.path = Some(path.to_owned());
    warn_if_exposed(path, layers, warnings);
}

fn text(path: &Path) -> Result<String, Fault> {
    let unreadable = |error: std::io::Error| {
        let remedy = "name a file that exists and that the user who runs Signet may read";
        Fault::new(format!("cannot be read ({})", reason(&error)), remedy)
    };
    if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Err(Fault::new("is a folder", "name the file inside it"));
    }
    // Counted while reading: a device has no length to be asked for.
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Fault::new("is larger than 1 MiB", "name a file that holds settings only"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        Fault::new(format!("is not UTF-8 on line {line}"), "save it as UTF-8")
    })
}

/// Secrets in a file that everybody can read are no secrets.
fn warn_if_exposed(path: &Path, layers: &Layers, warnings: &mut Vec<Warning>) {
    let exposed = std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0);
    let secret = layers.file.iter().find(|(key, found)| {
        let pattern = pattern_of(key);
        let has_password = || found.value.as_str().is_some_and(|url| url.contains('@'));
        catalog::find(&pattern)
            .is_some_and(|setting| setting.is_secret(&pattern) && (pattern != "database.url" || has_password()))
    });
    if let (true, Some((key, found))) = (exposed, secret) {
        let message = format!("every user of this machine can read this secret; run chmod 600 {}", path.display());
        warnings.push(Warning { source: Some(found.source.clone()), key: key.clone(), message });
    }
}

/// `clients[].client_id` for `clients[3].client_id`.
pub fn pattern_of(key: &str) -> String {
    let mut pattern = String::with_capacity(key.len());
    let mut inside = false;
    for c in key.chars() {
        inside &= c != ']';
        if !inside {
            pattern.push(c);
        }
        inside |= c == '[';
    }
    pattern
}

impl Reading<'_> {
    fn source(&self, offset: usize) -> Source {
        Source::File { path: self.path.clone(), line: self.lines.partition_point(|start| *start <= offset) }
    }

    fn refuse(&mut self, source: Source, key: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        let (problem, remedy) = (problem.into(), remedy.into());
        self.problems.push(Problem { source: Some(source), key: key.to_owned(), value: None, problem, remedy });
    }

    fn syntax(&mut self, error: &toml::de::Error) {
        let source = self.source(error.span().map_or(0, |span| span.start));
        self.refuse(source, "", format!("this is not TOML: {}", printable(error.message())), "mend this line");
    }

    /// `pattern` and `key` are the table's own, with the dot: `clients[].` and `clients[2].`.
    fn table(&mut self, table: &DeTable<'_>, pattern: &str, key: &str) {
        for (name, value) in table {
            let source = self.source(name.span().start);
            let name = name.get_ref().as_ref();
            let (pattern, key) = (format!("{pattern}{name}"), format!("{key}{name}"));
            if catalog::find(&pattern).is_some() {
                let found = Found { value: json(value.get_ref()), source, base: self.base.clone() };
                self.layers.file.insert(key, found);
            } else {
                self.section(value.get_ref(), &pattern, &key, name, source);
            }
        }
    }

    fn section(&mut self, value: &DeValue<'_>, pattern: &str, key: &str, name: &str, source: Source) {
        let table = catalog::holds_settings(&format!("{pattern}."));
        let list = catalog::holds_settings(&format!("{pattern}[]."));
        match value {
            DeValue::Table(inner) if table => self.table(inner, &format!("{pattern}."), &format!("{key}.")),
            DeValue::Array(entries) if list => self.list(entries, pattern, key, &source),
            _ if table => self.refuse(source, key, "this is a table", format!("write [{key}] and its keys below it")),
            _ if list => {
                self.refuse(source, key, "this is a list of tables", format!("write [[{}]]", name_of_list(pattern)))
            }
            _ => {
                let remedy = suggestion(pattern, name);
                self.refuse(source, key, "there is no such setting", remedy);
            }
        }
    }

    fn list(&mut self, entries: &toml::de::DeArray<'_>, pattern: &str, key: &str, list: &Source) {
        for (index, entry) in entries.iter().enumerate() {
            let (pattern, key) = (format!("{pattern}[]"), format!("{key}[{index}]"));
            let source = match self.source(entry.span().start) {
                Source::File { line: 0, .. } => list.clone(),
                source => source,
            };
            match entry.get_ref() {
                DeValue::Table(inner) => {
                    self.layers.entries.insert(key.clone(), source);
                    self.table(inner, &format!("{pattern}."), &format!("{key}."));
                }
                _ => self.refuse(source, &key, "this is not a table", format!("write [[{}]]", name_of_list(&pattern))),
            }
        }
    }
}

fn name_of_list(pattern: &str) -> String {
    pattern.replace("[]", "")
}

/// What an unknown key was probably meant to be.
fn suggestion(pattern: &str, name: &str) -> String {
    let prefix = &pattern[..pattern.len() - name.len()];
    let siblings = catalog::names_in(prefix);
    if let Some(near) = nearest(name, siblings.iter().map(String::as_str)) {
        return format!("did you mean {near}?");
    }
    let elsewhere = catalog::keys().find(|key| key.rsplit('.').next() == Some(name));
    match elsewhere.as_deref().map(|key| key.rsplit_once('.').unwrap_or(("", key))) {
        Some(("", key)) => format!("{key} belongs at the top of the file, above the first [table]"),
        Some((list, key)) if list.ends_with("[]") => format!("{key} belongs into [[{}]]", name_of_list(list)),
        Some((table, key)) => format!("{key} belongs into [{table}]"),
        None => "remove it, or see the example file for the names".to_owned(),
    }
}

/// TOML has dates and wide numbers, which no setting has: they become texts, and are refused as such.
fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| number.to_string().into(), Value::from)
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
            parsed.map_or_else(|| number.as_str().into(), Value::Number)
        }
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Datetime(date) => date.to_string().into(),
        DeValue::Array(values) => values.iter().map(|value| json(value.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(name, value)| (name.get_ref().to_string(), json(value.get_ref()))).collect()
        }
    }
}
