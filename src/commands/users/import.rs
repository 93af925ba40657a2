//! `signet users import`: the people of another system, with their ids and the hashes of their passwords.

use std::{path::PathBuf, time::Instant};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::lines::{self, FileFormat, Lines};
use crate::{
    commands::{self, failure::Failure, output},
    config::{Config, error::printable},
    flows::admin::import::{AT_ONCE, Conflict, Count, Import, Refusal},
};

#[derive(Debug, Args)]
pub struct ImportUsers {
    /// A CSV file with a header, or JSON lines; - is the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the file is, where its name does not end in .csv, .jsonl, .ndjson or .json
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    /// Judge every line, and write nobody
    #[arg(long)]
    dry_run: bool,
    /// What to do with a line whose id, user name, e-mail address or telephone number somebody has already
    #[arg(long, value_enum, default_value = "fail")]
    on_conflict: OnConflict,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnConflict {
    /// Leave the line out, and call it well
    Skip,
    /// Refuse the line
    Fail,
}

impl ImportUsers {
    /// # Errors
    /// When a line was refused (the others are imported), or the file or the database cannot be read.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let format = self.format.or_else(|| FileFormat::of(&self.file)).ok_or_else(|| {
            Failure::usage("the name of the file does not say what it is; add --format csv or --format jsonl")
        })?;
        let mut lines = Lines::of(lines::open(&self.file)?, format)?;
        let app = commands::open(config).await?;
        let conflict = match self.on_conflict {
            OnConflict::Skip => Conflict::Skip,
            OnConflict::Fail => Conflict::Refuse,
        };
        let started = Instant::now();
        let mut import = Import::new(&app, conflict, self.dry_run);
        let mut report = Report::begin(self.json)?;
        let ended = loop {
            let some = match lines.next(AT_ONCE) {
                Ok(some) => some,
                Err(failure) => break Err(failure),
            };
            if some.is_empty() {
                break Ok(());
            }
            match import.take(some).await {
                Ok(refusals) => report.refused(&refusals)?,
                Err(error) => break Err(error.into()),
            }
        };
        let count = import.finish();
        report.end(count, self.dry_run, started)?;
        ended?;
        match count.refused {
            0 => Ok(()),
            refused => Err(Failure::failed(format!("{refused} of {} lines were refused", count.read))),
        }
    }
}

/// Printed as it comes, so that it takes no memory.
struct Report {
    json: bool,
    is_first: bool,
}

impl Report {
    fn begin(json: bool) -> Result<Self, Failure> {
        if json {
            output::print("{\"problems\":[")?;
        }
        Ok(Report { json, is_first: true })
    }

    fn refused(&mut self, refusals: &[Refusal]) -> Result<(), Failure> {
        let mut text = String::new();
        for Refusal { line, problem } in refusals {
            if self.json {
                let separator = if self.is_first { "\n" } else { ",\n" };
                let refusal = json!({ "line": line, "member": problem.member, "reason": problem.why });
                text.push_str(&format!("{separator}{refusal}"));
            } else {
                text.push_str(&format!("line {line}: {}: {}\n", printable(&problem.member), printable(&problem.why)));
            }
            self.is_first = false;
        }
        output::print(&text)
    }

    fn end(self, count: Count, dry_run: bool, started: Instant) -> Result<(), Failure> {
        let Count { read, imported, skipped, refused } = count;
        if self.json {
            let rest = json!({
                "dry_run": dry_run, "read": read, "imported": imported, "skipped": skipped, "refused": refused,
            });
            return output::print(&format!("],{}\n", &rest.to_string()[1..]));
        }
        let verb = if dry_run { "would be imported" } else { "were imported" };
        let seconds = started.elapsed().as_secs_f64();
        output::print(&format!(
            "{imported} of {read} people {verb}, {skipped} skipped, {refused} refused, in {seconds:.1} s\n"
        ))
    }
}
