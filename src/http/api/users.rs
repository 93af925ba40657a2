//! `/api/users`: what operators do for people.

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};

use super::{Admin, answer::Done, problem::Problem};
use crate::{app::App, flows::factors, http::oauth::Topic};

pub struct Users;

#[OpenApi]
impl Users {
    /// Take all second factors of a person away, recovery codes and trusted devices with them: for who has lost them all. It
    /// ends every session and token of the person, who is told by mail. Make sure first who is asking.
    #[oai(
        path = "/api/users/:id/reset-factors",
        method = "post",
        tag = "Topic::Administration",
        operation_id = "reset_factors"
    )]
    async fn reset_factors(&self, app: Data<&App>, _admin: Admin, id: Path<String>) -> Result<Done, Problem> {
        // What is no id is the id of nobody.
        factors::reset(&app, id.parse().unwrap_or_default()).await?;
        Ok(().into())
    }
}
