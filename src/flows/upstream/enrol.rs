//! An account for somebody who comes by a provider, where the operator lets people sign up by it. An address is theirs if the
//! provider knows that it is, and we believe it; any other they confirm by mail, and have none until then.

use uuid::Uuid;

use super::{Identity, arrive, connect, title};
use crate::{
    app::App,
    config::Usernames,
    flows::{
        Field, Refused, Trouble, Why,
        account::{
            links,
            log::{self, Happened, Line},
            registration,
        },
        admin::users::{self, NewUser},
        attempt::{self, Ended, Method as Way},
        authorize::{self, Journey},
        event::{self, Event},
        login::{Basis, SignedIn, Standing},
        mail::{self, Letter, Outgoing},
        profile_rules as rules, second_factor, settle,
        visitor::Visitor,
        write,
    },
    protocol::{
        Result, rule, text,
        trace::{Kind, Shown, Trace},
    },
    store::{
        is_duplicate,
        mail_link::{self, LinkKind},
        upstream::{self, Upstream},
        upstream_identity::{self, UpstreamIdentity},
        upstream_link,
        user::{self, User, Wanted},
    },
};

/// What a person still says for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    pub email: bool,
    pub username: bool,
}

/// What the page shows.
pub struct Asked {
    pub journey: Journey,
    pub provider: String,
    pub needs: Needs,
    /// What the provider says, to begin with.
    pub email: Option<String>,
    pub username: Option<String>,
}

/// What the person says.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub email: Option<String>,
    pub username: Option<String>,
    /// The language of the mails.
    pub locale: Option<String>,
}

/// An account without a question, if nothing has to be asked.
pub(super) async fn at_once(
    app: &App,
    visitor: &Visitor,
    (upstream, who): (&Upstream, &Identity),
    trace: &mut Trace,
) -> Result<Option<User>> {
    let username = free_username(app, who.profile.username.as_deref()).await?;
    let needs = needs(app, upstream, who, username.is_some())?;
    if needs.email || needs.username {
        return Ok(None);
    }
    let made = Made { known: known(upstream, who)?, username, ..Made::default() };
    match make(app, visitor, (upstream, who), made, None, trace).await {
        Ok(user) => Ok(Some(user)),
        Err(Trouble::Broken(error)) => Err(error),
        // Somebody was quicker with the name or the address: the page asks.
        Err(_) => Ok(None),
    }
}

/// An address that is the person's without our asking. What other providers say of one is a word like any other.
fn known(upstream: &Upstream, who: &Identity) -> Result<Option<String>> {
    let is_known = who.profile.email_verified && arrive::knows_addresses(upstream)?;
    Ok(who.profile.email.clone().filter(|_| is_known))
}

fn needs(app: &App, upstream: &Upstream, who: &Identity, has_name: bool) -> Result<Needs> {
    Ok(Needs {
        // Where nobody can be written to, nobody is asked.
        email: known(upstream, who)?.is_none() && mail::is_possible(app),
        username: app.config.accounts.usernames == Usernames::Required && !has_name,
    })
}

/// The name that the person has at the provider, if anybody may have it here and nobody does.
async fn free_username(app: &App, wished: Option<&str>) -> Result<Option<String>> {
    if app.config.accounts.usernames == Usernames::Off {
        return Ok(None);
    }
    let Some(name) = rules::own_username(app, wished, &mut Vec::new()) else { return Ok(None) };
    let taken = user::taken(&app.db, &Wanted::default().username(Some(&name)), None).await?;
    Ok(taken.is_empty().then_some(name))
}

/// None where nobody waits for an account.
///
/// # Errors
/// When the journey is over or another browser's.
pub async fn look(app: &App, id: Uuid, visitor: &Visitor) -> Result<Option<Asked>, Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let trace = journey.trace.clone();
    let found = async {
        let waits = connect::waiting(app, visitor, id).await?.filter(|(_, upstream)| upstream.settings.sign_up);
        let Some((row, upstream)) = waits else { return Ok(None) };
        let who = connect::identity(&row);
        let username = free_username(app, who.profile.username.as_deref()).await?;
        let needs = needs(app, &upstream, &who, username.is_some())?;
        Ok(Some((title(&upstream), needs, who.profile.email, username)))
    };
    match found.await {
        Ok(found) => {
            Ok(found.map(|(provider, needs, email, username)| Asked { journey, provider, needs, email, username }))
        }
        Err(error) => settle(app, trace, Err(error)),
    }
}

/// How it goes on.
pub enum Enrolled {
    SignedIn(Box<SignedIn>),
    HalfWay,
    /// Nobody waits any more.
    Elsewhere,
}

