//! Signing out together with a provider: of sessions that it opened, and of no others. On its word (OpenID Connect
//! Back-Channel Logout §2.6), and, where the operator wants it, with a browser that goes on to it (RP-Initiated Logout §2).

use std::{collections::BTreeMap, net::IpAddr};

use url::Url;
use uuid::Uuid;

use super::{Identity, find, kind_of, metadata, not_too_often, title};
use crate::{
    app::{App, reseal::hint_context, throttle::Key},
    crypto::secret::{Secret, equal},
    flows::{
        Refused,
        event::{self, Event},
        session_end::{AT_ONCE, Ended, Ending},
        settle,
        visitor::Visitor,
        write, write_one,
    },
    protocol::{
        Code, Error, Params, Result, rule,
        trace::{Kind, Shown, Trace},
        upstream::logout_token,
    },
    store::{
        Sealed, assertion, session,
        upstream::{self, Upstream},
        upstream_link,
        upstream_logout::{self, UpstreamLogout},
        upstream_session::{self, UpstreamSession},
    },
};

/// Seconds in which a journey comes to a session.
const WAITS: i64 = 3600;
/// Seconds in which the browser must be back.
const LIFE: i64 = 600;
/// What fits beside its seal, and into an address.
const LONGEST_HINT: usize = 6000;
const LONGEST_ONWARD: usize = 4000;

/// Whoever comes of this journey, comes by the word of this provider.
pub(super) async fn note(app: &App, journey: Uuid, upstream: &Upstream, who: &Identity) -> Result<()> {
    let (id, now) = (app.ordered_id(), app.now());
    let hint = who.tokens.text("id_token").filter(|token| upstream.settings.logout && token.len() <= LONGEST_HINT);
    let seal = |token: &str| Sealed(app.master_key.seal(&hint_context(id), token.as_bytes(), app.random.bytes()));
    let row = UpstreamSession {
        id,
        journey_id: Some(journey),
        session_id: None,
        upstream: upstream.name.clone(),
        identity: upstream_link::identity(&who.issuer, &who.subject),
        sid_hash: who.sid.as_deref().map(upstream_session::sid),
        hint: hint.map(seal),
        created_at: now,
        expires_at: now + WAITS,
    };
    Ok(write!(app, db => upstream_session::replace(db, row).await).await?)
}

/// The provider that opened the session, if a logout goes on to it: asked before the session ends.
///
/// # Errors
/// When the database is away.
pub(in crate::flows) async fn opened(app: &App, session: Uuid) -> Result<Option<(Upstream, UpstreamSession)>> {
    let Some(row) = upstream_session::of_session(&app.db, session).await? else { return Ok(None) };
    let upstream = find(app, &row.upstream).await?.filter(|upstream| upstream.settings.logout);
    Ok(upstream.map(|upstream| (upstream, row)))
}

/// Where the browser goes to be signed out there too, and what people call the provider. `wanted`: where it is sent after
/// that. None where the provider has no such place, or does not answer: nobody stays signed in here for that.
///
/// # Errors
/// When the database is away.
pub(in crate::flows) async fn onward(
    app: &App,
    visitor: &Visitor,
    (upstream, row): (Upstream, UpstreamSession),
    wanted: String,
    trace: &mut Trace,
) -> Result<Option<(String, String)>> {
    let metadata = match kind_of(&upstream)?.metadata(app, &upstream).await {
        Ok(metadata) => metadata,
        Err(error) => {
            trace.refused(&error);
            return Ok(None);
        }
    };
    let endpoint = metadata.end_session_endpoint.as_deref().and_then(|endpoint| Url::parse(endpoint).ok());
    let Some(mut url) = endpoint.filter(|_| wanted.len() <= LONGEST_ONWARD) else { return Ok(None) };
    let state = app.secret();
    let way = UpstreamLogout {
        state_hash: state.hash(),
        browser_hash: visitor.browser_hash(),
        upstream: upstream.name.clone(),
        onward: wanted,
        expires_at: app.now() + LIFE,
    };
    write_one!(app, db => upstream_logout::insert(db, way)).await?;
    let mut query = url.query_pairs_mut();
    if let Some(hint) = hint(app, &row) {
        query.append_pair("id_token_hint", &hint);
    }
    query
        .append_pair("client_id", &upstream.settings.client_id)
        .append_pair("post_logout_redirect_uri", &return_url(app, &upstream.name))
        .append_pair("state", state.reveal());
    drop(query);
    trace.passed(&rule::UPSTREAM_LOGOUT, Some(Shown::list([upstream.name.as_str()])));
    Ok(Some((url.into(), title(&upstream))))
}

fn hint(app: &App, row: &UpstreamSession) -> Option<String> {
    let opened = app.master_key.open(&hint_context(row.id), &row.hint.as_ref()?.0).ok()?;
    std::str::from_utf8(&opened).ok().map(str::to_owned)
}

