//! Whose account it is that somebody comes to by a provider: the one that is connected with this identity, and no other
//! (cases SEC-138, SEC-139). Nobody is signed in by an address alone.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{FULL, Identity, MOST, TAKEN, callback::Came, enrol, kind_of, logout, unwelcome};
use crate::{
    app::App,
    flows::{
        account::log::{self, Happened},
        attempt::{self, Ended, Method as Way},
        authorize::Journey,
        event::{self, Event},
        factors::Change,
        login::{Basis, Standing},
        mail::{self, FactorChange},
        second_factor,
        visitor::Visitor,
        write,
    },
    protocol::{
        Code, Error, Result,
        assurance::{Method, Methods},
        prompt::Prompt,
        rule,
        trace::{Shown, Trace},
        upstream::{Link, Settings, profile::Profile},
    },
    store::{
        upstream::{self, Upstream},
        upstream_identity::{self, Described, UpstreamIdentity},
        upstream_link::{self, UpstreamLink},
        user::{self, User},
    },
};

/// Seconds for which somebody waits who has yet to say whose account it is.
const WAITS: i64 = 900;

/// Whether the operator lets this person come.
pub(super) fn check_welcome(settings: &Settings, profile: &Profile) -> Result<()> {
    if !profile.is_of_domains(&settings.email_domains) {
        return Err(unwelcome("the address is of none of the domains that may come"));
    }
    if !settings.allowed_groups.is_empty() && !profile.is_in(&settings.allowed_groups) {
        return Err(unwelcome("the person is in none of the groups that may come"));
    }
    Ok(())
}

pub(super) async fn arrive(
    app: &App,
    visitor: &Visitor,
    (id, journey, begun_at): (Uuid, Journey, i64),
    upstream: &Upstream,
    who: Identity,
    trace: &mut Trace,
) -> Result<Came> {
    let settings = &upstream.settings;
    let auth_time = who.profile.signed_in(wanted(&journey, begun_at), app.now())?;
    logout::note(app, id, upstream, &who).await?;
    let known = upstream_link::find(&app.db, &who.issuer, &who.subject).await?;
    let owner = match &known {
        Some(link) => user::find(&app.db, link.user_id).await?,
        None => None,
    };
    let user = match (known.zip(owner), namesake(app, upstream, &who.profile).await?) {
        (Some((link, user)), _) => {
            trace.user_id = Some(user.id);
            trace.passed(&rule::UPSTREAM_ACCOUNT, Some(Shown::word("connected")));
            again(app, visitor, (link, user), upstream, &who, trace).await?
        }
        (None, Some(user)) if settings.link == Link::VerifiedEmail && is_reached(&user) => {
            trace.user_id = Some(user.id);
            trace.passed(&rule::UPSTREAM_ACCOUNT, Some(Shown::word("the same verified address")));
            connect(app, visitor, &user, (upstream, &who), trace).await?;
            user
        }
        (None, namesake) => {
            if namesake.is_some() || !settings.sign_up {
                trace.passed(&rule::UPSTREAM_ACCOUNT, Some(Shown::word("not connected yet")));
                wait(app, visitor, id, upstream, who).await?;
                return Ok(Came::Connect);
            }
            match enrol::at_once(app, visitor, (upstream, &who), trace).await? {
                Some(user) => user,
                None => {
                    trace.passed(&rule::UPSTREAM_ACCOUNT, Some(Shown::word("asked for more")));
                    wait(app, visitor, id, upstream, who).await?;
                    return Ok(Came::Enrol);
                }
            }
        }
    };
    attempt::note(app, trace, &visitor.device, Some(user.id), (Way::Provider, Ended::RightProvider));
    trace.passed(&rule::LOGIN, Some(Shown::word("a provider")));
    event::happened(trace, Event::Login, "ok");
    let (proved, standing) = (methods(&who.profile), Standing::of(&user));
    let first = (&user, &proved, Some(id));
    let rests = (standing, Basis::Elsewhere { auth_time });
    let signed_in = second_factor::go_on_from(app, visitor, journey.signed_in, first, rests, trace).await?;
    Ok(signed_in.map_or(Came::HalfWay, |signed_in| Came::SignedIn(Box::new(signed_in))))
}

