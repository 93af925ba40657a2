//! What happened to an account, written where its person finds it: in the same transaction as what happened.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::{
    app::App,
    flows::{
        Trouble,
        event::{self, Event},
        visitor::Device,
    },
    protocol::trace::Trace,
    store::{login_attempt, security_event},
};

pub use crate::store::{login_attempt::LoginAttempt, security_event::SecurityEvent};

/// What is worth a line. The words stay the same from release to release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    Registered,
    EmailVerified,
    PasswordChanged,
    PasswordReset,
    EmailChangeAsked,
    EmailChanged,
    EmailKept,
    ProfileChanged,
    NewDevice,
    SessionEnded,
    SignedOutEverywhere,
    AppRevoked,
    DataExported,
    DeletionPlanned,
    DeletionTakenBack,
    Deleted,
    Locked,
    TotpAdded,
    TotpRemoved,
    PasskeyAdded,
    PasskeyRemoved,
    /// A passkey was refused whose counter has gone back.
    PasskeyCopied,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    DeviceTrusted,
    DeviceForgotten,
    FactorsReset,
    ProviderLinked,
    ProviderUnlinked,
    /// The first one.
    PasswordSet,
}

impl Happened {
    pub const fn as_str(self) -> &'static str {
        match self {
            Happened::Registered => "registered",
            Happened::EmailVerified => "email_verified",
            Happened::PasswordChanged => "password_changed",
            Happened::PasswordReset => "password_reset",
            Happened::EmailChangeAsked => "email_change_asked",
            Happened::EmailChanged => "email_changed",
            Happened::EmailKept => "email_kept",
            Happened::ProfileChanged => "profile_changed",
            Happened::NewDevice => "new_device",
            Happened::SessionEnded => "session_ended",
            Happened::SignedOutEverywhere => "signed_out_everywhere",
            Happened::AppRevoked => "app_revoked",
            Happened::DataExported => "data_exported",
            Happened::DeletionPlanned => "deletion_planned",
            Happened::DeletionTakenBack => "deletion_taken_back",
            Happened::Deleted => "deleted",
            Happened::Locked => "locked",
            Happened::TotpAdded => "totp_added",
            Happened::TotpRemoved => "totp_removed",
            Happened::PasskeyAdded => "passkey_added",
            Happened::PasskeyRemoved => "passkey_removed",
            Happened::PasskeyCopied => "passkey_copied",
            Happened::RecoveryCodesMade => "recovery_codes_made",
            Happened::RecoveryCodeUsed => "recovery_code_used",
            Happened::DeviceTrusted => "device_trusted",
            Happened::DeviceForgotten => "device_forgotten",
            Happened::FactorsReset => "factors_reset",
            Happened::ProviderLinked => "provider_linked",
            Happened::ProviderUnlinked => "provider_unlinked",
            Happened::PasswordSet => "password_set",
        }
    }
}

/// A line to be, for the write of what happened; the server's log gets its own.
#[derive(Debug)]
#[must_use = "insert it in the write of what happened"]
pub struct Line(SecurityEvent);

impl Line {
    pub fn new(app: &App, trace: &Trace, person: Uuid, what: Happened, device: &Device) -> Self {
        Line(SecurityEvent {
            id: app.ordered_id(),
            subject: person,
            at: app.now(),
            kind: what.as_str().to_owned(),
            address: Some(device.address.to_string()),
            user_agent: device.user_agent.clone(),
            client_id: None,
            trace_id: trace.id.clone(),
        })
    }

    /// What nobody at a device did: the server, or an operator.
    pub fn by_itself(app: &App, trace: &Trace, person: Uuid, what: Happened) -> Self {
        Line(SecurityEvent {
            id: app.ordered_id(),
            subject: person,
            at: app.now(),
            kind: what.as_str().to_owned(),
            address: None,
            user_agent: None,
            client_id: None,
            trace_id: trace.id.clone(),
        })
    }

    /// About an app.
    pub fn about(mut self, client_id: &str) -> Self {
        self.0.client_id = Some(client_id.to_owned());
        self
    }

    /// # Errors
    /// When the database is away; the write is then undone.
    pub async fn insert(self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        security_event::insert(db, self.0).await
    }
}

/// For the server's log, after the write.
pub fn said(trace: &Trace, what: Happened) {
    event::happened(trace, Event::Account, what.as_str());
}

/// A part of a list, and where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    pub items: Vec<T>,
    pub next: Option<Uuid>,
}

impl<T> Part<T> {
    /// `items` were asked for with one more than `most`, to see whether there are more.
    pub(super) fn of(mut items: Vec<T>, most: u64, id: impl Fn(&T) -> Uuid) -> Self {
        let more = items.len() as u64 > most;
        items.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Part { next: items.last().map(id).filter(|_| more), items }
    }
}

/// The person's tries to sign in, newest first.
///
/// # Errors
/// When the database is away.
pub async fn attempts(app: &App, person: Uuid, before: Option<Uuid>, most: u64) -> Result<Part<LoginAttempt>, Trouble> {
    // They are written behind the request that tried.
    app.attempts.flush_briefly().await;
    let rows = login_attempt::of(&app.db, person, before, most + 1).await?;
    Ok(Part::of(rows, most, |row| row.id))
}

/// The person's security log, newest first.
///
/// # Errors
/// When the database is away.
pub async fn events(app: &App, person: Uuid, before: Option<Uuid>, most: u64) -> Result<Part<SecurityEvent>, Trouble> {
    let rows = security_event::of(&app.db, person, before, most + 1).await?;
    Ok(Part::of(rows, most, |row| row.id))
}
