//! All that is kept of a person, for the person (requirement AC11): one JSON document, written piece by piece, so that a
//! long life needs no more memory than a short one. No secrets, and nothing about anybody else.

use futures_util::{Stream, stream};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    links,
    log::{self, Happened, Line},
    me::Me,
    profile::Profile,
};
use crate::{
    app::App,
    flows::{
        Trouble,
        factors::{self, passkey::Key},
        write_one,
    },
    protocol::{rule, trace::Shown},
    store::{
        client, consent, consent::Consent, grant, grant::Grant, login_attempt, login_attempt::LoginAttempt, mail,
        mail::Mail, password, security_event, security_event::SecurityEvent, session, session::Session, trusted_device,
        trusted_device::TrustedDevice, upstream_link, upstream_link::UpstreamLink, user::User,
    },
};

/// Rows of one piece.
const AT_ONCE: u64 = 200;

/// A list of the document, and the key of its last row that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum List {
    Apps(Option<String>),
    Sessions(Option<Uuid>),
    Grants(Option<Uuid>),
    Attempts(Option<Uuid>),
    Events(Option<Uuid>),
    Mails(Option<Uuid>),
}

/// What is to be written next.
enum Next {
    Profile,
    List(List),
    Nothing,
}

/// A document that is being written.
pub struct Export {
    app: App,
    user: User,
    next: Next,
}

/// Begins the document; the person's security log says so.
///
/// # Errors
/// When the database is away.
pub async fn begin(app: &App, me: &Me) -> Result<Export, Trouble> {
    let mut trace = me.trace(app);
    let line = Line::new(app, &trace, me.user.id, Happened::DataExported, &me.device);
    let noted = write_one!(app, db => line.insert(db)).await;
    if noted.is_ok() {
        trace.passed(&rule::ACCOUNT, Some(Shown::word("the data were exported")));
        log::said(&trace, Happened::DataExported);
    }
    links::settle(app, trace, noted.map_err(Trouble::from))?;
    // The sign-in that led here was written behind its answer.
    app.attempts.flush_briefly().await;
    Ok(Export { app: app.clone(), user: me.user.clone(), next: Next::Profile })
}

impl Export {
    /// The pieces of the document; it is whole when none failed.
    pub fn pieces(self) -> impl Stream<Item = Result<String, Trouble>> + Send {
        stream::try_unfold(self, |mut export| async move {
            let piece = export.piece().await?;
            Ok(piece.map(|piece| (piece, export)))
        })
    }

    async fn piece(&mut self) -> Result<Option<String>, Trouble> {
        let (piece, next) = match &self.next {
            Next::Profile => (self.profile().await?, Next::List(List::Apps(None))),
            Next::List(list) => self.list(list.clone()).await?,
            Next::Nothing => return Ok(None),
        };
        self.next = next;
        Ok(Some(piece))
    }

    /// The beginning of the document, up to its first list.
    async fn profile(&self) -> Result<String, Trouble> {
        let user = &self.user;
        let set = password::find(&self.app.db, user.id).await?.map(|row| row.changed_at);
        let have = factors::of(&self.app, user.id).await?;
        let trusted = trusted_device::all_of(&self.app.db, user.id, self.app.now()).await?;
        let links = upstream_link::of(&self.app.db, user.id).await?;
        let account = json!({
            "id": user.id,
            "email": user.email,
            "email_verified": user.email_verified,
            "phone_number_verified": user.phone_number_verified,
            "administrator": user.admin,
            "language": user.locale,
            "password_changed_at": set,
            "authenticator_app_since": have.totp_since,
            "passkeys": have.passkeys.iter().map(of_passkey).collect::<Vec<_>>(),
            "recovery_codes_left": have.codes_left,
            "trusted_devices": trusted.iter().map(of_trusted).collect::<Vec<_>>(),
            "signs_in_with": links.iter().map(of_link).collect::<Vec<_>>(),
            "created_at": user.created_at,
            "updated_at": user.updated_at,
            "delete_at": user.delete_at,
        });
        let profile = serde_json::to_value(Profile::of(user)).unwrap_or_default();
        Ok(format!(
            "{{\"issuer\":{},\"exported_at\":{},\"account\":{account},\"profile\":{profile}",
            Value::from(self.app.issuer()),
            self.app.now()
        ))
    }

    /// Some rows of a list, with its beginning and its end where they are.
    async fn list(&self, list: List) -> Result<(String, Next), Trouble> {
        let (db, user) = (&self.app.db, self.user.id);
        let is_first = list.is_at_its_beginning();
        let (rows, last) = match &list {
            List::Apps(after) => self.apps(after.as_deref()).await?,
            List::Sessions(after) => {
                page(session::page_of(db, user, *after, AT_ONCE).await?, of_session, List::session)
            }
            List::Grants(after) => page(grant::page_of(db, user, *after, AT_ONCE).await?, of_grant, List::grant),
            List::Attempts(before) => {
                page(login_attempt::of(db, user, *before, AT_ONCE).await?, of_attempt, List::attempt)
            }
            List::Events(before) => page(security_event::of(db, user, *before, AT_ONCE).await?, of_event, List::event),
            List::Mails(after) => page(mail::page_of(db, user, *after, AT_ONCE).await?, of_mail, List::mail),
        };
        let mut piece = if is_first { format!(",\"{}\":[", list.name()) } else { ",".to_owned() };
        if rows.is_empty() && !is_first {
            piece.clear();
        }
        piece.push_str(&rows.iter().map(Value::to_string).collect::<Vec<_>>().join(","));
        match last.filter(|_| rows.len() as u64 == AT_ONCE) {
            Some(more) => Ok((piece, Next::List(more))),
            None => {
                piece.push(']');
                let next = list.following().map_or(Next::Nothing, Next::List);
                if matches!(next, Next::Nothing) {
                    piece.push('}');
                }
                Ok((piece, next))
            }
        }
    }

