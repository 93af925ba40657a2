//! Providers, as operators handle them. What is said of one is said in the words of the settings, and judged as these are.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::{
    app::App,
    config::Provider as Described,
    flows::{
        Field, Trouble,
        event::{self, Changed},
        upstream::{self as upstreams, declared::sealed},
        write,
    },
    protocol::upstream::Settings,
    store::{
        is_duplicate,
        upstream::{self, CREATED, DECLARED, Upstream},
        upstream_link,
    },
};

pub use crate::flows::upstream::check::Finding;

/// A provider and what hangs on it.
#[derive(Debug, Clone)]
pub struct Provider {
    pub row: Upstream,
    /// How many accounts it opens.
    pub links: u64,
}

/// What the provider is to be told of this server.
#[derive(Debug, Clone)]
pub struct ForProvider {
    pub redirect_uri: String,
    pub homepage: String,
    /// Of those that sign people out with us.
    pub post_logout_redirect_uri: Option<String>,
    pub backchannel_logout_uri: Option<String>,
}

/// For copying into the provider's console.
pub fn for_provider(app: &App, row: &Upstream) -> ForProvider {
    let (name, settings) = (&row.name, &row.settings);
    ForProvider {
        redirect_uri: upstreams::callback_url(app, name),
        homepage: app.url("/"),
        post_logout_redirect_uri: settings.logout.then(|| upstreams::logout::return_url(app, name)),
        backchannel_logout_uri: (settings.kind == "oidc").then(|| upstreams::logout::backchannel_url(app, name)),
    }
}

/// # Errors
/// When the database is away.
pub async fn all(app: &App) -> Result<Vec<Provider>, Trouble> {
    let counts: HashMap<String, i64> = upstream_link::counts(&app.db).await?.into_iter().collect();
    let with = |row: Upstream| {
        let links = counts.get(&row.name).map_or(0, |links| links.unsigned_abs());
        Provider { row, links }
    };
    Ok(upstream::all(&app.db).await?.into_iter().map(with).collect())
}

/// # Errors
/// When there is no such provider.
pub async fn find(app: &App, name: &str) -> Result<Provider, Trouble> {
    let row = upstream::find(&app.db, name).await?.ok_or(Trouble::NotFound("provider"))?;
    let links = upstream_link::count(&app.db, name).await?;
    Ok(Provider { row, links })
}

