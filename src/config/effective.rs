//! The settings as they apply, for people to read and for programs.
use serde_json::{Value, json};

use super::{Config, error::printable, reader::Effective};

/// The settings as they apply, each with who said it; secrets are masked.
#[derive(Debug)]
pub struct Overview<'a> {
    config: &'a Config,
}

impl Config {
    /// The settings as they apply.
    pub fn effective(&self) -> Overview<'_> {
        Overview { config: self }
    }
}

impl Overview<'_> {
    /// Every setting, in the order of the documentation.
    pub fn entries(&self) -> &[Effective] {
        &self.config.effective
    }

    /// As TOML, with the source of each value beside it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut table = "";
        for entry in self.entries() {
            let (inside, name) = entry.key.rsplit_once('.').unwrap_or(("", &entry.key));
            // An entry of a list has many keys that nobody set: only the others are worth a line.
            if inside.ends_with(']') && entry.value.is_null() {
                continue;
            }
            if inside != table {
                table = inside;
                out.push_str(&header(table));
            }
            out.push_str(&line(name, entry));
        }
        out
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let setting =
            |entry: &Effective| json!({ "key": entry.key, "value": entry.value, "source": entry.source.to_string() });
        json!({
            "file": self.config.file.as_ref().map(|path| path.display().to_string()),
            "settings": self.entries().iter().map(setting).collect::<Vec<_>>(),
            "warnings": self.config.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

fn header(table: &str) -> String {
    match table.ends_with(']') {
        true => format!("\n[[{}]]\n", super::file::pattern_of(table).replace("[]", "")),
        false => format!("\n[{table}]\n"),
    }
}

fn line(name: &str, entry: &Effective) -> String {
    const COMMENTS_START: usize = 48;
    if entry.value.is_null() {
        return format!("# {name} is not set\n");
    }
    let setting = format!("{name} = {}", toml(&entry.value));
    format!("{setting:<COMMENTS_START$} # {}\n", printable(&entry.source.to_string()))
}

/// JSON's way to write texts, numbers and lists is TOML's too; tables differ.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let pairs: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{} = {}", Value::from(name.as_str()), toml(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        // TOML wants DEL escaped, JSON does not.
        other => other.to_string().replace('\u{7f}', "\\u007f"),
    }
}
