//! New passwords: what they must be, and how they are kept.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Field, Trouble};
use crate::{
    app::App,
    protocol::{password as strength, text},
    store::{Phc, password, user::User},
};

/// A password that will do, as it is kept.
pub struct Prepared(Phc);

/// `field`: what the form or member is called that it came in.
///
/// # Errors
/// Why it will not do, or that the server is too busy to hash.
pub async fn prepare(app: &App, person: &User, field: &'static str, given: &str) -> Result<Prepared, Trouble> {
    let given = text::password(given);
    let about = [person.username.as_deref(), person.email.as_deref(), person.claims.name.as_deref()];
    if let Some(problem) = problem(app, field, &given, &about) {
        return Err(Trouble::Invalid(vec![problem]));
    }
    hash(app, &given).await.map(Prepared)
}

/// # Errors
/// When the database is away; the write is then undone.
pub async fn set(db: &impl ConnectionTrait, person: Uuid, new: Prepared, now: i64) -> Result<(), DbErr> {
    password::set(db, person, new.0, now).await
}

/// `about`: what everybody knows of the person.
pub fn problem(app: &App, field: &'static str, password: &str, about: &[Option<&str>]) -> Option<Field> {
    let host = app.config.server.issuer.url().host_str();
    let own = [host, Some("signet"), Some(app.config.branding.name.as_str())];
    let context: Vec<&str> = about.iter().chain(&own).copied().flatten().collect();
    let weak = strength::check(password, app.config.passwords.minimum_length as usize, &context).err()?;
    Some(Field { name: field, why: weak.into() })
}

/// `password` in NFC.
///
/// # Errors
/// When the server is too busy to hash.
pub async fn hash(app: &App, password: &str) -> Result<Phc, Trouble> {
    let hashed = app.hashing.hash(password, app.random.bytes()).await;
    hashed.map(Phc).map_err(|busy| Trouble::Broken(busy.into()))
}
