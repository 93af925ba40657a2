//! What happens by itself. Any number of servers may run; a lease row lets one of them act.

mod delete_accounts;
mod expire_clients;
mod fetch_logos;
mod follow;
mod forget_expired;
mod rotate_keys;
mod send_mails;
mod tell_logouts;

use std::time::Duration;

use async_trait::async_trait;

use crate::{app::App, flows::lease, protocol::Result};

/// Something done every so often. To add one: a file here, a line in [`JOBS`].
#[async_trait]
pub trait Job: Sync {
    fn name(&self) -> &'static str;

    /// Seconds from one run to the next, over all servers together.
    fn every(&self) -> i64;

    /// Must be safe to repeat: a lease can lapse half-way.
    async fn run(&self, app: &App) -> Result<()>;
}

pub static JOBS: &[&dyn Job] = &[
    &forget_expired::ForgetExpired,
    &rotate_keys::RotateKeys,
    &expire_clients::ExpireClients,
    &fetch_logos::FetchLogos,
    &delete_accounts::DeleteAccounts,
];

/// How often a server looks whether a job is due.
const LOOK: Duration = Duration::from_secs(60);

/// Runs the jobs for as long as the server lives.
pub fn start(app: &App) {
    tell_logouts::start(app);
    send_mails::start(app);
    let app = app.downgrade();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(app) = App::upgrade(&app) else { return };
            run_due(&app).await;
        }
    });
}

/// Runs what is due and no other server does.
pub async fn run_due(app: &App) {
    for job in JOBS {
        match lease::take(app, job.name(), job.every()).await {
            Ok(true) => run(app, *job).await,
            Ok(false) => {}
            Err(error) => tracing::warn!(job = job.name(), %error, "a job's lease could not be taken"),
        }
    }
}

/// Runs everything now: what tests and operators call.
pub async fn run_all(app: &App) {
    for job in JOBS {
        run(app, *job).await;
    }
}

async fn run(app: &App, job: &dyn Job) {
    if let Err(error) = job.run(app).await {
        tracing::error!(job = job.name(), %error, "a job failed; it will run again");
    }
}