/// The members are those of `[[providers]]`.
///
/// # Errors
/// Everything that is wrong with it, or that there is one of that name.
pub async fn create(app: &App, members: Map<String, Value>) -> Result<Provider, Trouble> {
    let described = described(&members)?;
    let (id, now, settings) = (app.id(), app.now(), described.settings());
    judge(app, &settings, described.client_secret.is_some())?;
    let row = Upstream {
        id,
        name: described.name.clone(),
        origin: CREATED.to_owned(),
        settings,
        sealed_secret: described.client_secret.as_ref().map(|secret| sealed(app, id, secret)),
        created_at: now,
        updated_at: now,
        disabled_at: None,
    };
    let made = row.clone();
    match write!(app, db => upstream::insert(db, made).await).await {
        Ok(()) => {
            changed(app, &row.name, "created");
            // Links of one that the settings have forgotten may be there still.
            find(app, &row.name).await
        }
        Err(error) if is_duplicate(&error) => {
            Err(Trouble::Conflict(format!("there is a provider {} already", row.name)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is left out is as it is where nobody says anything; the secret stays, unless it would be told elsewhere.
///
/// # Errors
/// When there is no such provider, it is declared in the settings, or would be wrong.
pub async fn replace(app: &App, name: &str, members: Map<String, Value>) -> Result<Provider, Trouble> {
    let old = own(app, name).await?;
    set(app, old, Map::new(), members).await
}

/// What is left out stays, null takes a member away. A secret that would be told elsewhere is to be given again.
///
/// # Errors
/// When there is no such provider, it is declared in the settings, or would be wrong.
pub async fn change(app: &App, name: &str, members: Map<String, Value>) -> Result<Provider, Trouble> {
    let old = own(app, name).await?;
    let said = said(&old.row.settings);
    set(app, old, said, members).await
}

async fn set(
    app: &App,
    old: Provider,
    mut all: Map<String, Value>,
    members: Map<String, Value>,
) -> Result<Provider, Trouble> {
    let name = old.row.name.clone();
    if members.get("name").is_some_and(|other| other.as_str() != Some(&name)) {
        return Err(Trouble::field("name", "stays with this provider for good"));
    }
    let secret_stays = !members.contains_key("client_secret");
    all.extend(members);
    all.insert("name".to_owned(), name.clone().into());
    let described = described(&all)?;
    let settings = described.settings();
    let stays = secret_stays && old.row.sealed_secret.is_some();
    judge(app, &settings, described.client_secret.is_some() || stays)?;
    let moves = settings.is_another(&old.row.settings);
    if old.links > 0 && moves {
        return Err(Trouble::Conflict(format!(
            "{} accounts are connected with the provider {name}, which would be another one by this; \
             make another provider",
            old.links
        )));
    }
    if described.client_secret.is_none() && stays && settings.tells_elsewhere(&old.row.settings) {
        // A check would tell it to whoever is there: nobody reads by a change of address what they cannot read.
        return Err(Trouble::field(
            "client_secret",
            "must be given again, since it would be told elsewhere than before",
        ));
    }
    let secret = match &described.client_secret {
        Some(secret) => Some(sealed(app, old.row.id, secret)),
        None => old.row.sealed_secret.clone().filter(|_| stays),
    };
    let before = old.row;
    let row = Upstream { settings, sealed_secret: secret, updated_at: app.now(), ..before.clone() };
    let put = row.clone();
    let written = write!(app, db => {
        // Under the lock: the seal may be another since, and nothing else may.
        let now = upstream::find_locked(db, &put.name).await?;
        let Some(now) = now.filter(|now| now.id == before.id && now.settings == before.settings) else { return Ok(None) };
        if moves && upstream_link::count(db, &put.name).await? > 0 {
            return Ok(None);
        }
        let sealed_secret = if put.sealed_secret == before.sealed_secret { now.sealed_secret } else { put.sealed_secret };
        let put = Upstream { sealed_secret, disabled_at: now.disabled_at, ..put };
        upstream::update(db, put.clone()).await?;
        if moves {
            upstream::forget_open(db, &put.name).await?;
        }
        if !put.settings.keep_tokens {
            upstream_link::forget_tokens(db, &put.name).await?;
        }
        Ok(Some(put))
    });
    let Some(row) = written.await? else {
        return Err(Trouble::Conflict(format!(
            "the provider {name} was changed meanwhile; look at it, then try again"
        )));
    };
    changed(app, &name, "changed");
    Ok(Provider { row, links: old.links })
}

/// # Errors
/// When there is no such provider, or it is declared in the settings.
pub async fn set_disabled(app: &App, name: &str, disabled: bool) -> Result<Provider, Trouble> {
    let old = own(app, name).await?;
    let (of, now) = (name.to_owned(), app.now());
    let written = write!(app, db => {
        let Some(row) = upstream::find_locked(db, &of).await? else { return Ok(None) };
        let disabled_at = if disabled { row.disabled_at.or(Some(now)) } else { None };
        let row = Upstream { disabled_at, updated_at: now, ..row };
        upstream::update(db, row.clone()).await?;
        Ok(Some(row))
    });
    let row = written.await?.ok_or(Trouble::NotFound("provider"))?;
    changed(app, name, if disabled { "disabled" } else { "enabled" });
    Ok(Provider { row, ..old })
}

/// Accounts that are connected with it lose that way in, and only if `unlink` says so: it may be their only one.
///
/// # Errors
/// When there is no such provider, the settings declare it, or accounts are connected with it.
pub async fn delete(app: &App, name: &str, unlink: bool) -> Result<u64, Trouble> {
    let old = find(app, name).await?;
    // One that the settings have forgotten is nobody else's to remove.
    if old.row.origin == DECLARED && is_declared(app, name) {
        return Err(declared(name));
    }
    let (of, id) = (name.to_owned(), old.row.id);
    let written = write!(app, db => {
        // The provider first, then its links: so does every other change of one.
        upstream::find_locked(db, &of).await?;
        let links = upstream_link::count(db, &of).await?;
        if links > 0 && !unlink {
            return Ok(Err(links));
        }
        upstream_link::forget_of(db, &of).await?;
        upstream::forget_open(db, &of).await?;
        upstream::delete(db, id).await?;
        Ok(Ok(links))
    });
    match written.await? {
        Ok(links) => {
            changed(app, name, "deleted");
            Ok(links)
        }
        Err(links) => Err(Trouble::Conflict(format!(
            "{links} accounts are connected with the provider {name}; disable it, or remove it together with these \
             connections (unlink)"
        ))),
    }
}

/// What would keep people from signing in with it.
///
/// # Errors
/// When there is no such provider.
pub async fn check(app: &App, name: &str) -> Result<Vec<Finding>, Trouble> {
    let provider = find(app, name).await?;
    Ok(upstreams::check::check(app, &provider.row).await)
}

/// Its settings, as an operator would write them.
pub fn said(settings: &Settings) -> Map<String, Value> {
    let Ok(Value::Object(mut said)) = serde_json::to_value(settings) else { return Map::new() };
    said.retain(|_, value| !value.is_null());
    said
}

fn described(members: &Map<String, Value>) -> Result<Described, Trouble> {
    Described::described(members).map_err(|wrong| {
        Trouble::Invalid(wrong.into_iter().map(|(name, why)| Field { name, why: why.into() }).collect())
    })
}

fn judge(app: &App, settings: &Settings, has_secret: bool) -> Result<(), Trouble> {
    let problems = upstreams::problems(&app.config, settings, has_secret);
    if problems.is_empty() { Ok(()) } else { Err(Trouble::Invalid(problems)) }
}

/// One that may be changed here: the settings decide about those that they declare.
async fn own(app: &App, name: &str) -> Result<Provider, Trouble> {
    let provider = find(app, name).await?;
    match provider.row.origin.as_str() {
        DECLARED if is_declared(app, name) => Err(declared(name)),
        DECLARED => Err(Trouble::Conflict(format!(
            "the provider {name} was declared in the settings, which no longer name it; declare it again, or remove it"
        ))),
        _ => Ok(provider),
    }
}

fn is_declared(app: &App, name: &str) -> bool {
    app.config.providers.iter().any(|declared| declared.name == name)
}

fn declared(name: &str) -> Trouble {
    Trouble::Conflict(format!(
        "the provider {name} is declared in the settings; change its [[providers]] entry and restart"
    ))
}

fn changed(app: &App, name: &str, what: &'static str) {
    app.cache.forget_upstreams();
    event::changed(Changed::Provider(name), what);
}
