//! Which apps were told of which logouts, and what they answered (scope OP11).

use uuid::Uuid;

use crate::{app::App, protocol::Result, store::logout_delivery};

pub use crate::store::logout_delivery::{Delivery, Wanted};

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Told,
    /// It will be tried, or tried again.
    Waiting,
    GivenUp,
}

impl State {
    pub fn of(delivery: &Delivery) -> Self {
        match (delivery.told_at, delivery.given_up_at) {
            (Some(_), _) => State::Told,
            (None, Some(_)) => State::GivenUp,
            (None, None) => State::Waiting,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            State::Told => "told",
            State::Waiting => "waiting",
            State::GivenUp => "given up",
        }
    }
}

/// The newest first.
///
/// # Errors
/// When the database is away.
pub async fn list(app: &App, wanted: Wanted) -> Result<Vec<Delivery>> {
    Ok(logout_delivery::report(&app.db, wanted).await?)
}

/// How many apps know of the end of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub told: usize,
    pub waiting: usize,
    pub given_up: usize,
}

/// # Errors
/// When the database is away.
pub async fn counts(app: &App, session: Uuid) -> Result<Counts> {
    let mut counts = Counts::default();
    for delivery in logout_delivery::of_session(&app.db, session).await? {
        match State::of(&delivery) {
            State::Told => counts.told += 1,
            State::Waiting => counts.waiting += 1,
            State::GivenUp => counts.given_up += 1,
        }
    }
    Ok(counts)
}
