//! Passkeys (WebAuthn): any number for each person, each with a name. One opens the account without a password, since it
//! makes sure of its owner itself, or is the second step after one.

use sea_orm::{ConnectionTrait, DbErr};
use serde_json::Value;
use uuid::Uuid;

use super::{Change, Permit, Place, check_fresh, recovery::Codes, said};
use crate::{
    app::App,
    crypto::{
        passkey::{Asked, Made, Owner, PATIENCE, Passkeys, Wrong},
        secret::{Secret, SecretHash, equal},
    },
    flows::{
        Trouble, Why,
        account::{
            links,
            log::{self, Happened, Line},
            me::Me,
            ways_in::{self, Way},
        },
        event::{self, Event},
        login::Standing,
        mail::FactorChange,
        visitor::Device,
        write, write_one,
    },
    protocol::{
        Code, Error, Result,
        assurance::{Method, Methods},
        rule,
        text::Unfit,
        trace::{Shown, Trace},
    },
    store::{
        self,
        passkey::{self, Passkey},
        recovery_code,
        sign_in::{self, SignIn},
        user::User,
    },
};

/// How many somebody can have.
const MOST: usize = 20;

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// A passkey, for its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: Uuid,
    pub name: String,
    /// A vendor keeps it on all devices of its owner; otherwise it cannot leave the one that it was made on.
    pub synced: bool,
    pub created_at: i64,
    pub last_used_at: Option<i64>,
}

/// Whether browsers know passkeys for this server's address.
pub fn are_offered(app: &App) -> bool {
    app.passkeys.is_some()
}

/// Somebody's, the oldest first.
///
/// # Errors
/// When the database is away.
pub async fn list(db: &impl ConnectionTrait, person: Uuid) -> Result<Vec<Key>, DbErr> {
    let key = |row: Passkey| Key {
        id: row.id,
        name: row.name,
        synced: row.synced,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
    };
    Ok(passkey::all_of(db, person).await?.into_iter().map(key).collect())
}

fn site(app: &App) -> Result<&Passkeys> {
    let none = || Code::InvalidRequest.because("passkeys do not work at this address").under(&rule::SECOND_FACTOR);
    app.passkeys.as_ref().ok_or_else(none)
}

fn records(rows: &[Passkey]) -> Vec<String> {
    rows.iter().map(|row| row.record.clone()).collect()
}

/// What an authenticator is asked for a new passkey of this person.
///
/// # Errors
/// When the database is away.
pub(in crate::flows) async fn ask_new(app: &App, user: &User) -> Result<Asked> {
    let rows = passkey::all_of(&app.db, user.id).await?;
    let sub = user.sub();
    let login = user.email.as_deref().or(user.username.as_deref()).unwrap_or(&sub);
    let owner = Owner { id: user.id, login, name: user.claims.name.as_deref().unwrap_or(login) };
    site(app)?.ask_new(owner, &records(&rows)).map_err(Error::internal)
}

/// What an authenticator is asked for one of this person's passkeys; none where there are none.
///
/// # Errors
/// When the database is away.
pub(in crate::flows) async fn ask(app: &App, user: &User) -> Result<Option<Asked>> {
    let rows = passkey::all_of(&app.db, user.id).await?;
    match (&app.passkeys, rows.is_empty()) {
        (Some(site), false) => Ok(Some(site.ask(&records(&rows)).map_err(Error::internal)?)),
        _ => Ok(None),
    }
}

/// What an authenticator is asked for a passkey of whomever; none where browsers know none.
///
/// # Errors
/// When the library refuses.
pub(in crate::flows) fn ask_anybody(app: &App) -> Result<Option<Asked>> {
    app.passkeys.as_ref().map(Passkeys::ask_anybody).transpose().map_err(Error::internal)
}

/// What a passkey proves.
fn methods(made: &Made) -> Methods {
    let kind = if made.synced { Method::SyncedPasskey } else { Method::DevicePasskey };
    Methods::of([Some(kind), made.verified.then_some(Method::UserVerified)].into_iter().flatten())
}

/// How an answer of a passkey is judged.
pub(in crate::flows) enum Checked {
    /// What it proves.
    Right(Methods),
    Wrong,
    /// It was answered before, by the same answer sent twice say, or was never asked.
    Over,
}

/// Whether one of the person's passkeys answers what was asked in `row`. It is answered by this, however it ends (case
/// SEC-134).
///
/// # Errors
/// When the database is away.
pub(in crate::flows) async fn check(
    app: &App,
    (user, device): (&User, &Device),
    row: &SignIn,
    answer: &str,
    trace: &mut Trace,
) -> Result<Checked> {
    let rows = passkey::all_of(&app.db, user.id).await?;
    let Some(state) = take(app, row).await? else {
        refused(trace, "an answer to a challenge that is over");
        return Ok(Checked::Over);
    };
    match site(app)?.check(&state, answer, &records(&rows)) {
        Ok(made) => {
            let credential = hash(&made);
            let seen = rows.into_iter().find(|row| row.credential == credential);
            let Some(seen) = seen else { return Ok(Checked::Wrong) };
            let (record, synced, now) = (made.record.clone(), made.synced, app.now());
            let used = write_one!(app, db => passkey::used(db, &seen, record, synced, now)).await?;
            if !used {
                refused(trace, "a passkey that was used or removed at the same moment");
            }
            Ok(if used { Checked::Right(methods(&made)) } else { Checked::Wrong })
        }
        Err(Wrong::Broken(cause)) => Err(Error::internal(Wrong::Broken(cause))),
        Err(wrong) => {
            refused(trace, if let Wrong::Refused(words) = wrong { words } else { "a counter that has gone back" });
            if wrong == Wrong::Copied {
                copied(app, trace, user, device).await?;
            }
            Ok(Checked::Wrong)
        }
    }
}

