//! `/api/logout-deliveries`: which apps were told that people have signed out, and what they answered.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Query};

use super::{Admin, answer::Answer, paging, problem::Problem};
use crate::{
    app::App,
    flows::{
        Trouble,
        admin::logouts::{self, Delivery, State, Wanted},
        subject,
    },
    http::oauth::Topic,
};

pub struct LogoutDeliveries;

#[OpenApi]
impl LogoutDeliveries {
    /// What apps were told of logouts in the last seven days, the newest first (OpenID Connect Back-Channel Logout).
    #[oai(
        path = "/api/logout-deliveries",
        method = "get",
        tag = "Topic::Administration",
        operation_id = "logout_deliveries"
    )]
    async fn list(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// Only of this app.
        client_id: Query<Option<String>>,
        /// Only what was tried in vain.
        failed: Query<Option<bool>>,
        /// Goes on after a page: its `next`.
        after: Query<Option<String>>,
        /// At most so many: 100 unless it is said, 1000 at most.
        limit: Query<Option<u64>>,
    ) -> Result<Answer<LogoutDeliveryList>, Problem> {
        let (after, most) = paging::of_report(after.0, limit.0)?;
        let wanted = Wanted { client_id: client_id.0, failed: failed.0.unwrap_or_default(), after, most };
        let found = logouts::list(&app, wanted).await.map_err(Trouble::from)?;
        let next = paging::next_of_report(&found, most, |row| row.id);
        let list = LogoutDeliveryList {
            logout_deliveries: found.iter().map(|row| LogoutDeliveryBody::of(&app, row)).collect(),
            next,
        };
        Ok(list.into())
    }
}

/// What one app was told of the end of one session. Times are seconds since 1970.
#[derive(Object)]
struct LogoutDeliveryBody {
    id: String,
    client_id: String,
    /// Who has signed out.
    user_id: String,
    /// The session, as the app knows it.
    sid: String,
    /// Where the app is told.
    uri: String,
    /// `told`, `waiting` or `given up`.
    state: String,
    signed_out_at: i64,
    attempts: i32,
    /// What the last attempt met: a status, or what went wrong.
    #[oai(skip_serializing_if_is_none)]
    last_answer: Option<String>,
    /// When it is tried next.
    #[oai(skip_serializing_if_is_none)]
    next_at: Option<i64>,
    #[oai(skip_serializing_if_is_none)]
    told_at: Option<i64>,
    #[oai(skip_serializing_if_is_none)]
    given_up_at: Option<i64>,
    /// Names the run for `signet trace`.
    trace_id: String,
}

impl LogoutDeliveryBody {
    fn of(app: &App, delivery: &Delivery) -> Self {
        LogoutDeliveryBody {
            id: delivery.id.to_string(),
            client_id: delivery.client_id.clone(),
            user_id: delivery.user_id.to_string(),
            sid: subject::sid(app, &delivery.client_id, delivery.session_id),
            uri: delivery.uri.clone(),
            state: State::of(delivery).as_str().to_owned(),
            signed_out_at: delivery.created_at,
            attempts: delivery.attempts,
            last_answer: delivery.last_answer.clone(),
            next_at: delivery.next_at,
            told_at: delivery.told_at,
            given_up_at: delivery.given_up_at,
            trace_id: delivery.trace_id.clone(),
        }
    }
}

#[derive(Object)]
struct LogoutDeliveryList {
    logout_deliveries: Vec<LogoutDeliveryBody>,
    /// The `after` of the next page, if there may be one.
    #[oai(skip_serializing_if_is_none)]
    next: Option<String>,
}
