//! `/api/users`: what operators do for people.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::{
    Admin,
    answer::{Answer, Created, Done},
    body::Body,
    problem::Problem,
};
use crate::{
    app::App,
    flows::{
        admin::connections::{self, Connection},
        factors,
    },
    http::oauth::Topic,
};

pub struct Users;

#[OpenApi]
impl Users {
    /// Take all second factors of a person away, recovery codes and trusted devices with them: for who has lost them all, or
    /// whose account somebody else has opened. It ends every session and token of the person, who is told by mail. Accounts
    /// at providers open theirs no more, unless `keep_providers` says so: who had no password needs a new one then. Make sure
    /// first who is asking.
    #[oai(
        path = "/api/users/:id/reset-factors",
        method = "post",
        tag = "Topic::Administration",
        operation_id = "reset_factors"
    )]
    async fn reset_factors(
        &self,
        app: Data<&App>,
        _admin: Admin,
        id: Path<String>,
        how: Body<ResetFactorsBody>,
    ) -> Result<Answer<FactorsResetBody>, Problem> {
        let keep = how.0.keep_providers.unwrap_or_default();
        let providers_removed = factors::reset(&app, known(&id), keep).await?;
        Ok(FactorsResetBody { providers_removed }.into())
    }

    /// Accounts at providers that open a person's account, the oldest first.
    #[oai(
        path = "/api/users/:id/providers",
        method = "get",
        tag = "Topic::Administration",
        operation_id = "user_providers"
    )]
    async fn providers(
        &self,
        app: Data<&App>,
        _admin: Admin,
        id: Path<String>,
    ) -> Result<Answer<ConnectionList>, Problem> {
        let all = connections::of(&app, known(&id)).await?;
        Ok(ConnectionList { providers: all.into_iter().map(ConnectionBody::from).collect() }.into())
    }

    /// Connect an account at a provider with a person's: for people who come from another system and signed in there by the
    /// provider. Whoever the provider means by `subject` comes into the account from then on, and its person is told by mail.
    /// 409 where it opens an account already.
    #[oai(
        path = "/api/users/:id/providers",
        method = "post",
        tag = "Topic::Administration",
        operation_id = "connect_user_provider"
    )]
    async fn connect(
        &self,
        app: Data<&App>,
        _admin: Admin,
        id: Path<String>,
        new: Body<NewConnectionBody>,
    ) -> Result<Created<ConnectionBody>, Problem> {
        let NewConnectionBody { provider, subject } = new.0;
        let made = connections::connect(&app, known(&id), &provider, &subject).await?;
        Ok(ConnectionBody::from(made).into())
    }

    /// Disconnect an account at a provider from a person's. It ends every session and token of the person, who is told by
    /// mail. Where it was the only way into the account, the person needs a new password.
    #[oai(
        path = "/api/users/:id/providers/:link",
        method = "delete",
        tag = "Topic::Administration",
        operation_id = "disconnect_user_provider"
    )]
    async fn disconnect(
        &self,
        app: Data<&App>,
        _admin: Admin,
        id: Path<String>,
        link: Path<String>,
    ) -> Result<Done, Problem> {
        connections::disconnect(&app, known(&id), known(&link)).await?;
        Ok(().into())
    }
}

/// What is no id is the id of nobody and of nothing.
fn known(id: &str) -> Uuid {
    id.parse().unwrap_or_default()
}

#[derive(Object)]
struct ResetFactorsBody {
    /// Accounts at providers go on opening the person's: where they are known to be theirs alone.
    keep_providers: Option<bool>,
}

#[derive(Object)]
struct FactorsResetBody {
    /// How many accounts at providers open the person's no more.
    providers_removed: u64,
}

#[derive(Object)]
struct ConnectionList {
    providers: Vec<ConnectionBody>,
}

/// Somebody to be, at a provider.
#[derive(Object)]
struct NewConnectionBody {
    /// The name of the provider in the settings.
    provider: String,
    /// What the provider calls the person, for good: `sub` of its ID tokens, of GitHub the number, of oauth2 what
    /// `claims.sub` names.
    subject: String,
}

/// An account at a provider that opens a person's. Times are seconds since 1970.
#[derive(Object)]
struct ConnectionBody {
    id: String,
    /// The name of the provider that it came by last.
    provider: String,
    issuer: String,
    subject: String,
    /// What the person recognizes it by, where they have come by it.
    #[oai(skip_serializing_if_is_none)]
    label: Option<String>,
    created_at: i64,
    last_used_at: i64,
}

impl From<Connection> for ConnectionBody {
    fn from(row: Connection) -> Self {
        ConnectionBody {
            id: row.id.to_string(),
            provider: row.upstream,
            issuer: row.issuer,
            subject: row.subject,
            label: row.label,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        }
    }
}
