//! Links that are mailed to people (decision D8): 256 random bits, kept as a hash, single use. Looking at one spends
//! nothing, since mail programs look at every link (case SEC-121).

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::me::Me;
use crate::{
    app::{App, throttle::Key},
    crypto::secret::{Secret, SecretHash},
    flows::{
        Trouble, Why,
        login::{self, Proof},
        mail::{self, Letter, Outgoing},
        passwords,
        visitor::Visitor,
        write,
    },
    protocol::{
        Code, Error, rule,
        trace::{Kind, Trace},
    },
    store::{
        self,
        mail_link::{self, MailLink},
        user::{self, User},
    },
};

pub use crate::store::mail_link::LinkKind;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How many links of a kind a person gets in an hour (case SEC-122).
const MOST_AN_HOUR: u64 = 5;

/// A link that was just made: the row for the write, the address for the mail.
pub struct Fresh {
    pub row: MailLink,
    pub address: String,
}

/// `email`: the address that the link is about.
pub fn fresh(app: &App, user: Uuid, kind: LinkKind, email: Option<&str>) -> Fresh {
    let token = app.secret();
    let row = row(app, user, (kind, token.hash()), email);
    Fresh { row, address: app.url(&format!("{}?token={}", path(kind), token.reveal())) }
}

/// The row of a link from now on.
pub fn row(app: &App, user: Uuid, (kind, hash): (LinkKind, SecretHash), email: Option<&str>) -> MailLink {
    let now = app.now();
    MailLink {
        hash,
        user_id: user,
        kind: kind.as_str().to_owned(),
        email: email.map(str::to_owned),
        place: None,
        known: false,
        created_at: now,
        expires_at: now + life(app, kind),
        used_at: None,
    }
}

/// The same in whole hours, for what mails say of it.
pub fn hours(app: &App, kind: LinkKind) -> u32 {
    u32::try_from(life(app, kind) / HOUR).unwrap_or(u32::MAX).max(1)
}

/// The same in whole minutes.
pub fn minutes(app: &App, kind: LinkKind) -> u32 {
    u32::try_from(life(app, kind) / MINUTE).unwrap_or(u32::MAX).max(1)
}

/// How long a link of that kind works, in seconds.
pub fn life(app: &App, kind: LinkKind) -> i64 {
    match kind {
        LinkKind::Verify | LinkKind::ChangeEmail => app.config.lifetimes.verification_link.get(),
        LinkKind::Reset => app.config.lifetimes.reset_link.get(),
        // Whoever took an account over must not only have to wait for the weekend.
        LinkKind::KeepEmail => 7 * DAY,
        LinkKind::KeepAccount => app.config.accounts.deletion_grace.get().max(MINUTE),
        LinkKind::SignIn => 10 * MINUTE,
    }
}

/// Where each kind of link leads.
pub const fn path(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Verify => "/account/verify",
        LinkKind::Reset => "/account/reset",
        LinkKind::ChangeEmail => "/account/email/confirm",
        LinkKind::KeepEmail => "/account/email/keep",
        LinkKind::KeepAccount => "/account/keep",
        LinkKind::SignIn => "/account/link",
    }
}

/// A link that works, and its person.
pub struct Open {
    pub link: MailLink,
    pub user: User,
}

/// The link that somebody holds. Spends nothing.
///
/// # Errors
/// One sentence for every link that does not work (case SEC-119), or 429 for who tries many: a link that works does so
/// whatever others at the same address have tried.
pub async fn open(app: &App, visitor: &Visitor, kind: LinkKind, token: &str) -> Result<Open, Trouble> {
    let link = mail_link::find_open(&app.db, &Secret::presented(token).hash(), kind, app.now()).await?;
    let user = match &link {
        Some(link) => user::find(&app.db, link.user_id).await?,
        None => None,
    };
    match link.zip(user) {
        Some((link, user)) => Ok(Open { link, user }),
        None => Err(Trouble::Broken(missed(app, visitor))),
    }
}

