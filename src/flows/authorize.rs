//! The authorization endpoint: from a client's request to its answer, by way of the person.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Refused, authorization_response, event, factors, hint, no_journey, request_object, subject, visitor::Visitor,
    write_one,
};
use crate::{
    app::App,
    protocol::{
        Code, Error, Params, Result, Scope,
        assurance::{Methods, Wanted},
        authorize::{self, Refusal, Request},
        reply::Reply,
        resource, rule,
        step::{self, Known, Step},
        trace::{Kind, Shown, Trace},
    },
    store::{
        authorization::{self, Authorization},
        client::Client,
        consent::Consent,
        session::{Live, Session},
        sign_in::{self, SignIn},
        upstream_identity,
        user::User,
    },
};

/// Where the browser goes after a request or a page.
#[derive(Debug)]
pub enum Next {
    /// To the client, with a code or an error.
    Client(Reply),
    /// To the journey's crossroads: the request was kept.
    Journey(Uuid),
    Page(Uuid, Step),
    /// To the provider that the app would have the person sign in with, if there is one of that name.
    Provider(Uuid, String),
}

/// A journey as its pages see it.
pub struct Journey {
    pub client: Arc<Client>,
    pub request: Request,
    pub signed_in: Option<(Session, User)>,
    /// The sign-in of which a step is done here and a step is missing.
    pub half_way: Option<SignIn>,
    /// The app expects somebody else than who is signed in.
    pub expects_someone_else: bool,
    /// How strong a sign-in the app would have.
    pub wanted: Option<Wanted>,
    /// What the journey needs now; only that page may be answered.
    pub step: Step,
    pub trace: Trace,
}

/// A client sends a browser here. `posted`: by a form of its own, so our cookies may not have come along (K4).
///
/// # Errors
/// What must be shown here, because the redirect URI is not proven.
pub async fn begin(app: &App, params: Params, visitor: &Visitor, posted: bool) -> Result<Next, Refused> {
    let mut trace = app.trace(Kind::Authorize).from(visitor.address);
    let next = begin_traced(app, params, visitor, posted, &mut trace).await;
    answer(app, trace, next)
}

async fn begin_traced(
    app: &App,
    params: Params,
    visitor: &Visitor,
    posted: bool,
    trace: &mut Trace,
) -> Result<Next, Refusal> {
    let client = client(app, &params, trace).await?;
    let resolved = request_object::resolve(app, &client, &params, trace).await;
    let params = match resolved {
        Ok(resolved) => resolved.unwrap_or(params),
        Err(error) => return Err(told_early(&params, &client, error)),
    };
    let request = read(app, &params, &client, trace).await?;
    let kept = kept(app, &params, &request).await.map_err(|error| told(&request, error))?;
    let journey = |browser| Authorization {
        id: app.ordered_id(),
        browser_hash: browser,
        trace_id: trace.id.clone(),
        client_id: client.client_id.clone(),
        params: kept.clone(),
        session_id: None,
        signed_in_here: false,
        chosen_here: false,
        consented: false,
        created_at: app.now(),
        expires_at: app.now() + app.config.lifetimes.journey.get(),
        finished_at: None,
    };
    if posted {
        return Ok(keep(app, journey(None), Next::Journey).await?);
    }
    let (signed_in, consent) = apart(visitor.session_with_consent(app, &client.client_id).await?);
    let here = Here { row: None, half_way: None, signed_in: signed_in.as_ref(), consent: consent.as_ref() };
    let known = known(app, &request, &client, here).await.map_err(|e| told(&request, e))?;
    match step::next(&request, &known, app.now()).map_err(|error| told(&request, error))? {
        Step::Issue => {
            let signed_in = signed_in.ok_or_else(no_journey)?;
            let issued = authorization_response::issue(app, &client, &request, signed_in, None, trace).await;
            issued.map(Next::Client).map_err(|error| told(&request, error))
        }
        step => {
            let next = keep(app, journey(Some(visitor.browser_hash())), |id| Next::Page(id, step)).await?;
            Ok(towards_provider(next, &request, signed_in.is_some()))
        }
    }
}

