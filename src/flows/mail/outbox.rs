//! Without a mail server and with a local issuer, mails lie here for a day instead, for whoever develops with it.

use uuid::Uuid;

use super::{
    Mail, send,
    words::{self, Rendered},
};
use crate::{app::App, protocol::Result, store::mail};

/// A mail as it would have been sent.
#[derive(Debug, Clone)]
pub struct Kept {
    pub mail: Mail,
    pub rendered: Rendered,
}

/// So many are listed.
const MOST: u64 = 100;

/// The newest first.
///
/// # Errors
/// When the database is away.
pub async fn list(app: &App) -> Result<Vec<Kept>> {
    let mut list = Vec::new();
    for mail in mail::kept(&app.db, MOST).await? {
        list.extend(read(app, mail).await?);
    }
    Ok(list)
}

/// # Errors
/// When the database is away.
pub async fn find(app: &App, id: Uuid) -> Result<Option<Kept>> {
    match mail::find(&app.db, id).await?.filter(|mail| mail.kept_at.is_some()) {
        Some(mail) => read(app, mail).await,
        None => Ok(None),
    }
}

async fn read(app: &App, mail: Mail) -> Result<Option<Kept>> {
    let Some(letter) = send::opened(app, &mail) else { return Ok(None) };
    let rendered = words::render(app, &letter, send::language(app, &mail).await?);
    Ok(rendered.ok().map(|rendered| Kept { mail, rendered }))
}
