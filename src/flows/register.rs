//! RFC 7591 §3, OpenID Connect Registration §3: a client registers itself, openly or with an initial access token.

use std::net::IpAddr;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Refused, Trouble,
    admin::clients::{self, Kind as ClientKind, NewClient},
    event::{self, Event},
    logo, sector,
    userinfo::{self, Bearer},
    write,
};
use crate::{
    app::{App, throttle::Key},
    config::RegistrationMode,
    crypto::secret::Secret,
    protocol::{
        Code, Error, Result, Scope,
        client_metadata::{ClientMetadata, ClientPolicy},
        discovery::path,
        register::{self, Open},
        registration::Problem,
        rule,
        trace::{Kind, Shown, Trace},
    },
    store::{
        client::{self, Client},
        client_logo, client_origin,
        registration_token::{self, RegistrationToken},
    },
};

/// A request to register, or to change what was registered.
#[derive(Debug)]
pub struct Request<'a> {
    pub bearer: Bearer<'a>,
    pub address: IpAddr,
    /// None when it is not said to be JSON.
    pub body: Option<&'a [u8]>,
}

/// RFC 7592 §3: what a client is told of itself, in JSON.
pub type Information = Map<String, Value>;

/// Decision D16: while this is off, there is no such endpoint.
pub fn is_offered(app: &App) -> bool {
    app.config.registration.mode != RegistrationMode::Off
}

/// # Errors
/// `invalid_token`, `invalid_redirect_uri`, `invalid_client_metadata`, `invalid_software_statement`, or 429.
pub async fn register(app: &App, request: &Request<'_>) -> Result<Information, Refused> {
    let mut trace = app.trace(Kind::Register).from(request.address);
    let registered = register_traced(app, request, &mut trace).await;
    if registered.is_ok() {
        event::happened(&trace, Event::Client, "registered");
    }
    super::settle(app, trace, registered)
}

async fn register_traced(app: &App, request: &Request<'_>, trace: &mut Trace) -> Result<Information> {
    let entry = admit(app, request, trace).await?;
    let said = register::read(json(request)?)?;
    let new = proposal(app, &said)?;
    sector::check_traced(app, &new.metadata, trace).await?;
    clients::ensure_keys(app, &new.metadata).await.map_err(broken)?;
    let (client, secret) = clients::prepare(app, new, client::REGISTERED).map_err(broken)?;
    let token = app.secret();
    let client = Client { registration_hash: Some(token.hash()), ..client };
    trace.client_id = Some(client.client_id.clone());
    if !keep(app, client.clone(), entry).await? {
        return Err(refuse(app, request, "the initial access token was used up meanwhile"));
    }
    trace.passed(&rule::REGISTRATION, Some(Shown::list(client.metadata.redirect_uris.iter().map(String::as_str))));
    logo::fetch_soon(app, &client.client_id);
    Ok(information(app, &client, secret.as_ref(), token.reveal()))
}

/// Which initial access token lets the client in; none where everybody may.
async fn admit(app: &App, request: &Request<'_>, trace: &mut Trace) -> Result<Option<Uuid>> {
    check(app, request)?;
    if app.config.registration.mode == RegistrationMode::Open {
        // Each counts: what costs us a row costs a stranger time.
        app.throttle.failed(&[Key::Registration(request.address)], app.now());
        return Ok(None);
    }
    let token = match userinfo::token(&request.bearer) {
        Ok(token) => Secret::presented(token),
        Err(error) if error.code == Code::InvalidToken => {
            return Err(refuse(app, request, "an initial access token is needed: Authorization: Bearer"));
        }
        Err(error) => return Err(error),
    };
    let found = registration_token::find(&app.db, &token.hash()).await?;
    let why = match &found {
        None => "the initial access token is not known",
        Some(token) if token.is_good(app.now()) => {
            trace.passed(&rule::INITIAL_ACCESS_TOKEN, Some(Shown::cause(&token.id.to_string())));
            return Ok(Some(token.id));
        }
        Some(RegistrationToken { revoked_at: Some(_), .. }) => "the initial access token was revoked",
        Some(token) if token.expires_at <= app.now() => "the initial access token has expired",
        Some(_) => "the initial access token is used up",
    };
    Err(refuse(app, request, why))
}