/// Nobody who is signed in is sent away, and nobody who has come back.
fn towards_provider(next: Next, request: &Request, is_signed_in: bool) -> Next {
    match (next, &request.idp_hint) {
        (Next::Page(id, Step::Login), Some(name)) if !is_signed_in => Next::Provider(id, name.clone()),
        (next, _) => next,
    }
}

/// Whom a hint named, in the request as a journey keeps it. No client can send it: what is kept is chosen by name.
const HINTED: &str = "id_token_hint.sub";

/// The request without what nobody reads again, and of a hint only whom it names: case SEC-163.
async fn kept(app: &App, params: &Params, request: &Request) -> Result<String> {
    let mut kept = params.only(&authorize::KEPT);
    if let Some(token) = &request.id_token_hint {
        kept = kept.with(HINTED, &hint::of_client(app, token, &request.client_id).await?.sub.to_string());
    }
    Ok(kept.encode())
}

async fn keep(app: &App, row: Authorization, next: impl Fn(Uuid) -> Next) -> Result<Next> {
    let id = row.id;
    write_one!(app, db => authorization::insert(db, row)).await?;
    Ok(next(id))
}

/// Every page of the journey comes back here.
///
/// # Errors
/// What must be shown here.
pub async fn proceed(app: &App, id: Uuid, visitor: &Visitor) -> Result<Next, Refused> {
    let mut trace = app.trace(Kind::Authorize).from(visitor.address);
    let next = proceed_traced(app, id, visitor, &mut trace).await;
    answer(app, trace, next)
}

async fn proceed_traced(app: &App, id: Uuid, visitor: &Visitor, trace: &mut Trace) -> Result<Next, Refusal> {
    let row = find(app, id, visitor, trace).await?;
    let (client, request) = read_again(app, &row, trace).await?;
    let (signed_in, consent) = apart(visitor.session_with_consent(app, &client.client_id).await?);
    let half_way = half_way(app, &row, visitor).await.map_err(|e| told(&request, e))?;
    let here =
        Here { row: Some(&row), half_way: half_way.as_ref(), signed_in: signed_in.as_ref(), consent: consent.as_ref() };
    let known = known(app, &request, &client, here).await.map_err(|e| told(&request, e))?;
    match step::next(&request, &known, app.now()) {
        Ok(Step::Issue) => {
            let signed_in = signed_in.ok_or_else(no_journey)?;
            let issued = authorization_response::issue(app, &client, &request, signed_in, Some(&row), trace).await;
            issued.map(Next::Client).map_err(|error| told(&request, error))
        }
        // The first visit of a request that was posted.
        Ok(step) if row.browser_hash.is_none() => {
            Ok(towards_provider(Next::Page(id, step), &request, signed_in.is_some()))
        }
        Ok(step) => Ok(Next::Page(id, step)),
        Err(error) => {
            finish(app, id).await?;
            Err(told(&request, error))
        }
    }
}

/// What a page of the journey needs. Nothing is decided here.
///
/// # Errors
/// When the journey is over, is another browser's, or the client may no longer ask.
pub async fn look(app: &App, id: Uuid, visitor: &Visitor, kind: Kind) -> Result<Journey, Refused> {
    let mut trace = app.trace(kind).from(visitor.address);
    match look_traced(app, id, visitor, &mut trace).await {
        Ok(looked) => Ok(journey(app, looked, trace)),
        Err(Refusal::Show(error)) => super::settle(app, trace, Err(*error)),
        // The client changed since: its own error page is ours to show while a person is at it.
        Err(Refusal::Tell(tell)) => super::settle(app, trace, Err(tell.1)),
    }
}

