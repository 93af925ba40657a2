//! The first administrator: whoever holds the terminal gets a one-time link; whoever opens it becomes one.

use super::{
    Refused, Trouble, Why,
    admin::users::{self, NewUser},
    event::{self, Changed, Event},
    login::{self, SignedIn, Standing},
    visitor::Visitor,
    write,
};
use crate::{
    app::{App, throttle::Key},
    crypto::secret::Secret,
    protocol::{
        Code, Error, Result,
        assurance::Methods,
        rule,
        trace::{Kind, Shown},
    },
    store::{setup_link, user},
};

/// Seconds that a link is good for.
pub const LIFE: i64 = 24 * 3600;

/// What happens to the links before a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// Several nodes that start together each print one; the first that is used voids all.
    Stay,
    /// An operator who asks for a new link may have lost the old one.
    AreVoid,
}

/// A new link. Its token is shown once, on the terminal.
///
/// # Errors
/// When the database is away.
pub async fn link(app: &App, older: Older) -> Result<String> {
    let (token, now) = (app.secret(), app.now());
    let hash = token.hash();
    write!(app, db => {
        if older == Older::AreVoid {
            setup_link::void_all(db).await?;
        }
        setup_link::insert(db, hash, now, now + LIFE).await
    })
    .await?;
    event::changed(Changed::SetUpLink, "created");
    Ok(app.url(&format!("/setup?token={}", token.reveal())))
}

/// Whether nobody administers this installation yet.
///
/// # Errors
/// When the database is away.
pub async fn is_needed(app: &App) -> Result<bool> {
    Ok(!user::has_admin(&app.db).await?)
}

/// Whether the page may be shown.
///
/// # Errors
/// When the link is spent, void or invented.
pub async fn check(app: &App, visitor: &Visitor, token: &str) -> Result<(), Refused> {
    let trace = app.trace(Kind::SetUp).from(visitor.address);
    let open = open(app, visitor, token).await;
    super::settle(app, trace, open)
}

async fn open(app: &App, visitor: &Visitor, token: &str) -> Result<()> {
    let keys = [Key::SetUp(visitor.address)];
    app.throttle.check(&keys, app.now())?;
    if setup_link::is_open(&app.db, &Secret::presented(token).hash(), app.now()).await? {
        return Ok(());
    }
    app.throttle.failed(&keys, app.now());
    Err(spent())
}

/// Makes the administrator and signs them in. Two browsers with one link make one administrator.
///
/// # Errors
/// What is wrong with the form, or that the link is spent.
pub async fn finish(app: &App, visitor: &Visitor, token: &str, new: NewUser) -> Result<SignedIn, Trouble> {
    open(app, visitor, token).await?;
    let (person, password) = users::prepare(app, NewUser { admin: true, ..new }).await?;
    if password.is_none() {
        return Err(Trouble::field("password", Why::Missing));
    }
    if user::is_taken(&app.db, person.username.as_deref(), person.email.as_deref()).await? {
        return Err(Trouble::Conflict("somebody has this user name or e-mail address already".to_owned()));
    }
    let (row, hash, now) = (person.clone(), Secret::presented(token).hash(), app.now());
    let won = write!(app, db => {
        if !setup_link::spend(db, &hash, now).await? {
            return Ok(false);
        }
        let id = row.id;
        user::insert(db, row).await?;
        if let Some(password) = password { password.set(db, id).await? }
        setup_link::void_all(db).await?;
        Ok(true)
    });
    if !won.await? {
        return Err(Trouble::Broken(spent()));
    }
    let mut trace = app.trace(Kind::SetUp).from(visitor.address);
    trace.user_id = Some(person.id);
    event::happened(&trace, Event::SetUp, "ok");
    trace.passed(&rule::ACCOUNT, Some(Shown::word("an administrator was made")));
    app.record(trace.clone());
    let before = visitor.session(app).await?;
    let first = (&person, &Methods::password(), None);
    Ok(login::start_session(app, visitor, before, first, Standing::of(&person), &trace).await?)
}

fn spent() -> Error {
    Code::AccessDenied
        .because("this set-up link was used or has expired; `signet admin recover` prints a new one")
        .under(&rule::SESSION)
}
