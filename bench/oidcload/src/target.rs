//! The target file: what to send, what to expect, what to remember. `README.md` has the format in prose.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One server: its address, constants, and the scenarios it supports.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Scheme, host and port: `http://127.0.0.1:3001`. Only that authority is ever contacted.
    pub base: String,
    /// Constants, usable as `{name}` in every template.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
    /// Headers added to every request (templates).
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Named step lists that scenarios can pull in with `use = "name"`.
    #[serde(default)]
    pub blocks: BTreeMap<String, Vec<StepCfg>>,
    pub scenarios: BTreeMap<String, ScenarioCfg>,
}

/// `setup` runs once per worker (and again after an error), `steps` is one counted operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioCfg {
    #[serde(default)]
    pub setup: Vec<StepCfg>,
    pub steps: Vec<StepCfg>,
    /// Forget cookies at the start of every operation (a fresh browser each time).
    #[serde(default)]
    pub fresh_cookies: bool,
    /// Seconds that a worker waits after an error, as `Retry-After` asks it to.
    #[serde(default)]
    pub patience: u64,
    /// What one operation is, for whoever reads the figures.
    pub note: Option<String>,
}

/// One HTTP exchange (or, with `follow_until`, a chain of redirects).
#[derive(Debug, Deserialize, Clone, Default)]
#[serde(deny_unknown_fields)]
pub struct StepCfg {
    /// Insert the steps of this block instead.
    #[serde(rename = "use")]
    pub use_block: Option<String>,
    /// Label in the per-step latency report.
    pub label: Option<String>,
    /// Variables made before the request: name -> generator
    /// (`pkce`, `rand:N`, `html:TEMPLATE`).
    #[serde(default)]
    pub make: BTreeMap<String, String>,
    /// `METHOD path-or-url`, a template. A URL on `base` is reduced to its path.
    #[serde(default)]
    pub req: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// `Authorization: Basic` from `[user, password]` (templates; form-urlencoded first, RFC 6749 2.3.1).
    pub basic: Option<[String; 2]>,
    /// `Authorization: Bearer` from a template.
    pub bearer: Option<String>,
    /// `application/x-www-form-urlencoded` body; values are templates and get encoded.
    pub form: Option<BTreeMap<String, String>>,
    /// Accepted status codes; default 200.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// Follow redirects with GET until `Location` starts with this template.
    pub follow_until: Option<String>,
    /// Follow redirects with GET until there is a page.
    #[serde(default)]
    pub follow: bool,
    /// name -> `json:/pointer` | `location:param` | `between:PREFIX|||SUFFIX`.
    #[serde(default)]
    pub extract: BTreeMap<String, String>,
    /// A string the body must contain.
    pub contains: Option<String>,
}

impl Target {
    /// Reads a target file; `settings` (`name=value`, and `base=URL`) replace what it says.
    pub fn read(path: &str, settings: &[String]) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let mut target: Self = toml::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
        for setting in settings {
            let (name, value) = setting.split_once('=').ok_or_else(|| format!("--set {setting}: write NAME=VALUE"))?;
            match name {
                "base" => value.clone_into(&mut target.base),
                _ => drop(target.vars.insert(name.to_owned(), value.to_owned())),
            }
        }
        Ok(target)
    }

    pub fn scenario(&self, name: &str) -> Result<&ScenarioCfg, String> {
        self.scenarios.get(name).ok_or_else(|| {
            let known: Vec<_> = self.scenarios.keys().map(String::as_str).collect();
            format!("there is no scenario {name:?}, but {}", known.join(", "))
        })
    }

    /// `127.0.0.1:8080`. Loopback only: this is a measuring tool, not a weapon.
    pub fn address(&self) -> Result<String, String> {
        let authority = self.base.strip_prefix("http://").ok_or("base must start with http://")?;
        let authority = authority.trim_end_matches('/');
        let (name, port) = authority.rsplit_once(':').ok_or("base needs a port")?;
        match name {
            "localhost" => Ok(format!("127.0.0.1:{port}")),
            _ if name.starts_with("127.") || name == "[::1]" => Ok(authority.to_owned()),
            _ => Err(format!("{name} is not loopback")),
        }
    }
}
