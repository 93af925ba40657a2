//! What people say of themselves (requirement AC8): replaced as a whole or changed member by member (RFC 7396), and the
//! part of it that others may see. The e-mail address has a flow of its own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    links,
    log::{self, Happened, Line},
    me::Me,
    profile_change::{self, Change},
};
use crate::{
    app::{App, throttle::Key},
    config::Audience,
    flows::{Field, Trouble, Why, write},
    protocol::{
        claims::StandardClaims,
        rule,
        trace::{Shown, Trace},
    },
    store::{
        is_duplicate,
        user::{self, User},
    },
};

/// All that is a person's to say. What is absent is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    #[serde(flatten)]
    pub claims: StandardClaims,
}

impl Profile {
    pub fn of(user: &User) -> Self {
        Profile {
            username: user.username.clone(),
            phone_number: user.phone_number.clone(),
            bio: user.bio.clone(),
            claims: user.claims.clone(),
        }
    }
}

/// The whole profile anew, as a form has it.
///
/// # Errors
/// What is wrong with a field, or 429.
pub async fn replace(app: &App, me: &Me, profile: Profile) -> Result<User, Trouble> {
    put(app, me, move |_| Ok(profile.clone())).await
}

/// The same from JSON: what is absent or null is no more.
///
/// # Errors
/// What is wrong with a member, members that are not the person's to set among them (case SEC-145), or 429.
pub async fn replace_members(app: &App, me: &Me, members: Map<String, Value>) -> Result<User, Trouble> {
    put(app, me, move |user| profile_change::merged(user, &Profile::default(), &members)).await
}

/// RFC 7396: null removes, and what is absent stays.
///
/// # Errors
/// What is wrong with a member, members that are not the person's to set among them (case SEC-145), or 429.
pub async fn patch(app: &App, me: &Me, changes: Map<String, Value>) -> Result<User, Trouble> {
    put(app, me, move |user| profile_change::merged(user, &Profile::of(user), &changes)).await
}

/// What a profile is to become, given the person as they are.
trait Wish: Fn(&User) -> Result<Profile, Vec<Field>> + Send + 'static {}

impl<F: Fn(&User) -> Result<Profile, Vec<Field>> + Send + 'static> Wish for F {}

async fn put(app: &App, me: &Me, wish: impl Wish) -> Result<User, Trouble> {
    let mut trace = me.trace(app);
    let put = put_traced(app, me, wish, &mut trace).await;
    links::settle(app, trace, put)
}

async fn put_traced(app: &App, me: &Me, wish: impl Wish, trace: &mut Trace) -> Result<User, Trouble> {
    // What is wrong anyway keeps nobody waiting at the door for writes.
    let change = judged(app, &me.user, &wish)?;
    let asks = [Key::Names(me.user.id)];
    if change.asks_for_a_name() {
        app.throttle.check(&asks, app.now())?;
    }
    let line = Line::new(app, trace, me.user.id, Happened::ProfileChanged, &me.device);
    let (of_app, id, now) = (app.clone(), me.user.id, app.now());
    let written = write!(app, db => {
        let Some(user) = user::find_locked(db, id).await? else { return Ok(Err(Trouble::NotFound("user"))) };
        let change = match judged(&of_app, &user, &wish) {
            Ok(change) => change,
            Err(trouble) => return Ok(Err(trouble)),
        };
        if change.is_empty() {
            return Ok(Ok((user, false)));
        }
        let taken = user::taken(db, &change.wanted(), Some(id)).await?;
        if !taken.is_empty() {
            return Ok(Err(Trouble::Invalid(taken.into_iter().map(Field::taken).collect())));
        }
        let user = User { updated_at: now, ..change.user };
        user::set_profile(db, &user).await?;
        line.insert(db).await?;
        Ok(Ok((user, true)))
    });
    let written = match written.await {
        Err(error) if is_duplicate(&error) => Err(Trouble::Invalid(change.names().map(Field::taken).collect())),
        other => other?,
    };
    match written {
        Ok((user, true)) => {
            trace.passed(&rule::ACCOUNT, Some(Shown::word("the profile was changed")));
            log::said(trace, Happened::ProfileChanged);
            Ok(user)
        }
        Ok((user, false)) => Ok(user),
        Err(trouble) => {
            if matches!(&trouble, Trouble::Invalid(fields) if fields.iter().any(|field| field.why == Why::Taken)) {
                app.throttle.failed(&asks, app.now());
            }
            Err(trouble)
        }
    }
}

fn judged(app: &App, user: &User, wish: &impl Wish) -> Result<Change, Trouble> {
    wish(user).and_then(|profile| profile_change::judge(app, user, profile)).map_err(Trouble::Invalid)
}

/// What others see of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    pub id: Uuid,
    pub name: Option<String>,
    pub username: Option<String>,
    pub picture: Option<String>,
    pub bio: Option<String>,
}

/// Of somebody whom the viewer may see: people see themselves, administrators see everybody, and everybody sees everybody
/// where the settings say so. Nobody learns here who there is otherwise.
///
/// # Errors
/// When there is no such person, or not for the viewer.
pub async fn public(app: &App, viewer: &Me, id: Uuid) -> Result<Public, Trouble> {
    let sees_all = viewer.user.admin || app.config.accounts.public_profiles == Audience::Everybody;
    if id != viewer.user.id && !sees_all {
        return Err(Trouble::NotFound("user"));
    }
    let user = user::find(&app.db, id).await?;
    let user = user.filter(|user| viewer.user.admin || user.is_enabled() && user.unconfirmed_since.is_none());
    let user = user.ok_or(Trouble::NotFound("user"))?;
    let User { id, username, bio, claims: StandardClaims { name, picture, .. }, .. } = user;
    Ok(Public { id, name, username, picture, bio })
}
