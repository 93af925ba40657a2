//! OpenID Connect Discovery §4, RFC 8414 §3: the documents by which apps configure themselves.

use super::grants;
use crate::{
    app::{App, cache::Document, keys},
    config::RegistrationMode,
    protocol::{
        Error, Result,
        discovery::{self, Offered},
        scope::Scope,
    },
};

/// The metadata, made once in a while rather than per request.
///
/// # Errors
/// When the database is away and nothing is remembered.
pub async fn metadata(app: &App, locales: &[&'static str]) -> Result<Document> {
    const NAME: &str = "metadata";
    if let Some(document) = app.cache.documents.get(NAME) {
        return Ok(document);
    }
    let resources = app.cache.resources_known(&app.db).await;
    let scopes = resources.rules.iter().fold(Scope::default(), |all, resource| all.with(&resource.scope));
    let response_types = app.cache.response_types_known(&app.db).await;
    let registration = &app.config.registration;
    let offered = Offered {
        registration: (registration.mode != RegistrationMode::Off).then_some(&*registration.response_types),
        issuer: app.issuer(),
        grant_types: &grants::names(),
        response_types: &response_types,
        locales,
        resource_scopes: &scopes,
    };
    let document = keys::document(&discovery::metadata(&offered));
    app.cache.documents.insert(NAME, document.clone());
    Ok(document)
}

/// RFC 7517 §5.
///
/// # Errors
/// When no key was ever read.
pub fn keys(app: &App) -> Result<Document> {
    app.keys.ring().document().ok_or_else(|| Error::internal(std::io::Error::other("no keys were read")))
}