/// Somebody has a link that does not work: counted, and 429 for who tries many.
pub fn missed(app: &App, visitor: &Visitor) -> Error {
    let keys = [Key::Link(visitor.address)];
    if let Err(waits) = app.throttle.check(&keys, app.now()) {
        return waits;
    }
    app.throttle.failed(&keys, app.now());
    dead()
}

/// What the page of a link about an address shows.
pub struct Asked {
    pub email: String,
    /// Nobody, or somebody else, is signed in at this browser.
    pub needs_password: bool,
    /// But there is none: the person signs in first.
    pub has_none: bool,
}

/// # Errors
/// When the link does not work.
pub async fn look(app: &App, visitor: &Visitor, kind: LinkKind, token: &str) -> Result<Asked, Trouble> {
    let trace = trace(app, visitor, None);
    let looked = async {
        let open = open(app, visitor, kind, token).await?;
        let needs_password = !is_at(app, visitor, &open.user).await?;
        let has_none = needs_password && !passwords::has(app, open.user.id).await?;
        Ok(Asked { email: open.link.email.unwrap_or_default(), needs_password, has_none })
    };
    let looked = looked.await;
    settle(app, trace, looked)
}

/// True when the person of the link is signed in at this browser; else the password proves who opened it.
///
/// # Errors
/// A problem with the field `password`, or 429.
pub async fn prove(
    app: &App,
    visitor: &Visitor,
    user: &User,
    given: Option<&str>,
    trace: &mut Trace,
) -> Result<bool, Trouble> {
    if is_at(app, visitor, user).await? {
        return Ok(true);
    }
    let given = given.filter(|given| !given.is_empty()).ok_or_else(|| Trouble::field("password", Why::Missing))?;
    match login::prove_again(app, visitor, (user, None), given, trace).await? {
        Proof::TooMany(wait) => Err(Trouble::Broken(wait.refusal())),
        Proof::Wrong => Err(Trouble::field("password", Why::Wrong)),
        _ => Ok(false),
    }
}

async fn is_at(app: &App, visitor: &Visitor, user: &User) -> Result<bool, Trouble> {
    Ok(Me::at(app, visitor).await?.is_some_and(|me| me.user.id == user.id))
}

/// What is said of every link that does not work.
pub fn dead() -> Error {
    Code::AccessDenied.because("this link was used or has expired, or there is a newer one").under(&rule::MAIL_LINK)
}

/// Whether another link of this kind may be mailed to the person now (case SEC-122). The person's row is locked: of many who
/// ask at once each waits for the write before, so that together they get no more.
///
/// # Errors
/// When the database is away.
pub async fn has_room(db: &impl ConnectionTrait, person: Uuid, kind: LinkKind, now: i64) -> Result<bool, DbErr> {
    has_room_at(db, person, (kind, false), now).await
}

/// The same; `known`: for who has signed in to the account there before, whom strangers leave no less (K11).
async fn has_room_at(db: &impl ConnectionTrait, person: Uuid, link: (LinkKind, bool), now: i64) -> Result<bool, DbErr> {
    Ok(mail_link::made_since(db, person, link, now - HOUR).await? < MOST_AN_HOUR)
}

/// The same for a letter without a link of its own.
///
/// # Errors
/// When the database is away.
pub async fn has_room_for(db: &impl ConnectionTrait, person: Uuid, letter: &Letter, now: i64) -> Result<bool, DbErr> {
    Ok(store::mail::queued_since(db, person, letter.name(), now - HOUR).await? < MOST_AN_HOUR)
}

/// Mails a fresh link to the person's address, which makes older ones of its kind worthless; none to who has had many.
///
/// # Errors
/// When the database is away.
pub async fn mail(
    app: &App,
    user: &User,
    kind: LinkKind,
    letter: impl FnOnce(String) -> Letter,
) -> Result<(), Trouble> {
    let Some(email) = user.email.clone() else { return Ok(()) };
    let Fresh { row, address } = fresh(app, user.id, kind, Some(&email));
    mail_one(app, user, (kind, row), letter(address)).await
}

