//! What people prove with besides a password. Whoever sets one up gets recovery codes with it, so that nobody ends with a
//! single way in. Each change is told to its person, and voids trusted devices and sign-ins that are half-way. Who is signed
//! in stays so, at the level that was proved: the account's page of sessions ends others (OWASP ASVS 7.4.3).

pub mod mailed;
pub mod passkey;
pub mod recovery;
pub mod totp;
pub mod trusted;

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{
    Trouble,
    account::{
        log::{self, Happened, Line},
        me::Me,
    },
    event::{self, Changed},
    login::Standing,
    mail::{self, FactorChange, Letter, Outgoing},
    session_end::Ending,
    visitor::Device,
    write,
};
use crate::{
    app::App,
    config::Whom,
    crypto::secret::SecretHash,
    protocol::{
        Code, Error,
        assurance::Level,
        rule,
        trace::{Kind, Trace},
    },
    store::{
        self, grant, recovery_code, session, sign_in, trusted_device, upstream_link,
        user::{self, User},
    },
};

/// What somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    /// An authenticator app, since when.
    pub totp_since: Option<i64>,
    pub passkeys: Vec<passkey::Key>,
    /// Recovery codes that are left.
    pub codes_left: u64,
}

impl Have {
    pub fn any(&self) -> bool {
        self.totp_since.is_some() || !self.passkeys.is_empty()
    }
}

/// # Errors
/// When the database is away.
pub async fn of(app: &App, person: Uuid) -> Result<Have, DbErr> {
    Ok(Have {
        totp_since: totp::since(&app.db, person).await?,
        passkeys: passkey::list(&app.db, person).await?,
        codes_left: recovery_code::left(&app.db, person).await?,
    })
}

/// Whether somebody has a second factor. Recovery codes alone are none: they only stand in for one.
///
/// # Errors
/// When the database is away.
pub async fn has_any(db: &impl ConnectionTrait, person: Uuid) -> Result<bool, DbErr> {
    Ok(totp::since(db, person).await?.is_some() || store::passkey::is_there(db, person).await?)
}

/// Whether the operator wants a second factor of this person, whatever the app.
pub fn are_required(app: &App, user: &User) -> bool {
    match app.config.second_factor.required {
        Whom::Nobody => false,
        Whom::Admins => user.admin,
        Whom::Everybody => true,
    }
}

/// Whoever changes what they sign in with has just proved who they are, by all that they have (case SEC-132).
///
/// # Errors
/// `insufficient_user_authentication`, or when the database is away.
pub async fn check_fresh(app: &App, me: &Me) -> Result<(), Error> {
    let enough = me.proved.level() == Level::Two || !has_any(&app.db, me.user.id).await?;
    if enough && me.is_fresh(app) {
        return Ok(());
    }
    Err(stale())
}

/// What is said to who signed in too long ago, or by too little.
pub(super) fn stale() -> Error {
    Code::InsufficientUserAuthentication.because("sign in again for this").under(&rule::FRESH_SIGN_IN)
}

/// An operator takes all factors of somebody away, who has lost them all or whom somebody else has given some: it ends every
/// session and token, and the person is told. Accounts at providers open theirs no more, since one of them may be somebody
/// else's too, unless `keep_providers` says that they are known to be theirs. How many there were.
///
/// # Errors
/// When there is no such person.
pub async fn reset(app: &App, id: Uuid, keep_providers: bool) -> Result<u64, Trouble> {
    let user = user::find(&app.db, id).await?.ok_or(Trouble::NotFound("user"))?;
    let trace = Trace { user_id: Some(id), ..app.trace(Kind::Account) };
    let change = Change::by_operator(app, &trace, &user, Happened::FactorsReset, FactorChange::Reset);
    let unlinked = Change::by_operator(app, &trace, &user, Happened::ProviderUnlinked, FactorChange::ProviderUnlinked);
    let (now, ending) = (app.now(), Ending::within(app, &trace.id));
    let ended = write!(app, db => {
        // Whoever signs in or adds a factor at this moment does so before, and loses it, or after.
        user::find_locked(db, id).await?;
        store::totp::remove(db, id).await?;
        store::passkey::remove_all(db, id).await?;
        recovery_code::remove(db, id).await?;
        let links = if keep_providers { 0 } else { upstream_link::remove_all(db, id).await? };
        let ended = ending.all_of(db, id).await?;
        grant::revoke_of_user(db, id, now).await?;
        user::call_back(db, id).await?;
        change.write(db).await?;
        if links > 0 {
            unlinked.write(db).await?;
        }
        Ok((ended, links))
    });
    let (ended, links) = ended.await?;
    ended.tell_soon(app);
    mail::send_soon(app);
    event::changed(Changed::User(id), "second factors reset");
    if links > 0 {
        event::changed(Changed::User(id), "providers disconnected");
    }
    Ok(links)
}

/// Where somebody sets a factor up: what is begun at one place is shown and confirmed at no other. So whoever else is in the
/// account at that moment, with a stolen password say, has no share in it.
#[derive(Debug, Clone)]
pub struct Place(SecretHash);

impl Place {
    /// A session; a token without one is a place of its own.
    pub fn of(app: &App, me: &Me) -> Self {
        Place::session(app, me.user.id, me.session.or(me.grant).unwrap_or_default())
    }

    pub fn session(app: &App, person: Uuid, session: Uuid) -> Self {
        Place(SecretHash(app.macs.codes.tag(&[b"place", person.as_bytes(), session.as_bytes()]).to_vec()))
    }

