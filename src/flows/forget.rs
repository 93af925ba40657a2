//! Removes what can be of no use any more.

use super::write_one;
use crate::{
    app::App,
    protocol::Result,
    store::{
        access_token, assertion, authorization, grant, revoked_token, session, setup_link, signing_key, trace_event,
    },
};

/// One statement a table, so that nothing else waits long.
///
/// # Errors
/// When the database is away; a later run does the rest.
pub async fn expired(app: &App) -> Result<()> {
    let (now, lifetimes) = (app.now(), &app.config.lifetimes);
    let idle = lifetimes.session_idle.get();
    let longest = lifetimes.access_token.get().max(lifetimes.id_token.get());
    let kept_since = now - app.config.events.keep.get();
    write_one!(app, db => authorization::forget_expired(db, now)).await?;
    write_one!(app, db => access_token::forget_expired(db, now)).await?;
    write_one!(app, db => revoked_token::forget_expired(db, now)).await?;
    write_one!(app, db => assertion::forget_expired(db, now)).await?;
    write_one!(app, db => grant::forget_expired(db, now, longest)).await?;
    write_one!(app, db => session::forget_expired(db, now, idle)).await?;
    write_one!(app, db => setup_link::forget_expired(db, now)).await?;
    write_one!(app, db => signing_key::forget_removed(db, now)).await?;
    write_one!(app, db => trace_event::forget_before(db, kept_since)).await?;
    let most = app.config.events.most.into();
    write_one!(app, db => trace_event::forget_beyond(db, most)).await?;
    Ok(())
}