fn check(app: &App, request: &Request<'_>) -> Result<()> {
    let keys = [Key::Registration(request.address)];
    app.throttle.check(&keys, app.now()).map_err(|error| Error {
        description: "too many registrations from this address; wait before the next".into(),
        ..error
    })
}

/// Bounds what one address can make us do by registering.
///
/// # Errors
/// 429.
pub(super) fn count(app: &App, request: &Request<'_>) -> Result<()> {
    check(app, request)?;
    app.throttle.failed(&[Key::Registration(request.address)], app.now());
    Ok(())
}

fn refuse(app: &App, request: &Request<'_>, why: &'static str) -> Error {
    app.throttle.failed(&[Key::Registration(request.address)], app.now());
    Code::InvalidToken.because(why).under(&rule::INITIAL_ACCESS_TOKEN)
}

/// The body, if it is what it should be.
///
/// # Errors
/// `invalid_client_metadata`.
pub(super) fn json<'a>(request: &Request<'a>) -> Result<&'a [u8]> {
    request.body.ok_or_else(|| {
        Code::InvalidClientMetadata.because("the body must be application/json").under(&rule::REGISTRATION)
    })
}

/// The client that is asked for.
///
/// # Errors
/// Everything that is wrong with it, in one error.
pub(super) fn proposal(app: &App, said: &Map<String, Value>) -> Result<NewClient> {
    let settings = &app.config.registration;
    let scope: Scope = settings.scopes.join(" ").parse().unwrap_or_default();
    let open = Open { response_types: &settings.response_types, scope: &scope };
    let (metadata, mut problems) = register::proposed(said, open);
    let policy = ClientPolicy { require_pkce: settings.require_pkce, ..ClientPolicy::default() };
    let ours = clients::said(&metadata, &policy).into_iter();
    problems.extend(ours.map(|field| -> Problem { (field.name, field.why.to_string()) }));
    if !problems.is_empty() {
        return Err(register::refusal(&problems));
    }
    Ok(NewClient { client_id: None, kind: kind(&metadata), metadata, policy, secret: None })
}

/// Machines are not let in: they have no person who could be warned.
fn kind(metadata: &ClientMetadata) -> ClientKind {
    match (metadata.is_native(), metadata.is_public()) {
        (true, _) => ClientKind::Native,
        (false, true) => ClientKind::Spa,
        (false, false) => ClientKind::Web,
    }
}

/// Spends the token and writes the client, both or neither. False when others have used the token up.
async fn keep(app: &App, client: Client, entry: Option<Uuid>) -> Result<bool> {
    let (id, now) = (client.client_id.clone(), app.now());
    let (origins, logo) = (clients::origins(&client), client.metadata.logo_uri.clone());
    let kept = write!(app, db => {
        if let Some(entry) = entry && !registration_token::spend(db, entry, now).await? {
            return Ok(false);
        }
        client::insert(db, client).await?;
        client_origin::set(db, &id, origins).await?;
        client_logo::want(db, &id, logo.as_deref(), now).await?;
        Ok(true)
    });
    Ok(kept.await?)
}

/// RFC 7591 §3.2.1, RFC 7592 §3. The secret only where it was just made: nothing but its hash is kept.
pub(super) fn information(app: &App, client: &Client, secret: Option<&Secret>, token: &str) -> Information {
    let mut told = match serde_json::to_value(&client.metadata) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    told.insert("client_id".into(), client.client_id.as_str().into());
    told.insert("client_id_issued_at".into(), client.created_at.into());
    if let Some(secret) = secret {
        told.insert("client_secret".into(), secret.reveal().into());
        // It never expires.
        told.insert("client_secret_expires_at".into(), 0.into());
    }
    let uri = app.url(&format!("{}/{}", path::REGISTER, client.client_id));
    told.insert("registration_client_uri".into(), uri.into());
    told.insert("registration_access_token".into(), token.into());
    told
}

/// What was checked before cannot be wrong any more.
pub(super) fn broken(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Broken(error) => error,
        other => Error::internal(other),
    }
}
