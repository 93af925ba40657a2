//! The end of an account, whoever ends it: the person goes with everything that belongs to them, their subject is never
//! given again, and what happened stays under a pseudonym (case SEC-170, K14).

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::log::{Happened, Line};
use crate::{
    app::App,
    flows::{
        Trouble,
        event::{self, Changed},
        mail::{self, Letter, Outgoing},
        session_end::{Ended, Ending},
        write,
    },
    protocol::trace::{Kind, Trace},
    store::{
        former_user, invitation, security_event, trace_event,
        user::{self, User},
    },
};

/// Removes the person within a write; the row must be locked. What there is to tell apps is left for after the commit.
///
/// # Errors
/// When the database is away; the write is then undone.
pub(super) async fn remove(app: &App, db: &impl ConnectionTrait, user: &User, trace: &Trace) -> Result<Ended, DbErr> {
    let ended = Ending::within(app, &trace.id).all_of(db, user.id).await?;
    Line::by_itself(app, trace, user.id, Happened::Deleted).insert(db).await?;
    security_event::forget_person(db, user.id, app.id()).await?;
    trace_event::forget_person(db, user.id).await?;
    former_user::insert(db, former_user::hash_of(user.id), app.now()).await?;
    if let Some(email) = &user.email {
        invitation::forget_address(db, email).await?;
    }
    if let Some(letter) = goodbye(user) {
        mail::queue(app, db, letter).await?;
    }
    user::delete(db, user.id).await?;
    Ok(ended)
}

/// About nobody's account: it must outlive the one that it was.
fn goodbye(user: &User) -> Option<Outgoing> {
    let letter = Letter::AccountDeleted;
    Some(Outgoing { to: user.email.clone()?, locale: user.locale.clone(), user_id: None, letter })
}

/// An operator removes somebody; the apps where the person is signed in are told, as of every end of a session.
///
/// # Errors
/// When there is no such person, or nobody would be left to administer.
pub async fn by_operator(app: &App, id: Uuid) -> Result<(), Trouble> {
    let trace = run(app, id);
    let (of_app, of_trace) = (app.clone(), trace.clone());
    let removed = write!(app, db => {
        let is_last = user::is_last_admin(db, id).await?;
        let Some(user) = user::find_locked(db, id).await? else { return Ok(Err(Trouble::NotFound("user"))) };
        if is_last {
            return Ok(Err(last_admin()));
        }
        remove(&of_app, db, &user, &of_trace).await.map(Ok)
    });
    after(app, &removed.await??);
    event::changed(Changed::User(id), "deleted");
    Ok(())
}

/// Removes whoever asked for it long enough ago. Each goes in a write of their own, which nobody else can do twice: a
/// server that stops half-way leaves the rest to the next run, on whichever node.
///
/// # Errors
/// The last of those that somebody could not be removed for.
pub async fn run_due(app: &App) -> Result<(), Trouble> {
    let mut result = Ok(());
    for id in user::due(&app.db, app.now()).await? {
        if let Err(error) = one_due(app, id).await {
            result = Err(error);
        }
    }
    result
}

async fn one_due(app: &App, id: Uuid) -> Result<(), Trouble> {
    let trace = run(app, id);
    let (of_app, now) = (app.clone(), app.now());
    let removed = write!(app, db => {
        // They may have come back, or be gone, since they were listed.
        match user::find_locked(db, id).await?.filter(|user| user.delete_at.is_some_and(|at| at <= now)) {
            Some(user) => remove(&of_app, db, &user, &trace).await.map(Some),
            None => Ok(None),
        }
    });
    if let Some(ended) = removed.await? {
        after(app, &ended);
        event::by_itself(Changed::User(id), "deleted");
    }
    Ok(())
}

fn run(app: &App, id: Uuid) -> Trace {
    Trace { user_id: Some(id), ..app.trace(Kind::Account) }
}

/// Tells apps and the person soon, once the removal is committed.
pub(super) fn after(app: &App, ended: &Ended) {
    ended.tell_soon(app);
    mail::send_soon(app);
}

pub(super) fn last_admin() -> Trouble {
    Trouble::Conflict(
        "nobody would be left to administer this server; make somebody else an administrator first".into(),
    )
}

/// Those of these ids that somebody had who is gone; nobody else gets them (OpenID Connect Core §2).
///
/// # Errors
/// When the database is away.
pub async fn former(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Uuid>, DbErr> {
    let gone = former_user::among(db, ids.iter().copied().map(former_user::hash_of).collect()).await?;
    Ok(ids.iter().copied().filter(|id| gone.contains(&former_user::hash_of(*id))).collect())
}
