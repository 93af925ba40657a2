//! Another e-mail address (requirement AC2, case SEC-123): the new one confirms, the old one is told and can undo it.

use super::{
    links,
    log::{self, Happened, Line},
    me::Me,
    registration,
};
use crate::{
    app::App,
    crypto::secret::Secret,
    flows::{
        Trouble, Why, factors,
        mail::{self, Letter, Outgoing},
        session_end::Ending,
        visitor::Visitor,
        write,
    },
    protocol::{text, trace::Trace},
    store::{
        grant, is_duplicate,
        mail_link::{self, LinkKind},
        password, user,
    },
};

/// Asks the new address; the old one counts until it has answered. Says nothing of whether the new one has an account.
///
/// # Errors
/// A problem with `email` or `current_password`, or 429.
pub async fn ask(
    app: &App,
    visitor: &Visitor,
    me: &Me,
    new: &str,
    current_password: Option<&str>,
) -> Result<(), Trouble> {
    let mut trace = links::trace_of(app, visitor, me);
    let asked = ask_traced(app, visitor, me, (new, current_password), &mut trace).await;
    links::settle(app, trace, asked)
}

async fn ask_traced(
    app: &App,
    visitor: &Visitor,
    me: &Me,
    (new, current_password): (&str, Option<&str>),
    trace: &mut Trace,
) -> Result<(), Trouble> {
    let email = text::email(new).map_err(|why| Trouble::field("email", why))?;
    if me.user.email.as_ref() == Some(&email) && me.user.email_verified {
        return Err(Trouble::field("email", Why::Unchanged));
    }
    me.prove(app, visitor, current_password, trace).await?;
    links::count(app, visitor)?;
    links::steadily(asked(app, me, &email, trace)).await
}

async fn asked(app: &App, me: &Me, email: &str, trace: &Trace) -> Result<(), Trouble> {
    let owner = user::find_by_login(&app.db, email).await?.filter(|owner| owner.id != me.user.id);
    let letters = letters(app, me, email, owner.is_none());
    let mut concerned: Vec<_> = owner.iter().map(|owner| owner.id).chain([me.user.id]).collect();
    concerned.sort_unstable();
    let line = Line::new(app, trace, me.user.id, Happened::EmailChangeAsked, &me.device);
    let (of_app, id, now) = (app.clone(), me.user.id, app.now());
    let is_room = write!(app, db => {
        // In one order: two people who want each other's address do not wait for one another for ever.
        for person in concerned { user::find_locked(db, person).await?; }
        if !links::has_room(db, id, LinkKind::ChangeEmail, now).await? {
            return Ok(false);
        }
        for link in letters.links { mail_link::replace(db, link).await? }
        if let Some(owner) = owner { registration::tell_owner(&of_app, db, &owner).await? }
        for letter in letters.mails { mail::queue(&of_app, db, letter).await? }
        line.insert(db).await?;
        Ok(true)
    })
    .await?;
    if !is_room {
        return Ok(());
    }
    mail::send_soon(app);
    log::said(trace, Happened::EmailChangeAsked);
    Ok(())
}

struct Letters {
    links: Vec<mail_link::MailLink>,
    mails: Vec<Outgoing>,
}

/// To the new address the link that confirms, if nobody has it; to the old one the way back.
fn letters(app: &App, me: &Me, email: &str, is_free: bool) -> Letters {
    let mut letters = Letters { links: Vec::new(), mails: Vec::new() };
    let to = |email: &str, letter| Outgoing {
        to: email.to_owned(),
        locale: me.user.locale.clone(),
        user_id: Some(me.user.id),
        letter,
    };
    // Also where nobody gets it, so that it makes the link before it worthless and counts: whether it does would tell who
    // has an account.
    let link = links::fresh(app, me.user.id, LinkKind::ChangeEmail, Some(email));
    letters.links.push(link.row);
    if is_free {
        let hours = links::hours(app, LinkKind::ChangeEmail);
        letters.mails.push(to(email, Letter::ConfirmNewAddress { link: link.address, hours }));
    }
    if let Some(old) = me.user.email.as_deref().filter(|_| me.user.email_verified) {
        let link = links::fresh(app, me.user.id, LinkKind::KeepEmail, Some(old));
        letters.links.push(link.row);
        let letter = Letter::AddressChanging { new_address_hint: hint(email), undo: link.address };
        letters.mails.push(to(old, letter));
    }
    letters
}

/// Enough to recognize one's own: `a…@example.com`.
pub fn hint(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    format!("{}…@{domain}", local.chars().take(1).collect::<String>())
}

/// What the page of the link to the old address shows: that address.
///
/// # Errors
/// When the link does not work.
pub async fn look(app: &App, visitor: &Visitor, token: &str) -> Result<String, Trouble> {
    let trace = links::trace(app, visitor, None);
    let open = links::open(app, visitor, LinkKind::KeepEmail, token).await;
    links::settle(app, trace, open.map(|open| open.link.email.unwrap_or_default()))
}

