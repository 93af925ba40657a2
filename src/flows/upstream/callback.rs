//! The way back from a provider (OpenID Connect Core §3.1.2.5, RFC 9207): whose answer it is, whether it is the provider's
//! that was asked, and what it is worth.

use uuid::Uuid;

use super::{
    Identity, Said, Turned, Whence, With, arrive, exchange, find, kind_of, link, nonce, not_too_often, verifier,
};
use crate::{
    app::{App, reseal::answer_context, throttle::Key},
    crypto::secret::{Secret, equal},
    flows::{
        attempt::{self, Ended, Method as Way},
        authorize,
        login::SignedIn,
        visitor::Visitor,
        write_one,
    },
    protocol::{
        Code, Params, Result, rule,
        trace::{Kind, Shown, Trace},
        upstream::answer::{self, Outcome},
    },
    store::{
        Sealed,
        upstream::Upstream,
        upstream_login::{self, UpstreamLogin},
    },
};

/// Where a browser is back at.
pub enum Back {
    /// The journey goes on.
    Journey(Uuid, Came),
    /// The person's account.
    Account(link::Linked),
}

/// How a person has come.
pub enum Came {
    SignedIn(Box<SignedIn>),
    /// A second factor is asked for next.
    HalfWay,
    /// There is an account that may be the person's, or nobody gets one: they sign in to it once.
    Connect,
    /// The person has yet to say something for a new account.
    Enrol,
}

/// Seconds in which the browser comes for what the provider has posted.
const BRIEFLY: i64 = 60;
/// What fits beside its seal.
const LONGEST_ANSWER: usize = 7000;

/// A provider's form (OAuth 2.0 Form Post Response Mode): our cookies have not come along (K5), so what it says is kept,
/// sealed, for the browser to come for. Nothing is kept of what no way of ours waits for.
///
/// # Errors
/// When the database is away.
pub async fn posted(app: &App, name: &str, params: &Params) -> Result<()> {
    let Ok(state) = answer::state(params) else { return Ok(()) };
    let row = upstream_login::find(&app.db, &Secret::presented(state).hash(), app.now()).await?;
    let Some(row) = row.filter(|row| row.upstream == name) else { return Ok(()) };
    let said = params.only(&answer::READ).encode();
    if said.len() > LONGEST_ANSWER {
        return Ok(());
    }
    let sealed = Sealed(app.master_key.seal(&answer_context(row.id), said.as_bytes(), app.random.bytes()));
    let until = row.expires_at.min(app.now() + BRIEFLY);
    write_one!(app, db => upstream_login::keep_answer(db, row.id, sealed, until)).await?;
    Ok(())
}

/// The browser is back.
///
/// # Errors
/// When it goes no further, with what the person is told.
pub async fn callback(app: &App, visitor: &Visitor, name: &str, params: &Params) -> Result<Back, Box<Turned>> {
    let begun = async {
        // Before anything is spent: whoever waits can come again by the same address.
        not_too_often(app, &keys(visitor))?;
        recognized(app, visitor, name, params).await
    };
    let begun = match begun.await {
        Ok(begun) => begun,
        Err(error) => {
            let trace = app.trace(Kind::Login).from(visitor.address);
            return Err(Turned::of(app, trace, error, None, None));
        }
    };
    match begun.journey_id {
        Some(id) => Ok(Back::Journey(id, in_journey(app, visitor, id, (&begun, params)).await?)),
        None => Ok(Back::Account(link::finish(app, visitor, (&begun, params)).await?)),
    }
}

async fn in_journey(
    app: &App,
    visitor: &Visitor,
    id: Uuid,
    (begun, params): (&UpstreamLogin, &Params),
) -> Result<Came, Box<Turned>> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await.map_err(Turned::early)?;
    let (mut trace, mut upstream) = (journey.trace.clone(), None);
    trace.passed(&rule::UPSTREAM_STATE, Some(Shown::list([&*begun.upstream])));
    let came = async {
        let (upstream, identity) = who(app, visitor, (begun, params), &mut upstream, &mut trace).await?;
        arrive::arrive(app, visitor, (id, journey, begun.created_at), upstream, identity, &mut trace).await
    };
    match came.await {
        Ok(came) => {
            app.record(trace);
            Ok(came)
        }
        Err(error) => Err(Turned::of(app, trace, error, Some(Whence::Journey(id)), upstream.as_ref())),
    }
}

