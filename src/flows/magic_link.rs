//! Signing in by a link that is mailed, without a password (requirement MF7), where the operator allows it
//! (`second_factor.magic_links`). It stands in for the password, and whoever has a second factor is asked for that next
//! (case SEC-131). A link opens nothing but where it was asked for: sent on, it signs nobody else's browser in.

use uuid::Uuid;

use super::{
    Refused, Trouble,
    account::links,
    attempt::{self, Ended, Method as Way},
    authorize::{self, Journey},
    event::{self, Event},
    login::{SignedIn, Standing},
    mail::{self, Letter},
    second_factor,
    visitor::Visitor,
    write,
};
use crate::{
    app::App,
    crypto::secret::SecretHash,
    protocol::{
        Error, Result,
        assurance::{Level, Method, Methods},
        rule::{self, Rule},
        trace::{Kind, Shown, Trace},
    },
    store::{
        mail_link::{self, LinkKind, MailLink},
        user::{self, User},
    },
};

/// Whether there are any.
pub fn are_on(app: &App) -> bool {
    app.config.second_factor.magic_links && mail::is_possible(app)
}

/// Whether a link is of use here: not to an app that would have more than what begins by mail can come to.
pub fn is_offered(app: &App, journey: &Journey) -> bool {
    are_on(app) && journey.wanted.is_none_or(|wanted| wanted.level == Level::One)
}

/// Where a link was asked for, and nowhere else it works.
struct Place {
    /// None for a program.
    journey: Option<Uuid>,
    /// The browser, or the program.
    caller: SecretHash,
}

impl Place {
    fn of_journey(visitor: &Visitor, id: Uuid) -> Self {
        Place { journey: Some(id), caller: visitor.browser_hash() }
    }

    fn of_program(app: &App, visitor: &Visitor) -> Self {
        Place { journey: None, caller: second_factor::caller(app, visitor) }
    }

    /// What is kept of a link: at another place it is another's.
    fn hash(&self, app: &App, token: &str) -> SecretHash {
        let journey = self.journey.unwrap_or_default();
        let parts: [&[u8]; 4] = [b"link", journey.as_bytes(), &self.caller.0, token.as_bytes()];
        SecretHash(app.macs.codes.tag(&parts).to_vec())
    }
}

/// Mails a link that works in this journey, if there is such an account with an address that is confirmed: the same answer
/// whoever asks for whom.
///
/// # Errors
/// 429 for who asks too often, whomever for.
pub fn ask(app: &App, visitor: &Visitor, id: Uuid, login: &str) -> Result<(), Trouble> {
    later(app, visitor, login, Place::of_journey(visitor, id))
}

/// The same for a program.
///
/// # Errors
/// That there are none, or 429.
pub fn ask_for_program(app: &App, visitor: &Visitor, login: &str) -> Result<(), Trouble> {
    if !are_on(app) {
        return Err(Trouble::NotFound("way to sign in"));
    }
    later(app, visitor, login, Place::of_program(app, visitor))
}

fn later(app: &App, visitor: &Visitor, login: &str, place: Place) -> Result<(), Trouble> {
    let asking = visitor.clone();
    links::write_later(app, visitor, login, async move |app, user| {
        let known = asking.knows(&app, user.id);
        mail_to(&app, &user, &place, known).await
    })
}

async fn mail_to(app: &App, user: &User, place: &Place, known: bool) -> Result<(), Trouble> {
    if !is_reached(user) {
        return Ok(());
    }
    let token = app.secret();
    let kept = (LinkKind::SignIn, place.hash(app, token.reveal()));
    let row = links::row(app, user.id, kept, user.email.as_deref());
    let row = MailLink { place: Some(place.caller.clone()), known, ..row };
    let journey = place.journey.map_or(String::new(), |id| format!("&journey={id}"));
    let link = app.url(&format!("{}?token={}{journey}", links::path(LinkKind::SignIn), token.reveal()));
    let minutes = links::minutes(app, LinkKind::SignIn);
    links::mail_one(app, user, (LinkKind::SignIn, row), Letter::SignInLink { link, minutes }).await
}

/// Whether mail to the address is read by the person for sure.
pub(super) fn is_reached(user: &User) -> bool {
    user.is_enabled() && user.email_verified && user.unconfirmed_since.is_none()
}

/// What the page of a link shows.
pub enum Looked {
    /// Who would be signed in.
    Here(Box<User>),
    /// It was asked for in another browser. Whether it works is nobody's business here.
    Elsewhere,
}

