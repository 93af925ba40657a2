//! Our own access tokens, when they come back: at userinfo, introspection and revocation (RFC 6750, RFC 9068 §4).

use uuid::Uuid;

use super::issue::opaque_hash;
use crate::{
    app::App,
    crypto::jws,
    protocol::{
        Code, Error, Result, Scope,
        access_token::{self, AccessToken},
        rule,
    },
    store::{
        access_token as opaque,
        grant::{self, Grant},
        revoked_token,
        user::User,
    },
};

/// A token that is good now.
pub struct Live {
    pub client_id: String,
    pub sub: String,
    pub audience: String,
    pub scope: Scope,
    pub issued_at: i64,
    pub expires_at: i64,
    /// None of tokens that a client has for itself.
    pub of: Option<(Grant, User)>,
    pub kept: Kept,
}

/// How this one token can be revoked.
pub enum Kept {
    Jwt { jti: String },
    Opaque,
}

/// # Errors
/// `invalid_token` for everything that is not, or no longer, an access token of this server.
pub async fn find(app: &App, token: &str) -> Result<Live> {
    let live = if token.bytes().filter(|b| *b == b'.').count() == 2 {
        jwt(app, token).await?
    } else {
        kept(app, token).await?
    };
    if live.expires_at <= app.now() {
        return Err(refuse("the access token has expired"));
    }
    match &live.of {
        Some((grant, user)) if !grant.stands(user) => Err(refuse("the access token was revoked")),
        _ if app.cache.client(&app.db, &live.client_id).await?.is_none() => {
            Err(refuse("the client is gone or disabled"))
        }
        _ => Ok(live),
    }
}

/// Proven by its signature; one query asks whether its grant still stands.
async fn jwt(app: &App, token: &str) -> Result<Live> {
    let ring = app.keys.ring();
    let claims = jws::open_own(token, &|kid| ring.verifier(kid), Some(access_token::TYPE))
        .map_err(|_| refuse("it is not an access token of this server"))?;
    let claims: AccessToken =
        serde_json::from_value(claims.into()).map_err(|_| refuse("it is not an access token of this server"))?;
    if claims.iss != app.issuer() {
        return Err(refuse("it is not an access token of this server"));
    }
    let of = match access_token::grant_of(&claims.jti) {
        Some(id) => {
            let found = grant::find_unless_revoked(&app.db, id, &claims.jti).await?;
            Some(found.ok_or_else(|| refuse("the access token was revoked"))?)
        }
        None if revoked_token::contains(&app.db, &claims.jti).await? => {
            return Err(refuse("the access token was revoked"));
        }
        None => None,
    };
    Ok(Live {
        client_id: claims.client_id,
        sub: claims.sub,
        audience: claims.aud,
        scope: claims.scope.parse().unwrap_or_default(),
        issued_at: claims.iat,
        expires_at: claims.exp,
        of,
        kept: Kept::Jwt { jti: claims.jti },
    })
}

async fn kept(app: &App, token: &str) -> Result<Live> {
    let row = opaque::find(&app.db, &opaque_hash(token))
        .await?
        .ok_or_else(|| refuse("the access token is not known here"))?;
    let of = match row.grant_id {
        Some(id) => Some(grant_of(app, id).await?),
        None => None,
    };
    Ok(Live {
        client_id: row.client_id,
        sub: row.sub,
        audience: row.audience,
        scope: row.scope,
        issued_at: row.issued_at,
        expires_at: row.expires_at,
        of,
        kept: Kept::Opaque,
    })
}

async fn grant_of(app: &App, id: Uuid) -> Result<(Grant, User)> {
    grant::find(&app.db, id).await?.ok_or_else(|| refuse("the access token was revoked"))
}

pub fn refuse(why: &'static str) -> Error {
    Code::InvalidToken.because(why).under(&rule::TOKEN)
}
