//! RFC 6749 §4.1.1, OpenID Connect Core §3.1.2: the authorization request and its checks, in their order.

use super::{
    Code, Error, Params, Result, Scope,
    claims::ClaimsRequest,
    code_grant,
    pkce::Challenge,
    prompt::{self, Prompt},
    redirect_uri,
    reply::{ReplyTo, ResponseMode},
    resource,
    response_type::{self, ResponseType},
    rule,
    trace::{Shown, Trace},
};

/// Why a request went no further. Before the redirect URI is proven we may only
/// show a page; after, the client is told.
#[derive(Debug)]
pub enum Refusal {
    Show(Box<Error>),
    Tell(Box<(ReplyTo, Error)>),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Show(Box::new(error))
    }
}

/// A request that passed every check.
#[derive(Debug, Clone)]
pub struct Request {
    pub client_id: String,
    pub reply: ReplyTo,
    pub response_type: ResponseType,
    pub scope: Scope,
    /// RFC 8707: the API that the access token is for.
    pub resource: Option<String>,
    pub prompt: Vec<Prompt>,
    /// Seconds since the person proved who they are.
    pub max_age: Option<i64>,
    pub nonce: Option<String>,
    pub challenge: Option<Challenge>,
    pub claims: ClaimsRequest,
    pub login_hint: Option<String>,
    pub id_token_hint: Option<String>,
    /// The provider to sign in with: no standard's, but what others call it too.
    pub idp_hint: Option<String>,
    pub ui_locales: Option<String>,
    pub acr_values: Option<String>,
    /// `display=popup`: the pages stand in a window that the app has opened.
    pub popup: bool,
}

/// What a journey remembers of its request: every parameter that a check or a page reads, but for `id_token_hint`,
/// which is a token.
pub const KEPT: [&str; 18] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "display",
    "ui_locales",
    "acr_values",
    "login_hint",
    "idp_hint",
    "claims",
    "code_challenge",
    "code_challenge_method",
    "resource",
];

/// Whether a parameter of that name means anything here.
pub fn is_read(name: &str) -> bool {
    KEPT.contains(&name) || name == "id_token_hint"
}

/// What this server knows of the client and asks of it.
#[derive(Debug, Clone, Copy)]
pub struct Registered<'a> {
    pub client_id: &'a str,
    pub redirect_uris: &'a [String],
    pub response_types: &'a [String],
    pub scope: &'a Scope,
    pub is_native: bool,
    pub must_use_pkce: bool,
    /// OpenID Connect Registration §2: `default_max_age`.
    pub default_max_age: Option<i64>,
}

/// Decision D10: what a client may have us carry for it.
const LONGEST_ECHO: usize = 2048;

/// The checks, in order; the first that fails decides.
pub fn validate(params: &Params, client: &Registered<'_>, trace: &mut Trace) -> Result<Request, Refusal> {
    let redirect_uri = proven_redirect_uri(params, client)?;
    trace.passed(&rule::REDIRECT_URI, Some(Shown::uri(redirect_uri)));
    let default = response_type::presumed_mode(params, client.response_types);
    let mode = ResponseMode::requested(params, default);
    let reply = ReplyTo::proven(redirect_uri.to_owned(), state(params), *mode.as_ref().unwrap_or(&default));
    let tell = |error| Refusal::Tell(Box::new((reply.clone(), error)));
    mode.map_err(tell)?;
    check(params, client, reply.clone(), trace).map_err(tell)
}

/// Where an error goes that arises before the parameters are all known: to a redirect URI that is proven, or nowhere.
pub fn reply_to(params: &Params, client: &Registered<'_>) -> Option<ReplyTo> {
    let redirect_uri = proven_redirect_uri(params, client).ok()?;
    let default = response_type::presumed_mode(params, client.response_types);
    let mode = ResponseMode::requested(params, default).unwrap_or(default);
    Some(ReplyTo::proven(redirect_uri.to_owned(), state(params), mode))
}

