//! RFC 6749 §3.2: the token endpoint.

use poem::{Request, web::Data};
use poem_openapi::{ApiResponse, Object, OpenApi, payload::Json};

use super::{Topic, form::Form, presented};
use crate::{
    app::App,
    flows::{issue::Tokens, token},
    http::failure::Failure,
    protocol::trace::Kind,
};

pub struct Token;

#[OpenApi]
impl Token {
    /// Exchange a grant for tokens.
    ///
    /// RFC 6749 §3.2. Grant types: `authorization_code` (with `code`, `redirect_uri`, `code_verifier`),
    /// `refresh_token` (with `refresh_token`, optionally less `scope`), `client_credentials`.
    #[oai(path = "/oauth2/token", method = "post", tag = "Topic::Tokens", operation_id = "token")]
    async fn token(&self, app: Data<&App>, request: &Request, form: Form) -> Result<TokenReply, Failure> {
        let tokens =
            token::exchange(&app, presented(&app, request, form.required(&app, request, Kind::Token)?)).await?;
        Ok(TokenReply::from(tokens))
    }
}

/// RFC 6749 §5.1, OpenID Connect Core §3.1.3.3.
#[derive(Object)]
struct TokenBody {
    access_token: String,
    /// `Bearer`.
    token_type: String,
    /// Seconds.
    expires_in: i64,
    #[oai(skip_serializing_if_is_none)]
    refresh_token: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    id_token: Option<String>,
    /// What was granted.
    scope: String,
}

#[derive(ApiResponse)]
enum TokenReply {
    /// The tokens.
    #[oai(status = 200)]
    Ok(Json<TokenBody>, #[oai(header = "Cache-Control")] String, #[oai(header = "Pragma")] String),
}

impl From<Tokens> for TokenReply {
    fn from(tokens: Tokens) -> Self {
        let body = TokenBody {
            access_token: tokens.access_token,
            token_type: "Bearer".to_owned(),
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token,
            scope: tokens.scope,
        };
        TokenReply::Ok(Json(body), "no-store".to_owned(), "no-cache".to_owned())
    }
}
