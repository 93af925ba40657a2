//! Who may administer over HTTP: an operator's own machine, by an access token (RFC 6750) that it got for itself with
//! the scope `signet:admin`. And who may run their own account over HTTP. The two guards of everything under `/api`.

use uuid::Uuid;

use super::{
    Refused,
    access::{self, Live},
    account::{me::Me, tokens},
    factors,
    userinfo::{self, Bearer},
    visitor::Device,
    write_one,
};
use crate::{
    app::App,
    protocol::{
        Code, Error, Result, rule, scope,
        trace::{Kind, Shown, Trace},
    },
    store::{grant::Grant, session, user::User},
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
    let live = for_us(app, bearer, trace).await?;
    if !live.scope.contains(scope::ADMIN) {
        return Err(lacks("the access token lacks the scope signet:admin").received(Shown::scope(&live.scope)));
    }
    // A person's consent makes no app an administrator.
    if let Some((_, user)) = &live.of {
        trace.user_id = Some(user.id);
        return Err(lacks("the access token speaks for a person, not for a machine of the operator"));
    }
    if !is_registered(app, &live.client_id, scope::ADMIN).await? {
        return Err(lacks("the client is not registered for the scope signet:admin"));
    }
    trace.passed(&rule::TOKEN_SCOPE, Some(Shown::scope(&live.scope)));
    Ok(Operator { client_id: live.client_id })
}

fn lacks(why: &'static str) -> Error {
    Code::InsufficientScope.because(why).under(&rule::TOKEN_SCOPE).expected(Shown::word(scope::ADMIN))
}

/// Who acts on their own account over HTTP: a person, by an access token with the scope `signet:account`. The one guard
/// of everything under `/api/v1/me`.
///
/// # Errors
/// `invalid_request`, `invalid_token` or `insufficient_scope`, with the id of the trace.
pub async fn person(app: &App, bearer: &Bearer<'_>, device: Device) -> Result<Me, Refused> {
    let mut trace = Trace { address: bearer.address, ..app.trace(Kind::Api) };
    let me = person_traced(app, bearer, device, &mut trace).await;
    super::settle(app, trace, me)
}

async fn person_traced(app: &App, bearer: &Bearer<'_>, device: Device, trace: &mut Trace) -> Result<Me> {
    let (grant, user) = of_person(app, bearer, trace).await?;
    let proved = grant.proved();
    if !proved.is_two_steps() && factors::are_required(app, &user) {
        return Err(Code::InsufficientUserAuthentication
            .because("the operator wants a second factor of this person; sign in again")
            .under(&rule::FRESH_SIGN_IN));
    }
    if let Some(session) = tokens::session_of(&grant) {
        note_use(app, session).await?;
    }
    Ok(Me { user, session: grant.session_id, grant: Some(grant.id), auth_time: grant.auth_time, proved, device })
}

/// The session of a program is in use.
async fn note_use(app: &App, id: Uuid) -> Result<()> {
    let session = session::find(&app.db, id).await?.ok_or_else(|| access::refuse("the session has ended"))?;
    let now = app.now();
    if session.is_due_for_note(now) {
        write_one!(app, db => session::note_use(db, id, now)).await?;
    }
    Ok(())
}

/// The person of a token that may act on their account, and what it is a part of.
pub(super) async fn of_person(app: &App, bearer: &Bearer<'_>, trace: &mut Trace) -> Result<(Grant, User)> {
    let live = for_us(app, bearer, trace).await?;
    let lacks = |why: &'static str| {
        Code::InsufficientScope.because(why).under(&rule::TOKEN_SCOPE).expected(Shown::word(scope::ACCOUNT))
    };
    if !live.scope.contains(scope::ACCOUNT) {
        return Err(lacks("the access token lacks the scope signet:account").received(Shown::scope(&live.scope)));
    }
    let (grant, user) = live.of.ok_or_else(|| lacks("the access token speaks for a machine, not for a person"))?;
    trace.user_id = Some(user.id);
    if !is_registered(app, &live.client_id, scope::ACCOUNT).await? {
        return Err(lacks("the client is not registered for the scope signet:account"));
    }
    trace.passed(&rule::TOKEN_SCOPE, Some(Shown::scope(&live.scope)));
    Ok((grant, user))
}

/// A good token, for this server's own API.
async fn for_us(app: &App, bearer: &Bearer<'_>, trace: &mut Trace) -> Result<Live> {
    let live = access::find(app, userinfo::token(bearer)?).await?;
    trace.client_id = Some(live.client_id.clone());
    if live.audience == app.issuer() {
        return Ok(live);
    }
    Err(access::refuse("the access token is for another API")
        .expected(Shown::uri(app.issuer()))
        .received(Shown::uri(&live.audience)))
}

/// The operator may have changed their mind since the token was issued; and nobody gets such a scope by registering.
async fn is_registered(app: &App, client_id: &str, scope: &str) -> Result<bool> {
    let client = app.cache.client(&app.db, client_id).await?;
    Ok(client.is_some_and(|client| !client.is_self_registered() && client.metadata.scope.contains(scope)))
}
