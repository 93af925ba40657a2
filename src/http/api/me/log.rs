//! `/api/v1/me/login-attempts` and `/api/v1/me/security-log`: what happened to the account.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Query};

use crate::{
    app::App,
    flows::{
        account::log::{self, LoginAttempt, SecurityEvent},
        cursor::List,
    },
    http::{
        api::{
            answer::Answer,
            paging::{self, Limit, Listed},
            person::Person,
            problem::Problem,
        },
        oauth::Topic,
    },
};

pub struct Log;

#[OpenApi(prefix_path = "/api/v1/me", tag = "Topic::Account")]
impl Log {
    /// Tries to sign in to the account, the newest first.
    #[oai(path = "/login-attempts", method = "get", operation_id = "my_login_attempts")]
    async fn attempts(
        &self,
        app: Data<&App>,
        person: Person,
        limit: Limit,
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Listed<AttemptBody>>, Problem> {
        let list = List { name: "login-attempts", person: person.me.user.id };
        let after = paging::after(&app, list, cursor.0)?;
        let part = log::attempts(&app, list.person, after, limit.0).await?;
        Ok(Listed::of(&app, list, part, AttemptBody::from).into())
    }

    /// What happened to the account, the newest first.
    #[oai(path = "/security-log", method = "get", operation_id = "my_security_log")]
    async fn events(
        &self,
        app: Data<&App>,
        person: Person,
        limit: Limit,
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Listed<EventBody>>, Problem> {
        let list = List { name: "security-log", person: person.me.user.id };
        let after = paging::after(&app, list, cursor.0)?;
        let part = log::events(&app, list.person, after, limit.0).await?;
        Ok(Listed::of(&app, list, part, EventBody::from).into())
    }
}

/// A try to sign in.
#[derive(Object)]
struct AttemptBody {
    id: String,
    /// Seconds since 1970.
    at: i64,
    ip_address: Option<String>,
    user_agent: Option<String>,
    /// What was to be proven, and how: `password`, for one.
    method: String,
    /// `ok`, `refused` or `throttled`.
    result: String,
    /// A word for programs: `wrong_password`, for one.
    reason: String,
}

impl From<LoginAttempt> for AttemptBody {
    fn from(row: LoginAttempt) -> Self {
        AttemptBody {
            id: row.id.to_string(),
            at: row.at,
            ip_address: row.address,
            user_agent: row.user_agent,
            method: row.method,
            result: row.result,
            reason: row.reason,
        }
    }
}

/// What happened to the account.
#[derive(Object)]
struct EventBody {
    id: String,
    /// Seconds since 1970.
    at: i64,
    /// A word for programs: `password_changed`, for one.
    event: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    /// The app that it is about.
    client_id: Option<String>,
}

impl From<SecurityEvent> for EventBody {
    fn from(row: SecurityEvent) -> Self {
        EventBody {
            id: row.id.to_string(),
            at: row.at,
            event: row.kind,
            ip_address: row.address,
            user_agent: row.user_agent,
            client_id: row.client_id,
        }
    }
}
