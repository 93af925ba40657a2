//! The person's own account.

pub mod address;
pub mod deletion;
pub mod export;
pub mod links;
pub mod log;
pub mod me;
pub mod password;
pub mod profile;
mod profile_change;
pub mod recovery;
pub mod registration;
pub mod removal;
pub mod verification;

use uuid::Uuid;

pub use crate::store::user::User;

use crate::{
    app::App,
    flows::{Trouble, write, write_one},
    store::{consent, grant, user},
};

/// Withdraws what an app was allowed; its tokens end with it.
///
/// # Errors
/// When nothing was allowed.
pub async fn withdraw(app: &App, person: Uuid, client_id: &str) -> Result<(), Trouble> {
    let (client_id, now) = (client_id.to_owned(), app.now());
    let found = write!(app, db => {
        let found = consent::withdraw(db, person, &client_id).await?;
        grant::revoke_of_user_at(db, person, &client_id, now).await?;
        Ok(found)
    });
    if found.await? { Ok(()) } else { Err(Trouble::NotFound("consent")) }
}

/// The language that the person wants pages in.
///
/// # Errors
/// When the database is away.
pub async fn set_locale(app: &App, person: Uuid, locale: &'static str) -> Result<(), Trouble> {
    Ok(write_one!(app, db => user::set_locale(db, person, locale)).await?)
}
