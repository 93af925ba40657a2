//! Browsers at which their person is not asked for a second factor (case SEC-133). It never stands in for the password.

use uuid::Uuid;

use crate::{
    app::App,
    crypto::secret::Secret,
    flows::{
        Trouble,
        account::{
            links,
            log::{self, Happened, Line},
            me::Me,
        },
        visitor::Visitor,
        write, write_one,
    },
    protocol::{Result, trace::Trace, user_agent::UserAgent},
    store::{
        trusted_device::{self, TrustedDevice},
        user::User,
    },
};

/// How long one is trusted, in seconds; none where there are none.
pub fn life(app: &App) -> Option<i64> {
    Some(app.config.second_factor.trust_devices.get()).filter(|life| *life > 0)
}

/// Whether this browser is, by this person.
///
/// # Errors
/// When the database is away.
pub async fn is_trusted(app: &App, visitor: &Visitor, person: Uuid) -> Result<bool> {
    let Some(secret) = visitor.trusted().filter(|_| life(app).is_some()) else { return Ok(false) };
    let (hash, now) = (secret.hash(), app.now());
    Ok(write_one!(app, db => trusted_device::is_trusted(db, person, &hash, now)).await?)
}

/// From now on this browser is. The secret is for its cookie.
///
/// # Errors
/// When the database is away.
pub async fn trust(app: &App, visitor: &Visitor, user: &User, trace: &Trace) -> Result<Option<(Secret, i64)>> {
    let Some(life) = life(app) else { return Ok(None) };
    let (secret, now) = (app.secret(), app.now());
    let row = TrustedDevice {
        hash: secret.hash(),
        id: app.id(),
        user_id: user.id,
        user_agent: visitor.device.user_agent.clone(),
        address: Some(visitor.device.address.to_string()),
        created_at: now,
        last_used_at: now,
        expires_at: now + life,
    };
    let line = Line::new(app, trace, user.id, Happened::DeviceTrusted, &visitor.device);
    write!(app, db => {
        trusted_device::insert(db, row).await?;
        line.insert(db).await
    })
    .await?;
    log::said(trace, Happened::DeviceTrusted);
    Ok(Some((secret, life)))
}

/// A browser that is trusted. Times are seconds since 1970.
#[derive(Debug, Clone)]
pub struct Trusted {
    pub id: Uuid,
    /// What it says it is.
    pub says: UserAgent,
    pub address: Option<String>,
    pub last_used_at: i64,
    pub expires_at: i64,
}

/// # Errors
/// When the database is away.
pub async fn list(app: &App, person: Uuid) -> Result<Vec<Trusted>, Trouble> {
    let rows = trusted_device::all_of(&app.db, person, app.now()).await?;
    let shown = |row: TrustedDevice| Trusted {
        id: row.id,
        says: row.user_agent.as_deref().map(UserAgent::read).unwrap_or_default(),
        address: row.address,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// One of them, or all, are no longer. It needs no proof, for it is of no use to a thief.
///
/// # Errors
/// When there is no such one.
pub async fn forget(app: &App, me: &Me, which: Option<Uuid>) -> Result<(), Trouble> {
    let trace = me.trace(app);
    let forgotten = forget_traced(app, me, which, &trace).await;
    links::settle(app, trace, forgotten)
}

async fn forget_traced(app: &App, me: &Me, which: Option<Uuid>, trace: &Trace) -> Result<(), Trouble> {
    let person = me.user.id;
    let line = Line::new(app, trace, person, Happened::DeviceForgotten, &me.device);
    let forgotten = write!(app, db => {
        match which {
            Some(id) if !trusted_device::remove(db, person, id).await? => return Ok(false),
            Some(_) => {}
            None => trusted_device::remove_all(db, person).await?,
        }
        line.insert(db).await?;
        Ok(true)
    });
    if !forgotten.await? {
        return Err(Trouble::NotFound("trusted device"));
    }
    log::said(trace, Happened::DeviceForgotten);
    Ok(())
}