/// The journey that somebody left for another page of ours; none if it is over, which is no refusal.
pub async fn resume(app: &App, id: Uuid, visitor: &Visitor) -> Option<Journey> {
    let mut trace = app.trace(Kind::Login).from(visitor.address);
    let looked = look_traced(app, id, visitor, &mut trace).await.ok()?;
    Some(journey(app, looked, trace))
}

fn journey(app: &App, (client, request, signed_in, half_way, known): Looked, trace: Trace) -> Journey {
    Journey {
        expects_someone_else: known
            .expected_user
            .is_some_and(|expected| known.user.is_some_and(|user| user != expected)),
        wanted: wanted(&request, &client),
        step: step::needed(&request, &known, app.now()),
        client,
        request,
        signed_in,
        half_way,
        trace,
    }
}

type Looked = (Arc<Client>, Request, Option<(Session, User)>, Option<SignIn>, Known);

async fn look_traced(app: &App, id: Uuid, visitor: &Visitor, trace: &mut Trace) -> Result<Looked, Refusal> {
    let row = find(app, id, visitor, trace).await?;
    let (client, request) = read_again(app, &row, trace).await?;
    trace.checks.clear();
    let (signed_in, consent) = apart(visitor.session_with_consent(app, &client.client_id).await?);
    let half_way = half_way(app, &row, visitor).await?;
    let here =
        Here { row: Some(&row), half_way: half_way.as_ref(), signed_in: signed_in.as_ref(), consent: consent.as_ref() };
    let known = known(app, &request, &client, here).await?;
    Ok((client, request, signed_in, half_way, known))
}

/// The sign-in that waits in this journey for its second step, at this very browser.
async fn half_way(app: &App, row: &Authorization, visitor: &Visitor) -> Result<Option<SignIn>> {
    let found = sign_in::of_journey(&app.db, row.id, app.now()).await?;
    Ok(found.filter(|found| crate::crypto::secret::equal(&found.browser_hash.0, &visitor.browser_hash().0)))
}

/// The person gives up: the client is told, nothing is granted.
///
/// # Errors
/// When the journey is over or another browser's.
pub async fn deny(app: &App, id: Uuid, visitor: &Visitor) -> Result<Next, Refused> {
    let Journey { request, signed_in, step, mut trace, .. } = look(app, id, visitor, Kind::Consent).await?;
    trace.user_id = signed_in.map(|(_, user)| user.id);
    if step == Step::Consent {
        event::happened(&trace, event::Event::Consent, "denied");
    }
    let refusal = match finish(app, id).await {
        Ok(()) => told(&request, Code::AccessDenied.because("the person said no").under(&rule::CONSENT)),
        Err(error) => error.into(),
    };
    answer(app, trace, Err(refusal))
}

/// The open journey of this browser; one that was posted across sites becomes this browser's now.
async fn find(app: &App, id: Uuid, visitor: &Visitor, trace: &mut Trace) -> Result<Authorization> {
    let row = authorization::find(&app.db, id, app.now()).await?.ok_or_else(no_journey)?;
    trace.id.clone_from(&row.trace_id);
    let browser = visitor.browser_hash();
    let is_theirs = match &row.browser_hash {
        Some(hash) => !visitor.is_new && crate::crypto::secret::equal(&hash.0, &browser.0),
        None => write_one!(app, db => authorization::bind(db, id, browser)).await?,
    };
    if is_theirs {
        return Ok(row);
    }
    Err(Code::InvalidRequest
        .because("this sign-in was begun in another browser, or cookies are off")
        .under(&rule::BROWSER))
}

/// A journey's request, validated again at every step, so a change to the client counts at once.
async fn read_again(app: &App, row: &Authorization, trace: &mut Trace) -> Result<(Arc<Client>, Request), Refusal> {
    let params = Params::parse(&row.params);
    let client = client(app, &params, trace).await?;
    let request = read(app, &params, &client, trace).await?;
    Ok((client, request))
}

