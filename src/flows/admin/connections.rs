//! Accounts at providers that open somebody's, as operators handle them: for people who are brought along with what they had
//! elsewhere, and for accounts that somebody else has got into.

use uuid::Uuid;

use crate::{
    app::App,
    flows::{
        Trouble,
        account::log::Happened,
        event::{self, Changed},
        factors::Change,
        mail::{self, FactorChange},
        session_end::Ending,
        upstream as upstreams, write,
    },
    protocol::trace::{Kind, Trace},
    store::{
        grant, is_duplicate, upstream,
        upstream_link::{self, UpstreamLink},
        user::{self, User},
    },
};

pub use crate::store::upstream_link::UpstreamLink as Connection;

/// Somebody's, the oldest first.
///
/// # Errors
/// When there is no such person.
pub async fn of(app: &App, person: Uuid) -> Result<Vec<Connection>, Trouble> {
    find(app, person).await?;
    Ok(upstream_link::of(&app.db, person).await?)
}

enum Wrote {
    Well,
    /// It opens an account already.
    Taken,
    NoPerson,
    NoProvider,
}

/// Whoever the provider means by this subject comes into the account from now on. The person is told.
///
/// # Errors
/// When there is no such person or provider, it can mean nobody by that, or this subject opens an account already.
pub async fn connect(app: &App, person: Uuid, provider: &str, subject: &str) -> Result<Connection, Trouble> {
    let user = find(app, person).await?;
    let upstream = upstream::find(&app.db, provider).await?.ok_or_else(no_provider)?;
    let kind = upstreams::kind(&upstream.settings.kind).ok_or_else(no_provider)?;
    if !kind.can_name(subject) {
        return Err(Trouble::field("subject", "is not how this provider names anybody; of github it is a number"));
    }
    let issuer = kind.issuer_of(&upstream);
    let row = UpstreamLink {
        id: app.id(),
        user_id: person,
        identity: upstream_link::identity(&issuer, subject),
        upstream: upstream.name.clone(),
        issuer,
        subject: subject.to_owned(),
        label: None,
        sealed_tokens: None,
        created_at: app.now(),
        last_used_at: app.now(),
    };
    let change = change(app, &user, Happened::ProviderLinked, FactorChange::ProviderLinked).1.of_no_factor();
    let made = row.clone();
    let wrote = write!(app, db => {
        // The provider first: while it is held it becomes no other, to which the subject would be somebody else.
        let now = upstream::find_locked(db, &upstream.name).await?;
        if !now.is_some_and(|now| now.id == upstream.id && !now.settings.is_another(&upstream.settings)) {
            return Ok(Wrote::NoProvider);
        }
        if user::find_locked(db, person).await?.is_none() {
            return Ok(Wrote::NoPerson);
        }
        if upstream_link::find(db, &made.issuer, &made.subject).await?.is_some() {
            return Ok(Wrote::Taken);
        }
        upstream_link::insert(db, made).await?;
        change.write(db).await?;
        Ok(Wrote::Well)
    });
    match wrote.await {
        Ok(Wrote::Well) => {
            mail::send_soon(app);
            event::changed(Changed::User(person), "provider connected");
            Ok(row)
        }
        Ok(Wrote::Taken) => Err(taken()),
        Ok(Wrote::NoPerson) => Err(Trouble::NotFound("user")),
        Ok(Wrote::NoProvider) => Err(no_provider()),
        // Somebody else was quicker.
        Err(error) if is_duplicate(&error) => Err(taken()),
        Err(error) => Err(error.into()),
    }
}

/// It opens the account no more, and whoever is in the account is so no longer: they may have come by it. The person is
/// told. That it was the last way in keeps no operator from it; a new password opens the account again.
///
/// # Errors
/// When there is no such person, or they have none such.
pub async fn disconnect(app: &App, person: Uuid, id: Uuid) -> Result<(), Trouble> {
    let user = find(app, person).await?;
    let (trace_id, change) = change(app, &user, Happened::ProviderUnlinked, FactorChange::ProviderUnlinked);
    let (now, ending) = (app.now(), Ending::within(app, &trace_id));
    let ended = write!(app, db => {
        // Whoever signs in at this moment does so before, and loses it, or after.
        user::find_locked(db, person).await?;
        if !upstream_link::remove(db, person, id).await? {
            return Ok(None);
        }
        let ended = ending.all_of(db, person).await?;
        grant::revoke_of_user(db, person, now).await?;
        user::call_back(db, person).await?;
        change.write(db).await?;
        Ok(Some(ended))
    });
    ended.await?.ok_or(Trouble::NotFound("connected provider"))?.tell_soon(app);
    mail::send_soon(app);
    event::changed(Changed::User(person), "provider disconnected");
    Ok(())
}

async fn find(app: &App, person: Uuid) -> Result<User, Trouble> {
    user::find(&app.db, person).await?.ok_or(Trouble::NotFound("user"))
}

/// With the id of the run that makes it.
fn change(app: &App, user: &User, what: Happened, told: FactorChange) -> (String, Change) {
    let trace = Trace { user_id: Some(user.id), ..app.trace(Kind::Account) };
    let change = Change::by_operator(app, &trace, user, what, told);
    (trace.id, change)
}

fn no_provider() -> Trouble {
    Trouble::field("provider", "is not the name of one; `signet providers list` and GET /api/providers show all")
}

fn taken() -> Trouble {
    Trouble::Conflict("this subject opens an account already, this one or another".to_owned())
}
