//! `signet check-config`: the settings as the server would use them. Those that are wrong never get here.

use std::io::{self, Write};

use super::{failure::Failure, output::Format, serve};
use crate::{
    config::{Config, ConfigError, error::printable},
    flows::declared,
};

/// # Errors
/// When the certificate and its key do not go together, or the answer cannot be written.
pub fn run(config: &Config, format: Format) -> Result<(), Failure> {
    serve::certificate(config)?;
    let wrong = declared::problems(config);
    if !wrong.is_empty() {
        return Err(ConfigError::from(wrong).into());
    }
    let settings = config.effective();
    format.print(&settings.json(), || settings.text())?;
    for warning in &config.warnings {
        // Without a standard error stream nobody wants to know.
        let _ = writeln!(io::stderr(), "warning: {}", printable(&warning.to_string()));
    }
    Ok(())
}
