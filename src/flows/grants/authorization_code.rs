//! RFC 6749 §4.1.3: a code is worth tokens once.

use async_trait::async_trait;

use super::{Approval, Claim, Grant};
use crate::{
    app::App,
    crypto::secret::Secret,
    flows::{
        client_auth::Presented,
        event::{self, Event},
        refresh_token, write_one,
    },
    protocol::{
        Code, Error, Result,
        code_grant::{self, Granted},
        pkce, resource, rule,
        trace::{Shown, Trace},
    },
    store::{
        client::Client,
        grant::{self, Grant as Row},
    },
};

pub struct AuthorizationCode;

#[async_trait]
impl Grant for AuthorizationCode {
    fn name(&self) -> &'static str {
        "authorization_code"
    }

    async fn approve(
        &self,
        app: &App,
        client: &Client,
        presented: &Presented<'_>,
        trace: &mut Trace,
    ) -> Result<Approval> {
        let params = presented.params;
        let code = Secret::presented(params.require("code")?);
        let found = grant::find_by_code(&app.db, &code.hash()).await?;
        let (row, user) = found.ok_or_else(|| refuse("the code is not known here"))?;
        prove(client, presented, &row)?;
        trace.passed(&rule::CODE_VERIFIER, None);
        if row.redeemed_at.is_some() {
            return Err(spent(app, &row, trace).await);
        }
        if !row.stands(&user) {
            return Err(refuse("the code was revoked, or its person disabled"));
        }
        if row.code_expires_at <= app.now() {
            return Err(refuse("the code has expired")
                .expected(Shown::number(row.code_expires_at))
                .received(Shown::number(app.now())));
        }
        let resource = same_resource(resource::requested(params)?, &row)?;
        let refreshable = row.refreshable && client.may_use("refresh_token");
        let expires_at = if refreshable { refresh_token::next_end(app, row.created_at) } else { row.expires_at };
        Ok(Approval {
            user: Some(user),
            scope: row.scope.clone(),
            resource,
            nonce: row.nonce.clone(),
            refresh: refreshable.then_some(0),
            claim: Claim::Redeem { grant: row.id, expires_at },
            grant: Some(row),
        })
    }
}

/// Client, redirect URI and verifier must all be right, also of a code that is spent: who only knows the code
/// must not be able to revoke its tokens (case SEC-032).
fn prove(client: &Client, presented: &Presented<'_>, row: &Row) -> Result<()> {
    let params = presented.params;
    let granted = Granted { client_id: &row.client_id, redirect_uri: &row.redirect_uri, scope: &row.scope };
    let redirect_uri = params.get("redirect_uri").ok_or_else(|| refuse("redirect_uri is missing"))?;
    code_grant::redeem(&client.client_id, redirect_uri, granted)?;
    pkce::verify(row.challenge().as_ref(), params.get("code_verifier"))
}

/// §4.1.2: a second use means that somebody else has the code; what the first use produced is revoked, and that
/// is kept before the refusal is answered.
pub async fn spent(app: &App, row: &Row, trace: &mut Trace) -> Error {
    let (id, now) = (row.id, app.now());
    trace.user_id = Some(row.user_id);
    event::happened(trace, Event::CodeReuse, "revoked");
    match write_one!(app, db => grant::revoke(db, id, now)).await {
        Ok(_) => refuse("the code was used before; the tokens of its first use are revoked"),
        Err(error) => error.into(),
    }
}

/// RFC 8707 §2.2: the API that was asked for at the authorization, and no other.
pub(super) fn same_resource(asked: Option<String>, row: &Row) -> Result<Option<String>> {
    match (asked, &row.resource) {
        (Some(asked), Some(granted)) if asked == *granted => Ok(Some(asked)),
        (None, granted) => Ok(granted.clone()),
        (Some(asked), granted) => Err(Code::InvalidTarget
            .because("resource is not the one of the authorization")
            .under(&rule::RESOURCE)
            .expected(Shown::list(granted.as_deref()))
            .received(Shown::parameter("resource", &asked))),
    }
}

fn refuse(why: &'static str) -> Error {
    Code::InvalidGrant.because(why).under(&rule::CODE)
}
