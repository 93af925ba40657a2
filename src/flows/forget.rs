//! Removes what can be of no use any more.

use super::{write, write_one};
use crate::{
    app::App,
    protocol::Result,
    store::{
        access_token, assertion, authorization, grant, logout_delivery, revoked_token, session, setup_link,
        signing_key, trace_event,
    },
};

/// Seconds that the report of logouts reaches back.
const KEEP_DELIVERIES: i64 = 7 * 86_400;

macro_rules! all {
    ($app:expr, $db:ident => $some:expr) => {
        while write!($app, $db => $some.await).await? {}
    };
}

/// A few rows of one table at a time: on SQLite, everybody who writes waits behind them.
///
/// # Errors
/// When the database is away; a later run does the rest.
pub async fn expired(app: &App) -> Result<()> {
    let (now, lifetimes) = (app.now(), &app.config.lifetimes);
    let idle = lifetimes.session_idle.get();
    let longest = lifetimes.access_token.get().max(lifetimes.id_token.get());
    let kept_since = now - app.config.events.keep.get();
    all!(app, db => authorization::forget_expired(db, now));
    all!(app, db => access_token::forget_expired(db, now));
    all!(app, db => revoked_token::forget_expired(db, now));
    all!(app, db => assertion::forget_expired(db, now));
    all!(app, db => grant::forget_expired(db, now, longest));
    all!(app, db => session::forget_expired(db, now, idle));
    all!(app, db => setup_link::forget_expired(db, now));
    all!(app, db => logout_delivery::forget_before(db, now - KEEP_DELIVERIES));
    write_one!(app, db => signing_key::forget_removed(db, now)).await?;
    all!(app, db => trace_event::forget_before(db, kept_since));
    let most = app.config.events.most.into();
    all!(app, db => trace_event::forget_beyond(db, most));
    Ok(())
}