/// The person has said what was missing. The answer is the same whether or not somebody has the address (case SEC-118): its
/// owner hears of it by mail.
///
/// # Errors
/// What is wrong with a field, or 429.
pub async fn finish(app: &App, id: Uuid, visitor: &Visitor, given: Given) -> Result<Enrolled, Trouble> {
    let journey =
        authorize::look(app, id, visitor, Kind::Login).await.map_err(|refused| Trouble::Broken(*refused.error))?;
    let mut trace = journey.trace;
    let signed_in = journey.signed_in;
    let finished = async {
        let waits = connect::waiting(app, visitor, id).await?.filter(|(_, upstream)| upstream.settings.sign_up);
        let Some((row, upstream)) = waits else { return Ok(Enrolled::Elsewhere) };
        let who = connect::identity(&row);
        let wished = free_username(app, who.profile.username.as_deref()).await?;
        let needs = needs(app, &upstream, &who, wished.is_some())?;
        let typed = typed(app, needs, &given)?;
        if typed.email.is_some() {
            links::count(app, visitor)?;
        }
        let (known, username) = (known(&upstream, &who)?, typed.username.or(wished));
        let made = Made { known, typed: typed.email, username, locale: given.locale };
        let user = make(app, visitor, (&upstream, &who), made, Some(row), &mut trace).await?;
        attempt::note(app, &trace, &visitor.device, Some(user.id), (Way::Provider, Ended::RightProvider));
        trace.passed(&rule::LOGIN, Some(Shown::word("a provider")));
        event::happened(&trace, Event::Login, "ok");
        let (proved, standing) = (arrive::methods(&who.profile), Standing::of(&user));
        let first = (&user, &proved, Some(id));
        let rests = (standing, Basis::Elsewhere { auth_time: who.profile.signed_in(None, app.now())? });
        let signed_in = second_factor::go_on_from(app, visitor, signed_in, first, rests, &trace).await?;
        Ok(signed_in.map_or(Enrolled::HalfWay, |signed_in| Enrolled::SignedIn(Box::new(signed_in))))
    };
    let finished = finished.await;
    links::settle(app, trace, finished)
}

/// Each in the form that decides who is who.
fn typed(app: &App, needs: Needs, given: &Given) -> Result<Given, Trouble> {
    let mut problems = Vec::new();
    let (mut email, mut username) = (None, None);
    if needs.email {
        email = rules::in_form("email", given.email.as_deref(), text::email, &mut problems);
        if email.is_none() && problems.is_empty() {
            problems.push(Field { name: "email", why: Why::Missing });
        }
    }
    if needs.username {
        let before = problems.len();
        username = rules::own_username(app, given.username.as_deref(), &mut problems);
        if username.is_none() && problems.len() == before {
            problems.push(Field { name: "username", why: Why::Missing });
        }
    }
    if problems.is_empty() { Ok(Given { email, username, locale: None }) } else { Err(Trouble::Invalid(problems)) }
}

/// What an account is made of, besides what the provider says.
#[derive(Default)]
struct Made {
    /// An address that is theirs.
    known: Option<String>,
    /// One that they are to confirm.
    typed: Option<String>,
    username: Option<String>,
    locale: Option<String>,
}

/// `waited`: where they have waited until now.
async fn make(
    app: &App,
    visitor: &Visitor,
    (upstream, who): (&Upstream, &Identity),
    Made { known, typed, username, locale }: Made,
    waited: Option<UpstreamIdentity>,
    trace: &mut Trace,
) -> Result<User, Trouble> {
    let new = NewUser { username, claims: who.profile.claims.clone(), ..NewUser::default() };
    let mut user = users::without_address(app, new)?;
    (user.email, user.email_verified, user.locale) = (known.clone(), known.is_some(), locale);
    user.admin = arrive::administers(&upstream.settings, &who.profile) == Some(true);
    // Somebody registered with the address, and could not confirm that it is theirs: now its owner is here.
    let squatter = match &known {
        Some(email) => user::find_by_login(&app.db, email).await?.filter(|user| user.unconfirmed_since.is_some()),
        None => None,
    };
    let squatter = squatter.map(|user| user.id);
    if let Some(what) = user::taken(&app.db, &Wanted::by(&user), squatter).await?.first() {
        return Err(Trouble::Invalid(vec![Field::taken(what)]));
    }
    let owner = match &typed {
        Some(email) => user::find_by_login(&app.db, email).await?,
        None => None,
    };
    trace.user_id = Some(user.id);
    let letter = typed.map(|to| {
        // Also where nobody gets it: whether it is mailed would tell who has an account.
        let link = links::fresh(app, user.id, LinkKind::ChangeEmail, Some(&to));
        let letter = Letter::ConfirmNewAddress { link: link.address, hours: links::hours(app, LinkKind::ChangeEmail) };
        let mail = Outgoing { to, locale: user.locale.clone(), user_id: Some(user.id), letter };
        (link.row, mail)
    });
    let lines = [Happened::Registered, Happened::ProviderLinked]
        .map(|what| Line::new(app, trace, user.id, what, &visitor.device));
    let link = arrive::row(app, user.id, (upstream, who), waited.as_ref());
    let (made, of_app, waits, provider) = (user.clone(), app.clone(), waited.map(|row| row.id), upstream.clone());
    let written = write!(app, db => {
        if !upstream::is_still(db, &provider).await? {
            return Ok(false);
        }
        if let Some(squatter) = squatter && !user::delete_unconfirmed(db, squatter).await? {
            return Ok(false);
        }
        if let Some(waits) = waits && !upstream_identity::take(db, waits).await? {
            return Ok(false);
        }
        user::insert(db, made).await?;
        upstream_link::insert(db, link).await?;
        for line in lines { line.insert(db).await?; }
        if let Some((row, mail)) = letter {
            mail_link::replace(db, row).await?;
            match owner {
                Some(owner) => {
                    user::find_locked(db, owner.id).await?;
                    registration::tell_owner(&of_app, db, &owner).await?;
                }
                None => mail::queue(&of_app, db, mail).await?,
            }
        }
        Ok(true)
    });
    match written.await {
        Ok(true) => {}
        Ok(false) => return Err(Trouble::Conflict("somebody was quicker".to_owned())),
        Err(error) if is_duplicate(&error) => return Err(Trouble::Conflict("somebody was quicker".to_owned())),
        Err(error) => return Err(error.into()),
    }
    mail::send_soon(app);
    trace.passed(&rule::UPSTREAM_ACCOUNT, Some(Shown::word("a new account")));
    log::said(trace, Happened::Registered);
    Ok(user)
}