    /// A browser where somebody is half-way, in however many windows.
    pub fn browser(app: &App, person: Uuid, browser: &SecretHash) -> Self {
        Place(SecretHash(app.macs.codes.tag(&[b"browser", person.as_bytes(), &browser.0]).to_vec()))
    }
}

/// What lets somebody change their factors, for the write that does: there it is looked at again.
#[derive(Debug, Clone, Copy)]
pub struct Permit {
    standing: Standing,
    session: Option<Uuid>,
    grant: Option<Uuid>,
    has_proved_two: bool,
}

impl Permit {
    /// Of somebody who is signed in, whom [`check_fresh`] has let pass.
    pub(super) fn of(me: &Me) -> Self {
        Permit {
            standing: Standing::of(&me.user),
            session: me.session,
            grant: me.grant,
            has_proved_two: me.proved.level() == Level::Two,
        }
    }

    /// Of somebody without a factor, in a sign-in.
    pub fn half_way(standing: Standing) -> Self {
        Permit { standing, session: None, grant: None, has_proved_two: false }
    }

    /// It locks the person: until the write ends, nobody else changes what it rests on.
    pub(super) async fn holds(self, db: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let person = self.standing.person;
        if !self.standing.holds(db).await? {
            return Ok(false);
        }
        let is_signed_in = match (self.session, self.grant) {
            (Some(session), _) => session::is_of(db, session, person).await?,
            (None, Some(grant)) => grant::find(db, grant).await?.is_some_and(|(grant, _)| grant.revoked_at.is_none()),
            (None, None) => true,
        };
        Ok(is_signed_in && (self.has_proved_two || !has_any(db, person).await?))
    }
}

/// How a code ended that can be used once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// The sign-in is done by it.
    Well,
    Wrong,
    /// The sign-in was done or begun again meanwhile; the code is as it was.
    Over,
}

impl Spent {
    /// Whether the sign-in still waits for a code. Nobody else goes on with it until the write has ended.
    async fn may(db: &impl ConnectionTrait, person: Uuid, half_way: Uuid) -> Result<bool, DbErr> {
        Ok(user::find_locked(db, person).await?.is_some() && sign_in::is_there_locked(db, half_way).await?)
    }

    async fn finish(db: &impl ConnectionTrait, half_way: Uuid) -> Result<Self, DbErr> {
        Ok(if sign_in::finish(db, half_way).await? { Spent::Well } else { Spent::Over })
    }
}

/// A change of somebody's factors, for the write that makes it.
pub(super) struct Change {
    app: App,
    person: Uuid,
    line: Line,
    letter: Option<Outgoing>,
    voids: bool,
}

impl Change {
    pub fn new(app: &App, trace: &Trace, user: &User, device: &Device, what: Happened, told: FactorChange) -> Self {
        let line = Line::new(app, trace, user.id, what, device);
        Change::of(app, user, line, (told, device.name()))
    }

    /// Nobody at a device did it.
    pub fn by_operator(app: &App, trace: &Trace, user: &User, what: Happened, told: FactorChange) -> Self {
        let line = Line::by_itself(app, trace, user.id, what);
        Change::of(app, user, line, (told, None))
    }

    fn of(app: &App, user: &User, line: Line, (told, device): (FactorChange, Option<String>)) -> Self {
        let place = match told {
            FactorChange::ProviderLinked | FactorChange::ProviderUnlinked => "/account/providers",
            _ => "/account/factors",
        };
        let letter = Letter::FactorChanged {
            change: told,
            when: app.now(),
            device,
            factors: app.url(place),
            forgot: app.url("/account/forgot"),
        };
        let to = |to| Outgoing { to, locale: user.locale.clone(), user_id: Some(user.id), letter };
        Change { app: app.clone(), person: user.id, line, letter: user.email.clone().map(to), voids: true }
    }

    /// It leaves the factors as they are.
    pub fn of_no_factor(self) -> Self {
        Change { voids: false, ..self }
    }

    /// # Errors
    /// When the database is away; the write is then undone.
    pub async fn write(self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        if self.voids {
            sign_in::void(db, self.person).await?;
            trusted_device::remove_all(db, self.person).await?;
        }
        if let Some(letter) = self.letter {
            mail::queue(&self.app, db, letter).await?;
        }
        self.line.insert(db).await
    }
}

/// After the commit.
fn said(app: &App, trace: &Trace, what: Happened) {
    mail::send_soon(app);
    log::said(trace, what);
}

/// Takes away what came at that time or later, and all that rests on it: somebody else may have had the account since. What
/// was there before stays, or whoever reads the mails of a person could get rid of it.
///
/// # Errors
/// When the database is away; the write is then undone.
pub(super) async fn remove_since(db: &impl ConnectionTrait, person: Uuid, since: i64) -> Result<(), DbErr> {
    sign_in::void(db, person).await?;
    trusted_device::remove_all(db, person).await?;
    store::totp::remove_since(db, person, since).await?;
    store::passkey::remove_since(db, person, since).await?;
    recovery_code::remove_since(db, person, since).await?;
    upstream_link::remove_since(db, person, since).await?;
    tidy(db, person).await
}

/// Without the last factor, recovery codes stand in for nothing.
pub(super) async fn tidy(db: &impl ConnectionTrait, person: Uuid) -> Result<(), DbErr> {
    match has_any(db, person).await? {
        true => Ok(()),
        false => recovery_code::remove(db, person).await,
    }
}

fn nothing_there() -> Trouble {
    Trouble::NotFound("second factor")
}
