//! Clients that registered themselves and that nobody uses.

use async_trait::async_trait;

use super::Job;
use crate::{app::App, flows::client_use, protocol::Result};

pub struct ExpireClients;

#[async_trait]
impl Job for ExpireClients {
    fn name(&self) -> &'static str {
        "expire-clients"
    }

    fn every(&self) -> i64 {
        3600
    }

    async fn run(&self, app: &App) -> Result<()> {
        client_use::expire(app).await
    }
}
