//! Where settings come from: the file, over it the environment, over that the flags. Here and nowhere else is the
//! process's environment read.
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;

use super::{
    LoadArgs, catalog,
    error::{Problem, Warning, printable},
    suggest::nearest,
};

/// Who said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody: the default, or what follows from other settings.
    Default,
    /// A line of the settings file; 0 is the file as a whole.
    File { path: Arc<Path>, line: usize },
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
    /// A file that holds one secret, and who named that file.
    SecretFile { path: PathBuf, named_by: Box<Source> },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
            Self::SecretFile { path, named_by } => write!(f, "{named_by} ({})", path.display()),
        }
    }
}

/// One given value.
#[derive(Debug, Clone)]
pub struct Found {
    pub value: Value,
    pub source: Source,
    /// Where its relative paths start.
    pub base: PathBuf,
}

/// The values of one source, by their full key: `clients[0].client_id`.
pub type Layer = BTreeMap<String, Found>;

/// Everything that was given, strongest first when asked.
#[derive(Debug, Default)]
pub struct Layers {
    pub flags: Layer,
    pub environment: Layer,
    pub file: Layer,
    /// The settings file, if there is one.
    pub path: Option<PathBuf>,
    /// Where each entry of a list of tables begins: `clients[0]`.
    pub entries: BTreeMap<String, Source>,
    /// The folder in which the process runs.
    pub directory: PathBuf,
}

impl Layers {
    /// The layers from strong to weak.
    pub fn strongest_first(&self) -> [&Layer; 3] {
        [&self.flags, &self.environment, &self.file]
    }

    /// The value that counts for a key, leaving out what the default would be.
    pub fn find(&self, key: &str) -> Option<&Found> {
        self.strongest_first().into_iter().find_map(|layer| layer.get(key))
    }

    /// How many entries a list of tables has.
    pub fn count(&self, list: &str) -> usize {
        (0..).take_while(|index| self.entries.contains_key(&format!("{list}[{index}]"))).count()
    }
}

/// The environment of this process. The only place that reads it.
#[expect(clippy::disallowed_methods, reason = "this is the one place that the rule sends everybody to")]
pub fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// What the variables of the environment say.
#[derive(Debug, Default)]
pub struct Environment {
    pub layer: Layer,
    /// `SIGNET_CONFIG`.
    pub config: Option<PathBuf>,
}

/// Reads every `SIGNET_…` variable; one that means nothing is a mistake that would otherwise go unnoticed.
pub fn read_environment<K: Into<OsString>, V: Into<OsString>>(
    variables: impl IntoIterator<Item = (K, V)>,
    directory: &Path,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Warning>,
) -> Environment {
    let mut found = Environment::default();
    let ours = variables.into_iter().filter_map(|(name, value)| {
        let name: OsString = name.into();
        let known = name.to_string_lossy();
        (known.starts_with("SIGNET_") && !known.starts_with("SIGNET_TEST_")).then(|| (known.into_owned(), value.into()))
    });
    for (name, value) in ours {
        match read_variable(&name, &value) {
            Ok(Meaning::Config) => found.config = Some(directory.join(value)),
            Ok(Meaning::Setting(key, text)) => {
                let source = Source::Environment(name);
                found.layer.insert(key, Found { value: text.into(), source, base: directory.to_owned() });
            }
            Ok(Meaning::ServiceLink) => warnings.push(Warning {
                source: None,
                key: name,
                message: "ignored: Kubernetes sets it for a service that is called signet (enableServiceLinks: false stops it)".into(),
            }),
            Err(problem) => problems.push(*problem),
        }
    }
    found
}

enum Meaning {
    Config,
    Setting(String, String),
    ServiceLink,
}

