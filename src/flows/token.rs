//! The token endpoint: the client proves itself, a grant approves, tokens are issued.

use super::{
    Refused,
    client_auth::{self, Presented},
    grants,
    issue::{self, Tokens},
    readers,
};
use crate::{
    app::App,
    protocol::{
        Code, Result, rule,
        trace::{Kind, Shown, Trace},
    },
};

/// RFC 6749 §3.2.
///
/// # Errors
/// Refused, with the id of its trace.
pub async fn exchange(app: &App, presented: Presented<'_>) -> Result<Tokens, Refused> {
    let mut trace = app.trace(Kind::Token).from(presented.address);
    let tokens = exchange_traced(app, presented, &mut trace).await;
    super::settle(app, trace, tokens)
}

async fn exchange_traced(app: &App, presented: Presented<'_>, trace: &mut Trace) -> Result<Tokens> {
    presented.params.check()?;
    let client = client_auth::authenticate(app, &presented, trace).await?;
    let name = presented.params.require("grant_type")?;
    let grant = grants::find(name).filter(|grant| grant.is_open_to(&client)).ok_or_else(|| {
        Code::UnsupportedGrantType
            .because("this server has no such grant type")
            .under(&rule::GRANT_TYPE)
            .expected(Shown::list(grants::names().iter().copied()))
            .received(Shown::parameter("grant_type", name))
    })?;
    if !client.may_use(grant.name()) || client.is_public() && !grant.for_public_clients() {
        return Err(Code::UnauthorizedClient
            .because("this client may not use this grant type")
            .under(&rule::GRANT_TYPE)
            .expected(Shown::list(client.metadata.grant_types.iter().map(String::as_str)))
            .received(Shown::parameter("grant_type", name)));
    }
    trace.passed(&rule::GRANT_TYPE, Some(Shown::parameter("grant_type", name)));
    let approval = grant.approve(app, &client, &presented, trace).await?;
    trace.user_id = approval.user.as_ref().map(|user| user.id);
    let tokens = issue::tokens(app, &client, approval, trace).await?;
    readers::used(app, &client, presented.address, presented.user_agent);
    Ok(tokens)
}
