//! Codes by mail (requirement MF7), where the operator lets them count (`second_factor.mail_codes`). Each belongs to one
//! sign-in that waits for its second step, and ends it. They never make a sign-in `aal2`: whoever reads somebody's mail can
//! set a new password, too.

use super::Spent;
use crate::{
    app::App,
    crypto::secret::{SecretHash, equal},
    flows::{
        account::{address, links},
        mail::{self, Letter, Outgoing},
        second_factor,
        visitor::Visitor,
        write, write_one,
    },
    protocol::{
        Result,
        assurance::{Method, Methods},
    },
    store::{
        sign_in::{self, SignIn},
        user::{self, User},
    },
};

/// Seconds for which a code counts (decision D8).
const LIFE: i64 = 600;

const DIGITS: usize = 6;

/// Whether there are any.
pub fn are_on(app: &App) -> bool {
    app.config.second_factor.mail_codes && mail::is_possible(app)
}

/// Where codes for the person go, as the person recognizes it: to an address that is theirs for sure, and not where mail has
/// proved something already, since twice the same is one factor.
pub fn hint(app: &App, user: &User, so_far: &Methods) -> Option<String> {
    let counts = are_on(app) && user.email_verified && !so_far.contains(Method::Mail);
    user.email.as_deref().filter(|_| counts).map(address::hint)
}

/// Mails a code for this sign-in, which makes the one before it worthless; none to who has had many. False when the sign-in
/// is over, or the address is another by now.
///
/// # Errors
/// 429 for who asks too often, or when the database is away.
pub async fn send(app: &App, visitor: &Visitor, user: &User, row: &SignIn) -> Result<bool> {
    links::count(app, visitor)?;
    let Some(to) = user.email.clone() else { return Ok(false) };
    let code = draw(app);
    let (hash, now) = (tag(app, row, &to, &code), app.now());
    // However often one is mailed, the sign-in does not wait for ever.
    let until = Ord::min(now + LIFE, row.created_at + second_factor::LIFE + LIFE);
    let letter = Letter::MailCode {
        code,
        minutes: u32::try_from((until - now) / 60).unwrap_or_default().max(1),
        device: visitor.device.name(),
        forgot: app.url("/account/forgot"),
    };
    let letter = Outgoing { to, locale: user.locale.clone(), user_id: Some(user.id), letter };
    let (of_app, person, row) = (app.clone(), user.id, row.clone());
    let is_open = write!(app, db => {
        // Of an address that was replaced a moment ago nobody gets a code.
        let current = user::find_locked(db, person).await?.filter(|user| user.is_enabled() && user.email_verified);
        if current.is_none_or(|user| user.email.as_ref() != Some(&letter.to)) {
            return Ok(false);
        }
        if !links::has_room_for(db, person, &letter.letter, now).await? {
            return Ok(true);
        }
        if !sign_in::set_code(db, &row, hash, until).await? {
            return Ok(false);
        }
        mail::queue(&of_app, db, letter).await?;
        Ok(true)
    });
    let is_open = is_open.await?;
    mail::send_soon(app);
    Ok(is_open)
}

/// Whether this is the code of this sign-in, in its time. With it the sign-in is done, for one caller.
///
/// # Errors
/// When the database is away.
pub async fn finish(app: &App, user: &User, row: &SignIn, given: &str) -> Result<Spent> {
    let typed: String = given.chars().filter(|c| !c.is_whitespace()).take(2 * DIGITS).collect();
    let is_one = typed.len() == DIGITS && typed.bytes().all(|digit| digit.is_ascii_digit());
    let Some(email) = user.email.as_deref().filter(|_| is_one && are_on(app)) else { return Ok(Spent::Wrong) };
    let (id, hash, now) = (row.id, tag(app, row, email, &typed), app.now());
    // Right when it was looked at: then somebody else was quicker, and nothing was guessed.
    let was_right = row.code_hash.as_ref().is_some_and(|kept| equal(&kept.0, &hash.0));
    Ok(match write_one!(app, db => sign_in::finish_by_code(db, id, &hash, now)).await? {
        true => Spent::Well,
        false if was_right => Spent::Over,
        false => Spent::Wrong,
    })
}

/// One million is nothing next to 2⁶⁴, so each is as likely as any other.
fn draw(app: &App) -> String {
    format!("{:06}", u64::from_be_bytes(app.random.bytes()) % 1_000_000)
}

/// So few digits are kept under a key: whoever has read the database tries none of them.
fn tag(app: &App, row: &SignIn, email: &str, code: &str) -> SecretHash {
    SecretHash(app.macs.codes.tag(&[b"mail", row.id.as_bytes(), email.as_bytes(), code.as_bytes()]).to_vec())
}
