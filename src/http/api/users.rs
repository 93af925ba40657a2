//! `/api/users`: what operators do for people.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::{Admin, answer::Answer, body::Body, problem::Problem};
use crate::{app::App, flows::factors, http::oauth::Topic};

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
}

/// What is no id is the id of nobody.
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
