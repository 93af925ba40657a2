//! OpenID Connect Core §3.1.2.1: an ID token of ours as a hint about who is meant. It may have expired.

use uuid::Uuid;

use super::subject;
use crate::{
    app::App,
    crypto::jws,
    protocol::{Code, Result, rule},
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
    if text("iss") != Some(app.issuer()) {
        return Err(refuse());
    }
    let client_id = text("aud").ok_or_else(refuse)?.to_owned();
    // What a client calls a person, only that client's registration tells.
    let client = app.cache.client(&app.db, &client_id).await?.ok_or_else(refuse)?;
    let sub = text("sub").and_then(|sub| subject::person(app, &client, sub)).ok_or_else(refuse)?;
    Ok(Hint { sub, client_id, sid: text("sid").and_then(|sid| Uuid::try_parse(sid).ok()) })
}
