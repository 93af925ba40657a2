//! Browsers at which their person is not asked for a second factor (case SEC-133). It never stands in for the password.

use sea_orm::{ConnectionTrait, DbErr};
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

/// A browser that is to be trusted, for the write that signs its person in.
pub(in crate::flows) struct Trusting {
    row: TrustedDevice,
    line: Line,
    cookie: (Secret, i64),
}

impl Trusting {
    /// What the cookie is given when the write has ended well: the secret, and for how many seconds.
    pub fn cookie(&self) -> (Secret, i64) {
        self.cookie.clone()
    }

    /// # Errors
    /// When the database is away; the write is then undone.
    pub async fn keep(self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        trusted_device::insert(db, self.row).await?;
        self.line.insert(db).await
    }

    /// After the commit.
    pub fn said(trace: &Trace) {
        log::said(trace, Happened::DeviceTrusted);
    }
}

/// From the sign-in on this browser is. None where there are none.
pub(in crate::flows) fn trust(app: &App, visitor: &Visitor, user: &User, trace: &Trace) -> Option<Trusting> {
    let life = life(app)?;
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
    Some(Trusting { row, line, cookie: (secret, life) })
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
