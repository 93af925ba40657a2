//! Whether what somebody answers with is right: counted before it is judged, and used up by the sign-in that it ends.

use uuid::Uuid;

use super::place;
use crate::{
    app::{
        App,
        throttle::{Key, Wait},
    },
    flows::{
        Trouble,
        attempt::{self, Ended as Tried, Method as Way},
        event::{self, Event},
        factors::{
            self, Permit, Spent, mailed,
            passkey::{self, Checked, Kept, Making},
            recovery::{self, Codes},
            totp::{self, Confirmed, Confirming},
        },
        login::{self, Standing},
        visitor::Visitor,
        write_one,
    },
    protocol::{
        Code, Result,
        assurance::{Method, Methods},
        rule,
        trace::{Shown, Trace},
    },
    store::{
        sign_in::{self, SignIn},
        user::User,
    },
};

/// Wrong answers after which the sign-in begins again (case SEC-125).
const MOST_TRIES: i32 = 5;

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
    pub(super) const fn name(self) -> &'static str {
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

pub(super) enum Judged {
    /// What it proves, and the recovery codes that came with a factor that was set up.
    Right(Methods, Option<Codes>),
    Wrong,
    Over,
    TooMany(Wait),
}

/// Counts the try before it is judged, so that no more than a few are, of all servers together.
pub(super) async fn judge(
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

pub(super) async fn finish(app: &App, id: Uuid) -> Result<bool> {
    Ok(write_one!(app, db => sign_in::finish(db, id)).await?)
}

fn key(app: &App, visitor: &Visitor, user: &User) -> Key {
    match visitor.knows(app, user.id) {
        true => Key::KnownSecondFactor(user.id, visitor.browser_hash().short()),
        false => Key::SecondFactor(user.id),
    }
}
