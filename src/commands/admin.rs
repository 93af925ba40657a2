//! `signet admin`: for whoever holds the machine and has no administrator to ask.

use clap::Subcommand;
use serde_json::json;

use super::{
    failure::Failure,
    output::{Format, utc},
};
use crate::{config::Config, flows::set_up};

#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Print a new one-time link that makes an administrator; older ones are void
    Recover(Format),
}

impl Admin {
    /// # Errors
    /// When the database does not answer.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        let Admin::Recover(format) = self;
        let app = super::open(config).await?;
        let link = set_up::link(&app, set_up::Older::AreVoid).await?;
        let until = utc(app.now() + set_up::LIFE);
        format.print(&json!({ "link": link, "expires_at": until }), || {
            format!("Whoever opens this link, once and until {until}, becomes an administrator:\n{link}\n")
        })
    }
}
