//! RFC 6749 §4.4: a client speaks for itself.

use async_trait::async_trait;

use super::{Approval, Claim, Grant};
use crate::{
    app::App,
    flows::client_auth::Presented,
    protocol::{Result, Scope, code_grant, resource, scope::STANDARD, trace::Trace},
    store::client::Client,
};

pub struct ClientCredentials;

#[async_trait]
impl Grant for ClientCredentials {
    fn name(&self) -> &'static str {
        "client_credentials"
    }

    fn for_public_clients(&self) -> bool {
        false
    }

    async fn approve(&self, _: &App, client: &Client, presented: &Presented<'_>, _: &mut Trace) -> Result<Approval> {
        let params = presented.params;
        let asked = params.get("scope").map(Scope::requested).transpose()?;
        // There is no person here: nothing about one can be asked.
        let allowed = STANDARD.iter().fold(client.metadata.scope.clone(), |scope, token| scope.without(token));
        let scope = code_grant::client_credentials(&client.client_id, asked.as_ref(), &allowed)?;
        Ok(Approval {
            user: None,
            grant: None,
            scope,
            resource: resource::requested(params)?,
            nonce: None,
            refresh: None,
            claim: Claim::Free,
        })
    }
}
