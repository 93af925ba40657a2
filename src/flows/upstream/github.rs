//! RFC 6749 §4.1 as GitHub speaks it: no ID token, but an API that says who somebody is. A person is their number, since
//! login names change hands; their address is the primary one that is verified.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{Field, Identity, Provider, Tokens, Wish, With, exchange, is_away, wrong};
use crate::{
    app::App,
    protocol::{
        Code, Result,
        prompt::Prompt,
        rule,
        upstream::{AuthMethod, Settings, metadata::Metadata, profile::Profile},
    },
    store::upstream::Upstream,
};

pub struct GitHub;

/// Addresses that GitHub makes up for people who show none.
const NOBODYS: &str = "@users.noreply.";

#[async_trait]
impl Provider for GitHub {
    fn kind(&self) -> &'static str {
        "github"
    }

    fn title(&self) -> Option<&'static str> {
        Some("GitHub")
    }

    fn scopes(&self) -> &'static [&'static str] {
        &["read:user", "user:email"]
    }

    fn auth_method(&self) -> AuthMethod {
        AuthMethod::ClientSecretPost
    }

    fn knows_addresses(&self) -> bool {
        true
    }

    fn heeds(&self) -> &'static [&'static str] {
        &["api_url"]
    }

    fn problems(&self, settings: &Settings) -> Vec<Field> {
        let names_sub = settings.claims.contains_key("sub");
        let sub = names_sub.then(|| wrong("claims", "cannot name another sub: the number is who somebody is"));
        let logout = settings.logout.then(|| wrong("logout", "goes nowhere: GitHub has no endpoint for it"));
        sub.into_iter().chain(logout).collect()
    }

    fn issuer_of(&self, upstream: &Upstream) -> String {
        upstream.settings.github_issuer().to_owned()
    }

    fn can_name(&self, subject: &str) -> bool {
        subject.parse().is_ok_and(|number: u64| number.to_string() == subject)
    }

    async fn known(&self, _: &App, upstream: &Upstream) -> Option<Arc<Metadata>> {
        let issuer = upstream.settings.github_issuer();
        Some(Arc::new(Metadata {
            issuer: issuer.to_owned(),
            authorization_endpoint: format!("{issuer}/login/oauth/authorize"),
            token_endpoint: format!("{issuer}/login/oauth/access_token"),
            userinfo_endpoint: Some(format!("{}/user", upstream.settings.github_api())),
            ..Metadata::default()
        }))
    }

    async fn metadata(&self, app: &App, upstream: &Upstream) -> Result<Arc<Metadata>> {
        Ok(self.known(app, upstream).await.unwrap_or_default())
    }

    /// It names what its endpoints have in common, and not its site.
    fn answers_as(&self, metadata: &Metadata) -> Vec<String> {
        vec![format!("{}/login/oauth", metadata.issuer), metadata.issuer.clone()]
    }

    fn asks(&self, _: &Upstream, wish: &Wish<'_>, _: &str) -> Vec<(&'static str, String)> {
        let hint = wish.login_hint.map(|hint| ("login", hint.to_owned()));
        let asked = [Prompt::Login, Prompt::SelectAccount].iter().any(|prompt| wish.prompt.contains(prompt));
        let chooses = wish.again || asked;
        hint.into_iter().chain(chooses.then(|| ("prompt", "select_account".to_owned()))).collect()
    }

    async fn identity(&self, app: &App, with: With<'_>) -> Result<Identity> {
        let With { upstream, metadata, tokens, .. } = with;
        let api = upstream.settings.github_api();
        let unreadable = || Code::AccessDenied.because("the provider said nothing that names somebody");
        let said = exchange::ask(app, &format!("{api}/user"), tokens).await?;
        let Value::Object(mut said) = said else { return Err(unreadable().under(&rule::UPSTREAM_ANSWER)) };
        let number =
            said.get("id").and_then(Value::as_u64).ok_or_else(|| unreadable().under(&rule::UPSTREAM_ANSWER))?;
        let addresses = match exchange::ask(app, &format!("{api}/user/emails"), tokens).await {
            Ok(addresses) => addresses,
            // Whoever comes while it has no time would get an account without an address.
            Err(error) if is_away(&error) => return Err(error),
            // The person has not let us read them.
            Err(_) => Value::Null,
        };
        tell(&mut said, address(&addresses));
        let profile = Profile::read(&said, &upstream.settings);
        let (issuer, tokens) = (metadata.issuer.clone(), Tokens(tokens.clone()));
        Ok(Identity { issuer, subject: number.to_string(), profile, sid: None, tokens })
    }
}

/// In the words of OpenID Connect. The address of the public profile is not taken: anybody may write any there.
fn tell(said: &mut Map<String, Value>, address: Option<&str>) {
    said.insert("email_verified".to_owned(), address.is_some().into());
    said.insert("email".to_owned(), address.map_or(Value::Null, Value::from));
    if let Some(login) = said.get("login").cloned() {
        said.insert("preferred_username".to_owned(), login);
    }
}

fn address(addresses: &Value) -> Option<&str> {
    let is = |address: &Value, name: &str| address.get(name) == Some(&Value::Bool(true));
    let primary = addresses.as_array()?.iter().find(|address| is(address, "primary") && is(address, "verified"))?;
    primary.get("email").and_then(Value::as_str).filter(|email| !email.contains(NOBODYS))
}