    /// What apps were allowed.
    async fn apps(&self, after: Option<&str>) -> Result<(Vec<Value>, Option<List>), Trouble> {
        let db = &self.app.db;
        let consents = consent::page_of(db, self.user.id, after, AT_ONCE).await?;
        let last = consents.last().map(|consent| List::Apps(Some(consent.client_id.clone())));
        let ids: Vec<&str> = consents.iter().map(|consent| consent.client_id.as_str()).collect();
        let clients = client::named(db, &ids).await?;
        let name = |id: &str| {
            let client = clients.iter().find(|client| client.client_id == id);
            client.and_then(|client| client.metadata.client_name.clone())
        };
        let rows = consents.iter().map(|consent| of_consent(consent, name(&consent.client_id))).collect();
        Ok((rows, last))
    }
}

fn page<T>(rows: Vec<T>, shown: fn(&T) -> Value, last: fn(&T) -> List) -> (Vec<Value>, Option<List>) {
    (rows.iter().map(shown).collect(), rows.last().map(last))
}

impl List {
    fn name(&self) -> &'static str {
        match self {
            List::Apps(_) => "apps",
            List::Sessions(_) => "sessions",
            List::Grants(_) => "grants",
            List::Attempts(_) => "login_attempts",
            List::Events(_) => "security_log",
            List::Mails(_) => "mails",
        }
    }

    fn is_at_its_beginning(&self) -> bool {
        match self {
            List::Apps(after) => after.is_none(),
            List::Sessions(key) | List::Grants(key) | List::Attempts(key) | List::Events(key) | List::Mails(key) => {
                key.is_none()
            }
        }
    }

    fn following(&self) -> Option<Self> {
        match self {
            List::Apps(_) => Some(List::Sessions(None)),
            List::Sessions(_) => Some(List::Grants(None)),
            List::Grants(_) => Some(List::Attempts(None)),
            List::Attempts(_) => Some(List::Events(None)),
            List::Events(_) => Some(List::Mails(None)),
            List::Mails(_) => None,
        }
    }

    fn session(row: &Session) -> Self {
        List::Sessions(Some(row.id))
    }

    fn grant(row: &Grant) -> Self {
        List::Grants(Some(row.id))
    }

    fn attempt(row: &LoginAttempt) -> Self {
        List::Attempts(Some(row.id))
    }

    fn event(row: &SecurityEvent) -> Self {
        List::Events(Some(row.id))
    }

    fn mail(row: &Mail) -> Self {
        List::Mails(Some(row.id))
    }
}

fn of_passkey(key: &Key) -> Value {
    json!({ "name": key.name, "synced": key.synced, "created_at": key.created_at, "last_used_at": key.last_used_at })
}

/// Who the person is at a provider.
fn of_link(link: &UpstreamLink) -> Value {
    json!({
        "provider": link.upstream,
        "issuer": link.issuer,
        "subject": link.subject,
        "known_as": link.label,
        "connected_at": link.created_at,
        "last_used_at": link.last_used_at,
    })
}

fn of_trusted(row: &TrustedDevice) -> Value {
    json!({
        "address": row.address,
        "user_agent": row.user_agent,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
    })
}

fn of_consent(row: &Consent, name: Option<String>) -> Value {
    json!({
        "client_id": row.client_id,
        "client_name": name,
        "scope": row.scope.to_string(),
        "claims": row.claims,
        "granted_at": row.granted_at,
        "last_used_at": row.last_used_at,
    })
}

fn of_session(row: &Session) -> Value {
    json!({
        "id": row.id,
        "kind": row.kind,
        "address": row.address,
        "user_agent": row.user_agent,
        "auth_time": row.auth_time,
        "methods": row.methods,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
    })
}

fn of_grant(row: &Grant) -> Value {
    json!({
        "client_id": row.client_id,
        "session_id": row.session_id,
        "scope": row.scope.to_string(),
        "resource": row.resource,
        "claims": row.claims,
        "offline": row.offline,
        "auth_time": row.auth_time,
        "created_at": row.created_at,
        "renewed_at": row.rotated_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
    })
}

fn of_attempt(row: &LoginAttempt) -> Value {
    json!({
        "at": row.at,
        "address": row.address,
        "user_agent": row.user_agent,
        "method": row.method,
        "result": row.result,
        "reason": row.reason,
    })
}

fn of_event(row: &SecurityEvent) -> Value {
    json!({
        "at": row.at,
        "event": row.kind,
        "address": row.address,
        "user_agent": row.user_agent,
        "client_id": row.client_id,
    })
}

/// What it said is not kept once it was sent, and had links in it before.
fn of_mail(row: &Mail) -> Value {
    json!({ "to": row.recipient, "letter": row.letter, "created_at": row.created_at, "sent_at": row.sent_at })
}
