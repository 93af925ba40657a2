//! Login with a password: the same answer and the same work whether or not the account exists.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{
    Refused,
    account::verification,
    arrival::Arrival,
    attempt::{self, Ended as Tried, Method},
    authorize,
    event::{self, Event},
    factors::trusted::Trusting,
    passwords, second_factor,
    session_end::{Ended, Ending},
    session_state,
    visitor::Visitor,
    write,
};
use crate::{
    app::{
        App,
        throttle::{Key, Wait},
    },
    crypto::secret::Secret,
    protocol::{
        Code, Error, Result,
        assurance::{self, Methods},
        rule, text,
        trace::{Kind, Shown, Trace},
    },
    store::{
        authorization, password,
        session::{self, Session},
        sign_in::{self, SignIn},
        upstream_session,
        user::{self, User},
    },
};

/// How a try ended. A wrong password is an outcome, not an error.
pub enum Outcome {
    SignedIn(SignedIn),
    /// The password is right, and a second factor is asked for next.
    HalfWay,
    Wrong,
    /// The password is right, but the address must be confirmed first; another link was mailed.
    Unconfirmed,
    TooMany(Wait),
}

/// The cookies of a browser where somebody has signed in.
pub struct SignedIn {
    pub session_cookie: Secret,
    pub known_cookie: String,
    /// What apps' frames see of it.
    pub state: String,
    /// From now on no second factor is asked for here, for so many seconds.
    pub trusted_cookie: Option<(Secret, i64)>,
}

/// The login page's answer within a journey.
///
/// # Errors
/// When the journey is over or another browser's, or the server is too busy to hash.
pub async fn with_password(
    app: &App,
    id: Uuid,
    visitor: &Visitor,
    login: &str,
    password: &str,
) -> Result<Outcome, Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let mut trace = journey.trace;
    let outcome = async {
        let (user, standing) = match prove(app, visitor, login, password, &mut trace).await? {
            Proof::Right(user, standing) => (user, standing),
            Proof::Wrong => return Ok(Outcome::Wrong),
            Proof::Unconfirmed(user) => {
                verification::send_again(app, visitor, *user);
                return Ok(Outcome::Unconfirmed);
            }
            Proof::TooMany(wait) => return Ok(Outcome::TooMany(wait)),
        };
        let first = (&*user, &Methods::password(), Some(id));
        let signed_in = second_factor::go_on(app, visitor, journey.signed_in, first, standing, &trace).await?;
        Ok(signed_in.map_or(Outcome::HalfWay, Outcome::SignedIn))
    };
    let outcome = outcome.await;
    super::settle(app, trace, outcome)
}

/// What a name and a password prove.
pub enum Proof {
    Right(Box<User>, Standing),
    /// It is right, but the address must be confirmed first.
    Unconfirmed(Box<User>),
    Wrong,
    TooMany(Wait),
}

/// What a proof rests on. Whoever goes on with it looks again in the write: a sign-in and a new password at the same moment
/// come one after the other, and the old password opens nothing after the new one is there (case SEC-108).
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    pub(super) person: Uuid,
    token_version: i32,
    password_changed_at: Option<i64>,
}

impl Standing {
    /// Of somebody who proved it in another way than by the password, or has just made the account.
    pub fn of(user: &User) -> Self {
        Standing { person: user.id, token_version: user.token_version, password_changed_at: None }
    }

    /// Of what was proved a while ago, as the sign-in that waits for its second step remembers it.
    pub(super) fn kept(user: Uuid, row: &SignIn) -> Self {
        Standing { person: user, token_version: row.token_version, password_changed_at: row.password_changed_at }
    }

    /// For a sign-in that waits for its second step.
    pub(super) fn keep_in(self, row: SignIn) -> SignIn {
        let Standing { person, token_version, password_changed_at } = self;
        SignIn { user_id: Some(person), token_version, password_changed_at, ..row }
    }