/// Since when the person must have signed in there: since they set out, where they were to sign in again.
fn wanted(journey: &Journey, begun_at: i64) -> Option<i64> {
    // Who has signed in meanwhile, in another window, was not signed in when the provider was asked.
    let was_signed_in = journey.signed_in.as_ref().is_some_and(|(session, _)| session.created_at <= begun_at);
    let asks = was_signed_in || journey.request.prompt.contains(&Prompt::Login);
    let youngest = journey.request.max_age.map(|age| begun_at - age);
    asks.then_some(begun_at).into_iter().chain(youngest).max()
}

pub(super) fn methods(profile: &Profile) -> Methods {
    let two = profile.two_factors.then_some(Method::FederatedTwo);
    Methods::of([Method::Federated].into_iter().chain(two))
}

/// Who has the address here that the provider says is theirs. One that it does not call verified is anybody's; and whoever
/// registered with it and has not confirmed it makes way for whom it is known to belong to.
async fn namesake(app: &App, upstream: &Upstream, profile: &Profile) -> Result<Option<User>> {
    let Some(email) = profile.email.as_deref().filter(|_| profile.email_verified) else { return Ok(None) };
    let is_known = knows_addresses(upstream)?;
    let found = user::find_by_login(&app.db, email).await?;
    Ok(found.filter(|user| !(is_known && user.unconfirmed_since.is_some())))
}

/// Whether both know the address to be theirs.
fn is_reached(user: &User) -> bool {
    user.is_enabled() && user.email_verified && user.unconfirmed_since.is_none()
}

/// Whether an address that the provider calls verified needs no mail of ours.
pub(super) fn knows_addresses(upstream: &Upstream) -> Result<bool> {
    Ok(upstream.settings.link == Link::VerifiedEmail || kind_of(upstream)?.knows_addresses())
}

/// Somebody who has come before.
async fn again(
    app: &App,
    visitor: &Visitor,
    (link, user): (UpstreamLink, User),
    upstream: &Upstream,
    who: &Identity,
    trace: &mut Trace,
) -> Result<User> {
    if !may_come(&user) {
        attempt::note(app, trace, &visitor.device, Some(user.id), (Way::Provider, Ended::Disabled));
        event::happened(trace, Event::Login, "refused");
        return Err(closed());
    }
    let (upstream, profile, now) = (upstream.clone(), who.profile.clone(), app.now());
    let (person, label) = (user.id, who.label());
    let tokens = who.tokens.kept(app, &upstream, link.id, link.sealed_tokens.as_ref());
    let user = write!(app, db => {
        // The person first, as in every change of theirs: until the write ends, nobody takes the connection away.
        let Some(user) = user::find_locked(db, person).await?.filter(may_come) else { return Ok(None) };
        let tokens = match tokens {
            Some(tokens) if keeps_tokens(db, &upstream.name).await? => Some(tokens),
            _ => None,
        };
        if !upstream_link::note_use(db, link.id, &upstream.name, (label, tokens), now).await? {
            return Ok(None);
        }
        let claims = profile.refreshed(&user.claims, &upstream.settings);
        if claims != user.claims {
            user::set_profile(db, &User { claims, updated_at: now, ..user.clone() }).await?;
        }
        let admin = administers(&upstream.settings, &profile).filter(|admin| *admin != user.admin);
        if let Some(admin) = admin { appoint(db, person, admin, now).await? }
        user::find(db, person).await
    });
    user.await?.ok_or_else(Standing::lost)
}

fn may_come(user: &User) -> bool {
    user.is_enabled() && user.unconfirmed_since.is_none()
}

/// Whether the operator wants it still: what is known of the provider may be seconds old.
async fn keeps_tokens(db: &impl ConnectionTrait, name: &str) -> Result<bool, DbErr> {
    Ok(upstream::find(db, name).await?.is_some_and(|upstream| upstream.settings.keep_tokens))
}

