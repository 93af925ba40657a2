//! RFC 7662: the introspection endpoint.

use poem::{Request, web::Data};
use poem_openapi::OpenApi;

use super::{Topic, form::Form, presented, userinfo::Claims};
use crate::{app::App, flows::introspect, http::failure::Failure, protocol::trace::Kind};

pub struct Introspect;

#[OpenApi]
impl Introspect {
    /// Whether a token is good, for the client that has it or the API that it is meant for.
    #[oai(path = "/oauth2/introspect", method = "post", tag = "Topic::Tokens", operation_id = "introspect")]
    async fn introspect(&self, app: Data<&App>, request: &Request, form: Form) -> Result<Claims, Failure> {
        Ok(introspect::about(&app, presented(&app, request, form.required(&app, request, Kind::Introspect)?))
            .await?
            .into())
    }
}
