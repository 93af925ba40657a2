//! The second step of a sign-in. Whoever has given the first proof and owes another is not signed in (case SEC-130): a row
//! of the journey and the browser remembers what was proved, and the second proof makes it a session.

mod judge;
mod ticket;

use serde_json::Value;
use uuid::Uuid;

use self::judge::{Judged, finish, judge};
pub(super) use self::ticket::{asked_by_program, caller};
pub use self::{
    judge::Given,
    ticket::{Redeemed, Ticket, ask_for_program, ask_with_ticket, mail_code_for_ticket, redeem, ticket},
};
use super::{
    Refused,
    authorize::{self, Journey},
    event::{self, Event},
    factors::{
        self, Have, Place, mailed, passkey,
        recovery::Codes,
        totp::{self, Begun},
        trusted,
    },
    login::{self, Basis, SignedIn, Standing},
    no_journey,
    visitor::Visitor,
    write, write_one,
};
use crate::{
    app::{App, throttle::Wait},
    crypto::passkey::Asked as Challenge,
    protocol::{
        Code, Result,
        assurance::{Level, Method, Methods},
        rule,
        step::Step,
        trace::{Kind, Trace},
    },
    store::{
        self,
        session::Session,
        sign_in::{self, SignIn},
        upstream_identity,
        user::{self, User},
    },
};

/// Seconds in which the second proof must follow the first: an authenticator app can be installed in them.
pub(super) const LIFE: i64 = 900;

/// Whether one factor is not enough for this person, whatever the app.
///
/// # Errors
/// When the database is away.
pub async fn is_needed(app: &App, user: &User) -> Result<bool> {
    Ok(factors::are_required(app, user) || factors::has_any(&app.db, user.id).await?)
}

/// What programs are told that cannot take a second step.
pub fn needed() -> crate::protocol::Error {
    Code::InvalidGrant.because("a second factor is needed; sign in at the login page").under(&rule::SECOND_FACTOR)
}

/// After the first proof. None where another is needed: then the person is half-way in the journey, if there is one.
///
/// # Errors
/// When the database is away.
pub async fn go_on(
    app: &App,
    visitor: &Visitor,
    before: Option<(Session, User)>,
    (user, proved, journey): (&User, &Methods, Option<Uuid>),
    standing: Standing,
    trace: &Trace,
) -> Result<Option<SignedIn>> {
    go_on_from(app, visitor, before, (user, proved, journey), (standing, Basis::Nothing), trace).await
}

/// As [`go_on`], with what the first proof builds on.
pub(super) async fn go_on_from(
    app: &App,
    visitor: &Visitor,
    before: Option<(Session, User)>,
    (user, proved, journey): (&User, &Methods, Option<Uuid>),
    (standing, basis): (Standing, Basis),
    trace: &Trace,
) -> Result<Option<SignedIn>> {
    if proved.is_two_steps() || !is_needed(app, user).await? {
        let who = (user, proved, journey);
        return Ok(Some(login::begin(app, visitor, before, who, (standing, basis, None), trace).await?));
    }
    // Trust stands in for the second step after the password, and for nothing else (case SEC-133); nor for who is about to
    // connect a provider, which changes who can get in (case SEC-140).
    let connects = match journey {
        Some(journey) => upstream_identity::of_journey(&app.db, journey, app.now()).await?.is_some(),
        None => false,
    };
    if proved.contains(Method::Password) && !connects && trusted::is_trusted(app, visitor, user.id).await? {
        let proved = proved.and(&Methods::of([Method::TrustedDevice]));
        let who = (user, &proved, journey);
        return Ok(Some(login::start_session(app, visitor, before, who, standing, trace).await?));
    }
    let Some(journey) = journey else { return Ok(None) };
    keep(app, row(app, visitor, Some(journey), proved), standing).await?;
    Ok(None)
}

/// Unless what it rests on is so no longer.
async fn keep(app: &App, row: SignIn, standing: Standing) -> Result<()> {
    let row = standing.keep_in(row);
    let kept = write!(app, db => {
        if !standing.holds(db).await? {
            return Ok(false);
        }
        sign_in::replace(db, row).await?;
        Ok(true)
    });
    if kept.await? { Ok(()) } else { Err(Standing::lost()) }
}

fn row(app: &App, visitor: &Visitor, journey: Option<Uuid>, proved: &Methods) -> SignIn {
    let now = app.now();
    SignIn {
        id: app.ordered_id(),
        ticket_hash: None,
        journey_id: journey,
        browser_hash: visitor.browser_hash(),
        user_id: None,
        methods: proved.to_string(),
        token_version: 0,
        password_changed_at: None,
        tries: 0,
        challenge: None,
        code_hash: None,
        code_expires_at: None,
        created_at: now,
        expires_at: now + LIFE,
    }
}