/// Spends nothing, since mail programs look at every link (case SEC-121).
///
/// # Errors
/// When the link does not work.
pub async fn look(app: &App, visitor: &Visitor, journey: Option<Uuid>, token: &str) -> Result<Looked, Refused> {
    let Some((id, journey)) = journey_of(app, visitor, journey).await? else { return Ok(Looked::Elsewhere) };
    let found = find(app, visitor, &Place::of_journey(visitor, id), token).await;
    super::settle(app, journey.trace, found.map(|(_, user)| Looked::Here(Box::new(user))))
}

/// How a link ended that somebody used.
pub enum Outcome {
    SignedIn(Box<SignedIn>),
    /// A second factor is asked for next.
    HalfWay,
    Elsewhere,
}

/// # Errors
/// When the link does not work.
pub async fn sign_in(app: &App, visitor: &Visitor, journey: Option<Uuid>, token: &str) -> Result<Outcome, Refused> {
    let Some((id, journey)) = journey_of(app, visitor, journey).await? else { return Ok(Outcome::Elsewhere) };
    let mut trace = journey.trace;
    let outcome = async {
        let (user, standing) = spend(app, visitor, &Place::of_journey(visitor, id), token, &mut trace).await?;
        let proved = Methods::of([Method::Mail]);
        let first = (&user, &proved, Some(id));
        let signed_in = second_factor::go_on(app, visitor, journey.signed_in, first, standing, &trace).await?;
        Ok(signed_in.map_or(Outcome::HalfWay, |signed_in| Outcome::SignedIn(Box::new(signed_in))))
    };
    let outcome = outcome.await;
    super::settle(app, trace, outcome)
}

/// The same for a program: who it is that has the link, which is spent by it.
///
/// # Errors
/// When the link does not work, or does not here.
pub async fn redeem(app: &App, visitor: &Visitor, token: &str, trace: &mut Trace) -> Result<(User, Standing)> {
    if !are_on(app) {
        return Err(links::dead());
    }
    spend(app, visitor, &Place::of_program(app, visitor), token, trace).await
}

/// The journey that the link is of; none where it is another browser's.
async fn journey_of(app: &App, visitor: &Visitor, id: Option<Uuid>) -> Result<Option<(Uuid, Journey)>, Refused> {
    let Some(id) = id else { return Ok(None) };
    match authorize::look(app, id, visitor, Kind::Login).await {
        Ok(journey) => Ok(Some((id, journey))),
        Err(refused) if is_by(&refused.error, &rule::BROWSER) => Ok(None),
        // Without its journey a link leads nowhere.
        Err(refused) if is_by(&refused.error, &rule::JOURNEY) => {
            let error = Box::new(links::missed(app, visitor));
            Err(Refused { error, trace_id: refused.trace_id })
        }
        Err(refused) => Err(refused),
    }
}

fn is_by(error: &Error, rule: &Rule) -> bool {
    error.detail.as_ref().is_some_and(|detail| detail.rule == rule)
}

async fn find(app: &App, visitor: &Visitor, place: &Place, token: &str) -> Result<(MailLink, User)> {
    let link = mail_link::find_open(&app.db, &place.hash(app, token), LinkKind::SignIn, app.now()).await?;
    let user = match &link {
        Some(link) => {
            user::find(&app.db, link.user_id).await?.filter(|user| is_reached(user) && user.email == link.email)
        }
        None => None,
    };
    link.zip(user).ok_or_else(|| links::missed(app, visitor))
}

/// Of many who use a link at once, one goes on.
async fn spend(
    app: &App,
    visitor: &Visitor,
    place: &Place,
    token: &str,
    trace: &mut Trace,
) -> Result<(User, Standing)> {
    let (link, user) = find(app, visitor, place, token).await?;
    trace.user_id = Some(user.id);
    let (standing, now) = (Standing::of(&user), app.now());
    let won = write!(app, db => {
        // The person's row is locked by it, as it is by whoever makes links worthless.
        Ok(standing.holds(db).await? && mail_link::spend(db, &link.hash, now).await?)
    });
    if !won.await? {
        return Err(links::dead());
    }
    attempt::note(app, trace, &visitor.device, Some(user.id), (Way::MailLink, Ended::RightLink));
    trace.passed(&rule::LOGIN, Some(Shown::word("a mailed link")));
    event::happened(trace, Event::Login, "ok");
    Ok((user, standing))
}
