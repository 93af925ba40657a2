//! RFC 7662: whether a token is good, for the API that it is meant for. A token that is not the caller's business
//! looks like one that does not exist.

use serde_json::{Map, Value, json};

use super::{
    Refused, access,
    admin::keys::FIRST,
    client_auth::{self, Presented},
    grants::refresh_token::is_repeat,
    issue, refresh_token, subject,
    userinfo::Answer,
};
use crate::{
    app::App,
    protocol::{
        Code, Result, rule,
        trace::{Kind, Shown, Trace},
    },
    store::{client::Client, grant},
};

/// `as_token`: the caller asks for a signed answer (RFC 9701 §4).
///
/// # Errors
/// When the caller does not prove itself; never because of the token.
pub async fn about(app: &App, presented: Presented<'_>, as_token: bool) -> Result<Answer, Refused> {
    let mut trace = app.trace(Kind::Introspect).from(presented.address);
    let answer = about_traced(app, presented, as_token, &mut trace).await;
    super::settle(app, trace, answer)
}

async fn about_traced(app: &App, presented: Presented<'_>, as_token: bool, trace: &mut Trace) -> Result<Answer> {
    presented.params.check()?;
    let client = client_auth::authenticate(app, &presented, trace).await?;
    if client.is_public() {
        // §2.1: the endpoint must not be open to scanning.
        return Err(Code::InvalidClient
            .because("public clients may not introspect")
            .under(&rule::CLIENT_AUTHENTICATION));
    }
    let token = presented.params.require("token")?;
    let members = match access(app, &client, token).await? {
        Some(members) => Some(members),
        None => refresh(app, &client, token).await?,
    };
    trace.passed(&rule::TOKEN, Some(Shown::word(if members.is_some() { "active" } else { "inactive" })));
    let members = members.unwrap_or_else(|| Map::from_iter([("active".to_owned(), false.into())]));
    if as_token { token_of(app, &client, members).await } else { Ok(Answer::Plain(members)) }
}

/// RFC 9701 §5: the same members in a token for the caller, which proves who said it and when.
async fn token_of(app: &App, client: &Client, members: Map<String, Value>) -> Result<Answer> {
    let claims = Map::from_iter([
        ("iss".to_owned(), app.issuer().into()),
        ("aud".to_owned(), client.client_id.clone().into()),
        ("iat".to_owned(), app.now().into()),
        ("token_introspection".to_owned(), members.into()),
    ]);
    let metadata = &client.metadata;
    let signed = metadata.introspection_signed_response_alg.as_deref().unwrap_or(FIRST);
    let encryption = (
        metadata.introspection_encrypted_response_alg.as_deref(),
        metadata.introspection_encrypted_response_enc.as_deref(),
    );
    let token = issue::answer(app, client, "token-introspection+jwt", &claims, (signed, encryption)).await;
    token.map(Answer::Token)
}

async fn access(app: &App, client: &Client, token: &str) -> Result<Option<Map<String, Value>>> {
    let live = match access::find(app, token).await {
        Ok(live) => live,
        Err(error) if error.code == Code::InvalidToken => return Ok(None),
        Err(error) => return Err(error),
    };
    if live.client_id != client.client_id && !serves(app, client, &live.audience).await? {
        return Ok(None);
    }
    let mut members = json!({
        "active": true,
        "token_type": "Bearer",
        "iss": app.issuer(),
        "sub": live.sub,
        "aud": live.audience,
        "client_id": live.client_id,
        "scope": live.scope.to_string(),
        "iat": live.issued_at,
        "exp": live.expires_at,
    });
    if let access::Kept::Jwt { jti } = live.kept {
        members["jti"] = jti.into();
    }
    // A name is the same everywhere: only for those who may know the profile.
    let names = live.scope.contains("profile");
    if let Some(username) = live.of.and_then(|(_, user)| user.username).filter(|_| names) {
        members["username"] = username.into();
    }
    Ok(members.as_object().cloned())
}

/// Only the client that it was issued to may ask about a refresh token.
async fn refresh(app: &App, client: &Client, token: &str) -> Result<Option<Map<String, Value>>> {
    let Some(named) = refresh_token::read(app, token) else { return Ok(None) };
    let Some((row, user)) = grant::find(&app.db, named.grant).await? else { return Ok(None) };
    let newest = named.generation == row.generation || is_repeat(app, &row, named.generation);
    let live = row.stands(&user) && row.redeemed_at.is_some() && row.refreshable && row.expires_at > app.now();
    if row.client_id != client.client_id || !newest || !live {
        return Ok(None);
    }
    let members = json!({
        "active": true,
        "token_type": "refresh_token",
        "iss": app.issuer(),
        "sub": subject::of(app, client, user.id),
        "client_id": row.client_id,
        "scope": row.scope.to_string(),
        "iat": row.rotated_at,
        "exp": row.expires_at,
    });
    Ok(members.as_object().cloned())
}

/// Whether the client is the API that the token is for, or speaks for it.
async fn serves(app: &App, client: &Client, audience: &str) -> Result<bool> {
    let resources = app.cache.resources(&app.db).await?;
    let of = resources.rows.iter().find(|resource| resource.identifier == audience);
    Ok(of.is_some_and(|resource| resource.introspection_clients.0.contains(&client.client_id)))
}
