//! OpenID Connect Core §3.1: any OpenID provider. Google is one whose values are known.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{Field, Identity, Provider, Tokens, Wish, With, exchange, is_away, metadata, unwelcome, wrong};
use crate::{
    app::App,
    protocol::{
        Code, Result,
        prompt::Prompt,
        rule,
        trace::Shown,
        upstream::{
            AuthMethod, GOOGLE as ISSUER_OF_GOOGLE, Settings,
            id_token::{self, Expected},
            metadata::Metadata,
            profile::{self, Profile},
        },
    },
    store::{upstream::Upstream, upstream_link},
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
    issuer: Some(ISSUER_OF_GOOGLE),
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

    fn heeds(&self) -> &'static [&'static str] {
        &["hosted_domain", "trust_second_factor", "second_factor_acr"]
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

    fn issuer_of(&self, upstream: &Upstream) -> String {
        self.issuer(&upstream.settings).to_owned()
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
        let login = if self.is_google() { "select_account" } else { "login" };
        let prompts = [
            (wish.again || wish.prompt.contains(&Prompt::Login), login),
            (wish.prompt.contains(&Prompt::SelectAccount), "select_account"),
        ];
        let mut prompts: Vec<_> = prompts.into_iter().filter(|(wanted, _)| *wanted).map(|(_, word)| word).collect();
        prompts.dedup();
        if !prompts.is_empty() {
            asks.push(("prompt", prompts.join(" ")));
        }
        if let Some(age) = wish.max_age.filter(|_| !self.is_google()) {
            asks.push(("max_age", age.to_string()));
        }
        if let Some(locales) = wish.ui_locales {
            asks.push(("ui_locales", locales.to_owned()));
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
        // One document says of its own address whether it is verified.
        if profile::find(&said, settings, "email").is_none() {
            drop_verified(&mut said, settings);
        }
        if let Some(endpoint) = metadata.userinfo_endpoint.as_deref().filter(|_| lacks(&said, settings)) {
            let person = (metadata.issuer.as_str(), subject.as_str());
            for (name, value) in userinfo(app, endpoint, (&said, tokens), settings, person).await? {
                said.entry(name).or_insert(value);
            }
        }
        if let Some(domain) = &settings.hosted_domain
            && said.get("hd").and_then(Value::as_str) != Some(domain)
        {
            return Err(unwelcome("the person is not of the hosted domain").expected(Shown::list([domain.as_str()])));
        }
        let sid = said.get("sid").and_then(Value::as_str).filter(|sid| sid.len() <= LONGEST_SID).map(str::to_owned);
        let mut profile = Profile::read(&said, settings);
        if self.is_google() && !is_googles(&profile, &said) {
            profile.email_verified = false;
        }
        Ok(Identity { issuer: metadata.issuer.clone(), subject, profile, sid, tokens: Tokens(tokens.clone()) })
    }
}

/// Whether the ID token leaves something out that is needed here: userinfo may have it.
fn lacks(said: &Map<String, Value>, settings: &Settings) -> bool {
    let mapped = settings.claims.keys().map(String::as_str);
    WANTED.into_iter().chain(mapped).any(|claim| profile::find(said, settings, claim).is_none())
        || lacks_groups(said, settings)
}

fn lacks_groups(said: &Map<String, Value>, settings: &Settings) -> bool {
    settings.groups_claim.as_deref().is_some_and(|claim| profile::at(said, claim).is_none())
}

/// `email_verified`, wherever it stands, and nothing beside it.
fn drop_verified(said: &mut Map<String, Value>, settings: &Settings) {
    fn drop_at(said: &mut Map<String, Value>, path: &str) {
        if said.remove(path).is_none()
            && let Some((first, rest)) = path.split_once('.')
            && let Some(within) = said.get_mut(first).and_then(Value::as_object_mut)
        {
            drop_at(within, rest);
        }
    }
    drop_at(said, settings.claims.get("email_verified").map_or("email_verified", String::as_str));
}

/// Google knows who reads the mail of an address that it gives out itself, or a Workspace of its customers does; of others it
/// knew once (docs/guides/google.md).
fn is_googles(profile: &Profile, said: &Map<String, Value>) -> bool {
    let own = |email: &str| email.ends_with("@gmail.com") || email.ends_with("@googlemail.com");
    said.get("hd").is_some_and(Value::is_string) || profile.email.as_deref().is_some_and(own)
}

/// §5.3.4: of the same person, or not to be believed at all. What only the ID token may say is left out.
///
/// # Errors
/// When it is of somebody else; or does not answer, and the person cannot be judged without: nobody loses a right, or gets an
/// account without an address, because of an outage.
async fn userinfo(
    app: &App,
    endpoint: &str,
    (known, tokens): (&Map<String, Value>, &Map<String, Value>),
    settings: &Settings,
    (issuer, subject): (&str, &str),
) -> Result<Map<String, Value>> {
    let counts = !(settings.allowed_groups.is_empty() && settings.admin_groups.is_empty());
    let decides = counts && lacks_groups(known, settings);
    let mut said = match exchange::ask(app, endpoint, tokens).await {
        Ok(Value::Object(said)) => said,
        Err(error) if decides => return Err(error),
        Err(error) if is_away(&error) && profile::find(known, settings, "email").is_none() => {
            // Who is connected already is known without an address, unless that decides.
            let is_connected = upstream_link::find(&app.db, issuer, subject).await?.is_some();
            if !is_connected || !settings.email_domains.is_empty() {
                return Err(error);
            }
            return Ok(Map::new());
        }
        Ok(_) if decides => {
            let error = Code::AccessDenied.because("userinfo says nothing").under(&rule::UPSTREAM_ANSWER);
            return Err(error.received(Shown::word("no JSON object")));
        }
        // A provider that does not want to say more has said enough already.
        _ => return Ok(Map::new()),
    };
    if id_token::subject(&said)? != subject {
        let error = Code::AccessDenied.because("userinfo is of somebody else than the ID token");
        return Err(error.under(&rule::UPSTREAM_TOKEN));
    }
    said.retain(|name, _| !["iss", "aud", "azp", "nonce", "acr", "amr", "auth_time", "hd", "sid"].contains(&&**name));
    let email = profile::find(known, settings, "email");
    if email.is_some() && email != profile::find(&said, settings, "email") {
        drop_verified(&mut said, settings);
    }
    Ok(said)
}
