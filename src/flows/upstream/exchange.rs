//! RFC 6749 §4.1.3, §5: a provider's code for its tokens, and what else it is asked in a person's name. Once each: who wants
//! to try again begins again.

use serde_json::{Map, Value};
use url::Url;

use super::{away, callback_url, kind_of, secret};
use crate::{
    app::{
        App,
        outbound::{Proof, Replied},
    },
    protocol::{
        Code, Error, Result, rule,
        trace::Shown,
        upstream::{AuthMethod, answer, metadata::Metadata},
    },
    store::upstream::Upstream,
};

/// # Errors
/// When the provider does not answer, or does not take the code.
pub async fn redeem(
    app: &App,
    upstream: &Upstream,
    metadata: &Metadata,
    code: &str,
    verifier: &str,
) -> Result<Map<String, Value>> {
    let replied = present(app, upstream, metadata, code, verifier).await?;
    let tokens = well(replied, "the provider did not take the code")?;
    match tokens.get("token_type").and_then(Value::as_str) {
        Some(kind) if !kind.eq_ignore_ascii_case("bearer") => {
            let error = Code::AccessDenied.because("the provider gave a token of another type");
            Err(error.under(&rule::UPSTREAM_ANSWER).expected(Shown::word("Bearer")).received(Shown::cause(kind)))
        }
        _ => Ok(tokens),
    }
}

/// What the token endpoint says to a code, whatever that is.
///
/// # Errors
/// When the provider does not answer.
pub async fn present(
    app: &App,
    upstream: &Upstream,
    metadata: &Metadata,
    code: &str,
    verifier: &str,
) -> Result<Replied> {
    let settings = &upstream.settings;
    let secret = secret(app, upstream)?;
    let redirect_uri = callback_url(app, &upstream.name);
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &*redirect_uri),
        ("code_verifier", verifier),
    ];
    let method = settings.token_endpoint_auth_method.unwrap_or(kind_of(upstream)?.auth_method());
    let proof = match (method, &secret) {
        (AuthMethod::ClientSecretBasic, Some(secret)) => Proof::Basic(&settings.client_id, secret.reveal()),
        (AuthMethod::ClientSecretPost, Some(secret)) => {
            form.extend([("client_id", &*settings.client_id), ("client_secret", secret.reveal())]);
            Proof::None
        }
        _ => {
            form.push(("client_id", &settings.client_id));
            Proof::None
        }
    };
    let url = address(&metadata.token_endpoint)?;
    let replied = app.outbound.post_for_json(&url, &form, proof).await;
    replied.map_err(|error| away("the provider did not answer for the code", error.cause()))
}

/// What the provider says in the name of whoever has come.
///
/// # Errors
/// When it does not answer, or refuses.
pub async fn ask(app: &App, endpoint: &str, tokens: &Map<String, Value>) -> Result<Value> {
    let token = tokens
        .get("access_token")
        .and_then(Value::as_str)
        .ok_or_else(|| Code::AccessDenied.because("the provider gave no access token").under(&rule::UPSTREAM_ANSWER))?;
    let replied = app.outbound.get_json_as(&address(endpoint)?, Proof::Bearer(token)).await;
    let replied = replied.map_err(|error| away("the provider did not say who it is", error.cause()))?;
    sound(replied, "the provider did not want to say who it is")
}

fn address(endpoint: &str) -> Result<Url> {
    Url::parse(endpoint).map_err(|_| away("the provider has no such endpoint", "it is no address"))
}

/// An object that is no error: some providers send theirs with 200.
fn well(replied: Replied, why: &'static str) -> Result<Map<String, Value>> {
    match sound(replied, why)? {
        Value::Object(object) => Ok(object),
        _ => Err(Code::AccessDenied.because(why).under(&rule::UPSTREAM_ANSWER).received(Shown::word("no JSON object"))),
    }
}

fn sound(replied: Replied, why: &'static str) -> Result<Value> {
    let Replied { status, json, retry_after } = replied;
    let error = json.get("error");
    // GitHub's limits are 403, too, and not each of them says for how long (docs/guides/github.md).
    let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_limit = || retry_after.is_some() || text("message").to_ascii_lowercase().contains("rate limit");
    if status == 429 || status >= 500 || status == 403 && is_limit() {
        let busy = away("the provider has no time now", &format!("status {status}"));
        return Err(Error { retry_after: retry_after.map(|wait| wait.max(1)).or(busy.retry_after), ..busy });
    }
    if error.is_none() && (200..300).contains(&status) {
        return Ok(json);
    }
    // For the trace alone: what a provider writes is not shown to people.
    let more = [text("error_description"), text("message")].into_iter().find(|text| !text.is_empty());
    let said = format!("{status} {}: {}", answer::word(text("error")), more.unwrap_or_default());
    Err(Code::AccessDenied.because(why).under(&rule::UPSTREAM_ANSWER).received(Shown::cause(&said)))
}
