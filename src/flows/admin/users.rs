//! People, as operators handle them.

use uuid::Uuid;

use crate::{
    app::App,
    flows::{
        Field, Trouble,
        event::{self, Changed},
        passwords,
        session_end::{Ended, Ending},
        write,
    },
    protocol::{
        claims::{Address, StandardClaims},
        text,
    },
    store::{Phc, grant, is_duplicate, password, user},
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
    let (user, phc) = prepare(app, new).await?;
    if user::is_taken(&app.db, user.username.as_deref(), user.email.as_deref()).await? {
        return Err(taken());
    }
    let row = user.clone();
    let now = app.now();
    let written = write!(app, db => {
        let id = row.id;
        user::insert(db, row).await?;
        if let Some(phc) = phc { password::set(db, id, phc, now).await? }
        Ok(())
    });
    match written.await {
        Ok(()) => {
            event::changed(Changed::User(user.id), "created");
            Ok(user)
        }
        Err(error) if is_duplicate(&error) => Err(taken()),
        Err(error) => Err(error.into()),
    }
}

fn taken() -> Trouble {
    Trouble::Conflict("somebody has this user name or e-mail address already".to_owned())
}

/// The row and the password's hash; nothing is written.
///
/// # Errors
/// What is wrong with a field.
pub async fn prepare(app: &App, new: NewUser) -> Result<(User, Option<Phc>), Trouble> {
    let mut problems = Vec::new();
    let username = new.username.as_deref().filter(|name| !name.trim().is_empty());
    let email = new.email.as_deref().filter(|email| !email.trim().is_empty());
    let username = canonical("username", username, text::username, &mut problems);
    let email = canonical("email", email, text::email, &mut problems);
    if username.is_none() && email.is_none() && problems.is_empty() {
        problems.push(Field { name: "email", why: "give an e-mail address or a user name".into() });
    }
    check_claims(&new.claims, &mut problems);
    check_contact(new.phone_number.as_deref(), new.claims.address.as_ref(), &mut problems);
    let given = new.password.as_deref().map(text::password);
    if let Some(password) = &given {
        let about = [username.as_deref(), email.as_deref(), new.claims.name.as_deref()];
        problems.extend(passwords::problem(app, "password", password, &about));
    }
    if !problems.is_empty() {
        return Err(Trouble::Invalid(problems));
    }
    let phc = match given {
        Some(password) => Some(passwords::hash(app, &password).await?),
        None => None,
    };
    let now = app.now();
    let user = User {
        id: app.id(),
        username,
        email_verified: new.email_verified && email.is_some(),
        email,
        phone_number_verified: new.phone_number_verified && new.phone_number.is_some(),
        phone_number: new.phone_number,
        claims: new.claims,
        admin: new.admin,
        locale: None,
        created_at: now,
        updated_at: now,
        disabled_at: None,
        phone_key: None,
        bio: None,
        token_version: 0,
        delete_at: None,
        unconfirmed_since: None,
    };
    Ok((user, phc))
}

fn canonical(
    name: &'static str,
    given: Option<&str>,
    rule: fn(&str) -> Result<String, text::Unfit>,
    problems: &mut Vec<Field>,
) -> Option<String> {
    match rule(given?) {
        Ok(value) => Some(value),
        Err(why) => {
            problems.push(Field { name, why: why.into() });
            None
        }
    }
}

/// No control or invisible characters, and no endless texts, in what apps and pages will show.
fn check_claims(claims: &StandardClaims, problems: &mut Vec<Field>) {
    let texts = [
        ("name", &claims.name),
        ("given_name", &claims.given_name),
        ("family_name", &claims.family_name),
        ("middle_name", &claims.middle_name),
        ("nickname", &claims.nickname),
        ("preferred_username", &claims.preferred_username),
        ("profile", &claims.profile),
        ("picture", &claims.picture),
        ("website", &claims.website),
        ("gender", &claims.gender),
        ("birthdate", &claims.birthdate),
        ("zoneinfo", &claims.zoneinfo),
        ("locale", &claims.locale),
    ];
    for (name, value) in texts {
        let Some(value) = value else { continue };
        if value.chars().count() > 255 {
            problems.push(Field { name, why: text::Unfit::TooLong(255).into() });
        } else if !text::is_visible(value) {
            problems.push(Field { name, why: text::Unfit::Invisible.into() });
        }
    }
    for (name, link) in [("profile", &claims.profile), ("picture", &claims.picture), ("website", &claims.website)] {
        if link.as_deref().is_some_and(|link| !link.starts_with("https://") && !link.starts_with("http://")) {
            problems.push(Field { name, why: "must be a web address".into() });
        }
    }
    if claims.birthdate.as_deref().is_some_and(|date| !is_birthdate(date)) {
        problems.push(Field { name: "birthdate", why: "must be YYYY-MM-DD or YYYY".into() });
    }
}