    /// Whether it is so still. Until the write ends nobody changes it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn holds(self, db: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let Some(user) = user::find_locked(db, self.person).await? else { return Ok(false) };
        if !user.is_enabled() || user.token_version != self.token_version {
            return Ok(false);
        }
        let Some(at) = self.password_changed_at else { return Ok(true) };
        Ok(password::find(db, self.person).await?.is_some_and(|row| row.changed_at == at))
    }

    /// What somebody is told who was overtaken.
    pub fn lost() -> Error {
        Code::AccessDenied.because("the account was changed meanwhile; sign in again").under(&rule::LOGIN)
    }
}

/// Checks a name and a password, counts failures, and re-hashes what was hashed too cheaply.
///
/// # Errors
/// When the server is too busy to hash, or the database is away.
pub async fn prove(app: &App, visitor: &Visitor, login: &str, password: &str, trace: &mut Trace) -> Result<Proof> {
    let account = canonical(app, login).unwrap_or_else(|| login.chars().take(64).collect());
    let found = find(app, login).await?;
    let person = found.as_ref().map(|user| user.id);
    let (proof, ended) = judge(app, visitor, (account, found, None), password, trace).await?;
    let (proof, ended) = match proof {
        Proof::Right(user, _) if user.unconfirmed_since.is_some() => {
            trace.refused(&Code::AccessDenied.because("the address is not confirmed").under(&rule::ACCOUNT));
            (Proof::Unconfirmed(user), Some(Tried::Unconfirmed))
        }
        proof => (proof, ended),
    };
    note(app, visitor, person, (Method::Password, ended), trace);
    Ok(proof)
}

/// Whose name or address it is.
///
/// # Errors
/// When the database is away.
pub async fn find(app: &App, login: &str) -> Result<Option<User>> {
    match canonical(app, login) {
        Some(login) => Ok(user::find_by_login(&app.db, &login).await?),
        None => Ok(None),
    }
}

/// Whoever has proved by a mailed link whose account it is does not wait for what others guessed, or for what was
/// forgotten: by none of the names, at this browser and at any.
pub(super) fn forgive(app: &App, visitor: &Visitor, user: &User) {
    let browser = visitor.browser_hash().short();
    // Of numbers only one that signs this person in: another has none but its name here.
    for name in [&user.email, &user.username, &user.phone_key].into_iter().flatten() {
        let name = canonical(app, name).unwrap_or_else(|| name.clone());
        app.throttle.succeeded(&[Key::KnownDevice(name.clone(), browser.clone()), Key::Account(name)]);
    }
}

/// The password of somebody who is signed in already: the same check, the same count.
///
/// # Errors
/// When the server is too busy to hash, or the database is away.
pub async fn prove_again(
    app: &App,
    visitor: &Visitor,
    (user, session): (&User, Option<Uuid>),
    password: &str,
    trace: &mut Trace,
) -> Result<Proof> {
    let account = user.email.clone().or_else(|| user.username.clone()).unwrap_or_else(|| user.sub());
    let (proof, ended) = judge(app, visitor, (account, Some(user.clone()), session), password, trace).await?;
    note(app, visitor, Some(user.id), (Method::PasswordAgain, ended), trace);
    Ok(proof)
}

/// None of a try that is not worth keeping.
fn note(app: &App, visitor: &Visitor, person: Option<Uuid>, (method, ended): (Method, Option<Tried>), trace: &Trace) {
    if let Some(ended) = ended {
        attempt::note(app, trace, &visitor.device, person, (method, ended));
    }
}