fn read_variable(name: &str, value: &OsStr) -> Result<Meaning, Box<Problem>> {
    let refuse = |problem: &str, remedy: String| {
        let (key, problem) = (name.to_owned(), problem.to_owned());
        Box::new(Problem { source: None, key, value: None, problem, remedy })
    };
    if name == "SIGNET_CONFIG" {
        return match value.is_empty() {
            true => Err(refuse("the path of the settings file is empty", "give a path, or unset the variable".into())),
            false => Ok(Meaning::Config),
        };
    }
    let Some(key) = catalog::key_of_variable(name) else {
        if is_service_link(name, value) {
            return Ok(Meaning::ServiceLink);
        }
        let names: Vec<_> = catalog::variables().collect();
        return Err(match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => refuse("there is no such setting", format!("did you mean {near}?")),
            None if is_list(name) => refuse("lists of tables can be given in the file only", "declare it there".into()),
            None => refuse("there is no such setting", "unset it, or see `signet check-config` for the names".into()),
        });
    };
    match value.to_str() {
        Some(text) => Ok(Meaning::Setting(key, text.to_owned())),
        None => Err(refuse("the value is not UTF-8", "write it in UTF-8".into())),
    }
}

fn is_list(name: &str) -> bool {
    ["SIGNET_CLIENTS", "SIGNET_RESOURCES"].iter().any(|list| name.starts_with(list))
}

/// Kubernetes tells every container of a namespace where a service called `signet` is, in variables that look like
/// ours: `SIGNET_SERVICE_HOST`, `SIGNET_PORT=tcp://…`, `SIGNET_PORT_443_TCP_ADDR`.
fn is_service_link(name: &str, value: &OsStr) -> bool {
    let Some(rest) = name.strip_prefix("SIGNET_") else { return false };
    let points_at_a_service = || value.to_str().is_some_and(|text| text.contains("://"));
    match rest.strip_prefix("PORT") {
        Some("") => points_at_a_service(),
        Some(port) => port.strip_prefix('_').is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit())),
        None => rest.starts_with("SERVICE_HOST") || rest.starts_with("SERVICE_PORT"),
    }
}

/// What the flags of the command line say. Secrets are refused there: every user of the machine sees them in `ps`.
pub fn read_flags(args: &LoadArgs, problems: &mut Vec<Problem>) -> Layer {
    let mut layer = Layer::new();
    for (key, value) in &args.flags {
        let source = Source::Flag(key.replace(['.', '_'], "-"));
        let refuse = |problem: &str, remedy: String| Problem {
            source: Some(source.clone()),
            key: key.clone(),
            value: None,
            problem: problem.to_owned(),
            remedy,
        };
        match catalog::find(key) {
            Some(known) if known.is_secret(key) => {
                let remedy = format!("use {key}_file, or the environment");
                problems.push(refuse("a secret on the command line can be read by every user of this machine", remedy));
            }
            Some(_) => {
                let base = args.directory.clone();
                layer.insert(key.clone(), Found { value: value.as_str().into(), source, base });
            }
            None => problems.push(refuse("there is no such setting", format!("leave out {}", printable(key)))),
        }
    }
    layer
}

/// Looks for the settings file: the flag, `SIGNET_CONFIG`, the working folder, the data folder. The first two must
/// exist.
pub fn locate(args: &LoadArgs, environment: &Environment, layers: &Layers) -> Location {
    let flag = args.config_file.as_ref().map(|path| (args.directory.join(path), Source::Flag("config".into())));
    let variable = environment.config.clone().map(|path| (path, Source::Environment("SIGNET_CONFIG".into())));
    if let Some((path, named_by)) = flag.or(variable) {
        return Location::Named { path, named_by };
    }
    let here = args.directory.join("signet.toml");
    if present(&here) {
        return Location::Here(here);
    }
    let data_dir = match layers.find("data_dir").map(|found| &found.value) {
        Some(Value::String(path)) => args.directory.join(path),
        _ => args.directory.join("data"),
    };
    let there = data_dir.join("signet.toml");
    if present(&there) { Location::InDataDir(there) } else { Location::Nowhere }
}

/// A file that exists and cannot be looked at is present: reading it will say why it fails.
fn present(path: &Path) -> bool {
    !matches!(std::fs::metadata(path), Err(error) if error.kind() == std::io::ErrorKind::NotFound || error.kind() == std::io::ErrorKind::NotADirectory)
}

/// Where the settings file is.
#[derive(Debug)]
pub enum Location {
    Named { path: PathBuf, named_by: Source },
    Here(PathBuf),
    InDataDir(PathBuf),
    Nowhere,
}
