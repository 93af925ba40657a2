//! Mails leave: at once when all is well, later when the server did not take them, to the outbox when there is none.

use async_trait::async_trait;

use super::{
    Mail,
    words::{self, Rendered},
};
use crate::{
    app::{
        App,
        mailer::{NotTaken, Written},
        reseal::mail_context,
        text::{self, Texts},
    },
    flows::{
        due::{self, Due},
        event,
        mail::Letter,
        write_one,
    },
    protocol::{Error, Result},
    store::{
        mail::{self, Then},
        user,
    },
};

/// Seconds beyond the patience of an attempt for which it has its row to itself; when the node dies, another one tries
/// then.
const SPARE: i64 = 20;
/// Seconds from the first failed attempt to the second, and so on; the last goes on until the mail is given up.
const PAUSES: [i64; 6] = [5, 15, 60, 300, 1800, 7200];
/// Seconds after which a mail that nobody takes is dead.
const DEAD_AFTER: i64 = 24 * 3600;
/// A server that says "never" (RFC 5321 §4.2.1, 5yz) may mean it less the first time.
const REFUSALS: i32 = 2;

/// Tries what is due, and waits for the end of it.
///
/// # Errors
/// When the database is away.
pub async fn run_due(app: &App) -> Result<()> {
    due::run::<Mail>(app).await
}

#[async_trait]
impl Due for Mail {
    const NAME: &'static str = "mails";
    const AT_ONCE: usize = 8;

    fn next_at(&self) -> Option<i64> {
        self.next_at
    }

    async fn soonest(app: &App, most: u64) -> Result<Vec<Self>> {
        Ok(mail::soonest(&app.db, most).await?)
    }

    async fn claim(&self, app: &App) -> Result<bool> {
        let (mail, until) = (self.clone(), app.now() + app.config.mail.timeout.get() + SPARE);
        Ok(write_one!(app, db => mail::claim(db, &mail, until)).await?)
    }

    async fn attempt(self, app: &App) {
        if let Err(error) = attempt(app, &self).await {
            // The lease ends by itself, and somebody tries again.
            tracing::warn!(%error, mail = %self.id, "a mail could not be sent yet");
        }
    }
}

/// What an attempt met.
enum Met {
    Taken(String),
    Outbox(Rendered),
    Refused(String),
    Failed(String),
}

async fn attempt(app: &App, mail: &Mail) -> Result<()> {
    let met = send(app, mail).await?;
    let (number, now) = (mail.attempts + 1, app.now());
    let then = judge(&met, number, mail.created_at, now);
    let answer = match &met {
        Met::Taken(words) | Met::Refused(words) | Met::Failed(words) => words.clone(),
        Met::Outbox(_) => "in the outbox".to_owned(),
    };
    event::mailed(mail, then, &answer);
    let id = mail.id;
    let noted = write_one!(app, db => mail::note(db, id, number, then, answer)).await?;
    if let (true, Met::Outbox(rendered)) = (noted, met) {
        app.mailer.show(&on_terminal(mail, &rendered));
    }
    Ok(())
}

async fn send(app: &App, mail: &Mail) -> Result<Met> {
    let Some(letter) = opened(app, mail) else {
        // Another master key, or a letter that only a newer release can write: somebody else may be able to.
        return Ok(Met::Failed("its letter cannot be read by this server".to_owned()));
    };
    let rendered = words::render(app, &letter, language(app, mail).await?).map_err(Error::internal)?;
    if super::has_outbox(app) {
        return Ok(Met::Outbox(rendered));
    }
    let Rendered { subject, text, html, .. } = rendered;
    let written = Written {
        id: mail.id.simple().to_string(),
        at: mail.created_at,
        to: mail.recipient.clone(),
        subject,
        text,
        html,
    };
    Ok(match app.mailer.hand_over(&written).await {
        Ok(answer) => Met::Taken(answer),
        Err(NotTaken::Refused(words)) => Met::Refused(words),
        Err(NotTaken::Later(words)) => Met::Failed(words),
    })
}

/// The letter behind the seal.
pub(super) fn opened(app: &App, mail: &Mail) -> Option<Letter> {
    let plain = app.master_key.open(&mail_context(mail.id), &mail.content.as_ref()?.0);
    match plain {
        Ok(plain) => Letter::from_bytes(&plain),
        Err(error) => {
            tracing::warn!(%error, mail = %mail.id, "a letter cannot be opened");
            None
        }
    }
}

/// The language that the recipient asked for, else that of the person, else the first there is.
pub(super) async fn language(app: &App, mail: &Mail) -> Result<&'static Texts> {
    let chosen = match (&mail.locale, mail.user_id) {
        (None, Some(id)) => user::find(&app.db, id).await?.and_then(|user| user.locale),
        (locale, _) => locale.clone(),
    };
    Ok(text::choose(None, chosen.as_deref(), None))
}

/// What comes next.
fn judge(met: &Met, number: i32, created_at: i64, now: i64) -> Then {
    let is_final = match met {
        Met::Taken(_) => return Then::Sent { at: now },
        Met::Outbox(_) => return Then::Kept { at: now },
        Met::Refused(_) => number >= REFUSALS,
        Met::Failed(_) => false,
    };
    let before = usize::try_from(number - 1).unwrap_or_default().min(PAUSES.len() - 1);
    let at = now + PAUSES[before];
    if is_final || at > created_at + DEAD_AFTER { Then::Dead { at: now } } else { Then::Again { at } }
}

/// For whoever runs the server on their own machine: they are the one to open the link.
fn on_terminal(mail: &Mail, rendered: &Rendered) -> String {
    let links = rendered.links.iter().map(|link| format!("\n  {}: {}", link.label, link.address));
    format!("Mail to {}: {}{}", mail.recipient, rendered.subject, links.collect::<String>())
}
