//! RFC 6749 §4.1, §4.4, §6: the kernel of each grant, driven by oxide-auth's machines over data that is
//! already loaded and parameters that are already resolved. Nothing of oxide-auth's machines is named elsewhere.
//!
//! What the machines lack stands before them: exact comparison of redirect URIs (they normalize), lifetimes
//! (they read the system's clock; we pass a date far ahead and check ours), PKCE's syntax, order of scopes.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use oxide_auth::{
    code_grant::{accesstoken, authorization, client_credentials, error::AccessTokenErrorType, refresh},
    primitives::{
        grant::{Extensions, Grant},
        registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl},
        scope::Scope as Grammar,
    },
};

use super::{Code, Error, Result, Scope, rule, trace::Shown};

/// What was granted and to whom, as the database has it.
#[derive(Debug, Clone, Copy)]
pub struct Granted<'a> {
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub scope: &'a Scope,
}

/// §4.1.1: the scope that an authorization request is worth: what it asks and the client may have.
/// OpenID Connect Core §3.1.2.1 has the server ignore scopes that it does not know or allow.
pub fn authorize(client_id: &str, redirect_uri: &str, asked: Option<&Scope>, allowed: &Scope) -> Result<Scope> {
    let request = Request { client_id, redirect_uri: Some(redirect_uri), scope: asked, grant_type: "", token: "" };
    let mut machine = authorization::Authorization::new(&request);
    let mut input = authorization::Input::None;
    loop {
        input = match machine.advance(input) {
            authorization::Output::Bind { client_id, .. } => {
                authorization::Input::Bound { request: &request, bound_client: bound(client_id, redirect_uri)? }
            }
            authorization::Output::Extend => authorization::Input::Extended(Extensions::new()),
            authorization::Output::Negotiate { bound_client, scope } => {
                let pre_grant = PreGrant {
                    client_id: bound_client.client_id.clone().into_owned(),
                    redirect_uri: bound_client.redirect_uri.clone().into_owned(),
                    scope: grammar(&negotiated(scope.as_ref(), allowed)?)?,
                };
                authorization::Input::Negotiated { pre_grant, state: None }
            }
            authorization::Output::Ok { pre_grant, .. } => return ours(&pre_grant.scope),
            authorization::Output::Err(_) => return Err(broken()),
        };
    }
}

/// §4.1.3: a code belongs to the client that it was issued to and to the redirect URI of its request.
pub fn redeem(client_id: &str, redirect_uri: &str, granted: Granted<'_>) -> Result<()> {
    if redirect_uri != granted.redirect_uri {
        return Err(Code::InvalidGrant
            .because("redirect_uri is not the one of the authorization request")
            .under(&rule::CODE)
            .expected(Shown::uri(granted.redirect_uri))
            .received(Shown::difference(redirect_uri, granted.redirect_uri)));
    }
    let request = Request {
        client_id,
        redirect_uri: Some(redirect_uri),
        scope: None,
        grant_type: "authorization_code",
        token: "kept by its hash",
    };
    let mut machine = accesstoken::AccessToken::new(&request);
    let mut input = accesstoken::Input::None;
    loop {
        input = match machine.advance(input) {
            accesstoken::Output::Authenticate { .. } => accesstoken::Input::Authenticated,
            accesstoken::Output::Recover { .. } => accesstoken::Input::Recovered(Some(Box::new(grant(granted)?))),
            accesstoken::Output::Extend { extensions } => {
                accesstoken::Input::Extended { access_extensions: std::mem::take(extensions) }
            }
            accesstoken::Output::Issue { .. } => return Ok(()),
            accesstoken::Output::Ok(_) => return Err(broken()),
            accesstoken::Output::Err(mut error) => {
                return Err(match error.description().map(|d| d.kind()) {
                    Some(AccessTokenErrorType::InvalidGrant) => other_client(client_id, granted, &rule::CODE),
                    _ => broken(),
                });
            }
        };
    }
}

/// §6: a refresh token belongs to its client, and its access token may have less scope, never more.
pub fn refresh(client_id: &str, asked: Option<&Scope>, granted: Granted<'_>) -> Result<Scope> {
    if client_id != granted.client_id {
        return Err(other_client(client_id, granted, &rule::REFRESH_TOKEN));
    }
    let request =
        Request { client_id, redirect_uri: None, scope: asked, grant_type: "refresh_token", token: "derived" };
    let scope = || asked.map(|scope| Cow::Owned(scope.to_string()));
    let mut machine = refresh::Refresh::new(&request);
    let mut input = refresh::Input::None;
    loop {
        input = match machine.advance(input) {
            refresh::Output::Unauthenticated { .. } => refresh::Input::Authenticated { scope: scope() },
            refresh::Output::RecoverRefresh { .. } => {
                refresh::Input::Recovered { scope: scope(), grant: Some(Box::new(grant(granted)?)) }
            }
            refresh::Output::Refresh { grant, .. } => return ours(&grant.scope),
            refresh::Output::Ok(_) => return Err(broken()),
            refresh::Output::Err(mut error) => {
                return Err(match error.description().map(|d| d.kind()) {
                    Some(AccessTokenErrorType::InvalidScope) => Code::InvalidScope
                        .because("scope is more than was granted")
                        .under(&rule::SCOPE)
                        .expected(Shown::scope(granted.scope))
                        .received(asked.map_or(Shown::word("none"), Shown::scope)),
                    Some(AccessTokenErrorType::InvalidGrant) => other_client(client_id, granted, &rule::REFRESH_TOKEN),
                    _ => broken(),
                });
            }
        };
    }
}