/// The same with a link that is made already.
///
/// # Errors
/// When the database is away.
pub async fn mail_one(
    app: &App,
    user: &User,
    (kind, row): (LinkKind, MailLink),
    letter: Letter,
) -> Result<(), Trouble> {
    let Some(to) = user.email.clone() else { return Ok(()) };
    let letter = Outgoing { to, locale: user.locale.clone(), user_id: Some(user.id), letter };
    let (of_app, id, now) = (app.clone(), user.id, app.now());
    write!(app, db => {
        // Of an address that was replaced a moment ago nobody gets a link.
        let current = user::find_locked(db, id).await?;
        let is_theirs = current.is_some_and(|user| user.email.as_ref() == Some(&letter.to));
        if !is_theirs || !has_room_at(db, id, (kind, row.known), now).await? {
            return Ok(());
        }
        mail_link::replace(db, row).await?;
        mail::queue(&of_app, db, letter).await
    })
    .await?;
    mail::send_soon(app);
    Ok(())
}

/// People who are being looked up at once, to be mailed a link; who asks beyond that asks again.
static ROOM: Semaphore = Semaphore::const_new(64);

/// Looks up whose account is meant, and has `send` write to them: after the answer, so that its time tells nothing of
/// whether there is one (K10).
///
/// # Errors
/// 429 for who asks too often, whomever for.
pub fn write_later<F>(
    app: &App,
    visitor: &Visitor,
    login: &str,
    send: impl FnOnce(App, User) -> F + Send + 'static,
) -> Result<(), Trouble>
where
    F: Future<Output = Result<(), Trouble>> + Send,
{
    count(app, visitor)?;
    let Ok(room) = ROOM.try_acquire() else { return Ok(()) };
    let (app, login, mut trace) = (app.clone(), login.to_owned(), trace(app, visitor, None));
    tokio::spawn(async move {
        let sent = async {
            let user = login::find(&app, &login).await?;
            trace.user_id = user.as_ref().map(|user| user.id);
            app.record(trace);
            match user.filter(User::is_enabled) {
                Some(user) => send(app.clone(), user).await,
                None => Ok(()),
            }
        };
        if let Err(error) = sent.await {
            tracing::error!(%error, "a link that somebody asked for could not be mailed");
        }
        drop(room);
    });
    Ok(())
}

/// Whoever makes this server send mail is counted, whether or not one is sent (case SEC-122).
///
/// # Errors
/// 429.
pub fn count(app: &App, visitor: &Visitor) -> Result<(), Error> {
    let keys = [Key::Mails(visitor.address)];
    app.throttle.check(&keys, app.now())?;
    app.throttle.failed(&keys, app.now());
    Ok(())
}

/// How long an answer takes that must not tell whether there is an account: longer than the writes of either case.
const STEADY: Duration = Duration::from_millis(50);

/// Work whose time would tell which of two things was done (K10).
pub async fn steadily<T>(work: impl Future<Output = T>) -> T {
    tokio::join!(work, tokio::time::sleep(STEADY)).0
}

/// A run about an account.
pub fn trace(app: &App, visitor: &Visitor, person: Option<Uuid>) -> Trace {
    Trace { user_id: person, ..app.trace(Kind::Account).from(visitor.address) }
}

/// A run of somebody who is signed in.
pub fn trace_of(app: &App, visitor: &Visitor, me: &Me) -> Trace {
    trace(app, visitor, Some(me.user.id))
}

/// Ends a run about an account: a refusal by a rule is found under its trace.
pub fn settle<T>(app: &App, mut trace: Trace, mut result: Result<T, Trouble>) -> Result<T, Trouble> {
    if let Err(Trouble::Broken(error)) = &mut result {
        crate::flows::event::refused(&trace, error);
        trace.refused(error);
        error.trace_id = Some(trace.id.clone());
    }
    app.record(trace);
    result
}
