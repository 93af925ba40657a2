//! RFC 7662, RFC 9701: the introspection endpoint.

use poem::{Request, http::header, web::Data};
use poem_openapi::{
    ApiResponse, OpenApi,
    payload::{Json, PlainText},
    types::Any,
};
use serde_json::Value;

use super::{Topic, form::Form, presented};
use crate::{
    app::App,
    flows::{introspect, userinfo::Answer},
    http::failure::Failure,
    protocol::trace::Kind,
};

pub struct Introspect;

#[OpenApi]
impl Introspect {
    /// Whether a token is good, for the client that has it or the API that it is meant for.
    ///
    /// RFC 7662. With `Accept: application/token-introspection+jwt` the answer is a signed token (RFC 9701).
    #[oai(path = "/oauth2/introspect", method = "post", tag = "Topic::Tokens", operation_id = "introspect")]
    async fn introspect(&self, app: Data<&App>, request: &Request, form: Form) -> Result<About, Failure> {
        let presented = presented(&app, request, form.required(&app, request, Kind::Introspect)?);
        Ok(introspect::about(&app, presented, wants_token(request)).await?.into())
    }
}

/// RFC 9701 §4: JSON unless the caller names the other type.
fn wants_token(request: &Request) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or_default());
    types.any(|kind| kind.trim().eq_ignore_ascii_case("application/token-introspection+jwt"))
}

#[derive(ApiResponse)]
enum About {
    /// `active`, and what is known of an active token (RFC 7662 §2.2).
    #[oai(status = 200)]
    Ok(Json<Any<Value>>, #[oai(header = "Cache-Control")] String),
    /// The same in the member `token_introspection` of a signed token (RFC 9701 §5).
    #[oai(status = 200, content_type = "application/token-introspection+jwt")]
    Token(PlainText<String>, #[oai(header = "Cache-Control")] String),
}

impl From<Answer> for About {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Plain(members) => About::Ok(Json(Any(members.into())), "no-store".to_owned()),
            Answer::Token(token) => About::Token(PlainText(token), "no-store".to_owned()),
        }
    }
}
