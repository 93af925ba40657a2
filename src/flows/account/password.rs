//! Another password (requirement AC6): needs the current one, ends every other session, and the person is told. Who has none
//! gets a first one after a fresh sign-in.

use super::{
    links,
    log::{self, Happened, Line},
    me::Me,
};
use crate::{
    app::App,
    flows::{
        Trouble, Why,
        factors::{Change, Permit, check_fresh},
        login::Standing,
        mail::{self, FactorChange, Letter, Outgoing},
        passwords::{self, About},
        session_end::Ending,
        visitor::{Device, Visitor},
        write,
    },
    protocol::trace::Trace,
    store::{
        grant,
        mail_link::{self, LinkKind},
        password,
        user::User,
    },
};

/// # Errors
/// A problem with `current_password` or `new_password`, `insufficient_user_authentication` for who has none yet, or 429.
pub async fn change(app: &App, visitor: &Visitor, me: &Me, current: &str, new: &str) -> Result<(), Trouble> {
    let mut trace = links::trace_of(app, visitor, me);
    let changed = change_traced(app, visitor, me, (current, new), &mut trace).await;
    links::settle(app, trace, changed)
}

async fn change_traced(
    app: &App,
    visitor: &Visitor,
    me: &Me,
    (current, new): (&str, &str),
    trace: &mut Trace,
) -> Result<(), Trouble> {
    if current.is_empty() {
        return match passwords::has(app, me.user.id).await? {
            true => Err(Trouble::field("current_password", Why::Missing)),
            false => set_first(app, me, new, trace).await,
        };
    }
    let standing = me.prove_password(app, visitor, current, trace).await?;
    let fresh = passwords::prepare(app, &About::person(&me.user), new).await;
    let fresh = fresh.map_err(|trouble| trouble.in_field("new_password"))?;
    let line = Line::new(app, trace, me.user.id, Happened::PasswordChanged, &me.device);
    let letter = told(app, &me.user, &me.device);
    let (now, id, session) = (app.now(), me.user.id, me.session);
    let (ending, of_app) = (Ending::within(app, &trace.id), app.clone());
    let ended = write!(app, db => {
        if !standing.holds(db).await? {
            return Ok(None);
        }
        fresh.set(db, id).await?;
        let ended = ending.others_of(db, id, session).await?;
        grant::revoke_others_of_user(db, id, session, now).await?;
        mail_link::void(db, id, &[LinkKind::Reset, LinkKind::ChangeEmail, LinkKind::SignIn], now).await?;
        if let Some(letter) = letter { mail::queue(&of_app, db, letter).await? }
        line.insert(db).await?;
        Ok(Some(ended))
    });
    ended.await?.ok_or_else(|| Trouble::Broken(Standing::lost()))?.tell_soon(app);
    mail::send_soon(app);
    log::said(trace, Happened::PasswordChanged);
    Ok(())
}

enum Set {
    Well,
    /// There is one by now.
    Other,
    /// The account was changed meanwhile.
    Lost,
}

/// It is another way in, and ends nothing: as with a factor, who is signed in stays so.
async fn set_first(app: &App, me: &Me, new: &str, trace: &Trace) -> Result<(), Trouble> {
    check_fresh(app, me).await?;
    let fresh = passwords::prepare(app, &About::person(&me.user), new).await;
    let fresh = fresh.map_err(|trouble| trouble.in_field("new_password"))?;
    let (told, what) = (FactorChange::PasswordSet, Happened::PasswordSet);
    let change = Change::new(app, trace, &me.user, &me.device, what, told);
    let (permit, id, now) = (Permit::of(me), me.user.id, app.now());
    let set = write!(app, db => {
        // It locks the person: of two who set one at once, one does.
        if !permit.holds(db).await? {
            return Ok(Set::Lost);
        }
        if password::find(db, id).await?.is_some() {
            return Ok(Set::Other);
        }
        fresh.set(db, id).await?;
        // But the link that confirms an address: whoever has just come by a provider waits for it.
        mail_link::void(db, id, &[LinkKind::Reset], now).await?;
        change.write(db).await?;
        Ok(Set::Well)
    });
    match set.await? {
        Set::Well => {
            mail::send_soon(app);
            log::said(trace, what);
            Ok(())
        }
        Set::Other => Err(Trouble::field("current_password", Why::Missing)),
        Set::Lost => Err(Standing::lost().into()),
    }
}

/// The mail about a password that was changed, for people with an address.
pub(super) fn told(app: &App, user: &User, device: &Device) -> Option<Outgoing> {
    let letter = Letter::PasswordChanged { when: app.now(), device: device.name(), forgot: app.url("/account/forgot") };
    Some(Outgoing { to: user.email.clone()?, locale: user.locale.clone(), user_id: Some(user.id), letter })
}
