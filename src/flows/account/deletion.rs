//! A person ends their account (requirement AC11): everything is over at once, and the account goes for good when the
//! time to think it over has passed.

use uuid::Uuid;

use super::{
    links,
    log::{self, Happened, Line},
    me::Me,
    removal,
};
use crate::{
    app::App,
    crypto::secret::Secret,
    flows::{
        Trouble, Why,
        factors::check_fresh,
        mail::{self, Letter, Outgoing},
        passwords,
        session_end::Ending,
        visitor::Visitor,
        write,
    },
    protocol::{
        rule,
        trace::{Shown, Trace},
    },
    store::{
        grant,
        mail_link::{self, LinkKind},
        user::{self, User},
    },
};

/// When the account goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// It is gone.
    Gone,
    /// Until then the mailed link takes it back.
    At(i64),
}

/// Every session and token of the person ends at once, API tokens among them, and apps are told.
///
/// # Errors
/// A problem with `current_password`, `insufficient_user_authentication` for who has no password, 409 for the last
/// administrator, or 429.
pub async fn plan(app: &App, visitor: &Visitor, me: &Me, password: &str) -> Result<Planned, Trouble> {
    let mut trace = me.trace(app);
    let planned = plan_traced(app, visitor, me, password, &mut trace).await;
    links::settle(app, trace, planned)
}

async fn plan_traced(
    app: &App,
    visitor: &Visitor,
    me: &Me,
    password: &str,
    trace: &mut Trace,
) -> Result<Planned, Trouble> {
    if !password.is_empty() {
        me.prove_password(app, visitor, password, trace).await?;
    } else if passwords::has(app, me.user.id).await? {
        return Err(Trouble::field("current_password", Why::Missing));
    } else {
        check_fresh(app, me).await?;
    }
    let grace = app.config.accounts.deletion_grace.get();
    let (planned, what) = match grace {
        0 => (remove(app, me.user.id, trace).await?, Happened::Deleted),
        _ => (postpone(app, me, app.now() + grace, trace).await?, Happened::DeletionPlanned),
    };
    trace.passed(&rule::ACCOUNT, Some(Shown::word("the account was given up")));
    log::said(trace, what);
    Ok(planned)
}

async fn remove(app: &App, id: Uuid, trace: &Trace) -> Result<Planned, Trouble> {
    let (of_app, trace) = (app.clone(), trace.clone());
    let removed = write!(app, db => {
        if user::is_last_admin(db, id).await? {
            return Ok(Err(removal::last_admin()));
        }
        match user::find_locked(db, id).await? {
            Some(user) => removal::remove(&of_app, db, &user, &trace).await.map(Ok),
            None => Ok(Err(Trouble::NotFound("user"))),
        }
    });
    removal::after(app, &removed.await??);
    Ok(Planned::Gone)
}

async fn postpone(app: &App, me: &Me, at: i64, trace: &Trace) -> Result<Planned, Trouble> {
    let (id, now) = (me.user.id, app.now());
    let line = Line::new(app, trace, id, Happened::DeletionPlanned, &me.device);
    let link = links::fresh(app, id, LinkKind::KeepAccount, me.user.email.as_deref());
    let letter = letter(&me.user, at, link.address);
    let (ending, of_app) = (Ending::within(app, &trace.id), app.clone());
    let ended = write!(app, db => {
        if user::is_last_admin(db, id).await? {
            return Ok(Err(removal::last_admin()));
        }
        if !user::plan_deletion(db, id, at, now).await? {
            return Ok(Err(Trouble::NotFound("user")));
        }
        let ended = ending.all_of(db, id).await?;
        grant::revoke_of_user(db, id, now).await?;
        user::call_back(db, id).await?;
        // But the ways back to an address: whoever gives the account up may not be its owner.
        let but_back = LinkKind::ALL.into_iter().filter(|kind| *kind != LinkKind::KeepEmail).collect::<Vec<_>>();
        mail_link::void(db, id, &but_back, now).await?;
        mail_link::replace(db, link.row).await?;
        if let Some(letter) = letter { mail::queue(&of_app, db, letter).await? }
        line.insert(db).await?;
        Ok(Ok(ended))
    });
    removal::after(app, &ended.await??);
    Ok(Planned::At(at))
}

/// Without an address there is no link; an operator can still take the account back.
fn letter(user: &User, until: i64, undo: String) -> Option<Outgoing> {
    let letter = Letter::DeletionPlanned { until, undo };
    Some(Outgoing { to: user.email.clone()?, locale: user.locale.clone(), user_id: Some(user.id), letter })
}

/// When the account goes that a link can take back, for the page of the link.
///
/// # Errors
/// When the link does not work.
pub async fn look(app: &App, visitor: &Visitor, token: &str) -> Result<i64, Trouble> {
    let trace = links::trace(app, visitor, None);
    let open = links::open(app, visitor, LinkKind::KeepAccount, token).await;
    let at = open.and_then(|open| open.user.delete_at.ok_or(Trouble::Broken(links::dead())));
    links::settle(app, trace, at)
}

/// The account stays. Nobody is signed in by the link alone.
///
/// # Errors
/// When the link does not work.
pub async fn take_back(app: &App, visitor: &Visitor, token: &str) -> Result<(), Trouble> {
    let mut trace = links::trace(app, visitor, None);
    let taken = take_back_traced(app, visitor, token, &mut trace).await;
    links::settle(app, trace, taken)
}

async fn take_back_traced(app: &App, visitor: &Visitor, token: &str, trace: &mut Trace) -> Result<(), Trouble> {
    let links::Open { user, .. } = links::open(app, visitor, LinkKind::KeepAccount, token).await?;
    trace.user_id = Some(user.id);
    let line = Line::new(app, trace, user.id, Happened::DeletionTakenBack, &visitor.device);
    let (hash, now, id) = (Secret::presented(token).hash(), app.now(), user.id);
    let won = write!(app, db => {
        user::find_locked(db, id).await?;
        if !mail_link::spend(db, &hash, now).await? || !user::keep(db, id, now).await? {
            return Ok(false);
        }
        line.insert(db).await?;
        Ok(true)
    });
    if !won.await? {
        return Err(Trouble::Broken(links::dead()));
    }
    trace.passed(&rule::MAIL_LINK, Some(Shown::word("the account was taken back")));
    log::said(trace, Happened::DeletionTakenBack);
    Ok(())
}
