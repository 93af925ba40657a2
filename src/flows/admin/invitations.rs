//! Invitations, as operators handle them: who has one may register where registration is not open (decision D8).

use uuid::Uuid;

use crate::{
    app::App,
    config::SignUp,
    flows::{
        Field, Trouble,
        event::{self, Changed},
        mail::{self, Letter, Outgoing},
        profile_rules as rules, write, write_one,
    },
    protocol::text,
    store::{
        invitation,
        user::{self, Wanted},
    },
};

pub use crate::store::invitation::Invitation;

/// An invitation to be.
#[derive(Debug, Clone, Default)]
pub struct NewInvitation {
    /// The one address that may register with it.
    pub email: Option<String>,
    /// Seconds.
    pub expires_in: i64,
    /// Mails it to that address.
    pub send: bool,
}

pub const DAY: i64 = 86_400;
pub const LONGEST: i64 = 366 * DAY;
pub const SHORTEST: i64 = 60;

/// The invitation, and its link, which nobody can show again.
///
/// # Errors
/// What is wrong with it, or that it would be of no use.
pub async fn create(app: &App, new: NewInvitation) -> Result<(Invitation, String), Trouble> {
    let email = check(app, &new)?;
    if app.config.accounts.registration == SignUp::Off {
        return Err(Trouble::Conflict(
            "nobody can register here, invited or not; set accounts.registration to \"invitation\"".to_owned(),
        ));
    }
    if !user::taken(&app.db, &Wanted::default().email(email.as_deref()), None).await?.is_empty() {
        return Err(Trouble::Conflict("somebody has this e-mail address already".to_owned()));
    }
    let (token, now) = (app.secret(), app.now());
    let invitation = Invitation {
        hash: token.hash(),
        email: email.clone(),
        created_at: now,
        expires_at: now + new.expires_in,
        used_at: None,
    };
    let link = app.url(&format!("/account/register?invitation={}", token.reveal()));
    let days = u32::try_from((new.expires_in + DAY - 1) / DAY).unwrap_or(u32::MAX);
    let letter = email.filter(|_| new.send).map(|to| Outgoing {
        to,
        locale: None,
        user_id: None,
        letter: Letter::Invitation { link: link.clone(), inviter: None, days },
    });
    let (row, of_app, sends) = (invitation.clone(), app.clone(), letter.is_some());
    write!(app, db => {
        invitation::insert(db, row).await?;
        if let Some(letter) = letter { mail::queue(&of_app, db, letter).await? }
        Ok(())
    })
    .await?;
    if sends {
        mail::send_soon(app);
    }
    event::changed(Changed::Invitation(invitation.id()), "created");
    Ok((invitation, link))
}

/// The address in its one form.
fn check(app: &App, new: &NewInvitation) -> Result<Option<String>, Trouble> {
    let mut problems = Vec::new();
    let email = rules::in_form("email", new.email.as_deref(), text::email, &mut problems);
    let mut wrong = |name, why: String| problems.push(Field { name, why: why.into() });
    if !(SHORTEST..=LONGEST).contains(&new.expires_in) {
        wrong("expires_in", format!("must be from {SHORTEST} to {LONGEST} seconds"));
    }
    if new.send && new.email.as_deref().is_none_or(|email| email.trim().is_empty()) {
        wrong("send", "needs an address to send to".to_owned());
    }
    if new.send && !mail::is_possible(app) {
        wrong("send", "needs a mail server; mail.host in the settings names it".to_owned());
    }
    if problems.is_empty() { Ok(email) } else { Err(Trouble::Invalid(problems)) }
}

/// Newest first; those that have expired are forgotten.
///
/// # Errors
/// When the database is away.
pub async fn all(app: &App) -> Result<Vec<Invitation>, Trouble> {
    Ok(invitation::all(&app.db).await?)
}

/// Good for nothing from now on; who came by it stays.
///
/// # Errors
/// When there is no such invitation.
pub async fn revoke(app: &App, id: Uuid) -> Result<(), Trouble> {
    let found = all(app).await?.into_iter().find(|invitation| invitation.id() == id);
    let hash = found.ok_or(Trouble::NotFound("invitation"))?.hash;
    write_one!(app, db => invitation::revoke(db, &hash)).await?;
    event::changed(Changed::Invitation(id), "revoked");
    Ok(())
}

/// A word for how it stands.
pub fn state(invitation: &Invitation, now: i64) -> &'static str {
    match invitation {
        used if used.used_at.is_some() => "used",
        old if old.expires_at <= now => "expired",
        _ => "open",
    }
}
