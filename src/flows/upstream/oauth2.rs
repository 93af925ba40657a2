//! RFC 6749 §4.1: a provider with endpoints of its own, and a mapping of what it says about somebody.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Field, Identity, Provider, Tokens, Wish, With, exchange, wrong};
use crate::{
    app::App,
    protocol::{
        Code, Result, rule,
        upstream::{
            AuthMethod, Settings, id_token,
            metadata::Metadata,
            profile::{self, Profile},
        },
    },
    store::upstream::Upstream,
};

pub struct OAuth2;

#[async_trait]
impl Provider for OAuth2 {
    fn kind(&self) -> &'static str {
        "oauth2"
    }

    fn scopes(&self) -> &'static [&'static str] {
        &[]
    }

    fn auth_method(&self) -> AuthMethod {
        AuthMethod::ClientSecretBasic
    }

    fn heeds(&self) -> &'static [&'static str] {
        &["authorization_endpoint", "token_endpoint", "userinfo_endpoint"]
    }

    fn problems(&self, settings: &Settings) -> Vec<Field> {
        let missing = [
            ("authorization_endpoint", settings.authorization_endpoint.is_none()),
            ("token_endpoint", settings.token_endpoint.is_none()),
            ("userinfo_endpoint", settings.userinfo_endpoint.is_none()),
        ];
        let missing = missing.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| wrong(name, "is missing"));
        let lacks_sub = !settings.claims.contains_key("sub");
        let sub = lacks_sub.then(|| wrong("claims", "must say which member is sub: one that never changes hands"));
        let logout =
            settings.logout.then(|| wrong("logout", "goes nowhere: only OpenID providers have an endpoint for it"));
        missing.chain(sub).chain(logout).collect()
    }

    fn issuer_of(&self, upstream: &Upstream) -> String {
        upstream.settings.issuer.clone().unwrap_or_else(|| format!("upstream:{}", upstream.name))
    }

    async fn known(&self, _: &App, upstream: &Upstream) -> Option<Arc<Metadata>> {
        let settings = &upstream.settings;
        Some(Arc::new(Metadata {
            issuer: self.issuer_of(upstream),
            authorization_endpoint: settings.authorization_endpoint.clone()?,
            token_endpoint: settings.token_endpoint.clone()?,
            userinfo_endpoint: settings.userinfo_endpoint.clone(),
            ..Metadata::default()
        }))
    }

    async fn metadata(&self, app: &App, upstream: &Upstream) -> Result<Arc<Metadata>> {
        let lacks = || Code::ServerError.because("a provider lacks its endpoints").under(&rule::UPSTREAM_METADATA);
        self.known(app, upstream).await.ok_or_else(lacks)
    }

    fn asks(&self, _: &Upstream, wish: &Wish<'_>, _: &str) -> Vec<(&'static str, String)> {
        wish.login_hint.map(|hint| ("login_hint", hint.to_owned())).into_iter().collect()
    }

    async fn identity(&self, app: &App, with: With<'_>) -> Result<Identity> {
        let With { upstream, metadata, tokens, .. } = with;
        let settings = &upstream.settings;
        let endpoint = metadata.userinfo_endpoint.as_deref().unwrap_or_default();
        let nobody = || Code::AccessDenied.because("the provider said nothing that names somebody");
        let Value::Object(said) = exchange::ask(app, endpoint, tokens).await? else {
            return Err(nobody().under(&rule::UPSTREAM_ANSWER));
        };
        let subject = profile::subject(&said, settings).ok_or_else(|| nobody().under(&rule::UPSTREAM_ANSWER))?;
        id_token::subject(json!({ "sub": subject }).as_object().unwrap_or(&said))?;
        let (profile, tokens) = (Profile::read(&said, settings), Tokens(tokens.clone()));
        Ok(Identity { issuer: metadata.issuer.clone(), subject, profile, sid: None, tokens })
    }
}