fn check(params: &Params, client: &Registered<'_>, reply: ReplyTo, trace: &mut Trace) -> Result<Request> {
    params.check()?;
    sizes(params)?;
    let response_type = response_type::requested(params, client.response_types)?;
    let scope = scope(params, client, reply.redirect_uri())?;
    trace.passed(&rule::SCOPE, Some(Shown::scope(&scope)));
    id_token_needs(params, response_type, &scope)?;
    let challenge = challenge(params, client, response_type)?;
    trace.passed(&rule::CODE_CHALLENGE, Some(Shown::word(if challenge.is_some() { "S256" } else { "none" })));
    let text = |name| params.get(name).map(str::to_owned);
    Ok(Request {
        client_id: client.client_id.to_owned(),
        reply,
        response_type,
        // Without a code there is nothing that could give a refresh token.
        scope: if response_type.code { scope } else { scope.without("offline_access") },
        resource: resource::requested(params)?,
        prompt: prompt::prompt(params)?,
        max_age: prompt::max_age(params)?.or(client.default_max_age),
        nonce: text("nonce"),
        challenge,
        claims: ClaimsRequest::requested(params)?,
        login_hint: text("login_hint"),
        id_token_hint: text("id_token_hint"),
        idp_hint: text("idp_hint").filter(|name| name.len() <= 40),
        ui_locales: text("ui_locales"),
        acr_values: text("acr_values"),
        popup: params.get("display") == Some("popup"),
    })
}

/// OpenID Connect Core §3.2.2.1, §3.3.2.11: an ID token that travels through the browser is bound to its request.
fn id_token_needs(params: &Params, response_type: ResponseType, scope: &Scope) -> Result<()> {
    if !response_type.id_token {
        return Ok(());
    }
    if !scope.contains("openid") {
        return Err(Code::InvalidScope
            .because("an ID token needs the scope openid")
            .under(&rule::SCOPE)
            .expected(Shown::word("openid"))
            .received(Shown::scope(scope)));
    }
    match params.get("nonce") {
        Some(_) => Ok(()),
        None => Err(Code::InvalidRequest
            .because("nonce is missing; it is required for this response_type")
            .under(&rule::NONCE)),
    }
}

/// RFC 9700 §2.1. Always required, also of clients with a single one (OpenID Connect Core §3.1.2.1).
fn proven_redirect_uri<'a>(params: &'a Params, client: &Registered<'_>) -> Result<&'a str> {
    let refuse = |why: &'static str| Code::InvalidRequest.because(why).under(&rule::REDIRECT_URI);
    if params.is_repeated("client_id") || params.is_repeated("redirect_uri") {
        return Err(refuse("client_id or redirect_uri is given twice"));
    }
    let registered = client.redirect_uris;
    let given = params.get("redirect_uri").ok_or_else(|| {
        refuse("redirect_uri is missing").expected(Shown::list(registered.iter().map(String::as_str)))
    })?;
    if redirect_uri::is_registered(registered, given, client.is_native) {
        Ok(given)
    } else {
        Err(redirect_uri::unregistered(registered, given))
    }
}

/// Echoed byte for byte, or not at all: an ambiguous or oversized one is no state.
fn state(params: &Params) -> Option<String> {
    let state = params.get("state").filter(|_| !params.is_repeated("state"))?;
    (state.len() <= LONGEST_ECHO && super::params::is_plain(state)).then(|| state.to_owned())
}

fn sizes(params: &Params) -> Result<()> {
    for name in ["state", "nonce", "login_hint", "ui_locales", "acr_values"] {
        if let Some(value) = params.get(name).filter(|value| value.len() > LONGEST_ECHO) {
            return Err(Code::InvalidRequest
                .because(format!("{name} is longer than {LONGEST_ECHO} bytes"))
                .under(&rule::PARAMETERS)
                .received(Shown::length(value)));
        }
    }
    Ok(())
}

fn scope(params: &Params, client: &Registered<'_>, redirect_uri: &str) -> Result<Scope> {
    let asked = params.get("scope").map(Scope::requested).transpose()?;
    code_grant::authorize(client.client_id, redirect_uri, asked.as_ref(), client.scope)
}

/// RFC 9700 §2.1.1.
fn challenge(params: &Params, client: &Registered<'_>, kind: ResponseType) -> Result<Option<Challenge>> {
    let challenge = Challenge::requested(params)?;
    if challenge.is_none() && client.must_use_pkce && kind.code {
        return Err(Code::InvalidRequest
            .because("code_challenge is missing; this client must use PKCE")
            .under(&rule::CODE_CHALLENGE));
    }
    Ok(challenge)
}
