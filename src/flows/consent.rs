//! What a person lets an app have, and which account they mean.

use uuid::Uuid;

use super::{
    Refused,
    authorize::{self, Journey},
    event::{self, Event},
    no_journey,
    visitor::Visitor,
    write, write_one,
};
use crate::{
    app::App,
    protocol::{
        Result, rule,
        step::Step,
        trace::{Kind, Shown},
    },
    store::{
        authorization,
        consent::{self, ClaimNames, Consent},
    },
};

/// The person said yes to what the page showed.
///
/// # Errors
/// When the journey is over or another browser's, or nobody is signed in.
pub async fn allow(app: &App, id: Uuid, visitor: &Visitor) -> Result<(), Refused> {
    let Journey { client, request, signed_in, step, mut trace, .. } =
        authorize::look(app, id, visitor, Kind::Consent).await?;
    let outcome = async {
        // Whoever must log in again first has not agreed to anything yet.
        if step != Step::Consent {
            return Ok(());
        }
        let (session, user) = signed_in.ok_or_else(no_journey)?;
        trace.user_id = Some(user.id);
        let before = consent::find(&app.db, user.id, &client.client_id).await?;
        let beyond = request.claims.beyond(&request.scope).into_iter().map(str::to_owned);
        let consent = match before {
            Some(before) => {
                let mut claims = before.claims.0;
                claims.extend(beyond);
                claims.sort_unstable();
                claims.dedup();
                Consent {
                    scope: before.scope.with(&request.scope),
                    claims: ClaimNames(claims),
                    granted_at: app.now(),
                    ..before
                }
            }
            None => Consent {
                user_id: user.id,
                client_id: client.client_id.clone(),
                scope: request.scope.clone(),
                claims: ClaimNames(beyond.collect()),
                granted_at: app.now(),
                last_used_at: None,
            },
        };
        // The journey before the consent, as where it ends: whoever took them the other way round would lock each other.
        let is_open = write!(app, db => {
            if !authorization::consented(db, id, session.id).await? {
                return Ok(false);
            }
            consent::put(db, consent).await?;
            Ok(true)
        });
        if !is_open.await? {
            return Err(no_journey());
        }
        trace.passed(&rule::CONSENT, Some(Shown::scope(&request.scope)));
        event::happened(&trace, Event::Consent, "granted");
        Ok(())
    };
    let outcome = outcome.await;
    super::settle(app, trace, outcome)
}

/// The person goes on with the account that is signed in.
///
/// # Errors
/// When the journey is over or another browser's, or nobody is signed in.
pub async fn choose(app: &App, id: Uuid, visitor: &Visitor) -> Result<(), Refused> {
    let Journey { signed_in, trace, .. } = authorize::look(app, id, visitor, Kind::Consent).await?;
    let outcome = async {
        let (session, _) = signed_in.ok_or_else(no_journey)?;
        Ok(write_one!(app, db => authorization::chosen(db, id, session.id)).await?)
    };
    let outcome = outcome.await;
    super::settle(app, trace, outcome)
}

/// What the scopes of registered resources mean, by name, for the page. Nothing while the database is away: the
/// names themselves are shown then.
pub async fn descriptions(app: &App) -> Vec<(String, Option<String>)> {
    let resources = app.cache.resources(&app.db).await.unwrap_or_default();
    let scopes = resources.rows.iter().flat_map(|resource| &resource.scopes.0);
    scopes.map(|scope| (scope.name.clone(), scope.description.clone())).collect()
}