async fn client(app: &App, params: &Params, trace: &mut Trace) -> Result<Arc<Client>> {
    if params.is_repeated("client_id") {
        return Err(Code::InvalidRequest.because("client_id is given twice").under(&rule::PARAMETERS));
    }
    let client_id = params.require("client_id").map_err(|error| error.under(&rule::CLIENT))?;
    // Names the client also where it is unknown: that is what the operator looks for.
    trace.client_id = Some(client_id.chars().take(200).filter(|c| !c.is_control()).collect());
    let client = app.cache.client(&app.db, client_id).await?.ok_or_else(|| {
        Code::InvalidRequest
            .because("the app is not known here, or is disabled")
            .under(&rule::CLIENT)
            .received(Shown::client_id(client_id))
    })?;
    trace.passed(&rule::CLIENT, Some(Shown::client_id(client_id)));
    Ok(client)
}

async fn read(app: &App, params: &Params, client: &Client, trace: &mut Trace) -> Result<Request, Refusal> {
    let request = authorize::validate(params, &client.registered(), trace)?;
    let resources = app.cache.resources(&app.db).await.map_err(Error::from)?;
    resource::audience(request.resource.as_deref(), &request.scope, &resources.rules).map_err(|e| told(&request, e))?;
    Ok(request)
}

/// An error that arises before all parameters are known: for the client, if what is known proves where it is.
fn told_early(params: &Params, client: &Client, error: Error) -> Refusal {
    match authorize::reply_to(params, &client.registered()) {
        Some(reply) => Refusal::Tell(Box::new((reply, error))),
        None => error.into(),
    }
}

async fn expected_user(
    app: &App,
    request: &Request,
    client: &Client,
    row: Option<&Authorization>,
) -> Result<Option<Uuid>> {
    let kept = row.map(|row| Params::parse(&row.params));
    if let Some(sub) = kept.as_ref().and_then(|kept| kept.get(HINTED)) {
        return Ok(Some(Uuid::try_parse(sub).unwrap_or(Uuid::nil())));
    }
    if let Some(token) = &request.id_token_hint {
        return Ok(Some(hint::of_client(app, token, &client.client_id).await?.sub));
    }
    // A `sub` that is nobody's here is expected in vain.
    Ok(request.claims.sub.as_deref().map(|sub| subject::person(app, client, sub).unwrap_or(Uuid::nil())))
}

/// What there is of this browser.
#[derive(Clone, Copy)]
struct Here<'a> {
    row: Option<&'a Authorization>,
    half_way: Option<&'a SignIn>,
    signed_in: Option<&'a (Session, User)>,
    consent: Option<&'a Consent>,
}

async fn known(app: &App, request: &Request, client: &Client, here: Here<'_>) -> Result<Known> {
    let Here { row, half_way, signed_in, consent } = here;
    let expected_user = expected_user(app, request, client, row).await?;
    // What is kept for somebody who steps up proves nothing by itself.
    let is_half_way = half_way.is_some_and(|sign_in| sign_in.proved() != Methods::default());
    let Some((session, user)) = signed_in else { return Ok(Known { expected_user, is_half_way, ..Known::default() }) };
    let row = row.filter(|row| row.session_id == Some(session.id));
    let (wanted, proved) = (wanted(request, client), session.proved());
    let falls_short = wanted.is_some_and(|wanted| !wanted.essential && proved.level() < wanted.level);
    let known = Known {
        user: Some(user.id),
        signed_in_at: Some(session.auth_time),
        signed_in_here: row.is_some_and(|row| row.signed_in_here),
        chosen_here: row.is_some_and(|row| row.chosen_here),
        expected_user,
        consented: consented(consent, request),
        consented_here: row.is_some_and(|row| row.consented),
        consent_not_needed: client.policy.first_party && client.policy.skip_consent && !client.is_self_registered(),
        is_half_way,
        needs_two_steps: client.policy.require_second_factor || factors::are_required(app, user),
        wanted,
        can_step_up: falls_short && !proved.stands_on_mail() && factors::has_any(&app.db, user.id).await?,
        proved,
        waits_to_connect: match row.filter(|row| row.signed_in_here) {
            Some(row) => waits_to_connect(app, row, session).await?,
            None => false,
        },
        must_sign_in_again: false,
    };
    let is_stale = !known.signed_in_here && app.now() - session.auth_time >= app.config.second_factor.fresh.get();
    let must_sign_in_again = is_stale && known.owes_a_factor() && !factors::has_any(&app.db, user.id).await?;
    Ok(Known { must_sign_in_again, ..known })
}

