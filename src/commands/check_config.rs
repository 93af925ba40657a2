//! `signet check-config`: the settings as the server would use them. Those that are wrong never get here.

use std::io::{self, Write};

use super::{failure::Failure, output::Format, serve};
use crate::{
    config::{Config, error::printable},
    flows::{declared, upstream},
};

/// # Errors
/// When the certificate and its key do not go together, a declared client or provider is wrong, or the answer cannot be written.
pub fn run(config: &Config, format: Format) -> Result<(), Failure> {
    serve::certificate(config)?;
    declared::check(config)?;
    upstream::declared::check(config)?;
    let settings = config.effective();
    format.print(&settings.json(), || settings.text())?;
    for warning in &config.warnings {
        // Without a standard error stream nobody wants to know.
        let _ = writeln!(io::stderr(), "warning: {}", printable(&warning.to_string()));
    }
    Ok(())
}