/// What the page shows.
pub struct Asked {
    pub journey: Journey,
    pub user: User,
    pub what: What,
    /// Where a code can be mailed, as its person recognizes it.
    pub mailbox: Option<String>,
}

pub enum What {
    /// One of the factors that the person has.
    Answer(Have),
    /// To set one up: the person has none, and the app or the operator wants one.
    SetUp(Box<Begun>),
}

/// None where the journey is at another step.
///
/// # Errors
/// When the journey is over or another browser's.
pub async fn look(app: &App, id: Uuid, visitor: &Visitor) -> Result<Option<Asked>, Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let trace = journey.trace.clone();
    let asked = look_traced(app, visitor, journey).await;
    match asked {
        Ok(asked) => Ok(asked),
        Err(error) => super::settle(app, trace, Err(error)),
    }
}

async fn look_traced(app: &App, visitor: &Visitor, journey: Journey) -> Result<Option<Asked>> {
    let Some(user) = whose(app, &journey).await? else { return Ok(None) };
    let have = factors::of(app, user.id).await?;
    let mailbox = mailbox(app, &journey, &user, have.any());
    let what = match have.any() {
        true => What::Answer(have),
        false => match totp::begin(app, &user, &place(app, &user, visitor)).await? {
            Some(begun) => What::SetUp(Box::new(begun)),
            None => What::Answer(factors::of(app, user.id).await?),
        },
    };
    Ok(Some(Asked { journey, user, what, mailbox }))
}

fn place(app: &App, user: &User, visitor: &Visitor) -> Place {
    Place::browser(app, user.id, &visitor.browser_hash())
}

/// None where a code by mail would not be enough for the app.
fn mailbox(app: &App, journey: &Journey, user: &User, can_step_up: bool) -> Option<String> {
    let half_way = journey.half_way.as_ref().map(SignIn::proved).filter(|proved| *proved != Methods::default());
    let before = journey.signed_in.as_ref().map(|(session, _)| session.proved());
    let is_enough = journey.wanted.is_none_or(|wanted| wanted.level == Level::One || !wanted.essential && !can_step_up);
    mailed::hint(app, user, &half_way.or(before).unwrap_or_default()).filter(|_| is_enough)
}

/// Whoever is half-way, or else is signed in and owes more.
async fn whose(app: &App, journey: &Journey) -> Result<Option<User>> {
    if journey.step != Step::SecondFactor {
        return Ok(None);
    }
    let half_way = journey.half_way.as_ref().filter(|row| row.proved() != Methods::default());
    match half_way.and_then(|row| row.user_id) {
        Some(user) => {
            let found = user::find(&app.db, user).await?.filter(User::is_enabled);
            // Nobody can go on with it: the journey begins again at the login.
            if let Some(row) = half_way.filter(|_| found.is_none()) {
                finish(app, row.id).await?;
            }
            Ok(found)
        }
        None => Ok(journey.signed_in.as_ref().map(|(_, user)| user.clone())),
    }
}

/// What an authenticator is asked for at this step of the journey: at the login for anybody's passkey, at the second step for
/// one of the person's, or with `new` for one that the person makes there. None where there is nothing to ask for.
///
/// # Errors
/// When the journey is over or another browser's.
pub async fn ask(app: &App, id: Uuid, visitor: &Visitor, new: bool) -> Result<Option<Value>, Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let trace = journey.trace.clone();
    let asked = ask_traced(app, id, visitor, &journey, new).await;
    super::settle(app, trace, asked)
}

async fn ask_traced(app: &App, id: Uuid, visitor: &Visitor, journey: &Journey, new: bool) -> Result<Option<Value>> {
    let Some(user) = whose(app, journey).await? else { return ask_anybody(app, visitor, journey, id).await };
    let asked = match (new, factors::has_any(&app.db, user.id).await?) {
        (true, false) if passkey::are_offered(app) => Some(passkey::ask_new(app, &user).await?),
        (false, true) => passkey::ask(app, &user).await?,
        _ => None,
    };
    let Some(Challenge { options, state }) = asked else { return Ok(None) };
    let row = waiting(app, visitor, journey, id, &user).await?;
    write_one!(app, db => sign_in::set_challenge(db, row.id, state)).await?;
    Ok(Some(options))
}

