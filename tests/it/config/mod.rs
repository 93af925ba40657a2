//! The settings: what is read from where, what is refused and in which words.
use std::{fs, path::Path};

use signet::config::{Config, ConfigError, LoadArgs, load};

mod branding;
mod clients;
mod effective;
mod example;
mod issuer;
mod mail;
mod providers;
mod random;
mod secrets;
mod sources;
mod values;

/// A folder of its own, with a settings file if there is something to put into it.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn with(settings: &str) -> Self {
        let place = Self::empty();
        place.write("signet.toml", settings);
        place
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub fn args(&self) -> LoadArgs {
        LoadArgs { directory: self.folder.path().to_owned(), ..LoadArgs::default() }
    }

    pub fn load(&self, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        load(&self.args(), environment.iter().copied())
    }

    /// What is wrong, without the folder, which is another one each time.
    pub fn refusal(&self, environment: &[(&str, &str)]) -> String {
        without(self.folder.path(), &self.load(environment).unwrap_err().to_string())
    }
}

pub fn without(folder: &Path, text: &str) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

/// What a file with these settings means.
pub fn settings(text: &str) -> Config {
    Place::with(text).load(&[]).unwrap()
}

/// Why a file with these settings is refused.
pub fn refusal(text: &str) -> String {
    Place::with(text).refusal(&[])
}
