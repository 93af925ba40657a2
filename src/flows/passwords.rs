//! The one door for passwords: what a new one must be, how it is kept, and whether the one that was typed is right.
//! Registration, change, reset, set-up, the commands and the API all come through here.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Trouble, decoy, write_one};
use crate::{
    app::App,
    crypto::strength,
    protocol::{
        Result,
        password::{LONGEST, Policy, Weak, generate},
        text,
    },
    store::{Phc, password, password_history, sign_in, totp, trusted_device, user::User},
};

pub use crate::protocol::password::generate::Kind;

/// Whom a password is for: the one who has it, if there is one already, and words that are said of them besides.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    pub person: Option<&'a User>,
    pub words: &'a [&'a str],
}

impl<'a> About<'a> {
    pub fn person(person: &'a User) -> Self {
        About { person: Some(person), words: &[] }
    }

    /// Everything that an attacker would try: the person, the host, the product, the operator's name for it.
    fn context(&self, app: &'a App) -> Vec<&'a str> {
        let person = self.person.into_iter().flat_map(|user| {
            let claims = &user.claims;
            let names = [&claims.name, &claims.given_name, &claims.middle_name, &claims.family_name, &claims.nickname];
            let known = [&user.username, &user.email, &user.phone_number, &claims.preferred_username];
            names.into_iter().chain(known).filter_map(|text| text.as_deref())
        });
        person.chain(self.words.iter().copied()).chain(own(app)).collect()
    }
}

/// This server's words: the host, the product, the operator's name for it.
fn own(app: &App) -> impl Iterator<Item = &str> {
    let host = app.config.server.issuer.url().host_str();
    host.into_iter().chain(["signet", &app.config.branding.name])
}

/// The same, for a page that compares while a person types.
pub fn own_words(app: &App) -> Vec<String> {
    own(app).map(str::to_owned).collect()
}

/// What an estimate of a password comes to. A page or an API shows it; nothing depends on it but [`judge`]'s own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// From 0 to 4.
    pub score: u8,
    pub verdict: Verdict,
    /// Every rule of the policy in force that it breaks; none about former passwords.
    pub problems: Vec<Weak>,
}

/// A score in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    VeryWeak,
    Weak,
    Fair,
    Good,
    Strong,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::VeryWeak => "very_weak",
            Verdict::Weak => "weak",
            Verdict::Fair => "fair",
            Verdict::Good => "good",
            Verdict::Strong => "strong",
        }
    }

    fn of(score: u8) -> Self {
        match score {
            0 => Verdict::VeryWeak,
            1 => Verdict::Weak,
            2 => Verdict::Fair,
            3 => Verdict::Good,
            _ => Verdict::Strong,
        }
    }
}

/// The policy in force.
pub fn policy(app: &App) -> Policy {
    app.config.passwords.policy()
}

/// How good a password would be, and what the policy has against it.
pub fn estimate(app: &App, about: &About<'_>, given: &str) -> Strength {
    if given.len() > LONGEST {
        return Strength { score: 0, verdict: Verdict::of(0), problems: vec![Weak::TooLong] };
    }
    let given = text::password(given);
    let context = about.context(app);
    // An address is also guessed by its parts.
    let parts: Vec<&str> = context.iter().flat_map(|text| text.split(['@', ' ', '.']).chain([*text])).collect();
    let score = strength::score(&given, &parts);
    Strength { score, verdict: Verdict::of(score), problems: policy(app).problems(&given, &context, score) }
}

/// The first thing that is wrong with a new password, former passwords left aside: for forms that have more to check.
pub fn weakness(app: &App, about: &About<'_>, given: &str) -> Option<Weak> {
    estimate(app, about, given).problems.into_iter().next()
}

/// Whether a new password will do, former passwords of the person included.
///
/// # Errors
/// What is wrong with it, as the field `password`; or that the server is too busy, or the database away.
pub async fn judge(app: &App, about: &About<'_>, given: &str) -> Result<(), Trouble> {
    if let Some(weak) = weakness(app, about, given) {
        return Err(Trouble::field("password", weak));
    }
    match about.person {
        Some(person) if was_used(app, person.id, given).await? => Err(Trouble::field("password", Weak::Used)),
        _ => Ok(()),
    }
}