/// Where a provider sends browsers that it has signed out.
pub fn return_url(app: &App, name: &str) -> String {
    app.url(&format!("/federation/{name}/logged-out"))
}

/// Where a provider tells us that somebody has signed out.
pub fn backchannel_url(app: &App, name: &str) -> String {
    app.url(&format!("/federation/{name}/backchannel-logout"))
}

/// Where the browser that is back was wanted; once, and nobody else's.
///
/// # Errors
/// When the database is away.
pub async fn returned(app: &App, visitor: &Visitor, name: &str, state: &str) -> Result<Option<String>> {
    let hash = Secret::presented(state).hash();
    let Some(row) = upstream_logout::find(&app.db, &hash, app.now()).await? else { return Ok(None) };
    if visitor.is_new || !equal(&row.browser_hash.0, &visitor.browser_hash().0) || row.upstream != name {
        return Ok(None);
    }
    let is_first = write_one!(app, db => upstream_logout::take(db, &hash)).await?;
    Ok(is_first.then_some(row.onward))
}

/// A provider says that somebody has signed out there (§2.5). Who is not signed in here any more is signed out (§2.7).
///
/// # Errors
/// When it is not the provider's word, or is repeated (§2.6): 400, as §2.8 wants it.
pub async fn told(app: &App, address: IpAddr, name: &str, params: &Params) -> Result<(), Refused> {
    let mut trace = app.trace(Kind::Logout).from(address);
    let ended = told_traced(app, address, name, params, &mut trace).await;
    settle(app, trace, ended)
}

async fn told_traced(app: &App, address: IpAddr, name: &str, params: &Params, trace: &mut Trace) -> Result<()> {
    let keys = [Key::LogoutToken(address)];
    not_too_often(app, &keys)?;
    let refuse = |why: &'static str| Code::InvalidRequest.because(why).under(&rule::UPSTREAM_LOGOUT);
    // Also of one that is disabled: the sessions that it has opened live on.
    let upstream = upstream::find(&app.db, name).await?.ok_or_else(|| refuse("there is no such provider"))?;
    params.only(&["logout_token"]).check()?;
    let token = params.get("logout_token").ok_or_else(|| refuse("there is no logout_token"))?;
    let proved = async {
        let metadata = kind_of(&upstream)?.metadata(app, &upstream).await?;
        if metadata.jwks_uri.is_none() {
            return Err(refuse("this provider signs nothing"));
        }
        let claims = metadata::open_logout_token(app, &metadata, token).await?;
        let logout = logout_token::check(&claims, &metadata.issuer, &upstream.settings.client_id, app.now())?;
        Ok((metadata.issuer.clone(), logout))
    };
    let (issuer, logout) = proved.await.map_err(|error| {
        if !matches!(error.code, Code::TemporarilyUnavailable) {
            app.throttle.failed(&keys, app.now());
        }
        // §2.8: whatever keeps it from being done.
        Error { code: Code::InvalidRequest, retry_after: None, ..error }
    })?;
    app.throttle.succeeded(&keys);
    let spent = Secret::presented(&format!("logout token {}:{issuer}{}", issuer.len(), logout.jti)).hash();
    let identity = logout.sub.as_deref().map(|sub| upstream_link::identity(&issuer, sub));
    let sid = logout.sid.as_deref().map(upstream_session::sid);
    let (ending, name, until) = (Ending::within(app, &trace.id), upstream.name.clone(), logout.until);
    let written = write!(app, db => {
        if !assertion::spend(db, spent, until).await? {
            return Ok(None);
        }
        let mut people: BTreeMap<Uuid, u64> = BTreeMap::new();
        let mut all = Ended::default();
        // Whoever is on the way, at a second factor say, does not come by it any more: or has come by now, and goes again.
        upstream_session::forget_waiting(db, &name, identity.as_ref(), sid.as_ref()).await?;
        let opened = upstream_session::opened(db, &name, identity.as_ref(), sid.as_ref()).await?;
        for some in opened.chunks(AT_ONCE) {
            let mut of: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
            for (session, user) in session::owners(db, some.to_vec()).await? {
                of.entry(user).or_default().push(session);
            }
            for (user, sessions) in of {
                all.deliveries.extend(ending.some(db, &sessions, user).await?.deliveries);
                *people.entry(user).or_default() += sessions.len() as u64;
            }
        }
        Ok(Some((people, all)))
    });
    let (people, ended) = written.await?.ok_or_else(|| refuse("the logout token was used before"))?;
    ended.tell_soon(app);
    let sessions: u64 = people.values().sum();
    trace.passed(&rule::UPSTREAM_LOGOUT, Some(Shown::number(i64::try_from(sessions).unwrap_or(i64::MAX))));
    for user in people.into_keys() {
        trace.user_id = Some(user);
        event::happened(trace, Event::Logout, "ok");
    }
    Ok(())
}
