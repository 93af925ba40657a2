//! Whose account it is that somebody comes to by a provider: the one that is connected with this identity, and no other
//! (cases SEC-138, SEC-139). Nobody is signed in by an address alone.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Identity, TAKEN, callback::Came, enrol, kind_of, logout, unwelcome};
use crate::{
    app::App,
    flows::{
        account::log::{self, Happened},
        attempt::{self, Ended, Method as Way},
        authorize::Journey,
        event::{self, Event},
        factors::Change,
        login::Standing,
        mail::{self, FactorChange},
        second_factor,
        visitor::Visitor,
        write,
    },
    protocol::{
        Code, Error, Result,
        assurance::{Method, Methods},
        rule,
        trace::{Shown, Trace},
        upstream::{Link, Settings, profile::Profile},
    },
    store::{
        upstream::Upstream,
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
    (id, journey): (Uuid, Journey),
    upstream: &Upstream,
    who: Identity,
    trace: &mut Trace,
) -> Result<Came> {
    let settings = &upstream.settings;
    logout::note(app, id, upstream, &who).await?;
    let known = upstream_link::find(&app.db, &who.issuer, &who.subject).await?;
    let owner = match &known {
        Some(link) => user::find(&app.db, link.user_id).await?,
        None => None,
    };
    let user = match (known.zip(owner), namesake(app, &who.profile).await?) {
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
    let signed_in = second_factor::go_on(app, visitor, journey.signed_in, first, standing, trace).await?;
    Ok(signed_in.map_or(Came::HalfWay, |signed_in| Came::SignedIn(Box::new(signed_in))))
}

pub(super) fn methods(profile: &Profile) -> Methods {
    let two = profile.two_factors.then_some(Method::FederatedTwo);
    Methods::of([Method::Federated].into_iter().chain(two))
}

/// Who has the address here that the provider says is theirs. One that it does not call verified is anybody's.
async fn namesake(app: &App, profile: &Profile) -> Result<Option<User>> {
    match profile.email.as_deref().filter(|_| profile.email_verified) {
        Some(email) => Ok(user::find_by_login(&app.db, email).await?),
        None => Ok(None),
    }
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
    if !user.is_enabled() || user.unconfirmed_since.is_some() {
        attempt::note(app, trace, &visitor.device, Some(user.id), (Way::Provider, Ended::Disabled));
        event::happened(trace, Event::Login, "refused");
        return Err(closed());
    }
    let (name, now) = (upstream.name.clone(), app.now());
    let news = (who.label(), who.tokens.kept(app, upstream, link.id));
    let claims = who.profile.refreshed(&user.claims, &upstream.settings);
    let is_news = (claims != user.claims).then(|| User { claims, updated_at: now, ..user.clone() });
    let admin = administers(&upstream.settings, &who.profile).filter(|admin| *admin != user.admin);
    let person = user.id;
    let user = write!(app, db => {
        upstream_link::note_use(db, link.id, &name, news, now).await?;
        if let Some(news) = &is_news { user::set_profile(db, news).await? }
        if let Some(admin) = admin { appoint(db, person, admin, now).await? }
        user::find(db, person).await
    });
    user.await?.ok_or_else(closed)
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
    let (row, standing, now) = (row(app, user.id, upstream, who), Standing::of(user), app.now());
    let (person, admin) = (user.id, administers(&upstream.settings, &who.profile).filter(|admin| *admin));
    let connected = write!(app, db => {
        if !standing.holds(db).await? {
            return Ok(false);
        }
        upstream_link::insert(db, row).await?;
        if let Some(admin) = admin { appoint(db, person, admin, now).await? }
        change.write(db).await?;
        Ok(true)
    });
    match connected.await {
        Ok(true) => {}
        Ok(false) => return Err(Standing::lost()),
        Err(error) if crate::store::is_duplicate(&error) => {
            return Err(unwelcome(TAKEN));
        }
        Err(error) => return Err(error.into()),
    }
    mail::send_soon(app);
    log::said(trace, Happened::ProviderLinked);
    Ok(())
}

pub(super) fn row(app: &App, user: Uuid, upstream: &Upstream, who: &Identity) -> UpstreamLink {
    let id = app.id();
    UpstreamLink {
        id,
        user_id: user,
        identity: upstream_link::identity(&who.issuer, &who.subject),
        upstream: upstream.name.clone(),
        issuer: who.issuer.clone(),
        subject: who.subject.clone(),
        label: who.label(),
        sealed_tokens: who.tokens.kept(app, upstream, id),
        created_at: app.now(),
        last_used_at: app.now(),
    }
}

async fn wait(app: &App, visitor: &Visitor, journey: Uuid, upstream: &Upstream, who: Identity) -> Result<()> {
    let now = app.now();
    let row = UpstreamIdentity {
        id: app.ordered_id(),
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
