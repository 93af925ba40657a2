//! Scope OPS2: the settings' `[[providers]]` become rows at every start. What the settings no longer name is disabled, so
//! that people find their way back when it comes again.

use std::collections::HashSet;

use sea_orm::DbErr;
use uuid::Uuid;

use super::problems;
use crate::{
    app::{App, reseal::upstream_context},
    config::{Config, ConfigError, Hidden, Problem, Provider as Declared},
    flows::{
        Trouble,
        event::{self, Changed},
        write,
    },
    store::{
        Sealed, is_duplicate,
        upstream::{self, CREATED, DECLARED, Upstream},
        upstream_link,
    },
};

/// For `check-config`, and before a start makes anything.
///
/// # Errors
/// What does not go together in the declared providers.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    let mut all: Vec<Problem> = Vec::new();
    for (i, declared) in config.providers.iter().enumerate() {
        for field in problems(config, &declared.settings(), declared.client_secret.is_some()) {
            let key = format!("providers[{i}].{}", field.name);
            all.push(config.problem(&key, field.why.to_string(), "correct the entry"));
        }
    }
    if all.is_empty() { Ok(()) } else { Err(all.into()) }
}

/// # Errors
/// When a declared provider is wrong, would take the place of another, or the database is away.
pub async fn reconcile(app: &App) -> Result<(), Trouble> {
    check(&app.config).map_err(|wrong| Trouble::Conflict(wrong.to_string()))?;
    let known = upstream::all(&app.db).await?;
    let before = |declared: &Declared| known.iter().find(|row| row.name == declared.name);
    for declared in &app.config.providers {
        check_place(app, before(declared), declared).await?;
    }
    for declared in &app.config.providers {
        declare(app, before(declared).cloned(), declared).await?;
    }
    let named: HashSet<&str> = app.config.providers.iter().map(|declared| declared.name.as_str()).collect();
    for gone in known.iter().filter(|row| row.origin == DECLARED && row.is_enabled() && !named.contains(&*row.name)) {
        tracing::warn!(provider = gone.name, "the settings no longer declare this provider; it is disabled");
        disable(app, gone.name.clone()).await?;
        event::changed(Changed::Provider(&gone.name), "disabled");
    }
    app.cache.forget_upstreams();
    Ok(())
}

/// Nodes that start at once get in one another's way so often at most.
const TRIES: u32 = 5;

async fn declare(app: &App, mut before: Option<Upstream>, declared: &Declared) -> Result<(), Trouble> {
    for _ in 0..TRIES {
        if before.as_ref().is_some_and(|row| is_same(app, row, declared)) {
            return Ok(());
        }
        let row = row(app, before.as_ref(), declared);
        match keep(app, before, row).await {
            Ok(true) => {
                event::changed(Changed::Provider(&declared.name), "declared");
                return Ok(());
            }
            Ok(false) => {}
            Err(error) if is_duplicate(&error) => {}
            Err(error) => return Err(error.into()),
        }
        // Another node was quicker, most likely with the same.
        before = upstream::find(&app.db, &declared.name).await?;
        check_place(app, before.as_ref(), declared).await?;
    }
    Err(Trouble::Conflict(format!(
        "the provider {} is changed by somebody else all the time; look which servers use this database, and start again",
        declared.name
    )))
}

/// False where it is not as it was any more.
async fn keep(app: &App, before: Option<Upstream>, row: Upstream) -> Result<bool, DbErr> {
    write!(app, db => {
        let (name, keeps_tokens) = (row.name.clone(), row.settings.keep_tokens);
        match before {
            None => upstream::insert(db, row).await?,
            Some(before) => {
                if upstream::find_locked(db, &name).await?.as_ref() != Some(&before) {
                    return Ok(false);
                }
                let moves = row.settings.is_another(&before.settings);
                upstream::update(db, row).await?;
                if moves {
                    upstream::forget_open(db, &name).await?;
                }
            }
        }
        if !keeps_tokens {
            upstream_link::forget_tokens(db, &name).await?;
        }
        Ok(true)
    })
    .await
}

async fn disable(app: &App, name: String) -> Result<(), DbErr> {
    let now = app.now();
    write!(app, db => {
        let Some(row) = upstream::find_locked(db, &name).await?.filter(Upstream::is_enabled) else { return Ok(()) };
        upstream::update(db, Upstream { disabled_at: Some(now), ..row }).await?;
        upstream_link::forget_tokens(db, &name).await
    })
    .await
}

/// Whether the entry may take the place of this row.
async fn check_place(app: &App, before: Option<&Upstream>, declared: &Declared) -> Result<(), Trouble> {
    match before {
        None => Ok(()),
        Some(before) if before.origin == CREATED => Err(Trouble::Conflict(format!(
            "the provider {0} is declared in the settings, but was created by hand before; remove one of the two \
             (`signet providers remove {0}`)",
            declared.name
        ))),
        Some(before) => check_move(app, before, declared).await,
    }
}

/// Accounts that one provider opens are not handed to another under its name. That also holds for one that comes again
/// after it was left out for a while.
async fn check_move(app: &App, before: &Upstream, declared: &Declared) -> Result<(), Trouble> {
    let (name, settings) = (&declared.name, declared.settings());
    if !settings.is_another(&before.settings) {
        return Ok(());
    }
    let links = upstream_link::count(&app.db, name).await?;
    if links == 0 {
        return Ok(());
    }
    if settings.proves_issuer() && before.settings.proves_issuer() {
        tracing::warn!(provider = name, links, "the provider has another issuer now; these connections open nothing");
        return Ok(());
    }
    Err(Trouble::Conflict(format!(
        "{links} accounts are connected with the provider {name}, and the settings make another provider of it, whose \
         people could get into them; give the new one another name, or take its [[providers]] entry out, run \
         `signet providers remove {name} --unlink`, which takes these connections away, and put the entry back"
    )))
}

fn row(app: &App, before: Option<&Upstream>, declared: &Declared) -> Upstream {
    let id = before.map_or_else(|| app.id(), |row| row.id);
    Upstream {
        id,
        name: declared.name.clone(),
        origin: DECLARED.to_owned(),
        settings: declared.settings(),
        sealed_secret: declared.client_secret.as_ref().map(|secret| sealed(app, id, secret)),
        created_at: before.map_or_else(|| app.now(), |row| row.created_at),
        updated_at: app.now(),
        disabled_at: None,
    }
}

/// The secret of that provider, as it is kept.
pub(in crate::flows) fn sealed(app: &App, id: Uuid, secret: &Hidden) -> Sealed {
    Sealed(app.master_key.seal(&upstream_context(id), secret.reveal().as_bytes(), app.random.bytes()))
}

/// One secret looks different each time that it is sealed.
fn is_same(app: &App, row: &Upstream, declared: &Declared) -> bool {
    let secret = super::secret(app, row).ok().flatten();
    let same_secret = match (&secret, &declared.client_secret) {
        (None, None) => row.sealed_secret.is_none(),
        (Some(kept), Some(declared)) => kept.reveal() == declared.reveal(),
        _ => false,
    };
    same_secret && row.is_enabled() && row.settings == declared.settings()
}
