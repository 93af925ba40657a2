//! RFC 6238: authenticator apps. A secret is sealed by the master key, counts from its first right code on, and each of
//! its codes is worth something once, on all servers together (case SEC-128).

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Change, Permit, Place, Spent, check_fresh, recovery, said};
use crate::{
    app::{App, reseal::totp_context},
    crypto::{
        secret::equal,
        totp::{Authenticator, Picture, SECRET_LENGTH},
    },
    flows::{
        Trouble, Why,
        account::{links, log::Happened, me::Me},
        login::Standing,
        mail::FactorChange,
        visitor::{Device, Visitor},
        write,
    },
    protocol::{Error, Result, trace::Trace},
    store::{
        Sealed, recovery_code, sign_in,
        totp::{self, Totp},
        user::{self, User},
    },
};

/// Seconds in which an app that was begun must be confirmed.
const BEGUN: i64 = 3600;

/// Since when somebody has one.
///
/// # Errors
/// When the database is away.
pub async fn since(db: &impl ConnectionTrait, person: Uuid) -> Result<Option<i64>, DbErr> {
    Ok(totp::find(db, person).await?.and_then(|row| row.confirmed_at))
}

/// What an authenticator app is to read.
pub struct Begun {
    /// `otpauth://…`
    pub uri: Zeroizing<String>,
    /// For who types it.
    pub secret: Zeroizing<String>,
    pub picture: Picture,
}

/// What the person's app is to read: the same at this place until it is confirmed, or an hour has passed. Begun at another,
/// it is another: whoever has looked at the one cannot have the person confirm it elsewhere. None for who has one.
///
/// # Errors
/// When the database is away.
pub async fn begin(app: &App, user: &User, place: &Place) -> Result<Option<Begun>> {
    let mut row = totp::find(&app.db, user.id).await?;
    if row.as_ref().is_none_or(|row| is_to_replace(row, place, app.now())) {
        let secret = Zeroizing::new(app.random.bytes::<SECRET_LENGTH>());
        let sealed = app.master_key.seal(&totp_context(user.id), secret.as_slice(), app.random.bytes());
        let new = Totp {
            user_id: user.id,
            secret: Sealed(sealed),
            place: place.0.clone(),
            last_step: 0,
            created_at: app.now(),
            confirmed_at: None,
        };
        let (id, now, place) = (user.id, app.now(), place.clone());
        let begun = write!(app, db => {
            // The person first, as everywhere; and of two who begin here at once, both read the same.
            if user::find_locked(db, id).await?.is_none() {
                return Ok(None);
            }
            let row = totp::find(db, id).await?;
            if row.as_ref().is_none_or(|row| is_to_replace(row, &place, now)) {
                totp::begin(db, new.clone()).await?;
                return Ok(Some(new));
            }
            Ok(row)
        });
        row = begun.await?;
    }
    match row.filter(|row| row.confirmed_at.is_none()) {
        Some(row) => Ok(Some(begun(&open(app, user, &row)?))),
        None => Ok(None),
    }
}

/// What was begun at this place, if it still is.
///
/// # Errors
/// When the database is away.
pub async fn pending(app: &App, user: &User, place: &Place) -> Result<Option<Begun>> {
    let row = totp::find(&app.db, user.id).await?;
    match row.filter(|row| is_pending(row, place, app.now())) {
        Some(row) => Ok(Some(begun(&open(app, user, &row)?))),
        None => Ok(None),
    }
}

fn is_pending(row: &Totp, place: &Place, now: i64) -> bool {
    row.confirmed_at.is_none() && now - row.created_at < BEGUN && equal(&row.place.0, &place.0.0)
}

/// It was begun too long ago, or elsewhere.
fn is_to_replace(row: &Totp, place: &Place, now: i64) -> bool {
    row.confirmed_at.is_none() && !is_pending(row, place, now)
}

fn begun(authenticator: &Authenticator) -> Begun {
    Begun { uri: authenticator.uri(), secret: authenticator.secret(), picture: authenticator.picture() }
}

fn open(app: &App, user: &User, row: &Totp) -> Result<Authenticator> {
    let plain = app.master_key.open(&totp_context(user.id), &row.secret.0).map_err(Error::internal)?;
    let secret = <[u8; SECRET_LENGTH]>::try_from(plain.as_slice()).map_err(Error::internal)?;
    let account = user.email.clone().or_else(|| user.username.clone()).unwrap_or_else(|| user.sub());
    Ok(Authenticator::new(secret, &app.config.branding.name, &account))
}

/// The step of a right code (decision D7).
fn step(app: &App, user: &User, row: &Totp, code: &str) -> Result<Option<i64>> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    Ok(open(app, user, row)?.step_of(&code, app.now(), !app.config.second_factor.strict_totp))
}

/// Whether this is a code of the person's app that nobody has used before. With it the sign-in is done; the code is used up
/// only by that.
///
/// # Errors
/// When the database is away.
pub async fn check(app: &App, user: &User, half_way: Uuid, code: &str) -> Result<Spent> {
    let row = totp::find(&app.db, user.id).await?.filter(|row| row.confirmed_at.is_some());
    let Some(row) = row else { return Ok(Spent::Wrong) };
    let Some(step) = step(app, user, &row, code)? else { return Ok(Spent::Wrong) };
    let person = user.id;
    let spent = write!(app, db => {
        if !Spent::may(db, person, half_way).await? {
            return Ok(Spent::Over);
        }
        if !totp::take_step(db, &row, step).await? {
            return Ok(Spent::Wrong);
        }
        Spent::finish(db, half_way).await
    });
    Ok(spent.await?)
}

