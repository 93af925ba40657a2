//! Replacing the master key: what the previous one sealed is sealed anew with the current one (case SEC-164).

use sea_orm::DbErr;
use uuid::Uuid;

use super::{connection::Db, keys::seal_context, random::Random, writer::Writer};
use crate::{
    crypto::seal::{MasterKey, SealError},
    store::{Sealed, client, mail, sealed_secret, signing_key, totp, upstream, upstream_link, upstream_session},
};

/// What the master key seals a secret of our own with, besides itself.
pub fn secret_context(name: &str) -> String {
    format!("sealed_secret/{name}/value")
}

/// What the master key seals a client's secret with, besides itself.
pub fn client_context(client_id: &str) -> String {
    format!("client/{client_id}/sealed_secret")
}

/// What the master key seals a letter with, besides itself.
pub fn mail_context(id: Uuid) -> String {
    format!("mail/{id}/content")
}

/// What the master key seals the secret of somebody's authenticator app with, besides itself.
pub fn totp_context(user: Uuid) -> String {
    format!("totp/{user}/secret")
}

/// What the master key seals a provider's secret with, besides itself.
pub fn upstream_context(id: Uuid) -> String {
    format!("upstream/{id}/sealed_secret")
}

/// What the master key seals an ID token of a provider with, besides itself.
pub fn hint_context(id: Uuid) -> String {
    format!("upstream_session/{id}/hint")
}

/// What the master key seals somebody's tokens of a provider with, besides itself.
pub fn tokens_context(link: Uuid) -> String {
    format!("upstream_link/{link}/sealed_tokens")
}

/// What the master key seals a provider's answer with, besides itself. It lives for a minute and is not sealed anew.
pub fn answer_context(id: Uuid) -> String {
    format!("upstream_login/{id}/answer")
}

/// Both keys, and what sealing needs.
pub struct Change<'a> {
    pub current: &'a MasterKey,
    pub previous: &'a MasterKey,
    pub random: &'a Random,
}

impl Change<'_> {
    /// Every sealed value; those under the current key already are left alone, so it can be repeated. Answers how
    /// many were sealed anew.
    ///
    /// # Errors
    /// When the database does not answer. What neither key opens is left for the start to refuse.
    pub async fn apply(&self, db: &Db, writer: &Writer) -> Result<usize, DbErr> {
        let mut count = 0;
        for row in sealed_secret::all(db).await? {
            if let Some(new) = self.anew(&secret_context(&row.name), &row.value) {
                let write = writer.write_one(Box::new(move |db| {
                    Box::pin(async move { sealed_secret::reseal(db, &row.name, &row.value, new).await })
                }));
                write.await?;
                count += 1;
            }
        }
        for row in signing_key::all(db).await? {
            if let Some(new) = self.anew(&seal_context(&row.kid), &row.private_key) {
                let write = writer.write_one(Box::new(move |db| {
                    Box::pin(async move { signing_key::reseal(db, &row.kid, &row.private_key, new).await })
                }));
                write.await?;
                count += 1;
            }
        }
        for row in client::all(db).await? {
            let Some(old) = row.sealed_secret else { continue };
            if let Some(new) = self.anew(&client_context(&row.client_id), &old) {
                let write = writer.write_one(Box::new(move |db| {
                    Box::pin(async move { client::reseal(db, &row.client_id, &old, new).await })
                }));
                write.await?;
                count += 1;
            }
        }
        for row in mail::sealed(db).await? {
            let Some(old) = row.content else { continue };
            if let Some(new) = self.anew(&mail_context(row.id), &old) {
                let write = writer
                    .write_one(Box::new(move |db| Box::pin(async move { mail::reseal(db, row.id, &old, new).await })));
                write.await?;
                count += 1;
            }
        }
        for row in totp::all(db).await? {
            if let Some(new) = self.anew(&totp_context(row.user_id), &row.secret) {
                let write = writer.write_one(Box::new(move |db| {
                    Box::pin(async move { totp::reseal(db, row.user_id, &row.secret, new).await })
                }));
                write.await?;
                count += 1;
            }
        }
        for row in upstream::all(db).await? {
            let Some(old) = row.sealed_secret else { continue };
            if let Some(new) = self.anew(&upstream_context(row.id), &old) {
                let write = writer.write_one(Box::new(move |db| {
                    Box::pin(async move { upstream::reseal(db, row.id, &old, new).await })
                }));
                write.await?;
                count += 1;
            }
        }
        let mut after = None;
        while let Some(rows) = upstream_link::sealed(db, after).await? {
            for (id, old) in rows {
                after = Some(id);
                if let Some(new) = self.anew(&tokens_context(id), &old) {
                    let write = writer.write_one(Box::new(move |db| {
                        Box::pin(async move { upstream_link::reseal(db, id, &old, new).await })
                    }));
                    write.await?;
                    count += 1;
                }
            }
        }
        let mut after = None;
        while let Some(rows) = upstream_session::sealed(db, after).await? {
            for (id, old) in rows {
                after = Some(id);
                if let Some(new) = self.anew(&hint_context(id), &old) {
                    let write = writer.write_one(Box::new(move |db| {
                        Box::pin(async move { upstream_session::reseal(db, id, &old, new).await })
                    }));
                    write.await?;
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    fn anew(&self, context: &str, sealed: &Sealed) -> Option<Sealed> {
        match self.current.open(context, &sealed.0) {
            Err(SealError::WrongKey { .. }) => {
                let plain = self.previous.open(context, &sealed.0).ok()?;
                Some(Sealed(self.current.seal(context, &plain, self.random.bytes())))
            }
            _ => None,
        }
    }
}
