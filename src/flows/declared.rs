//! Scope OPS2: the settings' `[[clients]]` and `[[resources]]` become rows at every start. What the settings no
//! longer name is disabled (clients, whose grants would be lost otherwise) or removed (resources).

use std::collections::HashSet;

use super::{
    Field, Trouble,
    account::tokens,
    admin::clients::{self, Kind, NewClient},
    event::{self, Changed},
    logo, try_it, write,
};
use crate::{
    app::App,
    config::{AccessTokenFormat, Client as Declared, ClientKind, Config, ConfigError, Consent, Problem, RefreshTokens},
    crypto::secret::Secret,
    protocol::{
        Scope,
        client_metadata::{ClientMetadata, ClientPolicy, fitting},
    },
    store::{
        client::{self, Client},
        resource::{self, Names, ResourceScope, Scopes},
    },
};

/// # Errors
/// With file, line, key and remedy when a declared client is wrong, or when the database is away.
pub async fn reconcile(app: &App) -> Result<(), Trouble> {
    let mut wanted = try_it::clients(app).to_vec();
    wanted.push(tokens::client(app));
    check(&app.config).map_err(|wrong| Trouble::Conflict(wrong.to_string()))?;
    for declared in &app.config.clients {
        wanted.push(row(app, declared)?);
    }
    let known = client::all(&app.db).await?;
    for client in wanted.iter().filter(|client| !is_same(&known, client)) {
        if known.iter().any(|old| old.client_id == client.client_id && old.origin == client::CREATED) {
            return Err(Trouble::Conflict(format!(
                "the client {0} is declared in the settings, but was created by hand before; \
                 remove one of the two (`signet clients delete {0}`)",
                client.client_id
            )));
        }
        clients::ensure_keys(app, &client.metadata).await?;
        clients::put(app, client.clone()).await?;
        logo::fetch_soon(app, &client.client_id);
        event::changed(Changed::Client(&client.client_id), "declared");
    }
    let named: HashSet<&str> = wanted.iter().map(|client| client.client_id.as_str()).collect();
    let gone = known
        .iter()
        .filter(|c| c.origin == client::DECLARED && c.is_enabled() && !named.contains(c.client_id.as_str()));
    for client in gone {
        tracing::warn!(client = client.client_id, "the settings no longer declare this client; it is disabled");
        clients::put(app, Client { disabled_at: Some(app.now()), ..client.clone() }).await?;
        event::changed(Changed::Client(&client.client_id), "disabled");
    }
    resources(app).await
}

/// For `check-config`, and before a start makes anything.
///
/// # Errors
/// Everything that the specifications forbid about the declared clients.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    let problems = problems(config);
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

fn problems(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, declared) in config.clients.iter().enumerate() {
        let fields = match described(declared) {
            Ok(new) => clients::problems(&new),
            Err(Trouble::Invalid(fields)) => fields,
            Err(other) => vec![Field { name: "client_id", why: other.to_string().into() }],
        };
        problems.extend(fields.into_iter().map(|field| {
            let key = format!("clients[{i}].{}", field.name);
            config.problem(&key, field.why.to_string(), "correct the entry")
        }));
    }
    problems
}

/// Whether the row says this already; dates aside. One secret looks different each time that it is sealed.
fn is_same(known: &[Client], wanted: &Client) -> bool {
    known.iter().filter(|old| old.client_id == wanted.client_id).any(|old| {
        let same_secret = old.secret_hash == wanted.secret_hash && wanted.sealed_secret.is_some();
        let sealed_secret = if same_secret { &old.sealed_secret } else { &wanted.sealed_secret };
        let wanted = Client {
            created_at: old.created_at,
            updated_at: old.updated_at,
            last_used_at: old.last_used_at,
            sealed_secret: sealed_secret.clone(),
            ..wanted.clone()
        };
        *old == wanted && old.sealed_secret.is_some() == wanted.sealed_secret.is_some()
    })
}

fn row(app: &App, declared: &Declared) -> Result<Client, Trouble> {
    Ok(clients::prepare(app, described(declared)?, client::DECLARED)?.0)
}

fn described(declared: &Declared) -> Result<NewClient, Trouble> {
    let kind = match declared.kind {
        ClientKind::Web => Kind::Web,
        ClientKind::Spa => Kind::Spa,
        ClientKind::Native => Kind::Native,
        ClientKind::Machine => Kind::Machine,
    };
    let metadata = metadata(kind, declared)?;
    let policy = ClientPolicy {
        first_party: declared.first_party,
        skip_consent: declared.consent == Consent::Skip,
        require_pkce: declared.require_pkce,
        opaque_access_tokens: declared.access_token_format == AccessTokenFormat::Opaque,
        always_refresh: declared.refresh_tokens == RefreshTokens::Always,
        id_token_claims: declared.id_token_claims,
        require_second_factor: declared.require_second_factor,
        assertion_audiences: declared.assertion_audiences.clone(),
        allowed_origins: declared.allowed_origins.iter().map(|origin| origin.as_str().to_owned()).collect(),
    };
    let secret = declared.client_secret.as_ref().map(|secret| Secret::presented(secret.reveal()));
    if metadata.token_endpoint_auth_method.starts_with("client_secret") && secret.is_none() {
        return Err(Trouble::field(
            "client_secret",
            "is missing; a declared client brings its secret (client_secret_file)",
        ));
    }
    Ok(NewClient { client_id: Some(declared.client_id.clone()), kind, metadata, policy, secret })
}

/// The kind's defaults, with what the entry says over them.
fn metadata(kind: Kind, declared: &Declared) -> Result<ClientMetadata, Trouble> {
    let broken = |error: serde_json::Error| Trouble::field("client_id", error.to_string());
    let mut merged = serde_json::to_value(kind.defaults()).map_err(broken)?;
    if let (Some(merged), Some(said)) = (merged.as_object_mut(), declared.metadata().as_object()) {
        for (name, value) in said.iter().filter(|(_, value)| !value.is_null()) {
            merged.insert(name.clone(), value.clone());
        }
    }
    if let Some(scope) = &declared.scope {
        scope.parse::<Scope>().map_err(|why| Trouble::field("scope", why.to_string()))?;
    }
    let mut merged: ClientMetadata = serde_json::from_value(merged).map_err(broken)?;
    if declared.response_types.is_none() {
        merged.response_types = fitting(&merged.response_types, &merged.grant_types);
    }
    Ok(merged)
}

async fn resources(app: &App) -> Result<(), Trouble> {
    let rows: Vec<resource::Model> = app
        .config
        .resources
        .iter()
        .map(|declared| {
            let scope = |scope: &crate::config::ResourceScope| ResourceScope {
                name: scope.name.clone(),
                description: scope.description.clone(),
            };
            resource::Model {
                identifier: declared.identifier.clone(),
                name: Some(declared.name.clone()),
                scopes: Scopes(declared.scopes.iter().map(scope).collect()),
                introspection_clients: Names(declared.introspection_clients.clone()),
                updated_at: app.now(),
            }
        })
        .collect();
    let known = resource::all(&app.db).await?;
    let same = |row: &resource::Model| {
        known.iter().any(|old| *old == resource::Model { updated_at: old.updated_at, ..row.clone() })
    };
    if rows.len() == known.len() && rows.iter().all(same) {
        return Ok(());
    }
    let kept: Vec<String> = rows.iter().map(|row| row.identifier.clone()).collect();
    write!(app, db => {
        resource::delete_others(db, &kept).await?;
        for row in rows { resource::put(db, row).await? }
        Ok(())
    })
    .await?;
    app.cache.forget_resources();
    Ok(())
}
