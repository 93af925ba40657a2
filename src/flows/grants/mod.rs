//! Grants: the ways to earn tokens. Each proves; `issue` mints.

pub mod authorization_code;
pub mod client_credentials;
pub mod password;
pub mod refresh_token;

use async_trait::async_trait;
use uuid::Uuid;

use super::{arrival::Arrival, client_auth::Presented, login::Standing};
use crate::{
    app::App,
    protocol::{Result, Scope, trace::Trace},
    store::{client::Client, grant::Grant as Row, session::Session, user::User},
};

/// What a grant has proven, before anything is spent.
pub struct Approval {
    /// The person; none where a client speaks for itself.
    pub user: Option<User>,
    pub grant: Option<Row>,
    /// Of the access token.
    pub scope: Scope,
    /// RFC 8707: the API that the access token is for.
    pub resource: Option<String>,
    pub nonce: Option<String>,
    /// The generation of the refresh token that comes along.
    pub refresh: Option<i32>,
    pub claim: Claim,
}

/// What the one write of the exchange spends. It is made after minting, so that no signature is waited for
/// inside a transaction; whoever loses gets nothing of what was minted.
#[derive(Debug)]
pub enum Claim {
    /// Nothing to spend.
    Free,
    /// An authorization code.
    Redeem { grant: Uuid, expires_at: i64 },
    /// The newest refresh token, of this generation.
    Rotate {
        grant: Uuid,
        generation: i32,
        expires_at: i64,
        /// That lives by this refresh token, of a program.
        session: Option<Uuid>,
    },
    /// A grant that begins here.
    Begin(Box<Beginning>),
}

/// What is written where a grant begins with its tokens.
#[derive(Debug)]
pub struct Beginning {
    pub grant: Row,
    /// That it is a part of, if that begins here too.
    pub session: Option<Session>,
    pub arrival: Option<Arrival>,
    /// What it rests on.
    pub standing: Standing,
}

/// One `grant_type`. To add one: a file here, a line in [`GRANTS`].
#[async_trait]
pub trait Grant: Sync {
    fn name(&self) -> &'static str;

    fn for_public_clients(&self) -> bool {
        true
    }

    /// False hides the grant from clients that it is not made for.
    fn is_open_to(&self, _client: &Client) -> bool {
        true
    }

    /// Whether metadata names it.
    fn is_published(&self) -> bool {
        true
    }

    async fn approve(
        &self,
        app: &App,
        client: &Client,
        presented: &Presented<'_>,
        trace: &mut Trace,
    ) -> Result<Approval>;
}

pub static GRANTS: &[&dyn Grant] = &[
    &authorization_code::AuthorizationCode,
    &refresh_token::RefreshToken,
    &client_credentials::ClientCredentials,
    &password::Password,
];

pub fn find(name: &str) -> Option<&'static dyn Grant> {
    GRANTS.iter().copied().find(|grant| grant.name() == name)
}

/// For discovery.
pub fn names() -> Vec<&'static str> {
    GRANTS.iter().filter(|grant| grant.is_published()).map(|grant| grant.name()).collect()
}
