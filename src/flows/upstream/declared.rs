//! Scope OPS2: the settings' `[[providers]]` become rows at every start. What the settings no longer name is disabled, so
//! that people find their way back when it comes again.

use std::collections::HashSet;

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
        Sealed,
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
/// When a declared provider is wrong, or the database is away.
pub async fn reconcile(app: &App) -> Result<(), Trouble> {
    check(&app.config).map_err(|wrong| Trouble::Conflict(wrong.to_string()))?;
    let known = upstream::all(&app.db).await?;
    let named: HashSet<&str> = app.config.providers.iter().map(|declared| declared.name.as_str()).collect();
    let mut changed = Vec::new();
    for declared in &app.config.providers {
        let before = known.iter().find(|row| row.name == declared.name);
        if before.is_some_and(|row| row.origin == CREATED) {
            return Err(Trouble::Conflict(format!(
                "the provider {0} is declared in the settings, but was created by hand before; remove one of the two \
                 (`signet providers remove {0}`)",
                declared.name
            )));
        }
        if let Some(before) = before {
            check_move(app, before, declared).await?;
        }
        if !before.is_some_and(|row| is_same(app, row, declared)) {
            let moves = before.is_some_and(|row| declared.settings().is_another(&row.settings));
            changed.push((row(app, before, declared), "declared", moves));
        }
    }
    for gone in known.iter().filter(|row| row.origin == DECLARED && row.is_enabled() && !named.contains(&*row.name)) {
        tracing::warn!(provider = gone.name, "the settings no longer declare this provider; it is disabled");
        changed.push((Upstream { disabled_at: Some(app.now()), ..gone.clone() }, "disabled", false));
    }
    for (row, what, moves) in changed {
        let name = row.name.clone();
        write!(app, db => {
            let (name, keeps) = (row.name.clone(), row.is_enabled() && row.settings.keep_tokens);
            upstream::put(db, row).await?;
            if moves {
                upstream::forget_open(db, &name).await?;
            }
            if !keeps {
                upstream_link::forget_tokens(db, &name).await?;
            }
            Ok(())
        })
        .await?;
        event::changed(Changed::Provider(&name), what);
    }
    app.cache.forget_upstreams();
    Ok(())
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
