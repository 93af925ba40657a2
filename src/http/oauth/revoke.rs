//! RFC 7009: the revocation endpoint.

use poem::{Request, web::Data};
use poem_openapi::{ApiResponse, OpenApi};

use super::{Topic, form::Form, presented};
use crate::{app::App, flows::revoke, http::failure::Failure, protocol::trace::Kind};

pub struct Revoke;

#[OpenApi]
impl Revoke {
    /// Make a token worthless. A refresh token takes its whole family with it.
    #[oai(path = "/oauth2/revoke", method = "post", tag = "Topic::Tokens", operation_id = "revoke")]
    async fn revoke(&self, app: Data<&App>, request: &Request, form: Form) -> Result<Revoked, Failure> {
        revoke::token(&app, presented(&app, request, form.required(&app, request, Kind::Revoke)?)).await?;
        Ok(Revoked::Ok("no-store".to_owned()))
    }
}

#[derive(ApiResponse)]
enum Revoked {
    /// Revoked, or there was nothing to revoke.
    #[oai(status = 200)]
    Ok(#[oai(header = "Cache-Control")] String),
}