fn closed() -> Error {
    Code::AccessDenied.because("the account is closed").under(&rule::ACCOUNT)
}

/// What the operator's groups say of it; none where the operator has named none (case SEC-141).
pub(super) fn administers(settings: &Settings, profile: &Profile) -> Option<bool> {
    (!settings.admin_groups.is_empty()).then(|| profile.is_in(&settings.admin_groups))
}

/// The last who can administer stays.
pub(super) async fn appoint(db: &impl ConnectionTrait, person: Uuid, admin: bool, now: i64) -> Result<(), DbErr> {
    if !admin && user::is_last_admin(db, person).await? {
        return Ok(());
    }
    user::appoint(db, person, admin, now).await
}

/// From now on this identity opens the account. Its person is told.
pub(super) async fn connect(
    app: &App,
    visitor: &Visitor,
    user: &User,
    (upstream, who): (&Upstream, &Identity),
    trace: &Trace,
) -> Result<()> {
    let told = FactorChange::ProviderLinked;
    let change = Change::new(app, trace, user, &visitor.device, Happened::ProviderLinked, told).of_no_factor();
    let (row, standing, now) = (row(app, user.id, (upstream, who), None), Standing::of(user), app.now());
    let (person, admin) = (user.id, administers(&upstream.settings, &who.profile).filter(|admin| *admin));
    let provider = upstream.clone();
    let connected = write!(app, db => {
        if !upstream::is_still(db, &provider).await? {
            return Ok(Err(moved()));
        }
        if !standing.holds(db).await? {
            return Ok(Err(Standing::lost()));
        }
        if upstream_link::of(db, person).await?.len() >= MOST {
            return Ok(Err(unwelcome(FULL)));
        }
        upstream_link::insert(db, row).await?;
        if let Some(admin) = admin { appoint(db, person, admin, now).await? }
        change.write(db).await?;
        Ok(Ok(()))
    });
    match connected.await {
        Ok(outcome) => outcome?,
        Err(error) if crate::store::is_duplicate(&error) => {
            return Err(unwelcome(TAKEN));
        }
        Err(error) => return Err(error.into()),
    }
    mail::send_soon(app);
    log::said(trace, Happened::ProviderLinked);
    Ok(())
}

pub(super) fn moved() -> Error {
    Code::AccessDenied.because("the provider is another by now, or is here no longer").under(&rule::UPSTREAM_ANSWER)
}

/// `waited`: where the person has waited until now.
pub(super) fn row(
    app: &App,
    user: Uuid,
    (upstream, who): (&Upstream, &Identity),
    waited: Option<&UpstreamIdentity>,
) -> UpstreamLink {
    // What was sealed meanwhile, was sealed for this connection.
    let id = waited.map_or_else(|| app.id(), |waited| waited.id);
    let waited = waited.and_then(|waited| waited.sealed_tokens.clone()).filter(|_| upstream.settings.keep_tokens);
    UpstreamLink {
        id,
        user_id: user,
        identity: upstream_link::identity(&who.issuer, &who.subject),
        upstream: upstream.name.clone(),
        issuer: who.issuer.clone(),
        subject: who.subject.clone(),
        label: who.label(),
        sealed_tokens: waited.or_else(|| who.tokens.kept(app, upstream, id, None)),
        created_at: app.now(),
        last_used_at: app.now(),
    }
}

async fn wait(app: &App, visitor: &Visitor, journey: Uuid, upstream: &Upstream, who: Identity) -> Result<()> {
    let now = app.now();
    let id = app.ordered_id();
    let row = UpstreamIdentity {
        id,
        sealed_tokens: who.tokens.kept(app, upstream, id, None),
        journey_id: journey,
        browser_hash: visitor.browser_hash(),
        upstream: upstream.name.clone(),
        issuer: who.issuer,
        subject: who.subject,
        profile: Described(who.profile),
        created_at: now,
        expires_at: now + WAITS,
    };
    Ok(write!(app, db => upstream_identity::replace(db, row).await).await?)
}