/// OpenID Connect Core §5.1, §5.1.1: a number that can be dialed; an address may have line breaks where it is formatted.
fn check_contact(number: Option<&str>, address: Option<&Address>, problems: &mut Vec<Field>) {
    let dialed = |c: char| c.is_ascii_digit() || "+ ()-.;=ext".contains(c);
    if number.is_some_and(|number| !number.chars().all(dialed) || !(3..=40).contains(&number.len())) {
        problems
            .push(Field { name: "phone_number", why: "must be a telephone number such as +44 20 7946 0000".into() });
    }
    let Some(address) = address else { return };
    let lines = [&address.formatted, &address.street_address].into_iter().flatten().flat_map(|text| text.lines());
    let words = [&address.locality, &address.region, &address.postal_code, &address.country].into_iter().flatten();
    let parts: Vec<&str> = lines.chain(words.map(String::as_str)).collect();
    if parts.iter().any(|part| !text::is_visible(part)) {
        problems.push(Field { name: "address", why: text::Unfit::Invisible.into() });
    }
    if parts.iter().map(|part| part.len()).sum::<usize>() > 1000 {
        problems.push(Field { name: "address", why: text::Unfit::TooLong(1000).into() });
    }
}

/// OpenID Connect Core §5.1.
fn is_birthdate(text: &str) -> bool {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('-');
    let year = parts.next().is_some_and(|year| digits(year, 4));
    match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => year,
        (Some(month), Some(day), None) => {
            let within =
                |part: &str, most: u8| digits(part, 2) && part.parse().is_ok_and(|n: u8| (1..=most).contains(&n));
            year && within(month, 12) && within(day, 31)
        }
        _ => false,
    }
}

/// A new password ends every session and every token of the person.
///
/// # Errors
/// When there is no such person, or the password is too weak.
pub async fn set_password(app: &App, id: Uuid, given: &str) -> Result<(), Trouble> {
    let user = user::find(&app.db, id).await?.ok_or(Trouble::NotFound("user"))?;
    let fresh = passwords::prepare(app, &user, "password", given).await?;
    let (now, ending) = (app.now(), Ending::alone(app));
    let ended = write!(app, db => {
        passwords::set(db, id, fresh, now).await?;
        let ended = ending.all_of(db, id).await?;
        grant::revoke_of_user(db, id, now).await?;
        user::call_back(db, id).await?;
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
        }
        Ok(Some(ended))
    });
    ended.await?.ok_or(Trouble::NotFound("user"))?.tell_soon(app);
    event::changed(Changed::User(id), if disabled { "disabled" } else { "enabled" });
    Ok(())
}

/// The apps where the person is signed in are told, as of every end of a session.
///
/// # Errors
/// When there is no such person.
pub async fn delete(app: &App, id: Uuid) -> Result<(), Trouble> {
    let ending = Ending::alone(app);
    let ended = write!(app, db => {
        let ended = ending.all_of(db, id).await?;
        Ok(user::delete(db, id).await?.then_some(ended))
    });
    ended.await?.ok_or(Trouble::NotFound("user"))?.tell_soon(app);
    event::changed(Changed::User(id), "deleted");
    Ok(())
}

/// By id, user name or e-mail address.
///
/// # Errors
/// When there is no such person.
pub async fn find(app: &App, who: &str) -> Result<User, Trouble> {
    if let Ok(id) = Uuid::try_parse(who) {
        return user::find(&app.db, id).await?.ok_or(Trouble::NotFound("user"));
    }
    let login = if who.contains('@') { text::email(who) } else { text::username(who) };
    let login = login.map_err(|why| Trouble::field("user", why))?;
    user::find_by_login(&app.db, &login).await?.ok_or(Trouble::NotFound("user"))
}
