//! Somebody has come by a provider, and signs in to their account to show that it is theirs: then both are connected, if
//! the person says so.

use uuid::Uuid;

use super::{Identity, Tokens, find, label, link, title};
use crate::{
    app::App,
    crypto::secret::equal,
    flows::{
        Refused,
        account::me::Me,
        authorize::{self, Journey},
        factors::check_fresh,
        settle,
        visitor::Visitor,
        write_one,
    },
    protocol::{
        Result, rule,
        step::Step,
        trace::{Kind, Shown},
    },
    store::{
        upstream::Upstream,
        upstream_identity::{self, UpstreamIdentity},
        user::User,
    },
};

/// What the page shows.
pub struct Asked {
    pub journey: Journey,
    /// What people call the provider.
    pub provider: String,
    /// What the person recognizes the account there by.
    pub label: Option<String>,
    /// Whom it would be connected with; none before the person has signed in.
    pub user: Option<User>,
    /// The person may have an account instead.
    pub may_sign_up: bool,
}

/// None where nobody waits.
///
/// # Errors
/// When the journey is over or another browser's.
pub async fn look(app: &App, id: Uuid, visitor: &Visitor) -> Result<Option<Asked>, Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let trace = journey.trace.clone();
    match waiting(app, visitor, id).await {
        Ok(Some((row, upstream))) => {
            let user =
                journey.signed_in.as_ref().filter(|_| journey.step == Step::Connect).map(|(_, user)| user.clone());
            let (provider, label) = (title(&upstream), label(&row.profile.0));
            Ok(Some(Asked { journey, provider, label, user, may_sign_up: upstream.settings.sign_up }))
        }
        Ok(None) => Ok(None),
        Err(error) => settle(app, trace, Err(error)),
    }
}

/// Who waits in this journey, at this very browser.
pub(super) async fn waiting(
    app: &App,
    visitor: &Visitor,
    journey: Uuid,
) -> Result<Option<(UpstreamIdentity, Upstream)>> {
    let row = upstream_identity::of_journey(&app.db, journey, app.now()).await?;
    let Some(row) = row.filter(|row| equal(&row.browser_hash.0, &visitor.browser_hash().0)) else { return Ok(None) };
    Ok(find(app, &row.upstream).await?.map(|upstream| (row, upstream)))
}

/// As it came from the provider.
pub(super) fn identity(row: &UpstreamIdentity) -> Identity {
    Identity {
        issuer: row.issuer.clone(),
        subject: row.subject.clone(),
        profile: row.profile.0.clone(),
        sid: None,
        tokens: Tokens::default(),
    }
}

/// How it went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    Well,
    /// The person signs in once more, by all that they have: it changes who can get in (case SEC-140).
    Again,
}

/// The person's answer. Nothing happens where nobody has signed in since.
///
/// # Errors
/// When the journey is over or another browser's, or the identity cannot be connected.
pub async fn answer(app: &App, id: Uuid, visitor: &Visitor, yes: bool) -> Result<Answered, Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let mut trace = journey.trace;
    let answered = async {
        let Some((row, upstream)) = waiting(app, visitor, id).await? else { return Ok(Answered::Well) };
        if journey.signed_in.is_none() || journey.step != Step::Connect {
            return Ok(Answered::Well);
        }
        let word = if yes {
            let Some(me) = Me::at(app, visitor).await? else { return Ok(Answered::Again) };
            trace.user_id = Some(me.user.id);
            if check_fresh(app, &me).await.is_err() {
                return Ok(Answered::Again);
            }
            link::connect(app, &me, (&upstream, &identity(&row)), Some(&row), &trace).await?;
            "connected by its person"
        } else {
            let of = row.id;
            write_one!(app, db => upstream_identity::take(db, of)).await?;
            "not the person's"
        };
        trace.passed(&rule::UPSTREAM_ACCOUNT, Some(Shown::word(word)));
        Ok(Answered::Well)
    };
    let answered = answered.await;
    settle(app, trace, answered)
}
