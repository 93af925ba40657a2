//! Who may administer over HTTP: an operator's own machine, by an access token (RFC 6750) that it got for itself with
//! the scope `signet:admin`. The one guard of everything under `/api`.

use super::{
    Refused, access,
    userinfo::{self, Bearer},
};
use crate::{
    app::App,
    protocol::{
        Code, Error, Result, rule, scope,
        trace::{Kind, Shown, Trace},
    },
    store::client::Client,
};

/// A machine that acts for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub client_id: String,
}

/// # Errors
/// `invalid_request`, `invalid_token` or `insufficient_scope`, with the id of the trace.
pub async fn operator(app: &App, bearer: &Bearer<'_>) -> Result<Operator, Refused> {
    let mut trace = Trace { address: bearer.address, ..app.trace(Kind::Api) };
    let operator = operator_traced(app, bearer, &mut trace).await;
    super::settle(app, trace, operator)
}

async fn operator_traced(app: &App, bearer: &Bearer<'_>, trace: &mut Trace) -> Result<Operator> {
    let live = access::find(app, userinfo::token(bearer)?).await?;
    trace.client_id = Some(live.client_id.clone());
    if live.audience != app.issuer() {
        return Err(access::refuse("the access token is for another API")
            .expected(Shown::uri(app.issuer()))
            .received(Shown::uri(&live.audience)));
    }
    if !live.scope.contains(scope::ADMIN) {
        return Err(lacks("the access token lacks the scope signet:admin").received(Shown::scope(&live.scope)));
    }
    // A person's consent makes no app an administrator.
    if let Some((_, user)) = &live.of {
        trace.user_id = Some(user.id);
        return Err(lacks("the access token speaks for a person, not for a machine of the operator"));
    }
    // The operator may have changed their mind since the token was issued.
    let client = app.cache.client(&app.db, &live.client_id).await?;
    if !client.is_some_and(|client| may_administer(&client)) {
        return Err(lacks("the client is not registered for the scope signet:admin"));
    }
    trace.passed(&rule::TOKEN_SCOPE, Some(Shown::scope(&live.scope)));
    Ok(Operator { client_id: live.client_id })
}

fn may_administer(client: &Client) -> bool {
    !client.is_self_registered() && client.metadata.scope.contains(scope::ADMIN)
}

fn lacks(why: &'static str) -> Error {
    Code::InsufficientScope.because(why).under(&rule::TOKEN_SCOPE).expected(Shown::word(scope::ADMIN))
}
