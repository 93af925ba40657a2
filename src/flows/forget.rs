//! Removes what can be of no use any more.

use super::write_one;
use crate::{
    app::App,
    protocol::Result,
    store::{access_token, assertion, authorization, grant, revoked_token, session, signing_key, trace_event},
};

/// One statement a table, so that nothing else waits long.
///
/// # Errors
/// When the database is away; a later run does the rest.
pub async fn expired(app: &App) -> Result<()> {
    let (now, idle) = (app.now(), app.config.lifetimes.session_idle.get());
    let kept_since = now - app.config.events.keep.get();
    write_one!(app, db => authorization::forget_expired(db, now)).await?;
    write_one!(app, db => access_token::forget_expired(db, now)).await?;
    write_one!(app, db => revoked_token::forget_expired(db, now)).await?;
    write_one!(app, db => assertion::forget_expired(db, now)).await?;
    write_one!(app, db => grant::forget_expired(db, now)).await?;
    write_one!(app, db => session::forget_expired(db, now, idle)).await?;
    write_one!(app, db => signing_key::forget_removed(db, now)).await?;
    write_one!(app, db => trace_event::forget_before(db, kept_since)).await?;
    let most = app.config.events.most.into();
    write_one!(app, db => trace_event::forget_beyond(db, most)).await?;
    Ok(())
}
