//! The ways into an account: nobody closes the last one behind them (cases SEC-135, SEC-140).

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::me::Me;
use crate::{
    app::App,
    flows::{
        Trouble,
        factors::{self, Change, Permit, check_fresh, passkey},
        login::Standing,
        magic_link, upstream as upstreams, write,
    },
    store::{self, password, upstream, upstream_link, user},
};

/// One that is about to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Passkey(Uuid),
    Provider(Uuid),
}

/// Whether there is another way in. In the write that closes this one, with the person locked.
async fn remain(app: &App, db: &impl ConnectionTrait, person: Uuid, without: Way) -> Result<bool, DbErr> {
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

enum Closed {
    Well,
    /// There was none.
    None,
    /// It is the last.
    Last,
    /// The account was changed meanwhile.
    Lost,
}

/// Nobody comes by it any more; with the last factor the recovery codes go too.
///
/// # Errors
/// `insufficient_user_authentication`, that there is none such, or that nothing else would open the account.
pub(in crate::flows) async fn close(app: &App, me: &Me, way: Way, change: Change) -> Result<(), Trouble> {
    check_fresh(app, me).await?;
    let (person, permit, of_app) = (me.user.id, Permit::of(me), app.clone());
    let closed = write!(app, db => {
        // It locks the person: of two ways in that are closed at once, one is the last.
        if !permit.holds(db).await? {
            return Ok(Closed::Lost);
        }
        if !remain(&of_app, db, person, way).await? {
            return Ok(Closed::Last);
        }
        let was_there = match way {
            Way::Passkey(id) => store::passkey::remove(db, person, id).await?,
            Way::Provider(id) => upstream_link::remove(db, person, id).await?,
        };
        if !was_there {
            return Ok(Closed::None);
        }
        factors::tidy(db, person).await?;
        change.write(db).await?;
        Ok(Closed::Well)
    });
    match (closed.await?, way) {
        (Closed::Well, _) => Ok(()),
        (Closed::None, Way::Passkey(_)) => Err(Trouble::NotFound("passkey")),
        (Closed::None, Way::Provider(_)) => Err(Trouble::NotFound("connected provider")),
        (Closed::Lost, _) => Err(Standing::lost().into()),
        (Closed::Last, _) => Err(Trouble::Conflict("it is the only way into the account; set a password first".into())),
    }
}
