//! The ways into an account: nobody closes the last one behind them (cases SEC-135, SEC-140).

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::{
    app::App,
    flows::{Trouble, factors::passkey, magic_link, upstream as upstreams},
    store::{self, password, upstream, upstream_link, user},
};

/// One that is about to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Passkey(Uuid),
    Provider(Uuid),
}

/// Whether there is another way in. In the write that closes this one, with the person locked.
///
/// # Errors
/// When the database is away.
pub async fn remain(app: &App, db: &impl ConnectionTrait, person: Uuid, without: Way) -> Result<bool, DbErr> {
    if password::find(db, person).await?.is_some() {
        return Ok(true);
    }
    let passkeys = store::passkey::all_of(db, person).await?;
    if passkey::are_offered(app) && passkeys.iter().any(|row| Way::Passkey(row.id) != without) {
        return Ok(true);
    }
    let user = user::find(db, person).await?;
    if magic_link::are_on(app) && user.is_some_and(|user| user.email.is_some() && magic_link::is_reached(&user)) {
        return Ok(true);
    }
    let mut links = upstream_link::of(db, person).await?;
    links.retain(|row| Way::Provider(row.id) != without);
    if links.is_empty() {
        return Ok(false);
    }
    // Past the cache: a provider may have been switched off a moment ago.
    let providers = upstream::all(db).await?;
    Ok(links.iter().any(|link| providers.iter().any(|provider| upstreams::opens(provider, link))))
}

/// What is said to who would close it.
pub fn last() -> Trouble {
    Trouble::Conflict("it is the only way into the account; set a password first".into())
}