/// Whoever has come from a provider before this sign-in, at this very browser.
async fn waits_to_connect(app: &App, row: &Authorization, session: &Session) -> Result<bool> {
    let waits = upstream_identity::of_journey(&app.db, row.id, app.now()).await?;
    let Some((waits, browser)) = waits.zip(row.browser_hash.as_ref()) else { return Ok(false) };
    let is_theirs = crate::crypto::secret::equal(&waits.browser_hash.0, &browser.0);
    // Whenever they proved who they are, elsewhere say: what counts is that they have come here since.
    Ok(is_theirs && waits.created_at <= session.created_at)
}

/// OpenID Connect Core §5.5.1.1, §3.1.2.1; Registration §2: the client's wish in this request, or its usual one.
fn wanted(request: &Request, client: &Client) -> Option<Wanted> {
    let usual = || Wanted::voluntary(client.metadata.default_acr_values.iter().map(String::as_str));
    let asked = || request.acr_values.as_deref().map(|values| Wanted::voluntary(values.split(' ')));
    request.claims.acr.or_else(|| asked().unwrap_or_else(usual))
}

/// What was agreed to before. Claims asked for by name count as much as scopes: a new one asks again.
fn consented(consent: Option<&Consent>, request: &Request) -> Scope {
    let Some(consent) = consent else { return Scope::default() };
    let beyond = request.claims.beyond(&consent.scope);
    let all = beyond.iter().all(|claim| consent.claims.0.iter().any(|known| known == claim));
    if all { consent.scope.clone() } else { Scope::default() }
}

fn apart(live: Option<Live>) -> (Option<(Session, User)>, Option<Consent>) {
    match live {
        Some((session, user, consent)) => (Some((session, user)), consent),
        None => (None, None),
    }
}

/// # Errors
/// When another request finished it first.
async fn finish(app: &App, id: Uuid) -> Result<()> {
    let now = app.now();
    if write_one!(app, db => authorization::finish(db, id, now)).await? { Ok(()) } else { Err(no_journey()) }
}

/// For the client; but when the journey is over it has been answered, and one answer is enough.
fn told(request: &Request, error: Error) -> Refusal {
    if error.detail.as_ref().is_some_and(|detail| detail.rule.name == rule::JOURNEY.name) {
        return error.into();
    }
    Refusal::Tell(Box::new((request.reply.clone(), error)))
}

/// The end of every run of this endpoint: what was refused is recorded, and goes to whom it may go.
fn answer(app: &App, mut trace: Trace, next: Result<Next, Refusal>) -> Result<Next, Refused> {
    match next {
        Ok(next) => {
            app.record(trace);
            Ok(next)
        }
        Err(Refusal::Tell(tell)) => {
            let (reply, error) = *tell;
            event::refused(&trace, &error);
            trace.refused(&error);
            if let Some(cause) = &error.cause {
                tracing::error!(%cause, trace_id = trace.id, "an authorization failed");
            }
            let about = app.url(&format!("/errors/{}", trace.id));
            app.record(trace);
            Ok(Next::Client(reply.failure(app.issuer(), &error, &about)))
        }
        Err(Refusal::Show(error)) => super::settle(app, trace, Err(*error)),
    }
}
