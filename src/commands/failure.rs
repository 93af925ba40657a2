//! Why a command did not do what was asked: lines for the standard error stream, and the exit code.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use super::metadata;
use crate::{
    app::open::Problem,
    config::{ConfigError, error::printable},
    flows::{Field, Trouble},
    protocol,
};

/// What went wrong, where, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    lines: Vec<String>,
}

/// It was tried and failed.
const FAILED: u8 = 1;
/// What was typed, or what the settings say, cannot be meant. clap ends with the same code.
const USAGE: u8 = 2;

impl Failure {
    pub fn failed(line: impl Into<String>) -> Self {
        Failure { code: FAILED, lines: vec![line.into()] }
    }

    pub fn usage(line: impl Into<String>) -> Self {
        Failure { code: USAGE, lines: vec![line.into()] }
    }

    /// Several things that cannot be meant.
    pub fn usages(lines: Vec<String>) -> Self {
        Failure { code: USAGE, lines }
    }

    /// One line each, with nothing in it that could steer a terminal.
    pub fn report(&self) -> ExitCode {
        let mut errors = io::stderr().lock();
        for line in &self.lines {
            // Without a standard error stream the exit code has to do.
            let _ = writeln!(errors, "error: {}", printable(line));
        }
        self.code.into()
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure { code: USAGE, lines: error.problems().iter().map(ToString::to_string).collect() }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure { code: FAILED, lines: problem.to_string().lines().map(str::to_owned).collect() }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Broken(error) => error.into(),
            Trouble::Invalid(fields) => Failure { code: USAGE, lines: fields.iter().map(line).collect() },
            other => Failure::failed(other.to_string()),
        }
    }
}

/// Apps are told `server_error`; whoever holds the terminal may know the cause.
impl From<protocol::Error> for Failure {
    fn from(error: protocol::Error) -> Self {
        let why = error.cause.as_ref().map_or(error.description.to_string(), ToString::to_string);
        Failure::failed(format!("{why}; `signet check-config` names the database and the keys that were used"))
    }
}

fn line(field: &Field) -> String {
    format!("{}: {}", flag(field.name), field.why)
}

/// Where the operator said it: flows name fields as the protocol does.
fn flag(field: &str) -> String {
    match field {
        "password" => "the password".to_owned(),
        "user" => "WHO".to_owned(),
        "to" => "ADDRESS".to_owned(),
        "client_name" => "--name".to_owned(),
        "consent" => "--skip-consent".to_owned(),
        "token_endpoint_auth_method" => "--auth-method".to_owned(),
        "redirect_uris" | "post_logout_redirect_uris" | "grant_types" | "allowed_origins" => {
            format!("--{}", field.trim_end_matches('s').replace('_', "-"))
        }
        other if metadata::is_only_there(other) => format!("--metadata: {other}"),
        other => format!("--{}", other.replace('_', "-")),
    }
}
