//! Removes what can be of no use any more.

use super::{account::sessions, write, write_one};
use crate::{
    app::App,
    protocol::Result,
    store::{
        access_token, assertion, authorization, grant, invitation, key_fetch, login_attempt, logout_delivery, mail,
        mail_link, node, registration_token, revoked_token, security_event, session, setup_link, sign_in, signing_key,
        token_caller, totp, trace_event, trusted_device, upstream_identity, upstream_login, upstream_logout,
        upstream_session, user,
    },
};

/// Seconds that the report of logouts reaches back.
const KEEP_DELIVERIES: i64 = 7 * 86_400;
/// Seconds that the report of mails reaches back, and that a mail lies in the outbox.
const KEEP_MAILS: i64 = 7 * 86_400;
const KEEP_OUTBOX: i64 = 86_400;

/// Seconds for which an address or a name is held by an account that nobody has confirmed.
const KEEP_UNCONFIRMED: i64 = 7 * 86_400;

/// Tries with names that nobody has: enough to see an attack.
const MOST_OF_NOBODY: u64 = 100_000;

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
    let idle = sessions::idle(app);
    let longest = lifetimes.access_token.get().max(lifetimes.id_token.get());
    let kept_since = now - app.config.events.keep.get();
    all!(app, db => authorization::forget_expired(db, now));
    all!(app, db => access_token::forget_expired(db, now));
    all!(app, db => revoked_token::forget_expired(db, now));
    all!(app, db => assertion::forget_expired(db, now));
    all!(app, db => grant::forget_expired(db, now, longest));
    all!(app, db => session::forget_expired(db, now, idle));
    all!(app, db => sign_in::forget_expired(db, now));
    all!(app, db => upstream_login::forget_expired(db, now));
    all!(app, db => upstream_identity::forget_expired(db, now));
    all!(app, db => upstream_session::forget_expired(db, now));
    all!(app, db => upstream_logout::forget_expired(db, now));
    all!(app, db => trusted_device::forget_expired(db, now));
    // Of authenticator apps that nobody has finished to set up.
    all!(app, db => totp::forget_begun(db, now - 86_400));
    all!(app, db => setup_link::forget_expired(db, now));
    all!(app, db => logout_delivery::forget_before(db, now - KEEP_DELIVERIES));
    all!(app, db => mail::forget_before(db, now - KEEP_MAILS));
    all!(app, db => mail::forget_kept(db, now - KEEP_OUTBOX));
    // The list still tells for a while what an old one was used for.
    all!(app, db => registration_token::forget_expired(db, now - 30 * 86_400));
    all!(app, db => mail_link::forget_expired(db, now));
    all!(app, db => invitation::forget_expired(db, now));
    all!(app, db => user::forget_unconfirmed(db, now - KEEP_UNCONFIRMED));
    write_one!(app, db => signing_key::forget_removed(db, now)).await?;
    readers(app, now).await?;
    all!(app, db => trace_event::forget_before(db, kept_since));
    let most = app.config.events.most.into();
    all!(app, db => trace_event::forget_beyond(db, most));
    accounts(app, now).await
}

/// What people are shown of their accounts.
async fn accounts(app: &App, now: i64) -> Result<()> {
    let kept = &app.config.accounts;
    let (attempts, events) = (now - kept.keep_attempts.get(), now - kept.keep_security_log.get());
    all!(app, db => login_attempt::forget_before(db, attempts));
    all!(app, db => login_attempt::forget_nobodys_beyond(db, MOST_OF_NOBODY));
    all!(app, db => security_event::forget_before(db, events));
    Ok(())
}

/// Who fetched the keys. Apps that fetch them once and for all do so again at the next rotation, or after a restart.
async fn readers(app: &App, now: i64) -> Result<()> {
    const YEAR: i64 = 365 * 86_400;
    const MOST_FETCHES: u64 = 50_000;
    const MOST_PLACES: u64 = 64;
    write_one!(app, db => node::forget_before(db, now - 3600)).await?;
    all!(app, db => key_fetch::forget_before(db, now - YEAR));
    all!(app, db => key_fetch::forget_beyond(db, MOST_FETCHES));
    write_one!(app, db => token_caller::forget_before(db, now - YEAR)).await?;
    for client_id in token_caller::with_more_than(&app.db, MOST_PLACES).await? {
        write!(app, db => token_caller::forget_beyond(db, &client_id, MOST_PLACES).await).await?;
    }
    Ok(())
}
