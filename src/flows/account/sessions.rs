//! Where a person is signed in (requirement AC9, case SEC-110): one entry for each browser and each program of theirs.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    links,
    log::{self, Happened, Line},
    me::Me,
};
use crate::{
    app::{App, places::Place},
    flows::{Trouble, session_end::Ending, visitor::Visitor, write},
    protocol::{trace::Trace, user_agent::UserAgent},
    store::{
        grant,
        mail_link::{self, LinkKind},
        session::{self, Idle, Session},
        session_client, user,
    },
};

/// More than anybody looks through; those in use come first.
const MOST: u64 = 200;

/// A browser or a program where somebody is signed in. Times are seconds since 1970.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub id: Uuid,
    /// A program that uses the JSON API, rather than a browser.
    pub is_program: bool,
    /// What it says it is.
    pub says: UserAgent,
    pub address: Option<String>,
    pub place: Option<Place>,
    pub created_at: i64,
    /// To the minute.
    pub last_used_at: i64,
    /// When it ends, if it is not used until then.
    pub expires_at: i64,
    /// It is the one that asks.
    pub is_this: bool,
    /// Those that were used there, in the order of their first use.
    pub apps: Vec<UsedApp>,
}

/// An app, as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedApp {
    pub client_id: String,
    pub name: String,
}

/// After how long without use sessions are over, by the settings.
pub fn idle(app: &App) -> Idle {
    let lifetimes = &app.config.lifetimes;
    Idle { browser: lifetimes.session_idle.get(), api: lifetimes.refresh_idle.get() }
}

/// Where the person is signed in, those in use first. `language`: of the places.
///
/// # Errors
/// When the database is away.
pub async fn list(app: &App, me: &Me, language: &str) -> Result<Vec<SignedIn>, Trouble> {
    let rows = session::live_of(&app.db, me.user.id, app.now(), idle(app), MOST).await?;
    let mut apps: HashMap<Uuid, Vec<UsedApp>> = HashMap::new();
    for (session, client) in session_client::of(&app.db, rows.iter().map(|row| row.id).collect()).await? {
        let used = UsedApp { name: client.name().to_owned(), client_id: client.client_id };
        apps.entry(session).or_default().push(used);
    }
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let apps = apps.remove(&row.id).unwrap_or_default();
        list.push(shown(app, me, row, apps, language).await);
    }
    Ok(list)
}

async fn shown(app: &App, me: &Me, row: Session, apps: Vec<UsedApp>, language: &str) -> SignedIn {
    let place = match row.address.as_ref().and_then(|address| address.parse().ok()) {
        Some(address) => app.places.of(address, language, app.now()).await,
        None => None,
    };
    let (is_program, idle) = (row.kind == session::API, idle(app));
    let unused_until = row.last_used_at + if is_program { idle.api } else { idle.browser };
    SignedIn {
        id: row.id,
        is_program,
        says: row.user_agent.as_deref().map(UserAgent::read).unwrap_or_default(),
        address: row.address,
        place,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at.min(unused_until),
        is_this: me.session == Some(row.id),
        apps,
    }
}

/// Ends one. Another than the one that asks needs the password, unless it was just given: whoever sits down at somebody's
/// browser must not shut them out elsewhere (OWASP ASVS 7.5.2).
///
/// # Errors
/// When there is no such session of this person (case SEC-144), or a problem with `current_password`.
pub async fn end(
    app: &App,
    visitor: &Visitor,
    me: &Me,
    id: Uuid,
    current_password: Option<&str>,
) -> Result<(), Trouble> {
    let mut trace = links::trace_of(app, visitor, me);
    let ended = end_traced(app, visitor, me, (id, current_password), &mut trace).await;
    links::settle(app, trace, ended)
}

async fn end_traced(
    app: &App,
    visitor: &Visitor,
    me: &Me,
    (id, current_password): (Uuid, Option<&str>),
    trace: &mut Trace,
) -> Result<(), Trouble> {
    let person = me.user.id;
    if !session::is_of(&app.db, id, person).await? {
        return Err(Trouble::NotFound("session"));
    }
    if me.session != Some(id) {
        me.prove(app, visitor, current_password, trace).await?;
    }
    let ending = Ending::within(app, &trace.id);
    let line = Line::new(app, trace, person, Happened::SessionEnded, &me.device);
    let ended = write!(app, db => {
        let ended = ending.one(db, id, person).await?;
        line.insert(db).await?;
        Ok(ended)
    });
    ended.await?.tell_soon(app);
    log::said(trace, Happened::SessionEnded);
    Ok(())
}

/// Ends all but the one that asks.
///
/// # Errors
/// A problem with `current_password`, which is needed unless it was just given.
pub async fn end_others(app: &App, visitor: &Visitor, me: &Me, current_password: Option<&str>) -> Result<(), Trouble> {
    let mut trace = links::trace_of(app, visitor, me);
    let ended = end_others_traced(app, visitor, me, current_password, &mut trace).await;
    links::settle(app, trace, ended)
}

async fn end_others_traced(
    app: &App,
    visitor: &Visitor,
    me: &Me,
    current_password: Option<&str>,
    trace: &mut Trace,
) -> Result<(), Trouble> {
    me.prove(app, visitor, current_password, trace).await?;
    let (person, this) = (me.user.id, me.session);
    let ending = Ending::within(app, &trace.id);
    let line = Line::new(app, trace, person, Happened::SessionEnded, &me.device);
    let ended = write!(app, db => {
        let ended = ending.others_of(db, person, this).await?;
        line.insert(db).await?;
        Ok(ended)
    });
    ended.await?.tell_soon(app);
    log::said(trace, Happened::SessionEnded);
    Ok(())
}

/// Signs out everywhere, here too, and calls back everything that was issued before: on every node at once no token is
/// good any more. It needs no password, for it is of no use to a thief.
///
/// # Errors
/// When the database is away.
pub async fn end_all(app: &App, visitor: &Visitor, me: &Me) -> Result<(), Trouble> {
    let trace = links::trace_of(app, visitor, me);
    let ended = end_all_traced(app, me, &trace).await;
    links::settle(app, trace, ended)
}

async fn end_all_traced(app: &App, me: &Me, trace: &Trace) -> Result<(), Trouble> {
    let (person, now) = (me.user.id, app.now());
    let ending = Ending::within(app, &trace.id);
    let line = Line::new(app, trace, person, Happened::SignedOutEverywhere, &me.device);
    let ended = write!(app, db => {
        user::call_back(db, person).await?;
        let ended = ending.all_of(db, person).await?;
        grant::revoke_of_user(db, person, now).await?;
        mail_link::void(db, person, &[LinkKind::Reset, LinkKind::ChangeEmail, LinkKind::SignIn], now).await?;
        line.insert(db).await?;
        Ok(ended)
    });
    ended.await?.tell_soon(app);
    log::said(trace, Happened::SignedOutEverywhere);
    Ok(())
}
