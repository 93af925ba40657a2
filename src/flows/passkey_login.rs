//! Signing in with a passkey alone: it says whose it is, and has made sure of its owner (WebAuthn §7.2).

use uuid::Uuid;

use super::{
    Refused,
    attempt::{self, Ended as Tried, Method as Way},
    authorize,
    event::{self, Event},
    factors::{self, passkey::Checked},
    login::{Outcome, Standing},
    second_factor,
    visitor::Visitor,
};
use crate::{
    app::{
        App,
        throttle::{Key, Wait},
    },
    crypto::passkey,
    protocol::{
        Code, Result,
        assurance::Methods,
        rule,
        trace::{Kind, Shown, Trace},
    },
    store::{
        sign_in::SignIn,
        user::{self, User},
    },
};

/// The login page's answer within a journey: what a passkey has signed, as JSON.
///
/// # Errors
/// When the journey is over or another browser's.
pub async fn with_passkey(app: &App, id: Uuid, visitor: &Visitor, answer: &str) -> Result<Outcome, Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let mut trace = journey.trace;
    let outcome = async {
        let (user, proved) = match prove(app, visitor, journey.half_way.as_ref(), answer, &mut trace).await? {
            Proof::Right(user, proved) => (user, proved),
            Proof::Wrong => return Ok(Outcome::Wrong),
            Proof::TooMany(wait) => return Ok(Outcome::TooMany(wait)),
        };
        let (first, standing) = ((&*user, &proved, Some(id)), Standing::of(&user));
        let signed_in = second_factor::go_on(app, visitor, journey.signed_in, first, standing, &trace).await?;
        Ok(signed_in.map_or(Outcome::HalfWay, Outcome::SignedIn))
    };
    let outcome = outcome.await;
    super::settle(app, trace, outcome)
}

/// What a passkey proves.
pub(super) enum Proof {
    Right(Box<User>, Methods),
    Wrong,
    TooMany(Wait),
}

/// `asked`: what was asked of anybody, if it was.
///
/// # Errors
/// When the database is away.
pub(super) async fn prove(
    app: &App,
    visitor: &Visitor,
    asked: Option<&SignIn>,
    answer: &str,
    trace: &mut Trace,
) -> Result<Proof> {
    if let Some(wait) = wait(app, visitor, answer, trace) {
        return Ok(Proof::TooMany(wait));
    }
    let user = match passkey::whose(answer) {
        Some(id) => user::find(&app.db, id).await?,
        None => None,
    };
    let person = user.as_ref().map(|user| user.id);
    trace.user_id = person;
    // The second step of somebody else's sign-in is not asked of anybody.
    let asked = asked.filter(|row| row.user_id.is_none());
    let proved = match (user.as_ref().filter(|user| may_sign_in(user)), asked) {
        (Some(user), Some(row)) => {
            match factors::passkey::check(app, (user, &visitor.device), row, answer, trace).await? {
                Checked::Right(methods) => Some(methods),
                Checked::Wrong => None,
                // Sent twice, say: nothing was tried.
                Checked::Over => return Ok(Proof::Wrong),
            }
        }
        (_, row) => {
            let words =
                if row.is_none() { "an answer to nothing" } else { "the passkey of nobody, or of a closed account" };
            let error = Code::AccessDenied.because("the passkey was refused").under(&rule::LOGIN);
            trace.refused(&error.received(Shown::word(words)));
            None
        }
    };
    let ended = if proved.is_some() { Tried::RightPasskey } else { Tried::WrongPasskey };
    attempt::note(app, trace, &visitor.device, person, (Way::Passkey, ended));
    match (user, proved) {
        (Some(user), Some(proved)) => {
            trace.passed(&rule::LOGIN, Some(Shown::word("passkey")));
            event::happened(trace, Event::Login, "ok");
            Ok(Proof::Right(Box::new(user), proved))
        }
        _ => {
            app.throttle.failed(&[Key::Passkeys(visitor.address)], app.now());
            event::happened(trace, Event::Login, "refused");
            Ok(Proof::Wrong)
        }
    }
}

/// Nobody guesses a signature: waiting only bounds the work, and holds nobody up who has a password, or whose passkey has
/// signed in at this browser before (K11).
pub(super) fn wait(app: &App, visitor: &Visitor, answer: &str, trace: &mut Trace) -> Option<Wait> {
    let is_known = passkey::whose(answer).is_some_and(|id| visitor.knows(app, id));
    let wait = app.throttle.wait(&[Key::Passkeys(visitor.address)], app.now()).filter(|_| !is_known)?;
    let error = wait.refusal();
    event::refused(trace, &error);
    trace.refused(&error);
    Some(wait)
}

fn may_sign_in(user: &User) -> bool {
    user.is_enabled() && user.unconfirmed_since.is_none()
}
