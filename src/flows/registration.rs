//! RFC 7592: a client that registered itself reads, replaces or removes its registration, by the token that it was given
//! then. Whoever has no such token learns nothing, not even which clients there are.

use serde_json::{Map, Value};

use super::{
    Refused,
    admin::clients,
    event::{self, Event},
    logo,
    register::{self, Information, Request},
    sector, userinfo, write,
};
use crate::{
    app::App,
    crypto::secret::{self, Secret},
    protocol::{
        Code, Error, Result,
        register::{self as rules, refusal},
        rule,
        trace::{Kind, Shown, Trace},
    },
    store::{
        client::{self, Client},
        client_logo, client_origin, consent, grant,
    },
};

/// §2.1.
///
/// # Errors
/// `invalid_token`.
pub async fn read(app: &App, client_id: &str, request: &Request<'_>) -> Result<Information, Refused> {
    let mut trace = app.trace(Kind::Register).from(request.address);
    let read = async {
        let (client, token) = proven(app, client_id, request, &mut trace).await?;
        Ok(register::information(app, &client, None, token.reveal()))
    };
    let read = read.await;
    super::settle(app, trace, read)
}

/// §2.2: what is not said is taken away.
///
/// # Errors
/// `invalid_token`, or everything that is wrong with the new registration.
pub async fn replace(app: &App, client_id: &str, request: &Request<'_>) -> Result<Information, Refused> {
    let mut trace = app.trace(Kind::Register).from(request.address);
    let replaced = replace_traced(app, client_id, request, &mut trace).await;
    if replaced.is_ok() {
        event::happened(&trace, Event::Client, "changed");
    }
    super::settle(app, trace, replaced)
}

/// §2.3: with everything that was granted to it.
///
/// # Errors
/// `invalid_token`.
pub async fn remove(app: &App, client_id: &str, request: &Request<'_>) -> Result<(), Refused> {
    let mut trace = app.trace(Kind::Register).from(request.address);
    let removed = async {
        let (client, _) = proven(app, client_id, request, &mut trace).await?;
        let id = client.client_id.clone();
        write!(app, db => client::delete(db, &id).await).await?;
        app.cache.forget_client(&client.client_id).await;
        Ok(())
    };
    let removed = removed.await;
    if removed.is_ok() {
        event::happened(&trace, Event::Client, "deleted");
    }
    super::settle(app, trace, removed)
}

/// The client, and the token that proves it. Always read anew: what is revoked is revoked everywhere.
async fn proven(app: &App, client_id: &str, request: &Request<'_>, trace: &mut Trace) -> Result<(Client, Secret)> {
    let token = match userinfo::token(&request.bearer) {
        Ok(token) => Secret::presented(token),
        Err(error) if error.code == Code::InvalidToken => return Err(refused()),
        Err(error) => return Err(error),
    };
    let found = client::find(&app.db, client_id).await?.filter(Client::is_enabled);
    let client = found.filter(|client| {
        client.registration_hash.as_ref().is_some_and(|known| secret::equal(&known.0, &token.hash().0))
    });
    let client = client.ok_or_else(refused)?;
    trace.client_id = Some(client.client_id.clone());
    trace.passed(&rule::REGISTRATION_ACCESS_TOKEN, None);
    Ok((client, token))
}

fn refused() -> Error {
    Code::InvalidToken
        .because("the registration access token is not the one of such a client")
        .under(&rule::REGISTRATION_ACCESS_TOKEN)
}

async fn replace_traced(app: &App, client_id: &str, request: &Request<'_>, trace: &mut Trace) -> Result<Information> {
    let (old, token) = proven(app, client_id, request, trace).await?;
    // Each makes us look at addresses of its choice, as the first registration does.
    register::count(app, request)?;
    let said = rules::read(register::json(request)?)?;
    check_same(&old, &said)?;
    let new = register::proposal(app, &said)?;
    sector::check_traced(app, &new.metadata, trace).await?;
    clients::ensure_keys(app, &new.metadata).await.map_err(register::broken)?;
    let named = clients::NewClient { client_id: Some(old.client_id.clone()), ..new };
    let (new, secret) = clients::prepare(app, named, client::REGISTERED).map_err(register::broken)?;
    let (client, secret) = with_secret(&old, new, secret);
    if !keep(app, &old, client.clone()).await? {
        return Err(refused());
    }
    trace.passed(&rule::REGISTRATION, Some(Shown::list(client.metadata.redirect_uris.iter().map(String::as_str))));
    logo::fetch_soon(app, &client.client_id);
    Ok(register::information(app, &client, secret.as_ref(), token.reveal()))
}

/// §2.2: the request names the client, and cannot choose its secret.
fn check_same(client: &Client, said: &Map<String, Value>) -> Result<()> {
    let mut problems = Vec::new();
    if said.get("client_id").and_then(Value::as_str) != Some(&client.client_id) {
        problems.push(("client_id", "must be that of the client itself".to_owned()));
    }
    let is_current = |value: &Value| {
        let hash = value.as_str().map(|text| Secret::presented(text).hash());
        hash.is_some_and(|hash| client.secret_hash.as_ref().is_some_and(|known| secret::equal(&known.0, &hash.0)))
    };
    if said.get("client_secret").is_some_and(|value| !value.is_null() && !is_current(value)) {
        problems.push(("client_secret", "is not the current one, and cannot be chosen".to_owned()));
    }
    if problems.is_empty() { Ok(()) } else { Err(refusal(&problems)) }
}

/// The client keeps its secret, unless it had none that its new method could use.
fn with_secret(old: &Client, new: Client, fresh: Option<Secret>) -> (Client, Option<Secret>) {
    let dates = Client { created_at: old.created_at, last_used_at: old.last_used_at, ..new };
    let new = Client { registration_hash: old.registration_hash.clone(), ..dates };
    let is_enough = old.secret_hash.is_some() && (new.sealed_secret.is_none() || old.sealed_secret.is_some());
    match fresh {
        Some(_) if is_enough => {
            let sealed_secret = new.sealed_secret.and(old.sealed_secret.clone());
            (Client { secret_hash: old.secret_hash.clone(), sealed_secret, ..new }, None)
        }
        fresh => (new, fresh),
    }
}

/// False when the client was removed meanwhile.
async fn keep(app: &App, old: &Client, client: Client) -> Result<bool> {
    let Some(registration) = old.registration_hash.clone() else { return Ok(false) };
    let (id, now, renamed) = (client.client_id.clone(), app.now(), is_another(old, &client));
    let (origins, logo) = (clients::origins(&client), client.metadata.logo_uri.clone());
    let kept = write!(app, db => {
        let known = client::replace(db, client, &registration).await?;
        if known {
            client_origin::set(db, &id, origins).await?;
            client_logo::want(db, &id, logo.as_deref(), now).await?;
            if renamed {
                consent::withdraw_all(db, &id).await?;
                grant::revoke_of_client(db, &id, now).await?;
            }
        }
        Ok(known)
    });
    let kept = kept.await?;
    app.cache.forget_client(&old.client_id).await;
    Ok(kept)
}

/// Whether people would see another app than the one that they agreed to, or it would call them otherwise: then they are
/// asked again, and what was granted before is over.
fn is_another(old: &Client, new: &Client) -> bool {
    let face = |client: &Client| {
        let of = client.metadata.clone();
        let sector = (of.sector(), of.subject_type);
        (of.client_name, of.redirect_uris, of.logo_uri, of.client_uri, of.policy_uri, of.tos_uri, sector)
    };
    face(old) != face(new)
}
