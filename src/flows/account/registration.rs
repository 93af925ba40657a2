//! People who make an account for themselves (requirement AC1). Where addresses must be confirmed, nobody learns here
//! whether one is known (case SEC-118): the mail tells its owner.

use sea_orm::{ConnectionTrait, DbErr};

use super::{
    links,
    log::{self, Happened, Line},
};
use crate::{
    app::App,
    config::{SignUp, Usernames, Verification},
    crypto::secret::{Secret, SecretHash},
    flows::{
        Field, Trouble, Why,
        admin::users::{self, NewUser},
        mail::{self, Letter, Outgoing},
        passwords, profile_rules as rules,
        visitor::Visitor,
        write,
    },
    protocol::{
        Code, Error,
        claims::StandardClaims,
        rule,
        text::{self, Unfit},
        trace::Trace,
    },
    store::{
        invitation, is_duplicate,
        mail_link::{self, LinkKind},
        user::{self, User, Wanted},
    },
};

/// What a person says of themself.
#[derive(Debug, Clone, Default)]
pub struct NewAccount {
    pub email: String,
    pub username: Option<String>,
    pub password: String,
    pub phone_number: Option<String>,
    pub bio: Option<String>,
    pub claims: StandardClaims,
    /// The language of the mails.
    pub locale: Option<String>,
    /// The token of an invitation.
    pub invitation: Option<String>,
}

/// How it goes on.
#[derive(Debug)]
pub enum Registered {
    /// The account can be used.
    Ready(Box<User>),
    /// A mail tells; the same whether or not the address had an account.
    Mailed,
}

/// Whether there is anything to register with.
pub fn is_offered(app: &App) -> bool {
    app.config.accounts.registration != SignUp::Off
}

/// Whether there are people who have registered and must confirm their address before they sign in.
pub fn confirms(app: &App) -> bool {
    is_offered(app) && app.config.accounts.verification == Verification::Required
}

/// # Errors
/// What is wrong with a field; 404 where nobody can register, 403 for whom it is not offered, 429.
pub async fn register(app: &App, visitor: &Visitor, new: NewAccount) -> Result<Registered, Trouble> {
    if !is_offered(app) {
        return Err(Trouble::NotFound("registration"));
    }
    let mut trace = links::trace(app, visitor, None);
    let outcome = register_traced(app, visitor, new, &mut trace).await;
    links::settle(app, trace, outcome)
}

async fn register_traced(
    app: &App,
    visitor: &Visitor,
    new: NewAccount,
    trace: &mut Trace,
) -> Result<Registered, Trouble> {
    links::count(app, visitor)?;
    let invited = invited(app, &new).await?;
    let prepared = prepared(app, &new).await?;
    links::steadily(kept(app, visitor, (prepared, invited), new.locale, trace)).await
}

/// Writes whoever is new, or tells whom the address belongs to.
async fn kept(
    app: &App,
    visitor: &Visitor,
    ((mut user, password), invited): ((User, passwords::New), Option<SecretHash>),
    locale: Option<String>,
    trace: &mut Trace,
) -> Result<Registered, Trouble> {
    let taken = user::taken(&app.db, &Wanted::by(&user), None).await?;
    if taken.contains(&"username") {
        return Err(Trouble::field("username", Why::Taken));
    }
    // Strangers do not learn who has a number: it is kept, and signs in whom it signed in before.
    if taken.contains(&"phone_number") {
        user.phone_key = None;
    }
    let email = user.email.clone().unwrap_or_default();
    if let Some(owner) = user::find_by_login(&app.db, &email).await? {
        return known(app, owner, locale).await;
    }
    let confirm = app.config.accounts.verification == Verification::Required;
    user.unconfirmed_since = confirm.then(|| app.now());
    user.locale = locale;
    trace.user_id = Some(user.id);
    match insert(app, visitor, user.clone(), password, invited, trace).await {
        Ok(true) => {}
        Ok(false) => return Err(uninvited().into()),
        Err(trouble @ Trouble::Conflict(_)) => {
            let Some(quicker) = user::find_by_login(&app.db, &email).await? else { return Err(trouble) };
            return known(app, quicker, user.locale).await;
        }
        Err(trouble) => return Err(trouble),
    }
    mail::send_soon(app);
    log::said(trace, Happened::Registered);
    Ok(if confirm { Registered::Mailed } else { Registered::Ready(Box::new(user)) })
}

