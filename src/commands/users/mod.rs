//! `signet users`: people. Passwords come by the standard input alone, never by an argument, which others can read.

mod import;
mod lines;
mod providers;

use std::io::{self, BufRead, IsTerminal, Read, Write};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    failure::Failure,
    output::{self, Format, utc},
};
use crate::{
    app::App,
    config::Config,
    flows::{
        Trouble,
        admin::users::{self, NewUser, User},
        factors,
    },
    protocol::claims::{Address, StandardClaims},
};

#[derive(Debug, Subcommand)]
pub enum Users {
    /// Create an account
    Create(Box<Create>),
    /// Show an account with its claims
    Show(Who),
    /// Set a new password; it ends every session and token of the person
    SetPassword {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        password: Password,
    },
    /// Take all second factors of a person away, who has lost them; it ends every session and token, and the person is told
    ResetFactors {
        #[command(flatten)]
        who: Who,
        /// Leave the accounts at providers that open theirs; by default they go too, since one may be somebody else's
        #[arg(long)]
        keep_providers: bool,
    },
    /// Handle the accounts at providers that open a person's
    #[command(subcommand)]
    Providers(providers::UserProviders),
    /// Keep a person out; it ends every session and token of the person
    Disable(Who),
    /// Let a person in again
    Enable(Who),
    /// Remove a person for good; it ends every session and token, and nobody else gets the id
    Delete(Who),
    /// Bring the people of another system, who keep their ids and their passwords
    Import(import::ImportUsers),
}