/// `session`: that of the person whose password is asked again.
async fn judge(
    app: &App,
    visitor: &Visitor,
    (name, found, session): (String, Option<User>, Option<Uuid>),
    password: &str,
    trace: &mut Trace,
) -> Result<(Proof, Option<Tried>)> {
    let is_known = found.as_ref().is_some_and(|user| visitor.knows(app, user.id));
    let address = Key::Address(visitor.address);
    // Whoever is known is not held up by strangers, not even by those who share the address (K11).
    let (account, address) = match session.map(|id| id.to_string()).or(is_known.then(|| visitor.browser_hash().short()))
    {
        Some(known) => (Key::KnownDevice(name.clone(), known), None),
        None => (Key::Account(name.clone()), Some(address)),
    };
    let keys: Vec<_> = std::iter::once(account.clone()).chain(address).collect();
    trace.user_id = found.as_ref().map(|user| user.id);
    let _turn = app.throttle.turn(&account, app.now()).await.ok_or_else(busy)?;
    if let Some(wait) = app.throttle.wait(&keys, app.now()) {
        let error = wait.refusal();
        event::refused(trace, &error);
        trace.refused(&error);
        let is_kept = app.throttle.is_kept(&[account, Key::Address(visitor.address)], app.now());
        return Ok((Proof::TooMany(wait), is_kept.then_some(Tried::Waits(wait.locked))));
    }
    let verdict = passwords::verify(app, trace.user_id, &name, password).await?;
    if let Some((user, changed_at)) = found.clone().filter(User::is_enabled).zip(verdict) {
        app.throttle.succeeded(&[account]);
        trace.passed(&rule::LOGIN, Some(Shown::word("password")));
        event::happened(trace, Event::Login, if user.unconfirmed_since.is_some() { "unconfirmed" } else { "ok" });
        let standing = Standing { password_changed_at: Some(changed_at), ..Standing::of(&user) };
        return Ok((Proof::Right(Box::new(user), standing), Some(Tried::Well)));
    }
    let is_locked = app.throttle.failed(&keys, app.now());
    trace.refused(&wrong(trace.user_id, verdict.is_some()));
    event::happened(trace, Event::Login, "refused");
    if let Some(user) = found.as_ref().filter(|user| is_locked && user.is_enabled()) {
        attempt::locked(app, trace, &visitor.device, user);
    }
    let ended = match (found, verdict) {
        (None, _) => Tried::NobodyHasTheName,
        (Some(_), None) => Tried::WrongPassword,
        (Some(_), Some(_)) => Tried::Disabled,
    };
    Ok((Proof::Wrong, Some(ended)))
}

/// Too many try for one account at once, as for too many passwords at once.
pub(super) fn busy() -> Error {
    crate::crypto::password::Busy.into()
}

/// The trace may know what the page must not say.
fn wrong(user: Option<Uuid>, verdict: bool) -> Error {
    let (rule, received) = match (user, verdict) {
        (None, _) => (&rule::LOGIN, "a name that nobody has"),
        (Some(_), false) => (&rule::LOGIN, "a wrong password"),
        (Some(_), true) => (&rule::ACCOUNT, "the right password of a disabled account"),
    };
    Code::AccessDenied.because("wrong name or password").under(rule).received(Shown::word(received))
}

/// A name, an address or a number in the one form that decides who is who.
fn canonical(app: &App, login: &str) -> Option<String> {
    text::login(login, app.config.accounts.phone_region.as_deref()).ok()
}

/// A fresh cookie each time somebody proves who they are (case SEC-107). The same person keeps the session's id,
/// which apps know as `sid`; another person ends it, and its apps are told.
///
/// # Errors
/// When the database is away, or what `standing` says is so no longer.
pub async fn start_session(
    app: &App,
    visitor: &Visitor,
    before: Option<(Session, User)>,
    who: (&User, &Methods, Option<Uuid>),
    standing: Standing,
    trace: &Trace,
) -> Result<SignedIn> {
    begin(app, visitor, before, who, (standing, Basis::Nothing, None), trace).await
}

/// The session goes on under a fresh cookie, with what was proved in it since: whoever held the old one does not stay (case
/// SEC-107). The person has not signed in anew by it.
///
/// # Errors
/// When the database is away, or the session has ended meanwhile.
pub async fn renew_session(
    app: &App,
    visitor: &Visitor,
    before: Option<(Session, User)>,
    (user, proved): (&User, &Methods),
    trace: &Trace,
) -> Result<SignedIn> {
    let auth_time = before.as_ref().map_or(app.now(), |(session, _)| session.auth_time);
    let basis = Basis::Session { auth_time };
    begin(app, visitor, before, (user, proved, None), (Standing::of(user), basis, None), trace).await
}

