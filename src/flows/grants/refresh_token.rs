//! RFC 6749 §6, RFC 9700 §4.14.2: rotation, and what happens when an old refresh token comes back.

use async_trait::async_trait;

use super::{Approval, Claim, Grant, authorization_code::same_resource};
use crate::{
    app::App,
    flows::{
        account::tokens,
        client_auth::Presented,
        event::{self, Event},
        refresh_token::{self, Named},
        write_one,
    },
    protocol::{
        Code, Error, Result, Scope,
        code_grant::{self, Granted},
        resource, rule,
        trace::{Shown, Trace},
    },
    store::{
        client::Client,
        grant::{self, Grant as Row},
        user::User,
    },
};

pub struct RefreshToken;

#[async_trait]
impl Grant for RefreshToken {
    fn name(&self) -> &'static str {
        "refresh_token"
    }

    async fn approve(
        &self,
        app: &App,
        client: &Client,
        presented: &Presented<'_>,
        trace: &mut Trace,
    ) -> Result<Approval> {
        let params = presented.params;
        let named = refresh_token::read(app, params.require("refresh_token")?)
            .ok_or_else(|| refuse("the refresh token is not one of this server"))?;
        let found = grant::find(&app.db, named.grant).await?;
        let (row, user) = found.ok_or_else(|| refuse("the refresh token has expired"))?;
        let granted = Granted { client_id: &row.client_id, redirect_uri: &row.redirect_uri, scope: &row.scope };
        let asked = params.get("scope").map(Scope::requested).transpose()?;
        let scope = code_grant::refresh(&client.client_id, asked.as_ref(), granted)?;
        live(app, &row, &user)?;
        let claim = claim(app, &row, named, trace).await?;
        trace.passed(&rule::REFRESH_TOKEN, Some(Shown::number(named.generation.into())));
        Ok(Approval {
            user: Some(user),
            scope,
            resource: same_resource(resource::requested(params)?, &row)?,
            nonce: None,
            refresh: Some(named.generation + 1),
            claim,
            grant: Some(row),
        })
    }
}

fn live(app: &App, row: &Row, user: &User) -> Result<()> {
    match () {
        () if row.revoked_at.is_some() || row.token_version != user.token_version => {
            Err(refuse("the refresh token was revoked"))
        }
        () if row.redeemed_at.is_none() || !row.refreshable => Err(refuse("the grant gives no refresh tokens")),
        () if row.expires_at <= app.now() => Err(refuse("the refresh token has expired")),
        () if !user.is_enabled() => Err(refuse("the account is disabled")),
        () => Ok(()),
    }
}

/// The newest token rotates; the one just before it is a repeat for a while (K12); anything older was stolen,
/// from one side or the other.
async fn claim(app: &App, row: &Row, named: Named, trace: &mut Trace) -> Result<Claim> {
    if named.generation == row.generation {
        let expires_at = refresh_token::next_end(app, row.created_at);
        let (grant, generation, session) = (row.id, row.generation, tokens::session_of(row));
        return Ok(Claim::Rotate { grant, generation, expires_at, session });
    }
    if is_repeat(app, row, named.generation) {
        return Ok(Claim::Free);
    }
    Err(reused(app, row, trace).await)
}

/// Whether a token of that generation is the one just before the newest, within the grace window.
pub fn is_repeat(app: &App, row: &Row, generation: i32) -> bool {
    generation + 1 == row.generation && app.now() - row.rotated_at <= app.config.lifetimes.refresh_grace.get()
}

/// The family ends, and that is kept before the refusal is answered.
async fn reused(app: &App, row: &Row, trace: &mut Trace) -> Error {
    let (id, now) = (row.id, app.now());
    trace.user_id = Some(row.user_id);
    event::happened(trace, Event::RefreshTokenReuse, "revoked");
    match write_one!(app, db => grant::revoke(db, id, now)).await {
        Ok(_) => refuse("the refresh token was used before; all tokens of its family are revoked"),
        Err(error) => error.into(),
    }
}

fn refuse(why: &'static str) -> Error {
    Code::InvalidGrant.because(why).under(&rule::REFRESH_TOKEN)
}
