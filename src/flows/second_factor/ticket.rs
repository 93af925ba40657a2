//! The second step of a program that takes a password itself: it has no cookie, and gets a ticket for its second call.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Given, Judged, judge, keep, row};
use crate::{
    app::{App, throttle::Wait},
    crypto::{
        passkey::Asked as Challenge,
        secret::{Secret, SecretHash, equal},
    },
    flows::{
        Refused,
        event::{self, Event},
        factors::{self, mailed, passkey},
        login::Standing,
        settle,
        visitor::Visitor,
        write, write_one,
    },
    protocol::{
        Code, Error, Result,
        assurance::Methods,
        rule,
        trace::{Kind, Trace},
    },
    store::{
        self,
        sign_in::{self, SignIn},
        user::{self, User},
    },
};

/// The same for a program that has a ticket.
///
/// # Errors
/// 429 for who asks too often, or when the database is away.
pub async fn mail_code_for_ticket(app: &App, visitor: &Visitor, ticket: &str) -> Result<bool, Refused> {
    let trace = app.trace(Kind::Login).from(visitor.address);
    let mailed = async {
        let Some(row) = of_ticket(app, visitor, ticket).await? else { return Ok(false) };
        match whose(app, &row).await?.filter(|user| mailed::hint(app, user, &row.proved()).is_some()) {
            Some(user) => mailed::send(app, visitor, &user, &row).await,
            None => Ok(false),
        }
    };
    let mailed = mailed.await;
    settle(app, trace, mailed)
}

/// What a program gets for its second call.
pub struct Ticket {
    pub secret: Secret,
    /// What the person can prove with.
    pub factors: Vec<&'static str>,
}

/// Seconds that a ticket is good for.
const TICKET: i64 = 300;

/// What an authenticator is asked for by a program that has a ticket: none where the ticket is not known, or where there is
/// no passkey.
///
/// # Errors
/// When the database is away.
pub async fn ask_with_ticket(app: &App, visitor: &Visitor, ticket: &str) -> Result<Option<Value>, Refused> {
    let trace = app.trace(Kind::Login).from(visitor.address);
    let asked = async {
        let Some(row) = of_ticket(app, visitor, ticket).await? else { return Ok(None) };
        let Some(user) = whose(app, &row).await? else { return Ok(None) };
        let Some(Challenge { options, state }) = passkey::ask(app, &user).await? else { return Ok(None) };
        write_one!(app, db => sign_in::set_challenge(db, row.id, state)).await?;
        Ok(Some(options))
    };
    let asked = asked.await;
    settle(app, trace, asked)
}

/// The half-way sign-in of a ticket that this program was given.
async fn of_ticket(app: &App, visitor: &Visitor, ticket: &str) -> Result<Option<SignIn>> {
    let row = sign_in::of_ticket(&app.db, &Secret::presented(ticket).hash(), app.now()).await?;
    // One that proves nothing is for something else.
    let is_theirs =
        |row: &SignIn| row.proved() != Methods::default() && equal(&row.browser_hash.0, &caller(app, visitor).0);
    Ok(row.filter(is_theirs))
}

/// Whose sign-in it is, unless the account was closed meanwhile.
async fn whose(app: &App, row: &SignIn) -> Result<Option<User>> {
    match row.user_id {
        Some(id) => Ok(user::find(&app.db, id).await?.filter(User::is_enabled)),
        None => Ok(None),
    }
}

/// What a program asks an authenticator for, before anybody is known; with the ticket for the answer.
///
/// # Errors
/// When the database is away.
pub async fn ask_for_program(app: &App, visitor: &Visitor) -> Result<Option<(Secret, Value)>, Refused> {
    let trace = app.trace(Kind::Login).from(visitor.address);
    let asked = async {
        let Some(Challenge { options, state }) = passkey::ask_anybody(app)? else { return Ok(None) };
        // Anybody can ask, as often as they like: what was asked is kept by whoever asks, sealed for them.
        let question = Question { state, until: app.now() + TICKET };
        let plain = serde_json::to_vec(&question).map_err(Error::internal)?;
        let sealed = app.master_key.seal(&question_context(app, visitor), &plain, app.random.bytes());
        Ok(Some((Secret::presented(&URL_SAFE_NO_PAD.encode(sealed)), options)))
    };
    let asked = asked.await;
    settle(app, trace, asked)
}