/// One passkey may be two (WebAuthn §6.1.1): alerts hear of it, and its person sees it.
async fn copied(app: &App, trace: &Trace, user: &User, device: &Device) -> Result<()> {
    let line = Line::new(app, trace, user.id, Happened::PasskeyCopied, device);
    write!(app, db => line.insert(db).await).await?;
    event::happened(trace, Event::CopiedPasskey, "refused");
    log::said(trace, Happened::PasskeyCopied);
    Ok(())
}

/// For whoever asks why; its person hears that it was refused.
fn refused(trace: &mut Trace, words: &'static str) {
    let error = Code::AccessDenied.because("the passkey was refused").under(&rule::SECOND_FACTOR);
    trace.refused(&error.received(Shown::word(words)));
}

/// What was asked, for the one caller who has the answer judged.
async fn take(app: &App, row: &SignIn) -> Result<Option<String>> {
    let (seen, state) = (row.clone(), row.challenge.clone());
    let taken = write_one!(app, db => sign_in::take_challenge(db, &seen)).await?;
    Ok(state.filter(|_| taken))
}

/// As the index of credentials has it.
fn hash(made: &Made) -> SecretHash {
    SecretHash(made.digest.to_vec())
}

/// How the making of a passkey ended.
pub enum Kept {
    /// What it proves, and the recovery codes that came with it, unless the person had some.
    Well(Methods, Option<Codes>),
    Refused,
    /// What was asked is over, or was answered already.
    Over,
    /// There are too many.
    Full,
}

/// Whose passkey, made at which device; and what it is called.
pub struct Making<'a> {
    pub user: &'a User,
    /// What lets them.
    pub permit: Permit,
    pub device: &'a Device,
    /// Empty: after the device.
    pub name: &'a str,
}

/// A passkey that was asked for in `row`, from now on.
///
/// # Errors
/// When the database is away, or such a passkey is there already.
pub(in crate::flows) async fn keep(
    app: &App,
    making: Making<'_>,
    row: &SignIn,
    answer: &str,
    trace: &mut Trace,
) -> Result<Kept, Trouble> {
    let Making { user, permit, device, name } = making;
    let name = named(name, device)?;
    let Some(state) = take(app, row).await? else { return Ok(Kept::Over) };
    let made = match site(app)?.take_new(&state, answer) {
        Ok(made) => made,
        Err(Wrong::Broken(cause)) => return Err(Error::internal(Wrong::Broken(cause)).into()),
        Err(wrong) => {
            refused(trace, if let Wrong::Refused(words) = wrong { words } else { "an answer that does not hold" });
            return Ok(Kept::Refused);
        }
    };
    let codes = Codes::draw(app);
    let (hashes, now, id, half_way) = (codes.hashes(app, user.id), app.now(), user.id, row.id);
    let change = Change::new(app, trace, user, device, Happened::PasskeyAdded, FactorChange::PasskeyAdded);
    let fresh = Passkey {
        id: app.id(),
        user_id: user.id,
        credential: hash(&made),
        record: made.record.clone(),
        name,
        synced: made.synced,
        created_at: now,
        last_used_at: None,
    };
    let kept = write!(app, db => {
        if !permit.holds(db).await? || !sign_in::finish(db, half_way).await? {
            return Ok(Done::Over);
        }
        // The person is locked: of many that are made at once none is one too many.
        if passkey::all_of(db, id).await?.len() >= MOST {
            return Ok(Done::Full);
        }
        passkey::insert(db, fresh).await?;
        let has_codes = recovery_code::left(db, id).await? > 0;
        if !has_codes {
            recovery_code::replace(db, id, hashes, now).await?;
        }
        change.write(db).await?;
        Ok(Done::Kept { has_codes })
    });
    match kept.await {
        Ok(Done::Kept { has_codes }) => {
            said(app, trace, Happened::PasskeyAdded);
            Ok(Kept::Well(methods(&made), (!has_codes).then_some(codes)))
        }
        Ok(Done::Over) => Ok(Kept::Over),
        Ok(Done::Full) => Ok(Kept::Full),
        // Somebody's, of this account or another (WebAuthn §7.1, case SEC-135).
        Err(error) if store::is_duplicate(&error) => {
            refused(trace, "a passkey that is there already");
            Ok(Kept::Refused)
        }
        Err(error) => Err(error.into()),
    }
}

/// How the write ended.
enum Done {
    Kept { has_codes: bool },
    Over,
    Full,
}

