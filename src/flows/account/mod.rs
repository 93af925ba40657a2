//! The person's own account.

pub mod address;
pub mod apps;
pub mod deletion;
pub mod export;
pub mod links;
pub mod log;
pub mod me;
pub mod password;
pub mod profile;
mod profile_change;
pub mod providers;
pub mod recovery;
pub mod registration;
pub mod removal;
pub mod sessions;
pub mod tokens;
pub mod verification;
pub mod ways_in;

use uuid::Uuid;

pub use crate::store::user::User;

use crate::{
    app::App,
    flows::{Trouble, write_one},
    store::user,
};

/// The language that the person wants pages in.
///
/// # Errors
/// When the database is away.
pub async fn set_locale(app: &App, person: Uuid, locale: &'static str) -> Result<(), Trouble> {
    Ok(write_one!(app, db => user::set_locale(db, person, locale)).await?)
}
