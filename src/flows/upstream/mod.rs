//! Signing in with a provider: Google, GitHub, any OpenID provider, and others that speak OAuth 2. A person goes there and
//! comes back ([`begin`], [`callback`]), and then it is decided whose account it is ([`arrive`]). Whoever is signed in connects
//! one with their account in the same way ([`link`]).

pub mod arrive;
pub mod begin;
mod buttons;
pub mod callback;
pub mod check;
pub mod connect;
pub mod declared;
pub mod enrol;
pub mod link;
pub mod logout;
mod exchange;
mod github;
mod metadata;
mod oauth2;
mod oidc;
mod tokens;
mod turned;

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::Field;
use crate::{
    app::{App, reseal::upstream_context},
    config::Config,
    crypto::secret::Secret,
    protocol::{
        Code, Error, Result,
        prompt::Prompt,
        rule,
        trace::Shown,
        upstream::{AuthMethod, Settings, id_token, metadata::Metadata, profile::Profile},
    },
    store::{upstream::Upstream, upstream_link::UpstreamLink},
};

pub use buttons::{Button, Hints, buttons};
pub use tokens::Tokens;
use turned::{FULL, MOST, TAKEN, said};
pub use turned::{Said, Turned, Whence};

/// One kind of provider. To add one: a file here, a line in [`PROVIDERS`].
#[async_trait]
pub trait Provider: Sync {
    /// What settings call it.
    fn kind(&self) -> &'static str;

    /// What people call it.
    fn title(&self) -> Option<&'static str> {
        None
    }

    fn scopes(&self) -> &'static [&'static str];

    fn auth_method(&self) -> AuthMethod;

    /// It reads the addresses of its people itself, so one that it calls verified is.
    fn knows_addresses(&self) -> bool {
        false
    }

    /// Which it heeds of the settings that only some kinds do.
    fn heeds(&self) -> &'static [&'static str];

    /// What is wrong with the settings of one of its kind.
    fn problems(&self, settings: &Settings) -> Vec<Field>;

    /// The issuer of those whom it knows, who are found here by it and by their subjects.
    fn issuer_of(&self, upstream: &Upstream) -> String;

    /// Whether it can mean somebody by this subject.
    fn can_name(&self, subject: &str) -> bool {
        id_token::is_subject(subject)
    }

    /// Where it is asked, as far as that is known without asking it.
    async fn known(&self, app: &App, upstream: &Upstream) -> Option<Arc<Metadata>>;

    /// Where it is asked.
    ///
    /// # Errors
    /// When it must say so itself and does not, or says what cannot be.
    async fn metadata(&self, app: &App, upstream: &Upstream) -> Result<Arc<Metadata>>;

    /// By what names it may call itself in its answers (RFC 9207).
    fn answers_as(&self, metadata: &Metadata) -> Vec<String> {
        vec![metadata.issuer.clone()]
    }

    /// What the request says besides what every request says.
    fn asks(&self, upstream: &Upstream, wish: &Wish<'_>, nonce: &str) -> Vec<(&'static str, String)>;

    /// Who it is, by what came for the code.
    ///
    /// # Errors
    /// When the provider does not say, or is not believed.
    async fn identity(&self, app: &App, with: With<'_>) -> Result<Identity>;
}

/// Every kind there is.
pub static PROVIDERS: &[&dyn Provider] = &[&oidc::GOOGLE, &github::GitHub, &oidc::GENERIC, &oauth2::OAuth2];

/// What the provider is to know beforehand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    pub login_hint: Option<&'a str>,
    pub prompt: &'a [Prompt],
    /// The person is to sign in there again, signed in or not.
    pub again: bool,
    /// Seconds since which a sign-in there is new enough.
    pub max_age: Option<i64>,
    pub ui_locales: Option<&'a str>,
}

/// What an identity is found with.
#[derive(Clone, Copy)]
pub struct With<'a> {
    pub upstream: &'a Upstream,
    pub metadata: &'a Metadata,
    /// What the token endpoint has answered.
    pub tokens: &'a Map<String, Value>,
    pub nonce: &'a str,
}

/// Somebody, as a provider knows them.
#[derive(Debug, Clone)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
    pub profile: Profile,
    /// Its session at the provider.
    pub sid: Option<String>,
    /// What came for the code.
    pub tokens: Tokens,
}

impl Identity {
    /// What the person recognizes it by.
    pub fn label(&self) -> Option<String> {
        label(&self.profile)
    }
}

fn label(profile: &Profile) -> Option<String> {
    profile.email.clone().or_else(|| profile.username.clone()).or_else(|| profile.claims.name.clone())
}

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.kind() == name)
}

/// Whether people still come by this connection with it: an issuer may have moved, and its people are strangers then.
pub fn opens(upstream: &Upstream, link: &UpstreamLink) -> bool {
    let is_whose = |kind: &dyn Provider| kind.issuer_of(upstream) == link.issuer;
    upstream.is_enabled() && kind(&upstream.settings.kind).is_some_and(is_whose)
}

fn kind_of(upstream: &Upstream) -> Result<&'static dyn Provider> {
    let unknown = || Code::ServerError.because("a provider is of a kind that is not known here");
    kind(&upstream.settings.kind).ok_or_else(unknown)
}

/// Where the browser comes back to.
pub fn callback_url(app: &App, name: &str) -> String {
    app.url(&format!("/federation/{name}/callback"))
}

/// What pages call it.
pub fn title(upstream: &Upstream) -> String {
    let of_kind = || kind(&upstream.settings.kind).and_then(Provider::title).map(str::to_owned);
    upstream.settings.button.clone().or_else(of_kind).unwrap_or_else(|| upstream.name.clone())
}

