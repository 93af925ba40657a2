//! Mails to people. Each is one row, written in the transaction of its cause, and sent by whoever claims it, on whichever
//! node; at least once. What it says is rendered when it is sent, in the language of whoever gets it.

pub mod letter;
pub mod outbox;
pub mod send;
pub mod words;

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

pub use self::{
    letter::{FactorChange, Letter},
    send::run_due,
};
pub use crate::store::mail::Mail;
use crate::{
    app::{App, reseal::mail_context},
    store::{Sealed, mail},
};

/// A mail that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The address, in its one form.
    pub to: String,
    /// The language that the recipient asked for. Without it, that of the person counts, then the first there is.
    pub locale: Option<String>,
    /// Whose account it is about, if it is somebody's: when they go, it goes.
    pub user_id: Option<Uuid>,
    pub letter: Letter,
}

/// What the report says of mails that nobody would take.
const NO_SERVER: &str = "no mail server is set (mail.host)";

/// Whether mails come anywhere: to a mail server, or with a local issuer to the outbox.
pub fn is_possible(app: &App) -> bool {
    app.mailer.has_server() || app.config.is_local()
}

/// Whether mails are shown on a page instead of being sent.
pub fn has_outbox(app: &App) -> bool {
    !app.mailer.has_server() && app.config.is_local()
}

/// Queues a mail within the transaction of its cause: with it the mail is kept, or was never there. After the commit,
/// [`send_soon`] saves the recipient some seconds.
///
/// # Errors
/// When the database does not answer.
pub async fn queue(app: &App, db: &impl ConnectionTrait, mail: Outgoing) -> Result<(), DbErr> {
    let (id, now) = (app.ordered_id(), app.now());
    let (possible, letter) = (is_possible(app), mail.letter.clipped());
    let content =
        possible.then(|| Sealed(app.master_key.seal(&mail_context(id), &letter.to_bytes(), app.random.bytes())));
    let row = Mail {
        id,
        recipient: mail.to,
        letter: letter.name().to_owned(),
        locale: mail.locale,
        content,
        user_id: mail.user_id,
        created_at: now,
        attempts: 0,
        next_at: possible.then_some(now),
        sent_at: None,
        kept_at: None,
        dead_at: (!possible).then_some(now),
        last_answer: (!possible).then(|| NO_SERVER.to_owned()),
    };
    mail::insert(db, row).await
}

/// Wakes the sender of this node, after the commit; without it, it looks by itself every few seconds.
pub fn send_soon(app: &App) {
    app.mails.notify_one();
}
