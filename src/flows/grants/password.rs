//! RFC 6749 §4.3, which RFC 9700 §2.4 retires: kept for first-party clients that are registered for it.
//! Other clients are told that there is no such grant type.

use async_trait::async_trait;

use super::{Approval, Beginning, Claim, Grant};
use crate::{
    app::App,
    flows::{
        client_auth::Presented,
        login::{self, Proof, Standing},
        refresh_token, second_factor,
        visitor::{Cookies, Device, Visitor},
    },
    protocol::{
        Code, Result, Scope, assurance::Methods, claims::ClaimsRequest, code_grant, resource, rule, trace::Trace,
    },
    store::{client::Client, grant::Grant as Row, user::User},
};

pub struct Password;

#[async_trait]
impl Grant for Password {
    fn name(&self) -> &'static str {
        "password"
    }

    fn is_open_to(&self, client: &Client) -> bool {
        client.policy.first_party && client.may_use("password")
    }

    fn is_published(&self) -> bool {
        false
    }

    async fn approve(
        &self,
        app: &App,
        client: &Client,
        presented: &Presented<'_>,
        trace: &mut Trace,
    ) -> Result<Approval> {
        let params = presented.params;
        let (login, password) = (params.require("username")?, params.require("password")?);
        let (user, standing) =
            proven(app, Device::new(presented.address, Some(presented.user_agent)), login, password, trace).await?;
        if client.policy.require_second_factor || second_factor::is_needed(app, &user).await? {
            return Err(second_factor::needed());
        }
        let asked = params.get("scope").map(Scope::requested).transpose()?;
        let scope = code_grant::client_credentials(&client.client_id, asked.as_ref(), &client.metadata.scope)?;
        let resource = resource::requested(params)?;
        let row = begin(app, client, &user, &scope, resource.clone(), trace);
        Ok(Approval {
            user: Some(user),
            scope,
            resource,
            nonce: None,
            refresh: row.refreshable.then_some(0),
            grant: Some(row.clone()),
            claim: Claim::Begin(Box::new(Beginning { grant: row, session: None, arrival: None, standing })),
        })
    }
}

async fn proven(app: &App, device: Device, login: &str, password: &str, trace: &mut Trace) -> Result<(User, Standing)> {
    let visitor = Visitor::new(app, &Cookies::default(), device);
    match login::prove(app, &visitor, login, password, trace).await? {
        Proof::Right(user, standing) => Ok((*user, standing)),
        Proof::Wrong | Proof::Unconfirmed(_) => {
            let why = "wrong name or password, or the address is not confirmed yet";
            Err(Code::InvalidGrant.because(why).under(&rule::LOGIN))
        }
        Proof::TooMany(wait) => Err(wait.refusal()),
    }
}

/// A grant that begins with its tokens.
pub(in crate::flows) fn begin(
    app: &App,
    client: &Client,
    user: &User,
    scope: &Scope,
    resource: Option<String>,
    trace: &Trace,
) -> Row {
    let (now, offline) = (app.now(), scope.contains("offline_access"));
    let refreshable = client.may_use("refresh_token") && (offline || client.policy.always_refresh);
    let life = refresh_token::tokens_life(app);
    Row {
        id: app.ordered_id(),
        code_hash: None,
        client_id: client.client_id.clone(),
        user_id: user.id,
        session_id: None,
        scope: scope.clone(),
        resource,
        redirect_uri: String::new(),
        challenge: None,
        nonce: None,
        claims: ClaimsRequest::default(),
        auth_time: now,
        methods: Methods::password().to_string(),
        trace_id: trace.id.clone(),
        created_at: now,
        code_expires_at: now,
        redeemed_at: Some(now),
        refreshable,
        offline,
        generation: 0,
        rotated_at: now,
        expires_at: if refreshable { refresh_token::next_end(app, now) } else { now + life },
        revoked_at: None,
        token_version: user.token_version,
    }
}
