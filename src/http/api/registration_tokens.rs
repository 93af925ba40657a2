//! `/api/registration-tokens`: who may register clients where registration is not open.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};

use super::{
    Admin,
    answer::{Answer, Created, Done},
    body::Body,
    problem::Problem,
};
use crate::{
    app::App,
    flows::admin::registration_tokens::{self as tokens, NewToken, Token},
    http::oauth::Topic,
};

pub struct RegistrationTokens;

#[OpenApi]
impl RegistrationTokens {
    /// Make an initial access token (RFC 7591 §3). Its text is in this answer and nowhere else.
    #[oai(
        path = "/api/registration-tokens",
        method = "post",
        tag = "Topic::Administration",
        operation_id = "create_registration_token"
    )]
    async fn create(
        &self,
        app: Data<&App>,
        _admin: Admin,
        new: Body<NewRegistrationTokenBody>,
    ) -> Result<Created<RegistrationTokenBody>, Problem> {
        let NewRegistrationTokenBody { name, uses, expires_in } = new.0;
        let (token, secret) = tokens::create(&app, NewToken { name, uses, expires_in }).await?;
        let token = RegistrationTokenBody {
            token: Some(secret.reveal().to_owned()),
            ..RegistrationTokenBody::of(&token, app.now())
        };
        Ok(token.into())
    }

    /// All initial access tokens, newest first.
    #[oai(
        path = "/api/registration-tokens",
        method = "get",
        tag = "Topic::Administration",
        operation_id = "registration_tokens"
    )]
    async fn list(&self, app: Data<&App>, _admin: Admin) -> Result<Answer<RegistrationTokenList>, Problem> {
        let now = app.now();
        let all = tokens::all(&app).await?;
        let list = RegistrationTokenList {
            registration_tokens: all.iter().map(|token| RegistrationTokenBody::of(token, now)).collect(),
        };
        Ok(list.into())
    }

    /// Make an initial access token worthless. Clients that came by it stay.
    #[oai(
        path = "/api/registration-tokens/:id",
        method = "delete",
        tag = "Topic::Administration",
        operation_id = "revoke_registration_token"
    )]
    async fn revoke(&self, app: Data<&App>, _admin: Admin, id: Path<String>) -> Result<Done, Problem> {
        // What is no id is the id of nothing.
        tokens::revoke(&app, id.parse().unwrap_or_default()).await?;
        Ok(().into())
    }
}

/// An initial access token to be.
#[derive(Object)]
struct NewRegistrationTokenBody {
    /// What you call it.
    name: String,
    /// How many clients it is good for.
    #[oai(default = "once")]
    uses: i64,
    /// Seconds.
    #[oai(default = "a_week")]
    expires_in: i64,
}

fn once() -> i64 {
    1
}

fn a_week() -> i64 {
    7 * 86_400
}

/// An initial access token. Times are seconds since 1970.
#[derive(Object)]
struct RegistrationTokenBody {
    id: String,
    /// Only when it was just made.
    #[oai(skip_serializing_if_is_none)]
    token: Option<String>,
    name: String,
    /// `good`, `used up`, `expired` or `revoked`.
    state: String,
    uses: i32,
    used: i32,
    created_at: i64,
    expires_at: i64,
}

impl RegistrationTokenBody {
    fn of(token: &Token, now: i64) -> Self {
        RegistrationTokenBody {
            id: token.id.to_string(),
            token: None,
            name: token.name.clone(),
            state: tokens::state(token, now).to_owned(),
            uses: token.uses,
            used: token.used,
            created_at: token.created_at,
            expires_at: token.expires_at,
        }
    }
}

#[derive(Object)]
struct RegistrationTokenList {
    registration_tokens: Vec<RegistrationTokenBody>,
}
