//! Clients, as operators handle them.

use serde_json::Value;

use crate::{
    app::{App, reseal::client_context},
    crypto::{
        jwe,
        jwk::{JwkError, KeySet},
        secret::Secret,
    },
    flows::{
        Field, Trouble,
        event::{self, Changed},
        sector, write,
    },
    protocol::{
        client_metadata::{ClientMetadata, ClientPolicy, response_type},
        redirect_uri, registration, scope, text,
    },
    store::{Sealed, client, client_logo, client_origin, is_duplicate},
};

pub use crate::store::client::Client;

/// What a client is; it decides the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// On a server; keeps a secret.
    Web,
    /// In a browser; keeps none.
    Spa,
    /// On a phone or a desktop; keeps none.
    Native,
    /// No person behind it.
    Machine,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Web => "web",
            Kind::Spa => "spa",
            Kind::Native => "native",
            Kind::Machine => "machine",
        }
    }

    /// The registration that a client of this kind begins with.
    pub fn defaults(self) -> ClientMetadata {
        let (grants, method): (&[&str], _) = match self {
            Kind::Web => (&["authorization_code", "refresh_token"], "client_secret_basic"),
            Kind::Spa | Kind::Native => (&["authorization_code", "refresh_token"], "none"),
            Kind::Machine => (&["client_credentials"], "client_secret_basic"),
        };
        let people = self != Kind::Machine;
        ClientMetadata {
            grant_types: grants.iter().map(|&grant| grant.to_owned()).collect(),
            response_types: if people { vec!["code".to_owned()] } else { Vec::new() },
            token_endpoint_auth_method: method.to_owned(),
            application_type: if self == Kind::Native { "native" } else { "web" }.to_owned(),
            // Machines have the scopes of APIs, which the operator names.
            scope: if people { scope::STANDARD.join(" ").parse().unwrap_or_default() } else { scope::Scope::default() },
            ..ClientMetadata::default()
        }
    }
}

/// A client to be.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Ours if there is none.
    pub client_id: Option<String>,
    pub kind: Kind,
    pub metadata: ClientMetadata,
    pub policy: ClientPolicy,
    /// Ours if there is none and the method needs one.
    pub secret: Option<Secret>,
}

