//! Expired rows are of no use to anyone.

use async_trait::async_trait;

use super::Job;
use crate::{app::App, flows::forget, protocol::Result};

pub struct ForgetExpired;

#[async_trait]
impl Job for ForgetExpired {
    fn name(&self) -> &'static str {
        "forget-expired"
    }

    fn every(&self) -> i64 {
        600
    }

    async fn run(&self, app: &App) -> Result<()> {
        forget::expired(app).await
    }
}