/// Whoever confirms an app: where and at which device, and in which sign-in, if it is asked for there.
pub struct Confirming<'a> {
    pub user: &'a User,
    /// What lets them.
    pub permit: Permit,
    pub place: &'a Place,
    pub device: &'a Device,
    pub sign_in: Option<Uuid>,
}

/// How it went.
pub enum Confirmed {
    /// With the recovery codes that came with it, unless the person had some.
    Well(Option<recovery::Codes>),
    WrongCode,
    /// There is nothing to confirm any more: it was done, or took too long, or was begun elsewhere since.
    Over,
}

/// The first right code: from now on the app counts.
///
/// # Errors
/// When the database is away.
pub async fn confirm(app: &App, who: Confirming<'_>, code: &str, trace: &Trace) -> Result<Confirmed> {
    let Confirming { user, permit, place, device, sign_in: half_way } = who;
    let row = totp::find(&app.db, user.id).await?;
    let Some(row) = row.filter(|row| is_pending(row, place, app.now())) else { return Ok(Confirmed::Over) };
    let Some(step) = step(app, user, &row, code)? else { return Ok(Confirmed::WrongCode) };
    let codes = recovery::Codes::draw(app);
    let (hashes, now, id) = (codes.hashes(app, user.id), app.now(), user.id);
    let change = Change::new(app, trace, user, device, Happened::TotpAdded, FactorChange::TotpAdded);
    let won = write!(app, db => {
        if !permit.holds(db).await? {
            return Ok(None);
        }
        if let Some(half_way) = half_way && !sign_in::finish(db, half_way).await? {
            return Ok(None);
        }
        if !totp::confirm(db, &row, step, now).await? {
            return Ok(None);
        }
        let has_codes = recovery_code::left(db, id).await? > 0;
        if !has_codes {
            recovery_code::replace(db, id, hashes, now).await?;
        }
        change.write(db).await?;
        Ok(Some(has_codes))
    });
    let Some(has_codes) = won.await? else { return Ok(Confirmed::Over) };
    said(app, trace, Happened::TotpAdded);
    Ok(Confirmed::Well((!has_codes).then_some(codes)))
}

/// [`begin`], for somebody who is signed in.
///
/// # Errors
/// `insufficient_user_authentication`, or that there is one already.
pub async fn begin_for(app: &App, me: &Me) -> Result<Begun, Trouble> {
    let trace = me.trace(app);
    let begun = async {
        check_fresh(app, me).await?;
        begin(app, &me.user, &Place::of(app, me))
            .await?
            .ok_or_else(|| Trouble::Conflict("there is an authenticator app already".into()))
    };
    let begun = begun.await;
    links::settle(app, trace, begun)
}

/// [`confirm`], for somebody who is signed in.
///
/// # Errors
/// `insufficient_user_authentication`, or what is wrong with `code`.
pub async fn confirm_for(app: &App, me: &Me, code: &str) -> Result<Option<recovery::Codes>, Trouble> {
    let trace = me.trace(app);
    let confirmed = async {
        check_fresh(app, me).await?;
        let (permit, place) = (Permit::of(me), &Place::of(app, me));
        let who = Confirming { user: &me.user, permit, place, device: &me.device, sign_in: None };
        match confirm(app, who, code, &trace).await? {
            Confirmed::Well(codes) => Ok(codes),
            Confirmed::WrongCode => Err(Trouble::field("code", Why::Wrong)),
            Confirmed::Over => Err(super::nothing_there()),
        }
    };
    let confirmed = confirmed.await;
    links::settle(app, trace, confirmed)
}

/// The person's app counts no more; with the last factor the recovery codes go too.
///
/// # Errors
/// `insufficient_user_authentication`, or that there is none.
pub async fn remove(app: &App, visitor: &Visitor, me: &Me) -> Result<(), Trouble> {
    let trace = links::trace_of(app, visitor, me);
    let removed = remove_traced(app, me, &trace).await;
    links::settle(app, trace, removed)
}

async fn remove_traced(app: &App, me: &Me, trace: &Trace) -> Result<(), Trouble> {
    check_fresh(app, me).await?;
    let (id, permit) = (me.user.id, Permit::of(me));
    let change = Change::new(app, trace, &me.user, &me.device, Happened::TotpRemoved, FactorChange::TotpRemoved);
    let removed = write!(app, db => {
        if !permit.holds(db).await? {
            return Ok(None);
        }
        if !totp::remove(db, id).await? {
            return Ok(Some(false));
        }
        super::tidy(db, id).await?;
        change.write(db).await?;
        Ok(Some(true))
    });
    if !removed.await?.ok_or_else(Standing::lost)? {
        return Err(super::nothing_there());
    }
    said(app, trace, Happened::TotpRemoved);
    Ok(())
}
