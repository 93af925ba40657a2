//! `/account/security` and `/account/security/sign-ins`: what happened to an account, and who tried to sign in.

use poem::{Response, handler};
use uuid::Uuid;

use super::area;
use crate::{
    app::App,
    flows::account::log::{self, LoginAttempt, Part, SecurityEvent},
    http::{
        headers::Policy,
        pages::{
            authorize::either,
            forms,
            request::Page,
            view::View,
            views::{self, LogEntry, Moment, Section, SecurityPage},
        },
    },
    protocol::user_agent::UserAgent,
};

/// On one page.
const MOST: u64 = 20;

#[handler]
pub async fn events(mut page: Page) -> Response {
    either(shown(&mut page, false).await)
}

#[handler]
pub async fn attempts(mut page: Page) -> Response {
    either(shown(&mut page, true).await)
}

async fn shown(page: &mut Page, of_attempts: bool) -> Result<Response, Box<Response>> {
    let me = area::me(page).await?;
    let before = page.query.get("before").and_then(|id| Uuid::try_parse(id).ok());
    let (app, person) = (&page.app, me.user.id);
    let refuse = |trouble| Box::new(forms::refuse(page, trouble));
    let (entries, next) = match of_attempts {
        true => {
            let Part { items, next } = log::attempts(app, person, before, MOST).await.map_err(refuse)?;
            (items.iter().map(|row| of_attempt(page, row)).collect(), next)
        }
        false => {
            let Part { items, next } = log::events(app, person, before, MOST).await.map_err(refuse)?;
            let mut entries = Vec::with_capacity(items.len());
            for row in &items {
                entries.push(of_event(page, row).await);
            }
            (entries, next)
        }
    };
    let path = page.browser.path(if of_attempts { "/account/security/sign-ins" } else { "/account/security" });
    let view = SecurityPage {
        frame: area::frame(page, Section::Security),
        area: area::area(page, Section::Security),
        attempts: of_attempts,
        entries,
        newest: before.map(|_| path.clone()),
        older: next.map(|id| format!("{path}?before={id}")),
    };
    Ok(page.show(View::ok(view), &Policy::default()))
}

async fn of_event(page: &Page, row: &SecurityEvent) -> LogEntry {
    LogEntry {
        title: views::event(page.browser.texts, &row.kind),
        odd: matches!(
            row.kind.as_str(),
            "new_device" | "locked" | "email_change_asked" | "deletion_planned" | "recovery_code_used" | "totp_removed"
        ),
        when: Moment::of(page.browser.texts, row.at),
        device: row.user_agent.as_deref().and_then(device),
        address: row.address.clone(),
        app: match &row.client_id {
            Some(id) => Some(name(&page.app, id).await),
            None => None,
        },
    }
}

fn of_attempt(page: &Page, row: &LoginAttempt) -> LogEntry {
    let reason = match (row.method.as_str(), row.result.as_str()) {
        ("password_again", "ok") => "again",
        _ => &row.reason,
    };
    LogEntry {
        title: views::attempt(page.browser.texts, reason),
        odd: row.result != "ok",
        when: Moment::of(page.browser.texts, row.at),
        device: row.user_agent.as_deref().and_then(device),
        address: row.address.clone(),
        app: None,
    }
}

fn device(text: &str) -> Option<String> {
    UserAgent::read(text).name()
}

/// What people know the app by, or its id once it is gone.
async fn name(app: &App, client_id: &str) -> String {
    let client = crate::flows::admin::clients::find(app, client_id).await.ok();
    client.and_then(|client| client.metadata.client_name).unwrap_or_else(|| client_id.to_owned())
}
