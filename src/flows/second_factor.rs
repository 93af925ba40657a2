//! The second step of a sign-in. Whoever has given the first proof and owes another is not signed in (case SEC-130): a row
//! of the journey and the browser remembers what was proved, and the second proof makes it a session.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Refused, Trouble,
    attempt::{self, Ended as Tried, Method as Way},
    authorize::{self, Journey},
    event::{self, Event},
    factors::{
        self, Have, Permit, Place, Spent, mailed,
        passkey::{self, Checked, Kept, Making},
        recovery::{self, Codes},
        totp::{self, Begun, Confirmed, Confirming},
        trusted,
    },
    login::{self, Basis, SignedIn, Standing},
    no_journey,
    visitor::Visitor,
    write, write_one,
};
use crate::{
    app::{
        App,
        throttle::{Key, Wait},
    },
    crypto::{
        passkey::Asked as Challenge,
        secret::{Secret, SecretHash, equal},
    },
    protocol::{
        Code, Error, Result,
        assurance::{Level, Method, Methods},
        rule,
        step::Step,
        trace::{Kind, Shown, Trace},
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

/// Wrong answers after which the sign-in begins again (case SEC-125).
const MOST_TRIES: i32 = 5;

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

/// What somebody answers with.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    /// A code of the authenticator app.
    Totp(&'a str),
    RecoveryCode(&'a str),
    /// The first code of the app that is being set up.
    First(&'a str),
    /// What a passkey has signed: JSON, as browsers write it (WebAuthn §5.1).
    Passkey(&'a str),
    /// A passkey that was made for this, and its name.
    NewPasskey(&'a str, &'a str),
    /// The code that was mailed for this sign-in.
    MailCode(&'a str),
}

impl Given<'_> {
    /// What it is called in traces.
    const fn name(self) -> &'static str {
        match self {
            Given::Totp(_) | Given::First(_) => Method::Totp.name(),
            Given::RecoveryCode(_) => Method::RecoveryCode.name(),
            Given::MailCode(_) => Method::Mail.name(),
            Given::Passkey(_) | Given::NewPasskey(..) => "passkey",
        }
    }

    const fn way(self) -> Way {
        match self {
            Given::Totp(_) | Given::First(_) => Way::Totp,
            Given::RecoveryCode(_) => Way::RecoveryCode,
            Given::MailCode(_) => Way::MailCode,
            Given::Passkey(_) | Given::NewPasskey(..) => Way::Passkey,
        }
    }

    const fn ended(self, right: bool) -> Tried {
        match (self, right) {
            (Given::Passkey(_) | Given::NewPasskey(..), true) => Tried::RightPasskey,
            (Given::Passkey(_) | Given::NewPasskey(..), false) => Tried::WrongPasskey,
            (_, true) => Tried::RightCode,
            (_, false) => Tried::WrongCode,
        }
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

enum Judged {
    /// What it proves, and the recovery codes that came with a factor that was set up.
    Right(Methods, Option<Codes>),
    Wrong,
    Over,
    TooMany(Wait),
}

/// Counts the try before it is judged, so that no more than a few are, of all servers together.
async fn judge(
    app: &App,
    visitor: &Visitor,
    user: &User,
    row: &SignIn,
    given: Given<'_>,
    trace: &mut Trace,
) -> Result<Judged> {
    // Whoever is known is not held up by strangers who share the address (K11).
    let is_known = visitor.knows(app, user.id);
    let address = (!is_known).then_some(Key::Address(visitor.address));
    let keys: Vec<Key> = std::iter::once(key(app, visitor, user)).chain(address).collect();
    // Whoever guesses in many sign-ins at once is judged in turn, so that each try sees the ones before it.
    let _turn = app.throttle.turn(&keys[0], app.now()).await.ok_or_else(login::busy)?;
    let note = |ended| attempt::note(app, trace, &visitor.device, Some(user.id), (given.way(), ended));
    if let Some(wait) = app.throttle.wait(&keys, app.now()) {
        if app.throttle.is_kept(&[keys[0].clone(), Key::Address(visitor.address)], app.now()) {
            note(Tried::Waits(wait.locked));
        }
        trace.refused(&wait.refusal());
        return Ok(Judged::TooMany(wait));
    }
    let id = row.id;
    if !write_one!(app, db => sign_in::try_once(db, id, MOST_TRIES)).await? {
        finish(app, id).await?;
        return Ok(Judged::Over);
    }
    let right = is_right(app, visitor, user, row, given, trace).await?;
    let ended = given.ended(matches!(right, Judged::Right(..)));
    if !matches!(right, Judged::Over) {
        attempt::note(app, trace, &visitor.device, Some(user.id), (given.way(), ended));
    }
    match right {
        Judged::Right(methods, codes) => {
            app.throttle.succeeded(&keys[..1]);
            trace.passed(&rule::SECOND_FACTOR, Some(Shown::word(given.name())));
            return Ok(Judged::Right(methods, codes));
        }
        // Nothing was guessed: the sign-in was done meanwhile, in another window say, or a key was begun elsewhere.
        Judged::Over => {
            finish(app, id).await?;
            return Ok(Judged::Over);
        }
        Judged::Wrong | Judged::TooMany(_) => {}
    }
    let is_news = app.throttle.failed(&keys, app.now());
    // Why a passkey was refused is noted where it was judged.
    if ended == Tried::WrongCode {
        let error = Code::AccessDenied.because("a wrong code").under(&rule::SECOND_FACTOR);
        trace.refused(&error.received(Shown::word(given.name())));
    }
    event::happened(trace, Event::SecondFactor, "refused");
    if is_news {
        attempt::guessed(app, trace, &visitor.device, user);
    }
    if row.tries + 1 >= MOST_TRIES {
        finish(app, id).await?;
        return Ok(Judged::Over);
    }
    Ok(Judged::Wrong)
}

async fn is_right(
    app: &App,
    visitor: &Visitor,
    user: &User,
    row: &SignIn,
    given: Given<'_>,
    trace: &mut Trace,
) -> Result<Judged> {
    let device = &visitor.device;
    // Only whoever has none sets one up with nothing but the first proof.
    if matches!(given, Given::First(_) | Given::NewPasskey(..)) && factors::has_any(&app.db, user.id).await? {
        return Ok(Judged::Over);
    }
    let right = match given {
        // They end the step themselves.
        Given::Totp(code) => return Ok(spent(totp::check(app, user, row.id, code).await?, Method::Totp)),
        Given::RecoveryCode(code) => {
            let used = recovery::spend(app, (user, device), row.id, code, trace).await?;
            return Ok(spent(used, Method::RecoveryCode));
        }
        Given::Passkey(answer) => match passkey::check(app, (user, device), row, answer, trace).await? {
            Checked::Right(methods) => Some(methods),
            Checked::Wrong => None,
            Checked::Over => return Ok(Judged::Over),
        },
        Given::MailCode(code) => {
            return Ok(spent(mailed::finish(app, user, row, code).await?, Method::Mail));
        }
        Given::First(code) => {
            let (permit, place) = (Permit::half_way(Standing::kept(user.id, row)), &place(app, user, visitor));
            let who = Confirming { user, permit, place, device, sign_in: Some(row.id) };
            return Ok(match totp::confirm(app, who, code, trace).await? {
                Confirmed::Well(codes) => Judged::Right(Methods::of([Method::Totp]), codes),
                Confirmed::WrongCode => Judged::Wrong,
                Confirmed::Over => Judged::Over,
            });
        }
        Given::NewPasskey(answer, name) => {
            let making = Making { user, permit: Permit::half_way(Standing::kept(user.id, row)), device, name };
            return match passkey::keep(app, making, row, answer, trace).await {
                Ok(Kept::Well(methods, codes)) => Ok(Judged::Right(methods, codes)),
                Ok(Kept::Over | Kept::Full) => Ok(Judged::Over),
                Err(Trouble::Broken(error)) => Err(error),
                Ok(Kept::Refused) | Err(_) => Ok(Judged::Wrong),
            };
        }
    };
    // Of several right answers at once, one goes on.
    Ok(match right {
        Some(methods) if finish(app, row.id).await? => Judged::Right(methods, None),
        Some(_) => Judged::Over,
        None => Judged::Wrong,
    })
}

fn spent(spent: Spent, method: Method) -> Judged {
    match spent {
        Spent::Well => Judged::Right(Methods::of([method]), None),
        Spent::Wrong => Judged::Wrong,
        Spent::Over => Judged::Over,
    }
}

async fn finish(app: &App, id: Uuid) -> Result<bool> {
    Ok(write_one!(app, db => sign_in::finish(db, id)).await?)
}

fn key(app: &App, visitor: &Visitor, user: &User) -> Key {
    match visitor.knows(app, user.id) {
        true => Key::KnownSecondFactor(user.id, visitor.browser_hash().short()),
        false => Key::SecondFactor(user.id),
    }
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

/// The same for a program that has a ticket.
///
/// # Errors
/// 429 for who asks too often, or when the database is away.
pub async fn mail_code_for_ticket(app: &App, visitor: &Visitor, ticket: &str) -> Result<bool, Refused> {
    let trace = app.trace(Kind::Login).from(visitor.address);
    let mailed = async {
        let Some(row) = of_ticket(app, visitor, ticket).await? else { return Ok(false) };
        let user = match row.user_id {
            Some(id) => user::find(&app.db, id).await?.filter(User::is_enabled),
            None => None,
        };
        match user.filter(|user| mailed::hint(app, user, &row.proved()).is_some()) {
            Some(user) => mailed::send(app, visitor, &user, &row).await,
            None => Ok(false),
        }
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
        let user = match row.user_id {
            Some(id) => user::find(&app.db, id).await?.filter(User::is_enabled),
            None => None,
        };
        let Some(user) = user else { return Ok(None) };
        let Some(Challenge { options, state }) = passkey::ask(app, &user).await? else { return Ok(None) };
        write_one!(app, db => sign_in::set_challenge(db, row.id, state)).await?;
        Ok(Some(options))
    };
    let asked = asked.await;
    super::settle(app, trace, asked)
}

/// The half-way sign-in of a ticket that this program was given.
async fn of_ticket(app: &App, visitor: &Visitor, ticket: &str) -> Result<Option<SignIn>> {
    let row = sign_in::of_ticket(&app.db, &Secret::presented(ticket).hash(), app.now()).await?;
    // One that proves nothing is for something else.
    let is_theirs =
        |row: &SignIn| row.proved() != Methods::default() && equal(&row.browser_hash.0, &caller(app, visitor).0);
    Ok(row.filter(is_theirs))
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
    super::settle(app, trace, asked)
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
pub(super) async fn asked_by_program(app: &App, visitor: &Visitor, ticket: &str) -> Result<Option<SignIn>> {
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
pub(super) fn caller(app: &App, visitor: &Visitor) -> SecretHash {
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
    let Some((row, id)) = row.and_then(|row| row.user_id.map(|id| (row, id))) else {
        let error = Code::AccessDenied.because("the ticket is not known here").under(&rule::SECOND_FACTOR);
        trace.refused(&error);
        return Ok(Redeemed::Over);
    };
    let Some(user) = user::find(&app.db, id).await?.filter(User::is_enabled) else { return Ok(Redeemed::Over) };
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