/// What a session builds on.
#[derive(Clone, Copy)]
pub(super) enum Basis {
    /// All of it was proved now.
    Nothing,
    /// It was proved to a provider, at that time.
    Elsewhere { auth_time: i64 },
    /// The session of before, which must be there still.
    Session { auth_time: i64 },
}

/// As [`start_session`]; with `trust`, the browser is trusted from then on.
pub(super) async fn begin(
    app: &App,
    visitor: &Visitor,
    before: Option<(Session, User)>,
    (user, proved, journey): (&User, &Methods, Option<Uuid>),
    (standing, basis, trust): (Standing, Basis, Option<Trusting>),
    trace: &Trace,
) -> Result<SignedIn> {
    let (cookie, now) = (app.secret(), app.now());
    let same = before.as_ref().filter(|(_, who)| who.id == user.id).map(|(session, _)| session.id);
    let other = before.filter(|(_, who)| who.id != user.id).map(|(session, who)| (session.id, who.id));
    let arrival = Arrival::of(app, visitor, user, trace).await?;
    let (ending, of_app, is_new) = (Ending::alone(app), app.clone(), arrival.is_some());
    let trusted_cookie = trust.as_ref().map(Trusting::cookie);
    let fresh = Session {
        id: same.unwrap_or_else(|| app.id()),
        hash: cookie.hash(),
        user_id: user.id,
        auth_time: match basis {
            Basis::Nothing => now,
            Basis::Elsewhere { auth_time } | Basis::Session { auth_time } => auth_time,
        },
        methods: proved.to_string(),
        created_at: now,
        last_used_at: now,
        expires_at: now + app.config.lifetimes.session_absolute.get(),
        user_agent: visitor.device.user_agent.clone(),
        address: Some(visitor.device.address.to_string()),
        kind: session::BROWSER.to_owned(),
    };
    let (federated, until) = (proved.contains(assurance::Method::Federated), fresh.expires_at);
    let ended = write!(app, db => {
        if !standing.holds(db).await? {
            return Ok(None);
        }
        // The provider may have signed the person out while they were on the way.
        if let Some(journey) = journey.filter(|_| federated && !matches!(basis, Basis::Session { .. }))
            && !upstream_session::speaks_for(db, journey).await?
        {
            return Ok(None);
        }
        let mut ended = Ended::default();
        if let Some((session, user)) = other {
            ended = ending.one(db, session, user).await?;
        }
        let was_there = match same {
            Some(same) => session::end(db, same).await?,
            None => false,
        };
        // One that was ended elsewhere does not come back.
        if matches!(basis, Basis::Session { .. }) && !was_there {
            return Ok(None);
        }
        let session = fresh.id;
        session::start(db, fresh).await?;
        if let Some(journey) = journey {
            sign_in::leave(db, journey).await?;
            authorization::signed_in(db, journey, session).await?;
            upstream_session::settle(db, journey, (session, until), federated).await?;
        }
        if same.is_some() {
            upstream_session::prolong(db, session, until).await?;
        }
        if let Some(trust) = trust {
            trust.keep(db).await?;
        }
        if let Some(arrival) = arrival {
            arrival.keep(&of_app, db).await?;
        }
        Ok(Some(ended))
    });
    ended.await?.ok_or_else(Standing::lost)?.tell_soon(app);
    if is_new {
        Arrival::said(app, trace);
    }
    if trusted_cookie.is_some() {
        Trusting::said(trace);
    }
    let state = session_state::of_browser(app, &cookie.hash());
    let known_cookie = visitor.known_cookie(app, user.id);
    Ok(SignedIn { session_cookie: cookie, known_cookie, state, trusted_cookie })
}