/// Who has come, if the provider says so and is believed, and the operator lets them. `found`: the provider, once it is known.
pub(super) async fn who<'a>(
    app: &App,
    visitor: &Visitor,
    (begun, params): (&UpstreamLogin, &Params),
    found: &'a mut Option<Upstream>,
    trace: &mut Trace,
) -> Result<(&'a Upstream, Identity)> {
    let said = said(app, begun, params);
    let gone = || Code::AccessDenied.because("the provider is here no longer").under(&rule::UPSTREAM_ANSWER);
    let upstream = found.insert(find(app, &begun.upstream).await?.ok_or_else(gone)?);
    match proved(app, upstream, &said, trace).await {
        Ok(identity) => {
            arrive::check_welcome(&upstream.settings, &identity.profile)?;
            Ok((upstream, identity))
        }
        Err(error) => {
            if super::said(&error) == Some(Said::Failed) {
                app.throttle.failed(&keys(visitor), app.now());
                attempt::note(app, trace, &visitor.device, None, (Way::Provider, Ended::WrongProvider));
            }
            Err(error)
        }
    }
}

fn keys(visitor: &Visitor) -> [Key; 1] {
    [Key::Provider(visitor.address)]
}

/// The way that this browser went, which it comes back by now and never again (case SEC-136). Another browser spends
/// nothing by knowing its state.
async fn recognized(app: &App, visitor: &Visitor, name: &str, params: &Params) -> Result<UpstreamLogin> {
    let refuse = |why: &'static str| Code::InvalidRequest.because(why).under(&rule::UPSTREAM_STATE);
    let state = Secret::presented(answer::state(params)?);
    let row = upstream_login::find(&app.db, &state.hash(), app.now()).await?;
    let row = row.ok_or_else(|| refuse("the state is not known, has expired or was used"))?;
    if visitor.is_new || !equal(&row.browser_hash.0, &visitor.browser_hash().0) {
        return Err(refuse("the state is of another browser"));
    }
    if row.upstream != name {
        return Err(refuse("the state is of another provider").received(Shown::list([name])));
    }
    let id = row.id;
    match write_one!(app, db => upstream_login::take(db, id)).await? {
        true => Ok(row),
        false => Err(refuse("the state was used")),
    }
}

/// What the provider says: in the address, or posted before.
fn said(app: &App, begun: &UpstreamLogin, params: &Params) -> Params {
    let Some(sealed) = &begun.answer else { return params.clone() };
    let opened = app.master_key.open(&answer_context(begun.id), &sealed.0);
    let text = opened.ok().and_then(|opened| std::str::from_utf8(&opened).ok().map(Params::parse));
    text.unwrap_or_default()
}

async fn proved(app: &App, upstream: &Upstream, params: &Params, trace: &mut Trace) -> Result<Identity> {
    let kind = kind_of(upstream)?;
    let said = answer::read(params)?;
    let metadata = kind.metadata(app, upstream).await?;
    answer::check_issuer(said.iss.as_deref(), &kind.answers_as(&metadata), metadata.names_itself)?;
    let code = match said.outcome {
        Outcome::Code(code) => Secret::presented(&code),
        Outcome::Refused { error, by_person } => return Err(answer::refusal(&error, by_person)),
    };
    let verifier = verifier(app, &said.state);
    let tokens = exchange::redeem(app, upstream, &metadata, code.reveal(), verifier.reveal()).await?;
    trace.passed(&rule::UPSTREAM_REACHED, Some(Shown::word("tokens")));
    let nonce = nonce(app, &said.state);
    let with = With { upstream, metadata: &metadata, tokens: &tokens, nonce: nonce.reveal() };
    let identity = kind.identity(app, with).await?;
    trace.passed(&rule::UPSTREAM_TOKEN, Some(Shown::foreign_uri(&identity.issuer)));
    Ok(identity)
}
