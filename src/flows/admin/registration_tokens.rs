//! Initial access tokens, as operators handle them: who has one may register clients, so often and until then.

use uuid::Uuid;

use crate::{
    app::App,
    crypto::secret::Secret,
    flows::{
        Field, Trouble,
        event::{self, Changed},
        write, write_one,
    },
    protocol::text,
    store::registration_token::{self, RegistrationToken},
};

pub use crate::store::registration_token::RegistrationToken as Token;

/// A token to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What the operator calls it.
    pub name: String,
    /// How many clients it is good for.
    pub uses: i64,
    /// Seconds.
    pub expires_in: i64,
}

pub const MOST_USES: i64 = 1_000_000;
pub const LONGEST: i64 = 366 * 86_400;
pub const SHORTEST: i64 = 60;

/// The token, and its text, which nobody can show again.
///
/// # Errors
/// What is wrong with it, or that the database is away.
pub async fn create(app: &App, new: NewToken) -> Result<(Token, Secret), Trouble> {
    let mut problems = Vec::new();
    let mut wrong = |name, why: String| problems.push(Field { name, why: why.into() });
    if new.name.is_empty() || new.name.chars().count() > 100 || !text::is_visible(&new.name) {
        wrong("name", "must have 1 to 100 characters, all of them visible".to_owned());
    }
    let uses = i32::try_from(new.uses).unwrap_or_default();
    if !(1..=MOST_USES).contains(&new.uses) {
        wrong("uses", format!("must be from 1 to {MOST_USES}"));
    }
    if !(SHORTEST..=LONGEST).contains(&new.expires_in) {
        wrong("expires_in", format!("must be from {SHORTEST} to {LONGEST} seconds"));
    }
    if !problems.is_empty() {
        return Err(Trouble::Invalid(problems));
    }
    let (secret, now) = (app.secret(), app.now());
    let token = RegistrationToken {
        id: app.id(),
        hash: secret.hash(),
        name: new.name,
        uses,
        used: 0,
        created_at: now,
        expires_at: now + new.expires_in,
        revoked_at: None,
    };
    let row = token.clone();
    write_one!(app, db => registration_token::insert(db, row)).await?;
    event::changed(Changed::RegistrationToken(token.id), "created");
    Ok((token, secret))
}

/// Newest first.
///
/// # Errors
/// When the database is away.
pub async fn all(app: &App) -> Result<Vec<Token>, Trouble> {
    Ok(registration_token::all(&app.db).await?)
}

/// Good for nothing from now on; clients that came by it stay.
///
/// # Errors
/// When there is no such token.
pub async fn revoke(app: &App, id: Uuid) -> Result<(), Trouble> {
    let now = app.now();
    if !write!(app, db => registration_token::revoke(db, id, now).await).await? {
        return Err(Trouble::NotFound("registration token"));
    }
    event::changed(Changed::RegistrationToken(id), "revoked");
    Ok(())
}

/// A word for how it stands.
pub fn state(token: &Token, now: i64) -> &'static str {
    match token {
        token if token.is_good(now) => "good",
        token if token.revoked_at.is_some() => "revoked",
        token if token.used >= token.uses => "used up",
        _ => "expired",
    }
}