/// The row and the password's hash, which is computed before anybody is looked for: it takes the longest.
async fn prepared(app: &App, new: &NewAccount) -> Result<(User, passwords::New), Trouble> {
    let mut problems = Vec::new();
    let policy = app.config.accounts.usernames;
    let username = new.username.as_deref().map(str::trim).filter(|name| !name.is_empty());
    match (policy, username) {
        (Usernames::Required, None) => problems.push(Field { name: "username", why: Why::Missing }),
        (Usernames::Off, Some(_)) => problems.push(Field { name: "username", why: "is not used here".into() }),
        _ => {}
    }
    if new.email.trim().is_empty() {
        problems.push(Field { name: "email", why: Why::Missing });
    }
    let named = text::username(username.unwrap_or_default()).unwrap_or_default();
    if new.claims.preferred_username.as_ref().is_some_and(|spelling| !rules::spells(spelling, Some(&named))) {
        problems.push(Field { name: "preferred_username", why: Unfit::NotTheName.into() });
    }
    if text::is_reserved(&named, &app.config.accounts.reserved_names) {
        problems.push(Field { name: "username", why: Unfit::Reserved.into() });
    }
    new.bio.as_deref().into_iter().for_each(|bio| rules::check_bio(bio, &mut problems));
    if new.password.is_empty() {
        problems.push(Field { name: "password", why: Why::Missing });
    }
    if !problems.is_empty() {
        return Err(Trouble::Invalid(problems));
    }
    let account = NewUser {
        username: username.map(str::to_owned),
        email: Some(new.email.clone()),
        phone_number: new.phone_number.clone().filter(|number| !number.trim().is_empty()),
        claims: new.claims.clone(),
        password: Some(new.password.clone()),
        ..NewUser::default()
    };
    let (user, password) = users::prepare(app, account).await?;
    let password = password.ok_or_else(|| Trouble::field("password", Why::Missing))?;
    Ok((User { bio: new.bio.clone(), ..user }, password))
}

/// The invitation to spend, if one is needed or was brought.
async fn invited(app: &App, new: &NewAccount) -> Result<Option<SecretHash>, Trouble> {
    let token = new.invitation.as_deref().filter(|token| !token.is_empty());
    let address = text::email(&new.email).unwrap_or_default();
    if let Some(token) = token {
        let hash = Secret::presented(token).hash();
        let open = invitation::find_open(&app.db, &hash, app.now()).await?;
        return match open {
            Some(open) if open.email.as_ref().is_none_or(|email| *email == address) => Ok(Some(hash)),
            _ => Err(uninvited().into()),
        };
    }
    let accounts = &app.config.accounts;
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    match accounts.registration {
        SignUp::Open => Ok(None),
        SignUp::Domains if address.is_empty() || accounts.email_domains.iter().any(|known| known == domain) => Ok(None),
        SignUp::Domains => Err(Trouble::field("email", Why::Domain)),
        SignUp::Invitation | SignUp::Off => Err(uninvited().into()),
    }
}

fn uninvited() -> Error {
    Code::AccessDenied
        .because("registering needs an invitation that is neither used nor expired, for this address")
        .under(&rule::SIGN_UP)
}

/// False when the invitation was spent meanwhile.
async fn insert(
    app: &App,
    visitor: &Visitor,
    user: User,
    password: passwords::New,
    invitation: Option<SecretHash>,
    trace: &Trace,
) -> Result<bool, Trouble> {
    let link = links::fresh(app, user.id, LinkKind::Verify, user.email.as_deref());
    let letter = Outgoing {
        to: user.email.clone().unwrap_or_default(),
        locale: user.locale.clone(),
        user_id: Some(user.id),
        letter: Letter::VerifyEmail { link: link.address, hours: links::hours(app, LinkKind::Verify) },
    };
    let line = Line::new(app, trace, user.id, Happened::Registered, &visitor.device);
    let (now, of_app) = (app.now(), app.clone());
    let written = write!(app, db => {
        if let Some(invitation) = invitation && !invitation::spend(db, &invitation, now).await? {
            return Ok(false);
        }
        let id = user.id;
        user::insert(db, user).await?;
        password.set(db, id).await?;
        mail_link::replace(db, link.row).await?;
        mail::queue(&of_app, db, letter).await?;
        line.insert(db).await?;
        Ok(true)
    });
    match written.await {
        Ok(won) => Ok(won),
        Err(error) if is_duplicate(&error) => Err(Trouble::Conflict("somebody was quicker".to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// The owner is told that somebody, perhaps they themselves, tried to register their address.
async fn known(app: &App, owner: User, locale: Option<String>) -> Result<Registered, Trouble> {
    if app.config.accounts.verification == Verification::Optional {
        return Err(Trouble::field("email", Why::Taken));
    }
    let of_app = app.clone();
    let owner = User { locale: owner.locale.clone().or(locale), ..owner };
    write!(app, db => {
        user::find_locked(db, owner.id).await?;
        tell_owner(&of_app, db, &owner).await
    })
    .await?;
    mail::send_soon(app);
    Ok(Registered::Mailed)
}

/// To the owner of an address that somebody wanted for a new or another account, unless they were told often already. Their
/// row is locked.
///
/// # Errors
/// When the database is away.
pub(in crate::flows) async fn tell_owner(app: &App, db: &impl ConnectionTrait, owner: &User) -> Result<(), DbErr> {
    let letter = Letter::AddressTaken { sign_in: app.url("/account"), forgot: app.url("/account/forgot") };
    if !links::has_room_for(db, owner.id, &letter, app.now()).await? {
        return Ok(());
    }
    let Some(to) = owner.email.clone() else { return Ok(()) };
    mail::queue(app, db, Outgoing { to, locale: owner.locale.clone(), user_id: Some(owner.id), letter }).await
}
