//! Which mails were sent, which wait, and which nobody took (scope AC10).

use uuid::Uuid;

use crate::{
    app::{App, mailer::Written, text},
    flows::{
        Trouble,
        mail::{self, Letter, words},
        write_one,
    },
    protocol::{self, Error, Result},
    store,
};

pub use crate::store::mail::{Counts, Mail, Wanted};

/// How a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Sent,
    /// It will be tried, or tried again.
    Waiting,
    /// It lies in the outbox.
    Kept,
    GivenUp,
}

impl State {
    pub fn of(mail: &Mail) -> Self {
        match mail {
            Mail { sent_at: Some(_), .. } => State::Sent,
            Mail { kept_at: Some(_), .. } => State::Kept,
            Mail { dead_at: Some(_), .. } => State::GivenUp,
            _ => State::Waiting,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            State::Sent => "sent",
            State::Waiting => "waiting",
            State::Kept => "in the outbox",
            State::GivenUp => "given up",
        }
    }
}

/// # Errors
/// When the database is away.
pub async fn list(app: &App, wanted: Wanted) -> Result<Vec<Mail>> {
    Ok(store::mail::report(&app.db, wanted).await?)
}

/// # Errors
/// When the database is away.
pub async fn counts(app: &App) -> Result<Counts> {
    Ok(store::mail::counts(&app.db).await?)
}

/// Tries a mail again, now, whatever came of it before.
///
/// # Errors
/// When there is no such mail, or nothing to send any more.
pub async fn retry(app: &App, id: Uuid) -> std::result::Result<Mail, Trouble> {
    let now = app.now();
    let begun = write_one!(app, db => store::mail::again(db, id, now)).await?;
    let mail = store::mail::find(&app.db, id).await?.ok_or(Trouble::NotFound("mail"))?;
    if !begun {
        let state = State::of(&mail).as_str();
        return Err(Trouble::Conflict(format!("the mail is {state}, and there is nothing left to send")));
    }
    mail::send_soon(app);
    Ok(mail)
}

/// Hands a mail to the server of the settings and waits for what it says; nothing is queued.
///
/// # Errors
/// When the address is none, or the server did not take the mail: why.
pub async fn test(app: &App, address: &str) -> std::result::Result<String, Trouble> {
    let to = protocol::text::email(address).map_err(|unfit| Trouble::field("to", unfit))?;
    if !app.mailer.has_server() {
        return Err(Trouble::Conflict("no mail server is set; set mail.host".to_owned()));
    }
    let rendered = words::render(app, &Letter::Test, &text::languages()[0]).map_err(Error::internal)?;
    let words::Rendered { subject, text, html, .. } = rendered;
    let mail = Written { id: app.ordered_id().simple().to_string(), at: app.now(), to, subject, text, html };
    let answer = app.mailer.hand_over(&mail).await;
    answer.map_err(|error| Trouble::Conflict(format!("the mail server did not take the mail: {error}")))
}
