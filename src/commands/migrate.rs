//! `signet migrate`: the schema of the database, for those who start the server with `--no-migrate`.

use clap::Subcommand;
use serde_json::json;

use super::{
    failure::Failure,
    output::{self, Format},
};
use crate::{
    app::open::{self, Connected, Problem},
    config::Config,
    flows::start,
};

#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Apply what is missing
    Up(Format),
    /// List what is applied and what is missing
    Status(Format),
}

impl Migrate {
    /// # Errors
    /// When the database does not answer, or a migration fails.
    pub async fn run(self, config: &Config) -> Result<(), Failure> {
        open::data_dir(config)?;
        let connected = open::connect(config).await?;
        match self {
            Migrate::Up(format) => up(config, &connected, format).await,
            Migrate::Status(format) => status(config, &connected, format).await,
        }
    }
}

async fn up(config: &Config, connected: &Connected, format: Format) -> Result<(), Failure> {
    let missing = pending(config, connected).await?;
    start::migrate(config, connected).await?;
    format.print(&json!({ "applied": missing }), || match missing.len() {
        0 => format!("{} is up to date\n", config.database.url.masked()),
        _ => output::pairs(missing.iter().map(|name| ("applied", name.clone()))),
    })
}

async fn status(config: &Config, connected: &Connected, format: Format) -> Result<(), Failure> {
    let missing = pending(config, connected).await?;
    let applied = start::applied(&connected.db).await.map_err(|cause| away(config, cause))?;
    format.print(&json!({ "applied": applied, "pending": missing }), || {
        let lines = applied.iter().map(|name| ("applied", name.clone()));
        output::pairs(lines.chain(missing.iter().map(|name| ("pending", name.clone()))))
    })
}

async fn pending(config: &Config, connected: &Connected) -> Result<Vec<String>, Problem> {
    start::pending(&connected.db).await.map_err(|cause| away(config, cause))
}

fn away(config: &Config, cause: sea_orm::DbErr) -> Problem {
    Problem::Database { database: config.database.url.masked(), cause }
}