/// §4.4: a client speaks for itself.
pub fn client_credentials(client_id: &str, asked: Option<&Scope>, allowed: &Scope) -> Result<Scope> {
    let request = Request { client_id, redirect_uri: None, scope: asked, grant_type: "client_credentials", token: "" };
    let mut machine = client_credentials::ClientCredentials::new(&request);
    let mut input = client_credentials::Input::None;
    loop {
        input = match machine.advance(input) {
            client_credentials::Output::Authenticate { .. } => client_credentials::Input::Authenticated,
            client_credentials::Output::Binding { client_id } => {
                // The machine wants a redirect URI; this grant has none.
                client_credentials::Input::Bound { bound_client: bound(client_id.to_owned(), "urn:none")? }
            }
            client_credentials::Output::Extend => client_credentials::Input::Extended { extensions: Extensions::new() },
            client_credentials::Output::Negotiate { bound_client, scope } => {
                let pre_grant = PreGrant {
                    client_id: bound_client.client_id.clone().into_owned(),
                    redirect_uri: bound_client.redirect_uri.clone().into_owned(),
                    scope: grammar(&negotiated(scope.as_ref(), allowed)?)?,
                };
                client_credentials::Input::Negotiated { pre_grant }
            }
            client_credentials::Output::Ok { pre_grant, .. } => return ours(&pre_grant.scope),
            client_credentials::Output::Err(_) => return Err(broken()),
        };
    }
}

/// What is asked and allowed. Asking only for what is not allowed is an error; asking for nothing gives all that is.
fn negotiated(asked: Option<&Grammar>, allowed: &Scope) -> Result<Scope> {
    let Some(asked) = asked else { return Ok(allowed.clone()) };
    let asked = ours(asked)?;
    let granted = asked.common(allowed);
    if granted.is_empty() && !asked.is_empty() {
        return Err(Code::InvalidScope
            .because("the client may have none of the scopes that it asks for")
            .under(&rule::SCOPE)
            .expected(Shown::scope(allowed))
            .received(Shown::scope(&asked)));
    }
    Ok(granted)
}

struct Request<'a> {
    client_id: &'a str,
    redirect_uri: Option<&'a str>,
    scope: Option<&'a Scope>,
    grant_type: &'a str,
    token: &'a str,
}

impl Request<'_> {
    fn scope_text(&self) -> Option<Cow<'_, str>> {
        self.scope.map(|scope| Cow::Owned(scope.to_string()))
    }

    fn redirect(&self) -> Option<Cow<'_, str>> {
        self.redirect_uri.map(Cow::Borrowed)
    }
}

impl authorization::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        Some(self.client_id.into())
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.scope_text()
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.redirect()
    }
    fn state(&self) -> Option<Cow<'_, str>> {
        None
    }
    fn response_type(&self) -> Option<Cow<'_, str>> {
        Some("code".into())
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl accesstoken::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.token.into())
    }
    fn authorization(&self) -> accesstoken::Authorization<'_> {
        accesstoken::Authorization::Username(self.client_id.into())
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.redirect()
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some(self.grant_type.into())
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl refresh::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        Some(self.token.into())
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.scope_text()
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some(self.grant_type.into())
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((self.client_id.into(), Cow::Borrowed(&[])))
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl client_credentials::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((self.client_id.into(), Cow::Borrowed(&[])))
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.scope_text()
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some(self.grant_type.into())
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

fn bound(client_id: String, redirect_uri: &str) -> Result<BoundClient<'static>> {
    let exact: ExactUrl = redirect_uri.parse().map_err(Error::internal)?;
    Ok(BoundClient { client_id: Cow::Owned(client_id), redirect_uri: Cow::Owned(RegisteredUrl::Exact(exact)) })
}

fn grant(granted: Granted<'_>) -> Result<Grant> {
    let redirect_uri = if granted.redirect_uri.is_empty() { "urn:none" } else { granted.redirect_uri };
    Ok(Grant {
        owner_id: String::new(),
        client_id: granted.client_id.to_owned(),
        scope: grammar(granted.scope)?,
        redirect_uri: redirect_uri.parse().map_err(Error::internal)?,
        until: DateTime::<Utc>::MAX_UTC,
        extensions: Extensions::new(),
    })
}

fn grammar(scope: &Scope) -> Result<Grammar> {
    scope.to_string().parse().map_err(Error::internal)
}

fn ours(scope: &Grammar) -> Result<Scope> {
    // Sorted here: oxide-auth's set prints in a different order each time.
    let tokens: Vec<_> = scope.iter().collect();
    Scope::requested(&tokens.join(" "))
}

fn other_client(client_id: &str, granted: Granted<'_>, rule: &'static rule::Rule) -> Error {
    Code::InvalidGrant
        .because("it was issued to another client")
        .under(rule)
        .expected(Shown::client_id(granted.client_id))
        .received(Shown::client_id(client_id))
}

fn broken() -> Error {
    Error::internal(std::io::Error::other("the grant's machine stopped where it cannot"))
}
