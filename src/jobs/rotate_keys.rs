//! Keys that have signed for long enough are replaced.

use async_trait::async_trait;

use super::Job;
use crate::{app::App, flows::admin::keys, protocol::Result};

pub struct RotateKeys;

#[async_trait]
impl Job for RotateKeys {
    fn name(&self) -> &'static str {
        "rotate-keys"
    }

    fn every(&self) -> i64 {
        300
    }

    async fn run(&self, app: &App) -> Result<()> {
        keys::rotate_old(app).await
    }
}