/// Each hash is salted, so each is computed. At most 24, one after the other.
async fn was_used(app: &App, user: Uuid, given: &str) -> Result<bool> {
    let most = u64::from(app.config.passwords.history);
    if most == 0 {
        return Ok(false);
    }
    let given = text::password(given);
    let current = password::find(&app.db, user).await?.map(|row| row.phc);
    let former = password_history::newest(&app.db, user, most - 1).await?;
    for phc in current.into_iter().chain(former) {
        if app.hashing.verify(&given, Some(&phc.0)).await?.right {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A password that was hashed and waits to be written.
#[derive(Debug)]
pub struct New {
    phc: Phc,
    /// Of the row that the old one gets.
    id: Uuid,
    /// How many old ones are kept.
    most: u64,
    now: i64,
}

/// # Errors
/// When the server is too busy to hash.
pub async fn hash(app: &App, given: &str) -> Result<New> {
    let phc = app.hashing.hash(&text::password(given), app.random.bytes()).await?;
    let most = u64::from(app.config.passwords.history).saturating_sub(1);
    Ok(New { phc: Phc(phc), id: app.ordered_id(), most, now: app.now() })
}

/// Judges and hashes: all that comes before the write.
///
/// # Errors
/// As of [`judge`] and [`hash`].
pub async fn prepare(app: &App, about: &About<'_>, given: &str) -> Result<New, Trouble> {
    judge(app, about, given).await?;
    Ok(hash(app, given).await?)
}

impl New {
    /// The person's password from now on, within a flow's one write. The old one is remembered as long as the settings
    /// say; what rested on it is void: sign-ins that are half-way, trusted devices (case SEC-133), and an authenticator app
    /// that was begun.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn set(self, db: &impl ConnectionTrait, user: Uuid) -> Result<(), DbErr> {
        if let Some(old) = password::find(db, user).await?.filter(|_| self.most > 0) {
            let row = password_history::Model { id: self.id, user_id: user, phc: old.phc, replaced_at: self.now };
            password_history::insert(db, row).await?;
        }
        password_history::trim(db, user, self.most).await?;
        sign_in::void(db, user).await?;
        trusted_device::remove_all(db, user).await?;
        totp::leave(db, user).await?;
        password::set(db, user, self.phc, self.now).await
    }
}

/// Whether somebody has one. Who was made by a provider has none at first.
///
/// # Errors
/// When the database is away.
pub async fn has(app: &App, person: Uuid) -> Result<bool, DbErr> {
    Ok(password::find(&app.db, person).await?.is_some())
}

/// Whether this is the person's password; `name` is what was typed to find them. Works as hard for people who do not
/// exist, and renews what was hashed too cheaply or by another program.
///
/// # Errors
/// When the server is too busy to hash, or the database is away.
pub async fn verify(app: &App, user: Option<Uuid>, name: &str, given: &str) -> Result<Option<i64>> {
    // Refused before hashing, at the same cost for everybody (case SEC-113).
    if given.len() > LONGEST || given.is_empty() {
        return Ok(None);
    }
    let decoy = decoy::of(app, name).await?;
    let row = match user {
        Some(user) => password::find(&app.db, user).await?,
        None => None,
    };
    let given = text::password(given);
    let stored = row.as_ref().map(|row| &row.phc);
    let verdict = app.hashing.verify(&given, stored.or(decoy.as_ref()).map(|phc| phc.0.as_str())).await?;
    let Some(row) = row.filter(|_| verdict.right) else { return Ok(None) };
    // A crowd that waits to be hashed does not keep out who was right: the next login will do.
    if verdict.outdated
        && let Ok(stronger) = app.hashing.hash(&given, app.random.bytes()).await
    {
        write_one!(app, db => password::rehash(db, row.user_id, &row.phc, Phc(stronger))).await?;
    }
    Ok(Some(row.changed_at))
}

/// A random password that fulfils the policy in force.
pub fn generate(app: &App, kind: Kind) -> String {
    let policy = policy(app);
    let draw = || generate::draw(kind, &policy, |below| draw_below(app, below));
    // One in some thousand is refused; that none of a hundred will do does not happen, and the last is still random.
    let candidates = std::iter::repeat_with(draw).take(100);
    let mut last = String::new();
    for candidate in candidates {
        if weakness(app, &About::default(), &candidate).is_none() {
            return candidate;
        }
        last = candidate;
    }
    last
}

/// A number below `bound`; 64 bits make its bias too small to matter.
fn draw_below(app: &App, bound: usize) -> usize {
    let number = u64::from_le_bytes(app.random.bytes()) % bound as u64;
    usize::try_from(number).unwrap_or_default()
}
