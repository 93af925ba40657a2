//! Accounts that their people have given up, once the time to take them back has passed.

use async_trait::async_trait;

use super::Job;
use crate::{
    app::App,
    flows::{Trouble, account::removal},
    protocol::{Error, Result},
};

pub struct DeleteAccounts;

#[async_trait]
impl Job for DeleteAccounts {
    fn name(&self) -> &'static str {
        "delete-accounts"
    }

    fn every(&self) -> i64 {
        60
    }

    async fn run(&self, app: &App) -> Result<()> {
        removal::run_due(app).await.map_err(|trouble| match trouble {
            Trouble::Broken(error) => error,
            other => Error::internal(other),
        })
    }
}
