//! Somebody signs in with a browser or program that they have not used before (requirement AC9, OWASP ASVS 6.3.7):
//! a line in their log and a mail, in the write that signs them in.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{
    account::log::{self, Happened, Line},
    mail::{self, Letter, Outgoing},
    visitor::Visitor,
};
use crate::{
    app::App,
    protocol::trace::Trace,
    store::{security_event, user::User},
};

/// Where the list of sessions is.
const SESSIONS: &str = "/account/sessions";

const NEW: &str = Happened::NewDevice.as_str();

#[derive(Debug)]
pub struct Arrival {
    person: Uuid,
    line: Line,
    letter: Option<Outgoing>,
    /// The account is so young that its log has everything.
    is_young: bool,
}

impl Arrival {
    /// None where the person has signed in before. The device proves it, by what it was given then; of programs, many
    /// of which keep nothing, the same one at the same address is no news either.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn of(app: &App, visitor: &Visitor, user: &User, trace: &Trace) -> Result<Option<Self>, DbErr> {
        let device = &visitor.device;
        let (address, says) = (device.address.to_string(), device.user_agent.as_deref());
        if visitor.knows(app, user.id)
            || visitor.is_program && security_event::has_from(&app.db, user.id, NEW, &address, says).await?
        {
            return Ok(None);
        }
        let (now, language) = (app.now(), user.locale.as_deref().unwrap_or("en"));
        let place = app.places.of(device.address, language, now).await.map(|place| place.to_string());
        let letter = Letter::NewDevice { device: device.name(), place, when: now, sessions: app.url(SESSIONS) };
        let to = |to| Outgoing { to, locale: user.locale.clone(), user_id: Some(user.id), letter };
        Ok(Some(Arrival {
            person: user.id,
            line: Line::new(app, trace, user.id, Happened::NewDevice, device),
            letter: user.email.clone().map(to),
            is_young: user.created_at > now - app.config.accounts.keep_security_log.get(),
        }))
    }

    /// The first sign-in of all is no news to whoever has just registered; it is in the log like every other.
    ///
    /// # Errors
    /// When the database is away; the write is then undone.
    pub async fn keep(self, app: &App, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let is_first = self.is_young && !security_event::has(db, self.person, NEW).await?;
        if let Some(letter) = self.letter.filter(|_| !is_first) {
            mail::queue(app, db, letter).await?;
        }
        self.line.insert(db).await
    }

    /// After the commit.
    pub fn said(app: &App, trace: &Trace) {
        mail::send_soon(app);
        log::said(trace, Happened::NewDevice);
    }
}