#[derive(Debug, Args)]
pub struct Who {
    /// The id, the user name, the e-mail address or the telephone number
    #[arg(value_name = "WHO")]
    who: String,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Password {
    /// Read the password from the standard input
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub struct Create {
    /// The e-mail address; this or the user name is needed
    #[arg(long)]
    email: Option<String>,
    /// The address is known to be theirs
    #[arg(long, requires = "email")]
    email_verified: bool,
    /// The user name
    #[arg(long)]
    username: Option<String>,
    /// Read a password from the standard input; without one the person cannot sign in yet
    #[arg(long)]
    password_stdin: bool,
    /// They administer this server
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    claims: Claims,
}

/// OpenID Connect Core §5.1.
#[derive(Debug, Args)]
#[command(next_help_heading = "Claims that apps are told when people agree")]
struct Claims {
    /// The whole name [default: given and family name]
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    given_name: Option<String>,
    #[arg(long)]
    family_name: Option<String>,
    #[arg(long)]
    middle_name: Option<String>,
    #[arg(long)]
    nickname: Option<String>,
    /// The address of their page
    #[arg(long, value_name = "URL")]
    profile: Option<String>,
    /// The address of a picture of them
    #[arg(long, value_name = "URL")]
    picture: Option<String>,
    #[arg(long, value_name = "URL")]
    website: Option<String>,
    #[arg(long)]
    gender: Option<String>,
    /// YYYY-MM-DD, or YYYY
    #[arg(long, value_name = "DATE")]
    birthdate: Option<String>,
    /// Such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    zoneinfo: Option<String>,
    /// Such as de-DE
    #[arg(long, value_name = "LANGUAGE")]
    locale: Option<String>,
    /// Such as +49 30 901820
    #[arg(long, value_name = "NUMBER")]
    phone_number: Option<String>,
    /// The number is known to be theirs
    #[arg(long, requires = "phone_number")]
    phone_number_verified: bool,
    /// The whole postal address, as on a label
    #[arg(long, value_name = "ADDRESS")]
    address_formatted: Option<String>,
    /// Street and house number
    #[arg(long, value_name = "STREET")]
    address_street: Option<String>,
    /// City
    #[arg(long, value_name = "LOCALITY")]
    address_locality: Option<String>,
    /// State or province
    #[arg(long, value_name = "REGION")]
    address_region: Option<String>,
    #[arg(long, value_name = "CODE")]
    address_postal_code: Option<String>,
    #[arg(long, value_name = "COUNTRY")]
    address_country: Option<String>,
}

impl Users {
    /// # Errors
    /// What is wrong with the account, or that there is none.
    pub async fn run(self, config: Config) -> Result<(), Failure> {
        match self {
            Users::Create(new) => new.run(config).await,
            Users::Show(Who { who, format }) => {
                let user = find(&super::open(config).await?, &who).await?;
                format.print(&everything(&user), || description(&user))
            }
            Users::SetPassword { who: Who { who, format }, password: _ } => {
                let password = password_from_stdin()?;
                let app = super::open(config).await?;
                let user = find(&app, &who).await?;
                users::set_password(&app, user.id, &password).await?;
                format.print(&names(&user), || {
                    format!("{} has a new password and is signed out everywhere.\n", called(&user))
                })
            }
            Users::ResetFactors { who: Who { who, format }, keep_providers } => {
                let app = super::open(config).await?;
                let user = find(&app, &who).await?;
                let removed = factors::reset(&app, user.id, keep_providers).await?;
                let mut answer = names(&user);
                answer["providers_removed"] = removed.into();
                format.print(&answer, || {
                    let called = called(&user);
                    let providers = match removed {
                        0 => String::new(),
                        _ => format!(
                            "{removed} account(s) at providers open theirs no more; without a password they need one: signet \
                             users set-password {} --password-stdin\n",
                            user.id
                        ),
                    };
                    format!("{called} has no second factor any more and is signed out everywhere.\n{providers}")
                })
            }
            Users::Providers(providers) => providers.run(config).await,
            Users::Disable(who) => switch(who, config, true).await,
            Users::Enable(who) => switch(who, config, false).await,
            Users::Delete(Who { who, format }) => {
                let app = super::open(config).await?;
                let user = find(&app, &who).await?;
                users::delete(&app, user.id).await?;
                let mut answer = names(&user);
                answer["deleted"] = true.into();
                format.print(&answer, || format!("{} is gone, with all that was kept of them.\n", called(&user)))
            }
            Users::Import(import) => import.run(config).await,
        }
    }
}

impl Create {
    async fn run(self, config: Config) -> Result<(), Failure> {
        let password = if self.password_stdin { Some(password_from_stdin()?) } else { None };
        let app = super::open(config).await?;
        let has_password = password.is_some();
        let new = NewUser {
            username: self.username,
            email: self.email,
            email_verified: self.email_verified,
            phone_number: self.claims.phone_number.clone(),
            phone_number_verified: self.claims.phone_number_verified,
            claims: self.claims.into(),
            password,
            admin: self.admin,
        };
        let user = users::create(&app, new).await?;
        self.format.print(&names(&user), || {
            let hint = format!("No password is set yet: signet users set-password {} --password-stdin\n", user.id);
            format!("{}{}", output::pairs(summary(&user)), if has_password { "" } else { &hint })
        })
    }
}

impl From<Claims> for StandardClaims {
    fn from(claims: Claims) -> Self {
        let address = Address {
            formatted: claims.address_formatted,
            street_address: claims.address_street,
            locality: claims.address_locality,
            region: claims.address_region,
            postal_code: claims.address_postal_code,
            country: claims.address_country,
        };
        let parts: Vec<&str> =
            [&claims.given_name, &claims.family_name].into_iter().flatten().map(String::as_str).collect();
        let whole = (!parts.is_empty()).then(|| parts.join(" "));
        StandardClaims {
            name: claims.name.or(whole),
            given_name: claims.given_name,
            family_name: claims.family_name,
            middle_name: claims.middle_name,
            nickname: claims.nickname,
            preferred_username: None,
            profile: claims.profile,
            picture: claims.picture,
            website: claims.website,
            gender: claims.gender,
            birthdate: claims.birthdate,
            zoneinfo: claims.zoneinfo,
            locale: claims.locale,
            address: (address != Address::default()).then_some(address),
        }
    }
}

async fn switch(Who { who, format }: Who, config: Config, disabled: bool) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let user = find(&app, &who).await?;
    users::set_disabled(&app, user.id, disabled).await?;
    let mut answer = names(&user);
    answer["enabled"] = (!disabled).into();
    format.print(&answer, || match disabled {
        true => format!("{} is disabled and signed out everywhere.\n", called(&user)),
        false => format!("{} may sign in again.\n", called(&user)),
    })
}

async fn find(app: &App, who: &str) -> Result<User, Failure> {
    users::find(app, who).await.map_err(|trouble| match trouble {
        Trouble::NotFound(_) => {
            let database = app.config.database.url.masked();
            Failure::failed(format!(
                "nobody is called {who} in {database}; give the id, the user name, the e-mail address or the telephone number"
            ))
        }
        other => other.into(),
    })
}

/// The contract with scripts.
fn names(user: &User) -> Value {
    json!({ "id": user.id, "email": user.email, "username": user.username })
}

fn called(user: &User) -> String {
    user.username.clone().or(user.email.clone()).unwrap_or(user.sub())
}

fn summary(user: &User) -> [(&'static str, String); 3] {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
    [("id", user.id.to_string()), ("email", or_dash(&user.email)), ("username", or_dash(&user.username))]
}

fn everything(user: &User) -> Value {
    let mut all = names(user);
    all["admin"] = user.admin.into();
    all["enabled"] = user.is_enabled().into();
    all["created_at"] = utc(user.created_at).into();
    all["updated_at"] = utc(user.updated_at).into();
    all["claims"] = user.all_claims().into();
    all
}

fn description(user: &User) -> String {
    let yes_or_no = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let about = [
        ("administrator", yes_or_no(user.admin)),
        ("enabled", yes_or_no(user.is_enabled())),
        ("created", utc(user.created_at)),
        ("changed", utc(user.updated_at)),
    ];
    let claims = user.all_claims();
    let shown = claims
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    let about = output::pairs(summary(user).into_iter().chain(about));
    format!("{about}\nclaims\n{}", output::pairs(shown))
}

/// Without the line break that `echo` adds. At a terminal one line is read, in plain sight.
fn password_from_stdin() -> Result<String, Failure> {
    /// Far more than any password may have, so that what is too long gets its own error.
    const MOST: u64 = 64 * 1024;
    let unreadable = |error: io::Error| {
        Failure::failed(format!("the password cannot be read from the standard input: {error}; pipe it in, in UTF-8"))
    };
    let mut stdin = io::stdin().lock();
    let mut text = String::new();
    if stdin.is_terminal() {
        let _ = write!(io::stderr(), "Password (shown as you type): ");
        stdin.read_line(&mut text).map_err(unreadable)?;
    } else {
        stdin.take(MOST).read_to_string(&mut text).map_err(unreadable)?;
    }
    let end = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text).len();
    text.truncate(end);
    if text.is_empty() {
        return Err(Failure::usage(
            "the standard input has no password; pipe it in, as in `signet … --password-stdin < FILE`",
        ));
    }
    Ok(text)
}
