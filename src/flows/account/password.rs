//! Another password (requirement AC6): needs the current one, ends every other session, and the person is told.

use super::{
    links,
    log::{self, Happened, Line},
    me::Me,
};
use crate::{
    app::App,
    flows::{
        Trouble, Why,
        login::Standing,
        mail::{self, Letter, Outgoing},
        passwords::{self, About},
        session_end::Ending,
        visitor::{Device, Visitor},
        write,
    },
    protocol::trace::Trace,
    store::{
        grant,
        mail_link::{self, LinkKind},
        user::User,
    },
};

/// # Errors
/// A problem with `current_password` or `new_password`, or 429.
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
        return Err(Trouble::field("current_password", Why::Missing));
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

/// The mail about a password that was changed, for people with an address.
pub(super) fn told(app: &App, user: &User, device: &Device) -> Option<Outgoing> {
    let letter = Letter::PasswordChanged { when: app.now(), device: device.name(), forgot: app.url("/account/forgot") };
    Some(Outgoing { to: user.email.clone()?, locale: user.locale.clone(), user_id: Some(user.id), letter })
}