/// One that people may sign in with.
///
/// # Errors
/// When the database is away.
pub async fn find(app: &App, name: &str) -> Result<Option<Upstream>> {
    Ok(app.cache.upstreams(&app.db).await?.iter().find(|upstream| upstream.name == name).cloned())
}

/// What is wrong with the settings of a provider.
pub fn problems(config: &Config, settings: &Settings, has_secret: bool) -> Vec<Field> {
    let Some(kind) = kind(&settings.kind) else { return vec![wrong("kind", "is not known here")] };
    let mut problems = kind.problems(settings);
    problems.extend(unheeded(kind, settings));
    for (name, address) in [
        ("issuer", &settings.issuer),
        ("api_url", &settings.api_url),
        ("authorization_endpoint", &settings.authorization_endpoint),
        ("token_endpoint", &settings.token_endpoint),
        ("userinfo_endpoint", &settings.userinfo_endpoint),
    ] {
        // The issuer of an oauth2 provider is a name.
        let is_name = name == "issuer" && settings.kind == "oauth2";
        if let Some(address) = address.as_deref().filter(|address| !is_name && !may_reach(config, address)) {
            let why = "must be an https address without a query; plain http needs its host in outbound.allow_hosts";
            problems.push(wrong(name, &format!("{why}, and this is {address}")));
        }
    }
    let proves = settings.token_endpoint_auth_method.unwrap_or(kind.auth_method());
    match (proves, has_secret) {
        (AuthMethod::None, true) => problems.push(wrong("client_secret", "is of no use with the method none")),
        (AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost, false) => {
            problems.push(wrong("client_secret", "is missing; take it from the provider (client_secret_file)"));
        }
        _ => {}
    }
    if settings.groups_claim.is_none() && !(settings.allowed_groups.is_empty() && settings.admin_groups.is_empty()) {
        problems.push(wrong("groups_claim", "is missing, so nobody has a group"));
    }
    problems
}

/// Somebody relies on what they have set, and `hosted_domain` that does nothing lets everybody in.
fn unheeded(kind: &dyn Provider, settings: &Settings) -> Vec<Field> {
    let set = [
        ("api_url", settings.api_url.is_some()),
        ("authorization_endpoint", settings.authorization_endpoint.is_some()),
        ("token_endpoint", settings.token_endpoint.is_some()),
        ("userinfo_endpoint", settings.userinfo_endpoint.is_some()),
        ("hosted_domain", settings.hosted_domain.is_some()),
        ("trust_second_factor", settings.trust_second_factor),
        ("second_factor_acr", !settings.second_factor_acr.is_empty()),
    ];
    let set = set.into_iter().filter(|(name, set)| *set && !kind.heeds().contains(name));
    let mut problems: Vec<_> =
        set.map(|(name, _)| wrong(name, &format!("does nothing with the kind {}", kind.kind()))).collect();
    if problems.is_empty() && !settings.second_factor_acr.is_empty() && !settings.trust_second_factor {
        problems.push(wrong("second_factor_acr", "does nothing without trust_second_factor"));
    }
    problems
}

fn wrong(name: &'static str, why: &str) -> Field {
    Field { name, why: why.into() }
}

fn may_reach(config: &Config, address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let exempt =
        || url.host_str().is_some_and(|host| config.outbound.allow_hosts.iter().any(|known| known.as_str() == host));
    let plain =
        url.username().is_empty() && url.password().is_none() && url.fragment().is_none() && url.query().is_none();
    plain && url.has_host() && (url.scheme() == "https" || url.scheme() == "http" && exempt())
}

/// The secret that the provider knows us by.
fn secret(app: &App, upstream: &Upstream) -> Result<Option<Secret>> {
    let Some(sealed) = &upstream.sealed_secret else { return Ok(None) };
    let opened = app.master_key.open(&upstream_context(upstream.id), &sealed.0).map_err(Error::internal)?;
    let text = std::str::from_utf8(&opened).map_err(Error::internal)?;
    Ok(Some(Secret::presented(text)))
}

/// What follows from the state of one way there and back; whoever has the database alone has neither.
fn derived(app: &App, what: &'static str, state: &str) -> Secret {
    Secret::presented(&URL_SAFE_NO_PAD.encode(app.macs.codes.tag(&[b"upstream", what.as_bytes(), state.as_bytes()])))
}

fn nonce(app: &App, state: &str) -> Secret {
    derived(app, "nonce", state)
}

fn verifier(app: &App, state: &str) -> Secret {
    derived(app, "verifier", state)
}

/// Seconds after which a provider that is away is asked again.
const RETRY: i64 = 30;

/// The provider does not answer, or not well enough to go on.
fn away(why: &'static str, cause: &str) -> Error {
    let error = Code::TemporarilyUnavailable.because(why).under(&rule::UPSTREAM_REACHED).retry_after(RETRY);
    error.received(Shown::cause(cause))
}

fn is_away(error: &Error) -> bool {
    error.detail.as_ref().is_some_and(|detail| detail.rule.name == rule::UPSTREAM_REACHED.name)
}

/// A refusal of who came.
fn unwelcome(why: &'static str) -> Error {
    Code::AccessDenied.because(why).under(&rule::UPSTREAM_ACCOUNT)
}

/// No more of them than of passwords from one address.
fn not_too_often(app: &App, keys: &[crate::app::throttle::Key]) -> Result<()> {
    match app.throttle.wait(keys, app.now()) {
        Some(wait) => Err(wait.refusal()),
        None => Ok(()),
    }
}