/// What was asked of a passkey by a program.
#[derive(Serialize, Deserialize)]
struct Question {
    state: String,
    until: i64,
}

fn question_context(app: &App, visitor: &Visitor) -> String {
    format!("passkey question/{}", URL_SAFE_NO_PAD.encode(caller(app, visitor).0))
}

/// What was asked of anybody by this program: for the first who answers it, of all servers.
///
/// # Errors
/// When the database is away.
pub(in crate::flows) async fn asked_by_program(app: &App, visitor: &Visitor, ticket: &str) -> Result<Option<SignIn>> {
    let sealed = URL_SAFE_NO_PAD.decode(ticket).unwrap_or_default();
    let question = app.master_key.open(&question_context(app, visitor), &sealed).ok();
    let question = question.and_then(|plain| serde_json::from_slice::<Question>(&plain).ok());
    let Some(Question { state, until }) = question.filter(|question| question.until > app.now()) else {
        return Ok(None);
    };
    let row = SignIn {
        ticket_hash: Some(Secret::presented(ticket).hash()),
        browser_hash: caller(app, visitor),
        challenge: Some(state),
        expires_at: until,
        ..row(app, visitor, None, &Methods::default())
    };
    let fresh = row.clone();
    match write!(app, db => sign_in::replace(db, fresh).await).await {
        Ok(()) => Ok(Some(row)),
        Err(error) if store::is_duplicate(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// After the first proof of a program. None for whom has nothing to prove with yet.
///
/// # Errors
/// When the database is away.
pub async fn ticket(
    app: &App,
    visitor: &Visitor,
    (user, proved): (&User, &Methods),
    standing: Standing,
) -> Result<Option<Ticket>> {
    let have = factors::of(app, user.id).await?;
    let by_mail = mailed::hint(app, user, proved).is_some();
    if !have.any() && !by_mail {
        return Ok(None);
    }
    let (secret, now) = (app.secret(), app.now());
    let new = SignIn {
        ticket_hash: Some(secret.hash()),
        browser_hash: caller(app, visitor),
        expires_at: now + TICKET,
        ..row(app, visitor, None, proved)
    };
    keep(app, new, standing).await?;
    let factors = [
        have.totp_since.map(|_| "totp"),
        (!have.passkeys.is_empty()).then_some("passkey"),
        (have.codes_left > 0).then_some("recovery_code"),
        by_mail.then_some("mail_code"),
    ];
    Ok(Some(Ticket { secret, factors: factors.into_iter().flatten().collect() }))
}

/// A program has no cookie, so its ticket is worth something only whence it came.
pub(in crate::flows) fn caller(app: &App, visitor: &Visitor) -> SecretHash {
    let (address, program) = (visitor.address.to_string(), visitor.device.user_agent.as_deref().unwrap_or_default());
    SecretHash(app.macs.codes.tag(&[b"caller", address.as_bytes(), program.as_bytes()]).to_vec())
}

/// How the second call of a program ended.
pub enum Redeemed {
    Right(Box<User>, Standing, Methods),
    Wrong,
    Over,
    TooMany(Wait),
}

/// # Errors
/// When the database is away.
pub async fn redeem(
    app: &App,
    visitor: &Visitor,
    ticket: &str,
    given: Given<'_>,
    trace: &mut Trace,
) -> Result<Redeemed> {
    let row = of_ticket(app, visitor, ticket).await?;
    let Some(row) = row.filter(|row| row.user_id.is_some()) else {
        let error = Code::AccessDenied.because("the ticket is not known here").under(&rule::SECOND_FACTOR);
        trace.refused(&error);
        return Ok(Redeemed::Over);
    };
    let Some(user) = whose(app, &row).await? else { return Ok(Redeemed::Over) };
    trace.user_id = Some(user.id);
    Ok(match judge(app, visitor, &user, &row, given, trace).await? {
        Judged::Right(methods, _) => {
            event::happened(trace, Event::SecondFactor, "ok");
            let (standing, proved) = (Standing::kept(user.id, &row), row.proved().and(&methods));
            Redeemed::Right(Box::new(user), standing, proved)
        }
        Judged::Wrong => Redeemed::Wrong,
        Judged::Over => Redeemed::Over,
        Judged::TooMany(wait) => Redeemed::TooMany(wait),
    })
}
