//! OpenID Connect Core §3.1.2.1: an ID token of ours as a hint about who is meant. It may have expired.

use uuid::Uuid;

use super::subject;
use crate::{
    app::App,
    crypto::jws,
    protocol::{Code, Result, rule, trace::Shown},
};

/// Who and where a genuine ID token speaks of.
#[derive(Debug, Clone)]
pub struct Hint {
    pub sub: Uuid,
    pub client_id: String,
    pub sid: Option<Uuid>,
}

/// # Errors
/// When this server did not sign it as an ID token.
pub async fn read(app: &App, token: &str) -> Result<Hint> {
    let refuse =
        || Code::InvalidRequest.because("id_token_hint is not an ID token of this server").under(&rule::ID_TOKEN_HINT);
    let ring = app.keys.ring();
    let claims = jws::open_own(token, &|kid| ring.verifier(kid), None).map_err(|_| refuse())?;
    let text = |name: &str| claims.get(name).and_then(serde_json::Value::as_str);
    // RFC 8725 §3.11: userinfo can be a token of ours too, and says nothing of a sign-in.
    let is_id_token = ["exp", "iat", "auth_time"].into_iter().all(|name| claims.contains_key(name));
    if text("iss") != Some(app.issuer()) || !is_id_token {
        return Err(refuse());
    }
    let client_id = text("aud").ok_or_else(refuse)?.to_owned();
    // What a client calls a person, only that client's registration tells.
    let client = app.cache.client(&app.db, &client_id).await?.ok_or_else(refuse)?;
    let sub = text("sub").and_then(|sub| subject::person(app, &client, sub)).ok_or_else(refuse)?;
    Ok(Hint { sub, client_id, sid: text("sid").and_then(|sid| subject::session(app, &client.client_id, sid)) })
}

/// As [`read`], for the client itself: another's ID tokens would tell it whether it knows the same people.
///
/// # Errors
/// When this server did not sign it as an ID token for this client.
pub async fn of_client(app: &App, token: &str, client_id: &str) -> Result<Hint> {
    let hint = read(app, token).await?;
    if hint.client_id == client_id {
        return Ok(hint);
    }
    Err(Code::InvalidRequest
        .because("id_token_hint is an ID token of another client")
        .under(&rule::ID_TOKEN_HINT)
        .expected(Shown::client_id(client_id))
        .received(Shown::client_id(&hint.client_id)))
}
