//! A forgotten password (requirement AC6): a link to the address of the account, the same answer whoever asks for whom.

use super::{
    links,
    log::{self, Happened, Line},
    registration,
};
use crate::{
    app::App,
    config::Verification,
    crypto::secret::Secret,
    flows::{
        Trouble,
        factors::Change,
        login,
        mail::{self, FactorChange, Letter},
        passwords::{self, About},
        session_end::Ending,
        visitor::Visitor,
        write,
    },
    protocol::trace::Trace,
    store::{
        grant,
        mail_link::{self, LinkKind},
        upstream_link,
        user::{self, User},
    },
};

/// Mails a link, if there is such an account with an address.
///
/// # Errors
/// 429 for who asks too often, whomever for.
pub fn ask(app: &App, visitor: &Visitor, login: &str) -> Result<(), Trouble> {
    links::write_later(app, visitor, login, async |app, user| {
        let minutes = links::minutes(&app, LinkKind::Reset);
        links::mail(&app, &user, LinkKind::Reset, |link| Letter::ResetPassword { link, minutes }).await
    })
}

/// Whose password the link sets.
///
/// # Errors
/// When the link does not work.
pub async fn look(app: &App, visitor: &Visitor, token: &str) -> Result<User, Trouble> {
    let trace = links::trace(app, visitor, None);
    let open = links::open(app, visitor, LinkKind::Reset, token).await.map(|open| open.user);
    links::settle(app, trace, open)
}

/// A new password. Every session and every token ends; nobody is signed in by the link alone (case SEC-120), and nobody who
/// has failed too often before waits any longer (K11).
///
/// # Errors
/// When the link does not work, or the password will not do: the link then still works.
pub async fn finish(app: &App, visitor: &Visitor, token: &str, new: &str) -> Result<User, Trouble> {
    let mut trace = links::trace(app, visitor, None);
    let finished = finish_traced(app, visitor, token, new, &mut trace).await;
    links::settle(app, trace, finished)
}

async fn finish_traced(
    app: &App,
    visitor: &Visitor,
    token: &str,
    new: &str,
    trace: &mut Trace,
) -> Result<User, Trouble> {
    let links::Open { link, user } = links::open(app, visitor, LinkKind::Reset, token).await?;
    trace.user_id = Some(user.id);
    let fresh = passwords::prepare(app, &About::person(&user), new).await?;
    let line = Line::new(app, trace, user.id, Happened::PasswordReset, &visitor.device);
    let letter = super::password::told(app, &user, &visitor.device);
    let (hash, now, id) = (Secret::presented(token).hash(), app.now(), user.id);
    let anybody = app.config.accounts.verification == Verification::Optional && registration::is_offered(app);
    let (what, told) = (Happened::ProviderUnlinked, FactorChange::ProviderUnlinked);
    let unlinked = Change::new(app, trace, &user, &visitor.device, what, told).of_no_factor();
    let (ending, of_app, email) = (Ending::within(app, &trace.id), app.clone(), link.email);
    let ended = write!(app, db => {
        // Whoever signs in at this moment does so before, and is signed out, or after, with the new password.
        let before = user::find_locked(db, id).await?;
        if !mail_link::spend(db, &hash, now).await? {
            return Ok(None);
        }
        // Whoever registered with the address, where nobody has to confirm it, may have opened a way in for themselves. What
        // is asked for besides the password stays (case SEC-131).
        let is_strangers = anybody && email.is_some() && before.is_some_and(|user| !user.email_verified);
        if is_strangers && upstream_link::remove_all(db, id).await? > 0 {
            unlinked.write(db).await?;
        }
        // The link came to this address, so it is the person's.
        if let Some(email) = &email && !user::confirm_email(db, id, email, now).await? {
            return Ok(None);
        }
        fresh.set(db, id).await?;
        let ended = ending.all_of(db, id).await?;
        grant::revoke_of_user(db, id, now).await?;
        user::call_back(db, id).await?;
        mail_link::void(db, id, &[LinkKind::Reset, LinkKind::Verify, LinkKind::ChangeEmail, LinkKind::SignIn], now)
            .await?;
        if let Some(letter) = letter { mail::queue(&of_app, db, letter).await? }
        line.insert(db).await?;
        Ok(Some(ended))
    });
    let Some(ended) = ended.await? else { return Err(Trouble::Broken(links::dead())) };
    ended.tell_soon(app);
    login::forgive(app, visitor, &user);
    mail::send_soon(app);
    log::said(trace, Happened::PasswordReset);
    Ok(user)
}
