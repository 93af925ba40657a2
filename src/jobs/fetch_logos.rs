//! Logos that are not here yet: of clients that commands or the settings brought, and those that failed before.

use async_trait::async_trait;

use super::Job;
use crate::{app::App, flows::logo, protocol::Result};

pub struct FetchLogos;

#[async_trait]
impl Job for FetchLogos {
    fn name(&self) -> &'static str {
        "fetch-logos"
    }

    fn every(&self) -> i64 {
        60
    }

    async fn run(&self, app: &App) -> Result<()> {
        logo::fetch_due(app).await
    }
}