/// The client, and its secret, which nobody can show again.
///
/// # Errors
/// Everything that is wrong with it, or that the id is taken.
pub async fn create(app: &App, new: NewClient) -> Result<(Client, Option<Secret>), Trouble> {
    let (client, secret) = prepare(app, new, client::CREATED)?;
    check_sector(app, &client.metadata).await?;
    ensure_keys(app, &client.metadata).await?;
    let (row, origins, now) = (client.clone(), origins(&client), app.now());
    let written = write!(app, db => {
        let (id, logo) = (row.client_id.clone(), row.metadata.logo_uri.clone());
        client::insert(db, row).await?;
        client_logo::want(db, &id, logo.as_deref(), now).await?;
        client_origin::set(db, &id, origins).await
    });
    match written.await {
        Ok(()) => {
            event::changed(Changed::Client(&client.client_id), "created");
            Ok((client, secret))
        }
        Err(error) if is_duplicate(&error) => {
            Err(Trouble::Conflict(format!("there is a client {} already", client.client_id)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Everything that is wrong with a client to be.
pub fn problems(new: &NewClient) -> Vec<Field> {
    let mut problems = said(&new.metadata, &new.policy);
    let mut id = |why: &str| problems.push(Field { name: "client_id", why: why.into() });
    match &new.client_id {
        // `sub` of a machine's token is its client_id; people's are UUIDs, and nobody may pass for one (case SEC-039).
        Some(given) if uuid::Uuid::try_parse(given).is_ok() => id("must not be a UUID: people's identifiers are"),
        Some(given) if given.is_empty() || given.len() > 200 || !text::is_visible(given) => {
            id("must have 1 to 200 characters, all of them visible");
        }
        _ => {}
    }
    problems
}

/// Everything that is wrong with what a client says of itself and what is decided about it.
pub(in crate::flows) fn said(metadata: &ClientMetadata, policy: &ClientPolicy) -> Vec<Field> {
    let said = registration::problems(metadata, policy).into_iter().map(|(name, why)| Field { name, why: why.into() });
    let keys = metadata.jwks.as_ref().and_then(|jwks| unfit(metadata, jwks));
    said.chain(keys.map(|why| Field { name: "jwks", why: why.into() })).collect()
}

/// Why registered keys do not serve what they are registered for: keys to verify with, keys to encrypt for, or both.
fn unfit(metadata: &ClientMetadata, jwks: &Value) -> Option<String> {
    let encrypts = |algorithm: &str| jwe::can_encrypt(jwks, algorithm);
    match KeySet::parse_registered(jwks) {
        Err(JwkError::Unusable(_)) if !metadata.must_sign() && jwe::ALGORITHMS.into_iter().any(encrypts) => {}
        Err(error) => return Some(error.to_string()),
        Ok(_) => {}
    }
    let lacking = metadata.encryption_algorithms().find(|algorithm| !encrypts(algorithm))?;
    Some(format!("the key set has no key that {lacking} could encrypt for"))
}

/// The row and the secret; nothing is written.
///
/// # Errors
/// Everything that is wrong with it.
pub fn prepare(app: &App, new: NewClient, origin: &str) -> Result<(Client, Option<Secret>), Trouble> {
    let problems = problems(&new);
    if !problems.is_empty() {
        return Err(Trouble::Invalid(problems));
    }
    let client_id = new.client_id.unwrap_or_else(|| format!("{}-{}", new.kind.as_str(), app.id().simple()));
    let needs_secret = new.metadata.token_endpoint_auth_method.starts_with("client_secret");
    let secret = needs_secret.then(|| new.secret.unwrap_or_else(|| app.secret()));
    let now = app.now();
    let sealed_secret = secret.as_ref().and_then(|secret| seal(app, &new.metadata, &client_id, secret));
    let metadata = in_order(new.metadata);
    let client = Client {
        client_id,
        kind: new.kind.as_str().to_owned(),
        response_types: client::listed(&metadata.response_types),
        metadata,
        policy: new.policy,
        secret_hash: secret.as_ref().map(Secret::hash),
        old_secret_hash: None,
        old_secret_until: None,
        sealed_secret,
        registration_hash: None,
        last_used_at: None,
        origin: origin.to_owned(),
        created_at: now,
        updated_at: now,
        disabled_at: None,
    };
    Ok((client, secret))
}

/// Response types in the one order of their words; what is no response type was refused before.
fn in_order(mut metadata: ClientMetadata) -> ClientMetadata {
    for kind in &mut metadata.response_types {
        if let Some(known) = response_type(kind) {
            *kind = known.to_owned();
        }
    }
    metadata
}

/// Who proves itself by a signature with the secret can only be checked by somebody who has it.
fn seal(app: &App, metadata: &ClientMetadata, client_id: &str, secret: &Secret) -> Option<Sealed> {
    let signs = metadata.token_endpoint_auth_method == "client_secret_jwt";
    let sealed = || app.master_key.seal(&client_context(client_id), secret.reveal().as_bytes(), app.random.bytes());
    signs.then(|| Sealed(sealed()))
}

/// The operator sees why a document could not be had.
async fn check_sector(app: &App, metadata: &ClientMetadata) -> Result<(), Trouble> {
    let checked = sector::check(app, metadata).await;
    checked.map_err(|stranger| Trouble::field("sector_identifier_uri", stranger.explained()))
}

/// The keys that a client makes us sign with, or open what it encrypts for us.
///
/// # Errors
/// When the database is away.
pub async fn ensure_keys(app: &App, metadata: &ClientMetadata) -> Result<(), Trouble> {
    let wanted = metadata.signing_algorithms().chain(metadata.request_object_encryption_alg.as_deref());
    for algorithm in wanted {
        super::keys::ensure_of(app, algorithm).await?;
    }
    Ok(())
}

/// Who may call the token endpoint from a browser: public web clients from where they live, others as they say.
pub fn origins(client: &Client) -> Vec<String> {
    let mut origins = client.policy.allowed_origins.clone();
    if client.is_public() && !client.metadata.is_native() {
        origins.extend(client.metadata.redirect_uris.iter().filter_map(|uri| redirect_uri::origin(uri)));
    }
    // No browser is at a longer one, and no column takes it.
    origins.retain(|origin| origin.len() <= 255);
    origins.sort_unstable();
    origins.dedup();
    origins
}

/// Replaces what a client says of itself and what is decided about it.
///
/// # Errors
/// When there is no such client, it is declared in the settings, or the new registration is wrong.
pub async fn update(
    app: &App,
    client_id: &str,
    metadata: ClientMetadata,
    policy: ClientPolicy,
) -> Result<Client, Trouble> {
    let old = own(app, client_id).await?;
    let problems = said(&metadata, &policy);
    if !problems.is_empty() {
        return Err(Trouble::Invalid(problems));
    }
    let metadata = in_order(metadata);
    let sector = |of: &ClientMetadata| (of.sector_identifier_uri.clone(), of.redirect_uris.clone());
    if sector(&metadata) != sector(&old.metadata) {
        check_sector(app, &metadata).await?;
    }
    ensure_keys(app, &metadata).await?;
    let client = Client { metadata: metadata.clone(), policy: policy.clone(), updated_at: app.now(), ..old };
    let (id, origins, now) = (client_id.to_owned(), origins(&client), app.now());
    let written = write!(app, db => {
        let logo = metadata.logo_uri.clone();
        let known = client::register(db, &id, metadata, policy, now).await?;
        if known {
            client_origin::set(db, &id, origins).await?;
            client_logo::want(db, &id, logo.as_deref(), now).await?;
        }
        Ok(known)
    });
    kept(app, client_id, written.await?).await?;
    event::changed(Changed::Client(client_id), "changed");
    Ok(client)
}

/// A new secret. The old one stays good for `keep_old` seconds, so that an app can change over.
///
/// # Errors
/// When there is no such client, it is declared in the settings, or has no secret.
pub async fn rotate_secret(app: &App, client_id: &str, keep_old: i64) -> Result<(Client, Secret), Trouble> {
    let old = own(app, client_id).await?;
    let Some(known) = old.secret_hash.clone() else {
        return Err(Trouble::Conflict(format!("the client {client_id} has no secret to rotate")));
    };
    let (secret, now) = (app.secret(), app.now());
    let sealed = seal(app, &old.metadata, client_id, &secret);
    let client = Client {
        sealed_secret: sealed.clone(),
        old_secret_hash: old.secret_hash.clone().filter(|_| keep_old > 0),
        old_secret_until: (keep_old > 0).then_some(now + keep_old),
        secret_hash: Some(secret.hash()),
        updated_at: now,
        ..old
    };
    let (id, hashes, until) = (client_id.to_owned(), (known, secret.hash()), client.old_secret_until);
    let written = write!(app, db => client::renew_secret(db, &id, hashes, sealed, until, now).await);
    if !written.await? {
        return Err(Trouble::Conflict(format!(
            "the client {client_id} was changed meanwhile; look at it, then try again"
        )));
    }
    kept(app, client_id, true).await?;
    event::changed(Changed::Client(client_id), "secret rotated");
    Ok((client, secret))
}

/// # Errors
/// When there is no such client, or it is declared in the settings.
pub async fn set_disabled(app: &App, client_id: &str, disabled: bool) -> Result<(), Trouble> {
    own(app, client_id).await?;
    let (id, now) = (client_id.to_owned(), app.now());
    let written = write!(app, db => client::set_disabled(db, &id, disabled.then_some(now), now).await);
    kept(app, client_id, written.await?).await?;
    event::changed(Changed::Client(client_id), if disabled { "disabled" } else { "enabled" });
    Ok(())
}

/// With everything that was granted to it.
///
/// # Errors
/// When there is no such client, or it is declared in the settings.
pub async fn delete(app: &App, client_id: &str) -> Result<(), Trouble> {
    own(app, client_id).await?;
    let id = client_id.to_owned();
    write!(app, db => client::delete(db, &id).await).await?;
    app.cache.forget_client(client_id).await;
    event::changed(Changed::Client(client_id), "deleted");
    Ok(())
}

/// # Errors
/// When there is no such client.
pub async fn find(app: &App, client_id: &str) -> Result<Client, Trouble> {
    client::find(&app.db, client_id).await?.ok_or(Trouble::NotFound("client"))
}

/// # Errors
/// When the database is away.
pub async fn all(app: &App) -> Result<Vec<Client>, Trouble> {
    Ok(client::all(&app.db).await?)
}

/// One that may be changed here: the settings decide about those that they declare.
async fn own(app: &App, client_id: &str) -> Result<Client, Trouble> {
    let client = find(app, client_id).await?;
    match client.origin.as_str() {
        client::DECLARED => Err(Trouble::Conflict(format!(
            "the client {client_id} is declared in the settings; change its [[clients]] entry and restart"
        ))),
        client::BUILT_IN => Err(Trouble::Conflict(format!("the client {client_id} is part of the server"))),
        _ => Ok(client),
    }
}

/// Makes this node forget the old row, if there still was one to change.
async fn kept(app: &App, client_id: &str, known: bool) -> Result<(), Trouble> {
    app.cache.forget_client(client_id).await;
    if known { Ok(()) } else { Err(Trouble::NotFound("client")) }
}

/// Writes the row and its origins, and makes this node forget the old one.
pub async fn put(app: &App, client: Client) -> Result<(), Trouble> {
    let (id, origins, now) = (client.client_id.clone(), origins(&client), app.now());
    let (name, logo) = (id.clone(), client.metadata.logo_uri.clone());
    write!(app, db => {
        client::put(db, client).await?;
        client_logo::want(db, &name, logo.as_deref(), now).await?;
        client_origin::set(db, &name, origins).await
    })
    .await?;
    app.cache.forget_client(&id).await;
    Ok(())
}
