//! RFC 7009: a client is done with a token. Revoking a refresh token ends its whole family.

use super::{
    Refused,
    access::{self, Kept},
    client_auth::{self, Presented},
    issue::opaque_hash,
    refresh_token, write_one,
};
use crate::{
    app::App,
    protocol::{
        Code, Result, rule,
        trace::{Kind, Shown, Trace},
    },
    store::{access_token as opaque, client::Client, grant, revoked_token},
};

/// A token that is not known, or not the client's, is nothing to revoke; the answer is the same (§2.2).
///
/// # Errors
/// When the client does not prove itself, or the database is away: a revocation must not be promised in vain.
pub async fn token(app: &App, presented: Presented<'_>) -> Result<(), Refused> {
    let mut trace = app.trace(Kind::Revoke).from(presented.address);
    let done = token_traced(app, presented, &mut trace).await;
    super::settle(app, trace, done)
}

async fn token_traced(app: &App, presented: Presented<'_>, trace: &mut Trace) -> Result<()> {
    presented.params.check()?;
    let client = client_auth::authenticate(app, &presented, trace).await?;
    let token = presented.params.require("token")?;
    // token_type_hint is only a hint (§2.1): what the token is shows from the token.
    let what = match refresh(app, &client, token).await? {
        true => "a refresh token and its family",
        false if access(app, &client, token).await? => "an access token",
        false => "nothing: the token is not known, or another client's",
    };
    trace.passed(&rule::TOKEN, Some(Shown::word(what)));
    Ok(())
}

async fn refresh(app: &App, client: &Client, token: &str) -> Result<bool> {
    let Some(named) = refresh_token::read(app, token) else { return Ok(false) };
    let Some((row, _)) = grant::find(&app.db, named.grant).await? else { return Ok(false) };
    if row.client_id != client.client_id {
        return Ok(false);
    }
    let (id, now) = (row.id, app.now());
    write_one!(app, db => grant::revoke(db, id, now)).await?;
    Ok(true)
}

async fn access(app: &App, client: &Client, token: &str) -> Result<bool> {
    let live = match access::find(app, token).await {
        Ok(live) if live.client_id == client.client_id => live,
        Ok(_) => return Ok(false),
        Err(error) if error.code == Code::InvalidToken => return Ok(false),
        Err(error) => return Err(error),
    };
    match live.kept {
        Kept::Jwt { jti } => {
            let until = live.expires_at;
            write_one!(app, db => async move { revoked_token::insert(db, &jti, until).await }).await?;
        }
        Kept::Opaque => {
            let hash = opaque_hash(token);
            write_one!(app, db => async move { opaque::revoke(db, &hash).await }).await?;
        }
    }
    Ok(true)
}
