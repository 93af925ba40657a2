//! `/api/mails`: which mails were sent, which wait, and which nobody took.

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};

use super::{
    Admin,
    answer::{Accepted, Answer},
    paging,
    problem::Problem,
};
use crate::{
    app::App,
    flows::{
        Trouble,
        admin::mails::{self, Mail, State, Wanted},
    },
    http::oauth::Topic,
};

pub struct Mails;

#[OpenApi]
impl Mails {
    /// The mails of the last seven days, the newest first. What they say is not shown.
    #[oai(path = "/api/mails", method = "get", tag = "Topic::Administration", operation_id = "mails")]
    async fn list(
        &self,
        app: Data<&App>,
        _admin: Admin,
        /// Only what was tried in vain.
        failed: Query<Option<bool>>,
        /// Goes on after a page: its `next`.
        after: Query<Option<String>>,
        /// At most so many: 100 unless it is said, 1000 at most.
        limit: Query<Option<u64>>,
    ) -> Result<Answer<MailList>, Problem> {
        let (after, most) = paging::of_report(after.0, limit.0)?;
        let wanted = Wanted { failed: failed.0.unwrap_or_default(), after, most };
        let found = mails::list(&app, wanted).await.map_err(Trouble::from)?;
        let next = paging::next_of_report(&found, most, |row| row.id);
        let list = MailList { mails: found.iter().map(MailBody::of).collect(), next };
        Ok(list.into())
    }

    /// Tries a mail again now, a given-up one too.
    #[oai(path = "/api/mails/:id/retry", method = "post", tag = "Topic::Administration", operation_id = "retry_mail")]
    async fn retry(&self, app: Data<&App>, _admin: Admin, id: Path<String>) -> Result<Accepted<MailBody>, Problem> {
        // What is no id is the id of nothing.
        let mail = mails::retry(&app, id.parse().unwrap_or_default()).await?;
        Ok(MailBody::of(&mail).into())
    }
}

/// A mail to a person. Times are seconds since 1970.
#[derive(Object)]
struct MailBody {
    id: String,
    to: String,
    /// What kind of letter it is, such as `verify_email`.
    letter: String,
    /// Whose account it is about.
    #[oai(skip_serializing_if_is_none)]
    user_id: Option<String>,
    /// `sent`, `waiting`, `in the outbox` or `given up`.
    state: String,
    queued_at: i64,
    attempts: i32,
    /// What the mail server said, or what went wrong.
    #[oai(skip_serializing_if_is_none)]
    last_answer: Option<String>,
    /// When it is tried next.
    #[oai(skip_serializing_if_is_none)]
    next_at: Option<i64>,
    #[oai(skip_serializing_if_is_none)]
    sent_at: Option<i64>,
    #[oai(skip_serializing_if_is_none)]
    given_up_at: Option<i64>,
}

impl MailBody {
    fn of(mail: &Mail) -> Self {
        MailBody {
            id: mail.id.to_string(),
            to: mail.recipient.clone(),
            letter: mail.letter.clone(),
            user_id: mail.user_id.map(|id| id.to_string()),
            state: State::of(mail).as_str().to_owned(),
            queued_at: mail.created_at,
            attempts: mail.attempts,
            last_answer: mail.last_answer.clone(),
            next_at: mail.next_at,
            sent_at: mail.sent_at,
            given_up_at: mail.dead_at,
        }
    }
}

#[derive(Object)]
struct MailList {
    mails: Vec<MailBody>,
    /// The `after` of the next page, if there may be one.
    #[oai(skip_serializing_if_is_none)]
    next: Option<String>,
}
