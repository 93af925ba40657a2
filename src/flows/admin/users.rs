//! People, as operators handle them.

use uuid::Uuid;

use crate::{
    app::App,
    flows::{
        Field, Trouble,
        account::removal,
        event::{self, Changed},
        passwords::{self, About},
        profile_rules as rules,
        session_end::{Ended, Ending},
        write,
    },
    protocol::{claims::StandardClaims, text},
    store::{
        grant, is_duplicate,
        mail_link::{self, LinkKind},
        user::{self, Wanted},
    },
};

pub use crate::store::user::User;

/// A person to be.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub phone_number: Option<String>,
    pub phone_number_verified: bool,
    pub claims: StandardClaims,
    pub password: Option<String>,
    pub admin: bool,
}

/// # Errors
/// What is wrong with a field, or that the name or address is taken.
pub async fn create(app: &App, new: NewUser) -> Result<User, Trouble> {
    let (user, password) = prepare(app, new).await?;
    if let Some(what) = user::taken(&app.db, &Wanted::by(&user), None).await?.first() {
        return Err(taken(what));
    }
    let row = user.clone();
    let written = write!(app, db => {
        let id = row.id;
        user::insert(db, row).await?;
        if let Some(password) = password { password.set(db, id).await? }
        Ok(())
    });
    match written.await {
        Ok(()) => {
            event::changed(Changed::User(user.id), "created");
            Ok(user)
        }
        Err(error) if is_duplicate(&error) => Err(taken("login")),
        Err(error) => Err(error.into()),
    }
}

fn taken(what: &str) -> Trouble {
    let what = match what {
        "username" => "user name",
        "email" => "e-mail address",
        "phone_number" => "telephone number",
        _ => "user name, e-mail address or telephone number",
    };
    Trouble::Conflict(format!("somebody has this {what} already"))
}

/// The row and the password's hash; nothing is written.
///
/// # Errors
/// What is wrong with a field.
pub async fn prepare(app: &App, mut new: NewUser) -> Result<(User, Option<passwords::New>), Trouble> {
    let given = new.password.take();
    let (user, mut problems) = person(app, new);
    if let Some(weak) = given.as_deref().and_then(|given| passwords::weakness(app, &About::person(&user), given)) {
        problems.push(Field { name: "password", why: weak.into() });
    }
    if !problems.is_empty() {
        return Err(Trouble::Invalid(problems));
    }
    let password = match given {
        Some(given) => Some(passwords::hash(app, &given).await?),
        None => None,
    };
    Ok((user, password))
}

/// The row of somebody who is known by a provider, and needs no name or address for that.
///
/// # Errors
/// What is wrong with a field.
pub(in crate::flows) fn without_address(app: &App, new: NewUser) -> Result<User, Trouble> {
    let is_nameless = new.username.is_none();
    let (user, mut problems) = person(app, new);
    problems.retain(|problem| !(is_nameless && problem.name == "email"));
    if problems.is_empty() { Ok(user) } else { Err(Trouble::Invalid(problems)) }
}

/// The row, and what is wrong with it.
pub(super) fn person(app: &App, new: NewUser) -> (User, Vec<Field>) {
    let mut problems = Vec::new();
    let username = rules::username(app, new.username.as_deref(), &mut problems);
    let email = rules::in_form("email", new.email.as_deref(), text::email, &mut problems);
    if username.is_none() && email.is_none() && problems.is_empty() {
        problems.push(Field { name: "email", why: "give an e-mail address or a user name".into() });
    }
    let phone_number = rules::phone_number(app, new.phone_number.as_deref(), &mut problems);
    rules::check_claims(&new.claims, &mut problems);
    let now = app.now();
    let user = User {
        id: app.id(),
        username,
        email_verified: new.email_verified && email.is_some(),
        email,
        phone_number_verified: new.phone_number_verified && phone_number.is_some(),
        phone_key: phone_number.clone(),
        phone_number,
        claims: new.claims,
        admin: new.admin,
        locale: None,
        created_at: now,
        updated_at: now,
        disabled_at: None,
        bio: None,
        token_version: 0,
        delete_at: None,
        unconfirmed_since: None,
    };
    (user, problems)
}

/// A new password ends every session and every token of the person.
///
/// # Errors
/// When there is no such person, or the password is too weak.
pub async fn set_password(app: &App, id: Uuid, given: &str) -> Result<(), Trouble> {
    let user = user::find(&app.db, id).await?.ok_or(Trouble::NotFound("user"))?;
    let password = passwords::prepare(app, &About::person(&user), given).await?;
    let (now, ending) = (app.now(), Ending::alone(app));
    let ended = write!(app, db => {
        user::find_locked(db, id).await?;
        password.set(db, id).await?;
        let ended = ending.all_of(db, id).await?;
        grant::revoke_of_user(db, id, now).await?;
        user::call_back(db, id).await?;
        mail_link::void(db, id, &[LinkKind::Reset, LinkKind::ChangeEmail, LinkKind::SignIn], now).await?;
        Ok(ended)
    });
    ended.await?.tell_soon(app);
    event::changed(Changed::User(id), "password set");
    Ok(())
}

/// Disabled people have no sessions and no tokens; enabling gives neither back.
///
/// # Errors
/// When there is no such person.
pub async fn set_disabled(app: &App, id: Uuid, disabled: bool) -> Result<(), Trouble> {
    let (now, ending) = (app.now(), Ending::alone(app));
    let ended = write!(app, db => {
        if !user::set_disabled(db, id, disabled.then_some(now), now).await? {
            return Ok(None);
        }
        let mut ended = Ended::default();
        if disabled {
            ended = ending.all_of(db, id).await?;
            grant::revoke_of_user(db, id, now).await?;
            user::call_back(db, id).await?;
            mail_link::void(db, id, &[LinkKind::Reset, LinkKind::ChangeEmail, LinkKind::SignIn], now).await?;
        }
        Ok(Some(ended))
    });
    ended.await?.ok_or(Trouble::NotFound("user"))?.tell_soon(app);
    event::changed(Changed::User(id), if disabled { "disabled" } else { "enabled" });
    Ok(())
}

/// As if they had given up their account themselves.
///
/// # Errors
/// When there is no such person, or nobody would be left to administer.
pub async fn delete(app: &App, id: Uuid) -> Result<(), Trouble> {
    removal::by_operator(app, id).await
}

/// By id, user name, e-mail address or telephone number.
///
/// # Errors
/// When there is no such person.
pub async fn find(app: &App, who: &str) -> Result<User, Trouble> {
    if let Ok(id) = Uuid::try_parse(who) {
        return user::find(&app.db, id).await?.ok_or(Trouble::NotFound("user"));
    }
    let login = text::login(who, app.config.accounts.phone_region.as_deref());
    let login = login.map_err(|why| Trouble::field("user", why))?;
    user::find_by_login(&app.db, &login).await?.ok_or(Trouble::NotFound("user"))
}
