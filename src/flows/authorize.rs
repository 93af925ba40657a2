//! The authorization endpoint: from a client's request to a code, by way of the person.

use std::sync::Arc;

use uuid::Uuid;

use super::{Refused, event, hint, no_journey, visitor::Visitor, write, write_one};
use crate::{
    app::App,
    protocol::{
        Code, Error, Params, Result, Scope,
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
        grant,
        session::{Live, Session},
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
}

/// A journey as its pages see it.
pub struct Journey {
    pub client: Arc<Client>,
    pub request: Request,
    pub signed_in: Option<(Session, User)>,
    /// The app expects somebody else than who is signed in.
    pub expects_someone_else: bool,
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
    let (client, request) = read(app, &params, trace).await?;
    let kept = kept(app, &params, &request).map_err(|error| told(&request, error))?;
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
    let known =
        known(app, &request, &client, None, signed_in.as_ref(), consent.as_ref()).map_err(|e| told(&request, e))?;
    match step::next(&request, &known, app.now()).map_err(|error| told(&request, error))? {
        Step::Issue => {
            let issued = issue_code(app, &client, &request, signed_in, None, trace).await;
            issued.map(Next::Client).map_err(|error| told(&request, error))
        }
        step => Ok(keep(app, journey(Some(visitor.browser_hash())), |id| Next::Page(id, step)).await?),
    }
}

/// Whom a hint named, in the request as a journey keeps it. No client can send it: what is kept is chosen by name.
const HINTED: &str = "id_token_hint.sub";

/// The request without what nobody reads again, and of a hint only whom it names: case SEC-163.
fn kept(app: &App, params: &Params, request: &Request) -> Result<String> {
    let mut kept = params.only(&authorize::KEPT);
    if let Some(token) = &request.id_token_hint {
        kept = kept.with(HINTED, &hint::read(app, token)?.sub.to_string());
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
    let (client, request) = read(app, &Params::parse(&row.params), trace).await?;
    let (signed_in, consent) = apart(visitor.session_with_consent(app, &client.client_id).await?);
    let known = known(app, &request, &client, Some(&row), signed_in.as_ref(), consent.as_ref())
        .map_err(|e| told(&request, e))?;
    match step::next(&request, &known, app.now()) {
        Ok(Step::Issue) => {
            let issued = issue_code(app, &client, &request, signed_in, Some(&row), trace).await;
            issued.map(Next::Client).map_err(|error| told(&request, error))
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
        Ok((client, request, signed_in, known)) => Ok(Journey {
            expects_someone_else: known
                .expected_user
                .is_some_and(|expected| known.user.is_some_and(|user| user != expected)),
            step: step::needed(&request, &known, app.now()),
            client,
            request,
            signed_in,
            trace,
        }),
        Err(Refusal::Show(error)) => super::settle(app, trace, Err(*error)),
        // The client changed since: its own error page is ours to show while a person is at it.
        Err(Refusal::Tell(tell)) => super::settle(app, trace, Err(tell.1)),
    }
}

type Looked = (Arc<Client>, Request, Option<(Session, User)>, Known);

async fn look_traced(app: &App, id: Uuid, visitor: &Visitor, trace: &mut Trace) -> Result<Looked, Refusal> {
    let row = find(app, id, visitor, trace).await?;
    let (client, request) = read(app, &Params::parse(&row.params), trace).await?;
    trace.checks.clear();
    let (signed_in, consent) = apart(visitor.session_with_consent(app, &client.client_id).await?);
    let known = known(app, &request, &client, Some(&row), signed_in.as_ref(), consent.as_ref())?;
    Ok((client, request, signed_in, known))
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

/// The client and its checked request. Validated again at every step, so a change to the client counts at once.
async fn read(app: &App, params: &Params, trace: &mut Trace) -> Result<(Arc<Client>, Request), Refusal> {
    if params.is_repeated("client_id") {
        return Err(Code::InvalidRequest.because("client_id is given twice").under(&rule::PARAMETERS).into());
    }
    let client_id = params.require("client_id").map_err(|error| error.under(&rule::CLIENT))?;
    // Names the client also where it is unknown: that is what the operator looks for.
    trace.client_id = Some(client_id.chars().take(200).filter(|c| !c.is_control()).collect());
    let client = app.cache.client(&app.db, client_id).await.map_err(Error::from)?.ok_or_else(|| {
        Code::InvalidRequest
            .because("the app is not known here, or is disabled")
            .under(&rule::CLIENT)
            .received(Shown::client_id(client_id))
    })?;
    trace.passed(&rule::CLIENT, Some(Shown::client_id(client_id)));
    let request = authorize::validate(params, &client.registered(), trace)?;
    let resources = app.cache.resources(&app.db).await.map_err(Error::from)?;
    resource::audience(request.resource.as_deref(), &request.scope, &resources.rules).map_err(|e| told(&request, e))?;
    Ok((client, request))
}

fn expected_user(app: &App, request: &Request, row: Option<&Authorization>) -> Result<Option<Uuid>> {
    let kept = row.map(|row| Params::parse(&row.params));
    if let Some(sub) = kept.as_ref().and_then(|kept| kept.get(HINTED)) {
        return Ok(Some(Uuid::try_parse(sub).unwrap_or(Uuid::nil())));
    }
    if let Some(token) = &request.id_token_hint {
        return Ok(Some(hint::read(app, token)?.sub));
    }
    // A `sub` that is nobody's here is expected in vain.
    Ok(request.claims.sub.as_deref().map(|sub| Uuid::try_parse(sub).unwrap_or(Uuid::nil())))
}

fn known(
    app: &App,
    request: &Request,
    client: &Client,
    row: Option<&Authorization>,
    signed_in: Option<&(Session, User)>,
    consent: Option<&Consent>,
) -> Result<Known> {
    let expected_user = expected_user(app, request, row)?;
    let Some((session, user)) = signed_in else { return Ok(Known { expected_user, ..Known::default() }) };
    let row = row.filter(|row| row.session_id == Some(session.id));
    Ok(Known {
        user: Some(user.id),
        signed_in_at: Some(session.auth_time),
        signed_in_here: row.is_some_and(|row| row.signed_in_here),
        chosen_here: row.is_some_and(|row| row.chosen_here),
        expected_user,
        consented: consented(consent, request),
        consented_here: row.is_some_and(|row| row.consented),
        consent_not_needed: client.policy.first_party && client.policy.skip_consent && !client.is_self_registered(),
    })
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

async fn issue_code(
    app: &App,
    client: &Client,
    request: &Request,
    signed_in: Option<(Session, User)>,
    row: Option<&Authorization>,
    trace: &mut Trace,
) -> Result<Reply> {
    let (session, user) = signed_in.ok_or_else(no_journey)?;
    trace.user_id = Some(user.id);
    let code = app.secret();
    let now = app.now();
    let offline = request.scope.contains("offline_access");
    let grant = grant::Grant {
        id: app.ordered_id(),
        code_hash: Some(code.hash()),
        client_id: client.client_id.clone(),
        user_id: user.id,
        session_id: Some(session.id),
        scope: request.scope.clone(),
        resource: request.resource.clone(),
        redirect_uri: request.reply.redirect_uri().to_owned(),
        challenge: request.challenge.as_ref().map(|challenge| challenge.as_str().to_owned()),
        nonce: request.nonce.clone(),
        claims: request.claims.clone(),
        auth_time: session.auth_time,
        trace_id: trace.id.clone(),
        created_at: now,
        code_expires_at: now + app.config.lifetimes.code.get(),
        redeemed_at: None,
        refreshable: client.may_use("refresh_token") && (offline || client.policy.always_refresh),
        offline,
        generation: 0,
        rotated_at: now,
        expires_at: now + super::refresh_token::tokens_life(app),
        revoked_at: None,
    };
    match row {
        None => write_one!(app, db => grant::insert(db, grant)).await?,
        Some(row) => {
            let id = row.id;
            // Two tabs that finish at once: one of them answers the client.
            let won = write!(app, db => {
                let won = authorization::finish(db, id, now).await?;
                if won { grant::insert(db, grant).await? }
                Ok(won)
            });
            if !won.await? {
                return Err(no_journey());
            }
        }
    }
    trace.passed(&rule::INTERACTION, Some(Shown::word("a code was issued")));
    Ok(request.reply.success(app.issuer(), code.reveal()))
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
