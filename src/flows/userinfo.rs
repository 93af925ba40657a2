//! OpenID Connect Core §5.3: what an access token with `openid` may know about its person.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{Refused, access, admin::keys::FIRST, issue};
use crate::{
    app::App,
    protocol::{
        Code, Params, Result, claims, rule,
        trace::{Kind, Shown, Trace},
    },
    store::client::Client,
};

/// Where the token was (RFC 6750 §2). Only one place at a time.
#[derive(Debug, Default)]
pub struct Bearer<'a> {
    /// Each `Authorization` header.
    pub headers: Vec<&'a str>,
    /// The form body, if there was one.
    pub form: Option<&'a Params>,
    pub address: Option<IpAddr>,
}

/// What an endpoint says, in the form that the client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Plain(Map<String, Value>),
    Token(String),
}

/// # Errors
/// `invalid_request`, `invalid_token` or `insufficient_scope`; a request without any token has no code to name.
pub async fn about(app: &App, bearer: &Bearer<'_>) -> Result<Answer, Refused> {
    let mut trace = Trace { address: bearer.address, ..app.trace(Kind::Userinfo) };
    let claims = about_traced(app, bearer, &mut trace).await;
    super::settle(app, trace, claims)
}

async fn about_traced(app: &App, bearer: &Bearer<'_>, trace: &mut Trace) -> Result<Answer> {
    let token = token(bearer)?;
    let live = access::find(app, token).await?;
    trace.client_id = Some(live.client_id.clone());
    if live.audience != app.issuer() {
        return Err(access::refuse("the access token is for another API")
            .expected(Shown::uri(app.issuer()))
            .received(Shown::uri(&live.audience)));
    }
    let (Some((grant, user)), true) = (live.of, live.scope.contains("openid")) else {
        return Err(Code::InsufficientScope
            .because("the access token lacks the scope openid")
            .under(&rule::TOKEN_SCOPE)
            .expected(Shown::word("openid"))
            .received(Shown::scope(&live.scope)));
    };
    trace.user_id = Some(user.id);
    trace.passed(&rule::TOKEN, Some(Shown::scope(&live.scope)));
    let mut claims = claims::released(&user.all_claims(), &live.scope, &grant.claims.userinfo);
    claims.insert("sub".into(), live.sub.into());
    let client = app.cache.client(&app.db, &live.client_id).await?;
    let client = client.ok_or_else(|| access::refuse("the client is gone or disabled"))?;
    as_registered(app, &client, claims).await
}

/// §5.3.2: as JSON, or as the token that the client is registered for.
async fn as_registered(app: &App, client: &Client, mut claims: Map<String, Value>) -> Result<Answer> {
    let metadata = &client.metadata;
    let (signed, encrypted) = (&metadata.userinfo_signed_response_alg, &metadata.userinfo_encrypted_response_alg);
    if signed.is_none() && encrypted.is_none() {
        return Ok(Answer::Plain(claims));
    }
    claims.insert("iss".into(), app.issuer().into());
    claims.insert("aud".into(), client.client_id.clone().into());
    let encryption = (encrypted.as_deref(), metadata.userinfo_encrypted_response_enc.as_deref());
    let signed = signed.as_deref().unwrap_or(FIRST);
    issue::answer(app, client, "JWT", &claims, (signed, encryption)).await.map(Answer::Token)
}

/// The description tells a request without a token from one with a wrong one.
pub const NO_TOKEN: &str = "no access token was sent";

pub(super) fn token<'a>(bearer: &Bearer<'a>) -> Result<&'a str> {
    let twice = || Code::InvalidRequest.because("the access token must be in exactly one place").under(&rule::TOKEN);
    if let Some(form) = bearer.form {
        form.check()?;
    }
    let in_form = bearer.form.and_then(|form| form.get("access_token"));
    match (bearer.headers.as_slice(), in_form) {
        ([], None) => Err(Code::InvalidToken.because(NO_TOKEN).under(&rule::TOKEN)),
        ([], Some(token)) => Ok(token),
        ([header], None) => match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
            // RFC 6750 §3.1: an unsupported scheme is no authentication information at all.
            _ => Err(Code::InvalidToken.because(NO_TOKEN).under(&rule::TOKEN)),
        },
        _ => Err(twice()),
    }
}
