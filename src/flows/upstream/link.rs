//! Somebody who is signed in connects an account at a provider with theirs, on purpose: from the page of their account, after
//! a fresh sign-in, and back to it (cases SEC-136, SEC-140).

use super::{FULL, Identity, MOST, TAKEN, Turned, Whence, Wish, arrive, begin, callback, unwelcome};
use crate::{
    app::App,
    flows::{
        account::{
            log::{self, Happened},
            me::Me,
        },
        factors::{Change, Permit, check_fresh},
        login::Standing,
        mail::{self, FactorChange},
        visitor::Visitor,
        write,
    },
    protocol::{
        Code, Error, Params, Result,
        prompt::Prompt,
        rule,
        trace::{Kind, Shown, Trace},
    },
    store::{
        upstream::{self, Upstream},
        upstream_identity::{self, UpstreamIdentity},
        upstream_link,
        upstream_login::{self, UpstreamLogin},
    },
};

/// Where the browser goes, to connect an account at this provider.
///
/// # Errors
/// `insufficient_user_authentication`; when there is no such provider, or it does not answer.
pub async fn begin(app: &App, visitor: &Visitor, me: &Me, name: &str) -> Result<String, Box<Turned>> {
    let (mut trace, mut upstream) = (me.trace(app), None);
    let begun = async {
        check_fresh(app, me).await?;
        let session = me.session.ok_or_else(Standing::lost)?;
        if upstream_link::of(&app.db, me.user.id).await?.len() >= MOST {
            return Err(unwelcome(FULL));
        }
        // Somebody who connects a second account there is not to get the first one again.
        let wish = Wish { prompt: &[Prompt::SelectAccount], ..Wish::default() };
        let (address, row) = begin::way(app, visitor, name, &mut upstream, &wish).await?;
        let row = UpstreamLogin { user_id: Some(me.user.id), session_id: Some(session), ..row };
        let permit = Permit::of(me);
        let kept = write!(app, db => {
            if !permit.holds(db).await? {
                return Ok(false);
            }
            upstream_login::insert(db, row).await?;
            Ok(true)
        });
        if !kept.await? {
            return Err(Standing::lost());
        }
        trace.passed(&rule::UPSTREAM_REACHED, Some(Shown::list([name])));
        Ok(address)
    };
    match begun.await {
        Ok(address) => {
            app.record(trace);
            Ok(address)
        }
        Err(error) => Err(Turned::of(app, trace, error, Some(Whence::Account), upstream.as_ref())),
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    Well,
    /// It was connected with this account before.
    Already,
}

/// The browser is back: whoever set out must be signed in there still, in the same session.
pub(super) async fn finish(
    app: &App,
    visitor: &Visitor,
    (begun, params): (&UpstreamLogin, &Params),
) -> Result<Linked, Box<Turned>> {
    let (mut trace, mut upstream) = (app.trace(Kind::Account).from(visitor.address), None);
    let linked = async {
        let is_theirs =
            |me: &Me| begun.session_id.is_some() && (begun.user_id, begun.session_id) == (Some(me.user.id), me.session);
        let me = Me::at(app, visitor).await?.filter(is_theirs).ok_or_else(elsewhere)?;
        trace.user_id = Some(me.user.id);
        trace.passed(&rule::UPSTREAM_STATE, Some(Shown::list([&*begun.upstream])));
        let (upstream, identity) = callback::who(app, visitor, (begun, params), &mut upstream, &mut trace).await?;
        let linked = connect(app, &me, (upstream, &identity), None, &trace).await?;
        let word = if linked == Linked::Well { "connected by its person" } else { "connected before" };
        trace.passed(&rule::UPSTREAM_ACCOUNT, Some(Shown::word(word)));
        Ok(linked)
    };
    match linked.await {
        Ok(linked) => {
            app.record(trace);
            Ok(linked)
        }
        Err(error) => Err(Turned::of(app, trace, error, Some(Whence::Account), upstream.as_ref())),
    }
}

fn elsewhere() -> Error {
    Code::AccessDenied.because("who began this is not signed in here any more").under(&rule::UPSTREAM_STATE)
}

enum Wrote {
    Well,
    Already,
    Taken,
    Full,
    /// The account or the session was changed meanwhile.
    Lost,
    /// The provider was.
    Moved,
}

/// `waited`: where this identity has waited until now, in a journey.
pub(super) async fn connect(
    app: &App,
    me: &Me,
    (upstream, who): (&Upstream, &Identity),
    waited: Option<&UpstreamIdentity>,
    trace: &Trace,
) -> Result<Linked> {
    let (told, what) = (FactorChange::ProviderLinked, Happened::ProviderLinked);
    let change = Change::new(app, trace, &me.user, &me.device, what, told).of_no_factor();
    let taken = waited.map(|waited| waited.id);
    let (row, permit, now) = (arrive::row(app, me.user.id, (upstream, who), waited), Permit::of(me), app.now());
    let (person, admin) = (me.user.id, arrive::administers(&upstream.settings, &who.profile).filter(|admin| *admin));
    let provider = upstream.clone();
    let wrote = write!(app, db => {
        if !upstream::is_still(db, &provider).await? {
            return Ok(Wrote::Moved);
        }
        // It locks the person: two ways back at once come one after the other.
        if !permit.holds(db).await? {
            return Ok(Wrote::Lost);
        }
        if let Some(taken) = taken && !upstream_identity::take(db, taken).await? {
            return Ok(Wrote::Lost);
        }
        if let Some(known) = upstream_link::find(db, &row.issuer, &row.subject).await? {
            return Ok(if known.user_id == person { Wrote::Already } else { Wrote::Taken });
        }
        if upstream_link::of(db, person).await?.len() >= MOST {
            return Ok(Wrote::Full);
        }
        upstream_link::insert(db, row).await?;
        if let Some(admin) = admin { arrive::appoint(db, person, admin, now).await? }
        change.write(db).await?;
        Ok(Wrote::Well)
    });
    match wrote.await {
        Ok(Wrote::Well) => {
            mail::send_soon(app);
            log::said(trace, what);
            Ok(Linked::Well)
        }
        Ok(Wrote::Already) => Ok(Linked::Already),
        Ok(Wrote::Taken) => Err(unwelcome(TAKEN)),
        Ok(Wrote::Full) => Err(unwelcome(FULL)),
        Ok(Wrote::Lost) => Err(Standing::lost()),
        Ok(Wrote::Moved) => Err(arrive::moved()),
        // Somebody else was quicker.
        Err(error) if crate::store::is_duplicate(&error) => Err(unwelcome(TAKEN)),
        Err(error) => Err(error.into()),
    }
}
