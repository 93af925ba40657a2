//! Somebody has come by a provider, and signs in to their account to show that it is theirs: then both are connected, if
//! the person says so.

use uuid::Uuid;

use super::{Identity, Tokens, arrive, find, label, title};
use crate::{
    app::App,
    crypto::secret::equal,
    flows::{
        Refused,
        authorize::{self, Journey},
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

/// The person's answer. Nothing happens where nobody has signed in since.
///
/// # Errors
/// When the journey is over or another browser's.
pub async fn answer(app: &App, id: Uuid, visitor: &Visitor, yes: bool) -> Result<(), Refused> {
    let journey = authorize::look(app, id, visitor, Kind::Login).await?;
    let mut trace = journey.trace;
    let answered = async {
        let Some((row, upstream)) = waiting(app, visitor, id).await? else { return Ok(()) };
        let Some((_, user)) = journey.signed_in.filter(|_| journey.step == Step::Connect) else { return Ok(()) };
        trace.user_id = Some(user.id);
        let of = row.id;
        let is_first = write_one!(app, db => upstream_identity::take(db, of)).await?;
        if yes && is_first {
            arrive::connect(app, visitor, &user, (&upstream, &identity(&row)), &trace).await?;
        }
        let word = if yes { "connected by its person" } else { "not the person's" };
        trace.passed(&rule::UPSTREAM_ACCOUNT, Some(Shown::word(word)));
        Ok(())
    };
    let answered = answered.await;
    settle(app, trace, answered)
}
