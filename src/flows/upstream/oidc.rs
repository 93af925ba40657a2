//! OpenID Connect Core §3.1: any OpenID provider. Google is one whose values are known.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{Field, Identity, Provider, Tokens, Wish, With, exchange, metadata, unwelcome, wrong};
use crate::{
    app::App,
    protocol::{
        Code, Result,
        prompt::Prompt,
        rule,
        trace::Shown,
        upstream::{
            AuthMethod, Settings,
            id_token::{self, Expected},
            metadata::Metadata,
            profile::{self, Profile},
        },
    },
    store::upstream::Upstream,
};

pub struct OpenId {
    kind: &'static str,
    title: Option<&'static str>,
    issuer: Option<&'static str>,
    auth_method: AuthMethod,
}

pub static GENERIC: OpenId =
    OpenId { kind: "oidc", title: None, issuer: None, auth_method: AuthMethod::ClientSecretBasic };

pub static GOOGLE: OpenId = OpenId {
    kind: "google",
    title: Some("Google"),
    issuer: Some("https://accounts.google.com"),
    auth_method: AuthMethod::ClientSecretPost,
};

/// Claims that userinfo is asked for where the ID token has none of them.
const WANTED: [&str; 3] = ["email", "email_verified", "name"];

/// Beyond this it is no session that anybody names.
const LONGEST_SID: usize = 255;

impl OpenId {
    fn issuer<'a>(&self, settings: &'a Settings) -> &'a str {
        settings.issuer.as_deref().or(self.issuer).unwrap_or_default()
    }

    fn is_google(&self) -> bool {
        self.kind == "google"
    }
}

#[async_trait]
impl Provider for OpenId {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn title(&self) -> Option<&'static str> {
        self.title
    }

    fn scopes(&self) -> &'static [&'static str] {
        &["openid", "profile", "email"]
    }

    fn auth_method(&self) -> AuthMethod {
        self.auth_method
    }

    fn knows_addresses(&self) -> bool {
        self.is_google()
    }

    fn problems(&self, settings: &Settings) -> Vec<Field> {
        let mut problems = Vec::new();
        if self.issuer(settings).is_empty() {
            problems.push(wrong("issuer", "is missing; it is what the provider's own document names"));
        }
        if settings.logout && self.is_google() {
            problems.push(wrong("logout", "goes nowhere: Google has no endpoint for it"));
        }
        if settings.claims.contains_key("sub") {
            problems.push(wrong("claims", "cannot name another sub: that of an ID token is who somebody is"));
        }
        if settings.scopes.as_ref().is_some_and(|scopes| !scopes.iter().any(|scope| scope == "openid")) {
            problems.push(wrong("scopes", "lack openid, so there would be no ID token"));
        }
        problems
    }

    async fn known(&self, app: &App, upstream: &Upstream) -> Option<Arc<Metadata>> {
        metadata::known(app, self.issuer(&upstream.settings)).await
    }

    async fn metadata(&self, app: &App, upstream: &Upstream) -> Result<Arc<Metadata>> {
        metadata::of(app, self.issuer(&upstream.settings)).await
    }

    fn asks(&self, upstream: &Upstream, wish: &Wish<'_>, nonce: &str) -> Vec<(&'static str, String)> {
        let mut asks = vec![("nonce", nonce.to_owned())];
        if let Some(hint) = wish.login_hint {
            asks.push(("login_hint", hint.to_owned()));
        }
        // Google knows no prompt=login; choosing an account is the nearest.
        let prompts = [(Prompt::Login, if self.is_google() { "select_account" } else { "login" })];
        let prompts = prompts.into_iter().chain([(Prompt::SelectAccount, "select_account")]);
        let mut prompts: Vec<_> =
            prompts.filter(|(prompt, _)| wish.prompt.contains(prompt)).map(|(_, word)| word).collect();
        prompts.dedup();
        if !prompts.is_empty() {
            asks.push(("prompt", prompts.join(" ")));
        }
        if let Some(domain) = &upstream.settings.hosted_domain {
            asks.push(("hd", domain.clone()));
        }
        asks
    }

    async fn identity(&self, app: &App, with: With<'_>) -> Result<Identity> {
        let With { upstream, metadata, tokens, nonce } = with;
        let settings = &upstream.settings;
        let token = tokens.get("id_token").and_then(Value::as_str);
        let missing = || Code::AccessDenied.because("the provider gave no ID token").under(&rule::UPSTREAM_TOKEN);
        let mut said = metadata::open(app, metadata, token.ok_or_else(missing)?).await?;
        let expected = Expected { issuer: &metadata.issuer, client_id: &settings.client_id, nonce, now: app.now() };
        let subject = id_token::check(&said, expected)?.to_owned();
        let lacks = WANTED.iter().any(|claim| profile::find(&said, settings, claim).is_none());
        if let Some(endpoint) = metadata.userinfo_endpoint.as_deref().filter(|_| lacks) {
            for (name, value) in userinfo(app, endpoint, tokens, &subject).await? {
                said.entry(name).or_insert(value);
            }
        }
        if let Some(domain) = &settings.hosted_domain
            && said.get("hd").and_then(Value::as_str) != Some(domain)
        {
            return Err(unwelcome("the person is not of the hosted domain").expected(Shown::list([domain.as_str()])));
        }
        let sid = said.get("sid").and_then(Value::as_str).filter(|sid| sid.len() <= LONGEST_SID).map(str::to_owned);
        let profile = Profile::read(&said, settings);
        Ok(Identity { issuer: metadata.issuer.clone(), subject, profile, sid, tokens: Tokens(tokens.clone()) })
    }
}

/// §5.3.4: of the same person, or not to be believed at all. A provider that does not answer here has said enough already.
async fn userinfo(app: &App, endpoint: &str, tokens: &Map<String, Value>, subject: &str) -> Result<Map<String, Value>> {
    let Ok(Value::Object(mut said)) = exchange::ask(app, endpoint, tokens).await else { return Ok(Map::new()) };
    if id_token::subject(&said)? != subject {
        let error = Code::AccessDenied.because("userinfo is of somebody else than the ID token");
        return Err(error.under(&rule::UPSTREAM_TOKEN));
    }
    // What only the ID token may say.
    said.retain(|name, _| !["iss", "aud", "azp", "nonce", "acr", "amr", "hd", "sid"].contains(&name.as_str()));
    Ok(said)
}
