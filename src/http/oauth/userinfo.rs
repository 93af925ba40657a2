//! OpenID Connect Core §5.3: the userinfo endpoint.

use poem::{Request, web::Data};
use poem_openapi::{
    ApiResponse, OpenApi,
    payload::{Json, PlainText},
    types::Any,
};
use serde_json::Value;

use super::{Topic, bearer, form::Form};
use crate::{
    app::App,
    flows::userinfo::{self, Answer, Bearer},
    http::failure::{Challenge, Failure},
    protocol::Params,
};

pub struct Userinfo;

#[OpenApi]
impl Userinfo {
    /// What is known of the person whom an access token speaks for.
    #[oai(path = "/oauth2/userinfo", method = "get", tag = "Topic::Tokens", operation_id = "userinfo")]
    async fn get(&self, app: Data<&App>, request: &Request) -> Result<Claims, Failure> {
        about(&app, request, None).await
    }

    /// The same, with the token in the header or as the form field `access_token`.
    #[oai(path = "/oauth2/userinfo", method = "post", tag = "Topic::Tokens", operation_id = "userinfo_post")]
    async fn post(&self, app: Data<&App>, request: &Request, form: Form) -> Result<Claims, Failure> {
        about(&app, request, Some(form.params())).await
    }
}

async fn about(app: &App, request: &Request, form: Option<&Params>) -> Result<Claims, Failure> {
    let bearer = Bearer { form, ..bearer(app, request) };
    match userinfo::about(app, &bearer).await {
        Ok(claims) => Ok(claims.into()),
        Err(refused) => Err(Failure::of(refused, Challenge::Bearer)),
    }
}

#[derive(ApiResponse)]
pub enum Claims {
    /// `sub`, and the claims of the granted scopes (§5.1).
    #[oai(status = 200)]
    Ok(Json<Any<Value>>, #[oai(header = "Cache-Control")] String),
    /// The same, signed and perhaps encrypted, for clients that are registered so (§5.3.2).
    #[oai(status = 200, content_type = "application/jwt")]
    Token(PlainText<String>, #[oai(header = "Cache-Control")] String),
}

impl From<Answer> for Claims {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Plain(members) => Claims::Ok(Json(Any(members.into())), "no-store".to_owned()),
            Answer::Token(token) => Claims::Token(PlainText(token), "no-store".to_owned()),
        }
    }
}