/// The new address is confirmed and counts from now on. Whoever does it is the person whose account it is, here or by the
/// password: nobody gets a stranger to confirm an address for them.
///
/// # Errors
/// When the link does not work, the password is wrong or missing, or somebody has the address meanwhile.
pub async fn confirm(app: &App, visitor: &Visitor, token: &str, password: Option<&str>) -> Result<(), Trouble> {
    let mut trace = links::trace(app, visitor, None);
    let confirmed = confirm_traced(app, visitor, (token, password), &mut trace).await;
    links::settle(app, trace, confirmed)
}

async fn confirm_traced(
    app: &App,
    visitor: &Visitor,
    (token, password): (&str, Option<&str>),
    trace: &mut Trace,
) -> Result<(), Trouble> {
    let links::Open { link, user } = links::open(app, visitor, LinkKind::ChangeEmail, token).await?;
    trace.user_id = Some(user.id);
    links::prove(app, visitor, &user, password, trace).await?;
    let line = Line::new(app, trace, user.id, Happened::EmailChanged, &visitor.device);
    let (hash, now, id) = (Secret::presented(token).hash(), app.now(), user.id);
    let new = link.email.unwrap_or_default();
    let letter = user.email.clone().filter(|_| user.email_verified).map(|old| Outgoing {
        to: old,
        locale: user.locale.clone(),
        user_id: Some(id),
        letter: Letter::AddressChanged { new_address_hint: hint(&new), when: now, undo: None },
    });
    let of_app = app.clone();
    let written = write!(app, db => {
        user::find_locked(db, id).await?;
        if !mail_link::spend(db, &hash, now).await? {
            return Ok(false);
        }
        user::set_email(db, id, &new, now).await?;
        // What was mailed to the old address opens nothing any more, but the way back.
        mail_link::void(db, id, &[LinkKind::Reset, LinkKind::Verify, LinkKind::ChangeEmail, LinkKind::SignIn], now)
            .await?;
        if let Some(letter) = letter { mail::queue(&of_app, db, letter).await? }
        line.insert(db).await?;
        Ok(true)
    });
    match written.await {
        Ok(true) => {
            mail::send_soon(app);
            log::said(trace, Happened::EmailChanged);
            Ok(())
        }
        Ok(false) => Err(Trouble::Broken(links::dead())),
        Err(error) if is_duplicate(&error) => Err(Trouble::Broken(links::dead())),
        Err(error) => Err(error.into()),
    }
}

/// The old address stays, or comes back: whoever asked for another one may have been a stranger, so everything ends, the
/// password too, and the person gets a link to a new one.
///
/// # Errors
/// When the link does not work.
pub async fn keep(app: &App, visitor: &Visitor, token: &str) -> Result<(), Trouble> {
    let mut trace = links::trace(app, visitor, None);
    let kept = keep_traced(app, visitor, token, &mut trace).await;
    links::settle(app, trace, kept)
}

async fn keep_traced(app: &App, visitor: &Visitor, token: &str, trace: &mut Trace) -> Result<(), Trouble> {
    let links::Open { link, user } = links::open(app, visitor, LinkKind::KeepEmail, token).await?;
    trace.user_id = Some(user.id);
    let line = Line::new(app, trace, user.id, Happened::EmailKept, &visitor.device);
    let (hash, now, id) = (Secret::presented(token).hash(), app.now(), user.id);
    let (old, since) = (link.email.unwrap_or_default(), link.created_at);
    let reset = links::fresh(app, id, LinkKind::Reset, Some(&old));
    let minutes = links::minutes(app, LinkKind::Reset);
    let letter = Outgoing {
        to: old.clone(),
        locale: user.locale.clone(),
        user_id: Some(id),
        letter: Letter::ResetPassword { link: reset.address, minutes },
    };
    let (ending, of_app) = (Ending::within(app, &trace.id), app.clone());
    let written = write!(app, db => {
        user::find_locked(db, id).await?;
        if !mail_link::spend(db, &hash, now).await? {
            return Ok(None);
        }
        user::set_email(db, id, &old, now).await?;
        let all_but_ways_back = LinkKind::ALL.into_iter().filter(|kind| *kind != LinkKind::KeepEmail).collect::<Vec<_>>();
        mail_link::void(db, id, &all_but_ways_back, now).await?;
        mail_link::void_ways_back_since(db, id, since, now).await?;
        // Whoever wanted the other address may know the password, and may have given the account up.
        password::remove(db, id).await?;
        factors::remove_since(db, id, since).await?;
        user::keep(db, id, now).await?;
        mail_link::replace(db, reset.row).await?;
        let ended = ending.all_of(db, id).await?;
        grant::revoke_of_user(db, id, now).await?;
        user::call_back(db, id).await?;
        mail::queue(&of_app, db, letter).await?;
        line.insert(db).await?;
        Ok(Some(ended))
    });
    match written.await {
        Ok(Some(ended)) => {
            ended.tell_soon(app);
            mail::send_soon(app);
            log::said(trace, Happened::EmailKept);
            Ok(())
        }
        Ok(None) => Err(Trouble::Broken(links::dead())),
        // Somebody else has the address by now.
        Err(error) if is_duplicate(&error) => Err(Trouble::Broken(links::dead())),
        Err(error) => Err(error.into()),
    }
}