/// Where a login is asked for, or could be.
async fn ask_anybody(app: &App, visitor: &Visitor, journey: &Journey, id: Uuid) -> Result<Option<Value>> {
    // Whoever is half-way goes on with that.
    if journey.step == Step::SecondFactor {
        return Ok(None);
    }
    let Some(Challenge { options, state }) = passkey::ask_anybody(app)? else { return Ok(None) };
    let row = SignIn { challenge: Some(state), ..row(app, visitor, Some(id), &Methods::default()) };
    // A password that was right meanwhile, in another tab, is not forgotten for it.
    let kept = write!(app, db => sign_in::replace_question(db, id, row).await);
    match kept.await {
        Ok(()) => Ok(Some(options)),
        Err(error) if store::is_duplicate(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How a try ended.
pub enum Outcome {
    /// With the recovery codes that came with a factor that was set up.
    SignedIn(Box<SignedIn>, Option<Codes>),
    Wrong,
    /// It was the last try, or too late: the sign-in begins again.
    Over,
    TooMany(Wait),
    /// The journey is at another step.
    Elsewhere,
}

/// # Errors
/// When the journey is over or another browser's.
pub async fn answer(app: &App, id: Uuid, visitor: &Visitor, given: Given<'_>, trust: bool) -> Result<Outcome, Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let mut trace = journey.trace.clone();
    let outcome = answer_traced(app, id, visitor, journey, (given, trust), &mut trace).await;
    super::settle(app, trace, outcome)
}

async fn answer_traced(
    app: &App,
    id: Uuid,
    visitor: &Visitor,
    journey: Journey,
    (given, trust): (Given<'_>, bool),
    trace: &mut Trace,
) -> Result<Outcome> {
    let Some(user) = whose(app, &journey).await? else { return Ok(Outcome::Elsewhere) };
    trace.user_id = Some(user.id);
    let row = waiting(app, visitor, &journey, id, &user).await?;
    let judged = judge(app, visitor, &user, &row, given, trace).await?;
    let (now, codes) = match judged {
        Judged::Right(methods, codes) => (methods, codes),
        Judged::Wrong => return Ok(Outcome::Wrong),
        Judged::Over => return Ok(Outcome::Over),
        Judged::TooMany(wait) => return Ok(Outcome::TooMany(wait)),
    };
    // A step-up adds to what the session has; a sign-in has only what was proved in it.
    let before = journey.signed_in.as_ref().filter(|_| row.proved() == Methods::default());
    let steps_up = before.is_some();
    let so_far = before.map_or_else(|| row.proved(), |(session, _)| session.proved());
    let proved = so_far.and(&now);
    let (who, standing) = ((&user, &proved, Some(id)), Standing::kept(user.id, &row));
    let basis = if steps_up { Basis::Session { auth_time: app.now() } } else { Basis::Nothing };
    let trust = trust.then(|| trusted::trust(app, visitor, &user, trace)).flatten();
    let signed_in = login::begin(app, visitor, journey.signed_in, who, (standing, basis, trust), trace).await?;
    event::happened(trace, Event::SecondFactor, "ok");
    Ok(Outcome::SignedIn(Box::new(signed_in), codes))
}

/// The row on which tries are counted: the sign-in that is half-way, or for somebody who steps up one that proves nothing.
async fn waiting(app: &App, visitor: &Visitor, journey: &Journey, id: Uuid, user: &User) -> Result<SignIn> {
    if let Some(row) = journey.half_way.as_ref().filter(|row| row.user_id == Some(user.id)) {
        return Ok(row.clone());
    }
    keep(app, row(app, visitor, Some(id), &Methods::default()), Standing::of(user)).await?;
    sign_in::of_journey(&app.db, id, app.now()).await?.ok_or_else(no_journey)
}

/// Mails a code for the second step of this journey. False where there is none to mail.
///
/// # Errors
/// When the journey is over or another browser's, or 429 for who asks too often.
pub async fn mail_code(app: &App, id: Uuid, visitor: &Visitor) -> Result<bool, Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let trace = journey.trace.clone();
    let mailed = async {
        let Some(user) = whose(app, &journey).await? else { return Ok(false) };
        let can_step_up = factors::has_any(&app.db, user.id).await?;
        if mailbox(app, &journey, &user, can_step_up).is_none() {
            return Ok(false);
        }
        let row = waiting(app, visitor, &journey, id, &user).await?;
        mailed::send(app, visitor, &user, &row).await
    };
    let mailed = mailed.await;
    super::settle(app, trace, mailed)
}

/// The person would rather sign in as somebody else: what was begun is forgotten.
///
/// # Errors
/// When the journey is over or another browser's.
pub async fn leave(app: &App, id: Uuid, visitor: &Visitor) -> Result<(), Refused> {
    let Journey { half_way, trace, .. } = authorize::look(app, id, visitor, Kind::Login).await?;
    let left = match half_way {
        Some(row) => finish(app, row.id).await.map(drop),
        None => Ok(()),
    };
    super::settle(app, trace, left)
}