fn named(given: &str, device: &Device) -> Result<String, Trouble> {
    let given = given.trim();
    if given.chars().count() > LONGEST_NAME {
        return Err(Trouble::field("name", Unfit::TooLong(LONGEST_NAME)));
    }
    if given.chars().any(char::is_control) {
        return Err(Trouble::field("name", Unfit::Invisible));
    }
    Ok(match given {
        "" => device.name().unwrap_or_else(|| "Passkey".to_owned()),
        given => given.to_owned(),
    })
}

/// What somebody who is signed in asks an authenticator for.
pub struct Begun {
    /// Goes with the answer.
    pub ticket: Secret,
    /// The `publicKey` of `navigator.credentials.create()`, with bytes in base64url.
    pub options: Value,
}

/// # Errors
/// `insufficient_user_authentication`, that passkeys do not work here, or that there are too many.
pub async fn begin_for(app: &App, me: &Me) -> Result<Begun, Trouble> {
    let trace = me.trace(app);
    let begun = begin_traced(app, me).await;
    links::settle(app, trace, begun)
}

async fn begin_traced(app: &App, me: &Me) -> Result<Begun, Trouble> {
    check_fresh(app, me).await?;
    if !are_offered(app) {
        return Err(super::nothing_there());
    }
    if passkey::all_of(&app.db, me.user.id).await?.len() >= MOST {
        return Err(full());
    }
    let Asked { options, state } = ask_new(app, &me.user).await?;
    let (ticket, now) = (app.secret(), app.now());
    let row = SignIn {
        id: app.ordered_id(),
        ticket_hash: Some(ticket.hash()),
        journey_id: None,
        browser_hash: Place::of(app, me).0,
        user_id: Some(me.user.id),
        methods: String::new(),
        token_version: me.user.token_version,
        password_changed_at: None,
        tries: 0,
        challenge: Some(state),
        code_hash: None,
        code_expires_at: None,
        created_at: now,
        expires_at: now + PATIENCE,
    };
    let permit = Permit::of(me);
    let kept = write!(app, db => {
        if !permit.holds(db).await? {
            return Ok(false);
        }
        // What was asked before in this session is asked no more.
        sign_in::replace_at(db, row).await?;
        Ok(true)
    });
    if !kept.await? {
        return Err(Standing::lost().into());
    }
    Ok(Begun { ticket, options })
}

fn full() -> Trouble {
    Trouble::Conflict(format!("there are {MOST} passkeys already; remove one first"))
}

/// The passkey that was asked for. What it proves counts in this session.
///
/// # Errors
/// `insufficient_user_authentication`, what is wrong with `name` or `credential`, or that it took too long.
pub async fn add_for(
    app: &App,
    me: &Me,
    ticket: &str,
    (answer, name): (&str, &str),
) -> Result<(Methods, Option<Codes>), Trouble> {
    let mut trace = me.trace(app);
    let added = async {
        check_fresh(app, me).await?;
        let row = sign_in::of_ticket(&app.db, &Secret::presented(ticket).hash(), app.now()).await?;
        let row =
            row.filter(|row| row.user_id == Some(me.user.id) && equal(&row.browser_hash.0, &Place::of(app, me).0.0));
        let row = row.ok_or_else(|| Trouble::NotFound("passkey that was asked for"))?;
        let making = Making { user: &me.user, permit: Permit::of(me), device: &me.device, name };
        match keep(app, making, &row, answer, &mut trace).await? {
            Kept::Well(methods, codes) => Ok((methods, codes)),
            Kept::Refused => Err(Trouble::field("credential", Why::Wrong)),
            Kept::Over => Err(Trouble::NotFound("passkey that was asked for")),
            Kept::Full => Err(full()),
        }
    };
    let added = added.await;
    links::settle(app, trace, added)
}

/// # Errors
/// What is wrong with `name`, or that there is no such passkey.
pub async fn rename(app: &App, me: &Me, id: Uuid, name: &str) -> Result<(), Trouble> {
    let (person, name) = (me.user.id, named(name, &me.device)?);
    match write_one!(app, db => passkey::rename(db, person, id, &name)).await? {
        true => Ok(()),
        false => Err(Trouble::NotFound("passkey")),
    }
}

/// It opens nothing any more; with the last factor the recovery codes go too.
///
/// # Errors
/// `insufficient_user_authentication`, that there is no such passkey, or that nothing else would open the account (case
/// SEC-135).
pub async fn remove(app: &App, me: &Me, id: Uuid) -> Result<(), Trouble> {
    let trace = me.trace(app);
    let removed = remove_traced(app, me, id, &trace).await;
    links::settle(app, trace, removed)
}

async fn remove_traced(app: &App, me: &Me, id: Uuid, trace: &Trace) -> Result<(), Trouble> {
    let change = Change::new(app, trace, &me.user, &me.device, Happened::PasskeyRemoved, FactorChange::PasskeyRemoved);
    ways_in::close(app, me, Way::Passkey(id), change).await?;
    said(app, trace, Happened::PasskeyRemoved);
    Ok(())
}
