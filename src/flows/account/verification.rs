//! Whether an address is the person's (requirement AC2): a link that was mailed there, used by who knows the password.

use super::{
    links::{self, Asked},
    log::{self, Happened, Line},
};
use crate::{
    app::App,
    crypto::secret::Secret,
    flows::{
        Trouble,
        login::{SignedIn, Standing},
        mail::Letter,
        second_factor,
        visitor::Visitor,
        write,
    },
    protocol::{assurance::Methods, trace::Trace},
    store::{
        mail_link::{self, LinkKind},
        user::{self, User},
    },
};

/// Mails a new link, if there is such an account and its address is to be confirmed.
///
/// # Errors
/// 429 for who asks too often, whomever for.
pub fn ask(app: &App, visitor: &Visitor, login: &str) -> Result<(), Trouble> {
    links::write_later(app, visitor, login, async |app, user| mail_to(&app, &user).await)
}

/// Mails a new link, unless the address is confirmed or had many already; says nothing of either.
///
/// # Errors
/// 429, or when the database is away.
pub async fn send(app: &App, visitor: &Visitor, user: &User) -> Result<(), Trouble> {
    links::count(app, visitor)?;
    mail_to(app, user).await
}

async fn mail_to(app: &App, user: &User) -> Result<(), Trouble> {
    if user.email_verified {
        return Ok(());
    }
    let hours = links::hours(app, LinkKind::Verify);
    links::mail(app, user, LinkKind::Verify, |link| Letter::VerifyEmail { link, hours }).await
}

/// The same for somebody who knows the password: after the answer, which is that to a wrong one. Nothing depends on it.
pub fn send_again(app: &App, visitor: &Visitor, user: User) {
    if links::count(app, visitor).is_err() {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(trouble) = mail_to(&app, &user).await {
            tracing::warn!(%trouble, "no link to confirm an address could be mailed");
        }
    });
}

/// What the page of a link shows.
///
/// # Errors
/// When the link does not work.
pub async fn look(app: &App, visitor: &Visitor, token: &str) -> Result<Asked, Trouble> {
    links::look(app, visitor, LinkKind::Verify, token).await
}

/// The address is confirmed; who gave the password is signed in.
pub struct Confirmed {
    pub user: User,
    pub signed_in: Option<SignedIn>,
}

/// The password proves that whoever reads the mail is who registered: nobody can register with somebody's address and
/// let them confirm it.
///
/// # Errors
/// When the link does not work, or the password is wrong or missing.
pub async fn confirm(
    app: &App,
    visitor: &Visitor,
    token: &str,
    given: Option<&str>,
    with_session: bool,
) -> Result<Confirmed, Trouble> {
    let mut trace = links::trace(app, visitor, None);
    let confirmed = confirm_traced(app, visitor, token, given, with_session, &mut trace).await;
    links::settle(app, trace, confirmed)
}

async fn confirm_traced(
    app: &App,
    visitor: &Visitor,
    token: &str,
    given: Option<&str>,
    with_session: bool,
    trace: &mut Trace,
) -> Result<Confirmed, Trouble> {
    let open = links::open(app, visitor, LinkKind::Verify, token).await?;
    trace.user_id = Some(open.user.id);
    let is_here = links::prove(app, visitor, &open.user, given, trace).await?;
    let line = Line::new(app, trace, open.user.id, Happened::EmailVerified, &visitor.device);
    let (hash, now, id) = (Secret::presented(token).hash(), app.now(), open.user.id);
    let email = open.link.email.unwrap_or_default();
    let won = write!(app, db => {
        user::find_locked(db, id).await?;
        if !mail_link::spend(db, &hash, now).await? || !user::confirm_email(db, id, &email, now).await? {
            return Ok(false);
        }
        line.insert(db).await?;
        Ok(true)
    });
    if !won.await? {
        return Err(Trouble::Broken(links::dead()));
    }
    log::said(trace, Happened::EmailVerified);
    let user = User { email_verified: true, unconfirmed_since: None, ..open.user };
    let signed_in = match with_session && !is_here && user.is_enabled() {
        true => {
            let before = visitor.session(app).await?;
            let first = (&user, &Methods::password(), None);
            second_factor::go_on(app, visitor, before, first, Standing::of(&user), trace).await?
        }
        false => None,
    };
    Ok(Confirmed { user, signed_in })
}
