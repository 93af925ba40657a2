//! Codes to write down, for who loses the rest (case SEC-129): shown once, kept as keyed hashes, each good once.

use std::fmt;

use uuid::Uuid;

use super::{Change, Permit, Spent, check_fresh, has_any, said};
use crate::{
    app::App,
    crypto::secret::SecretHash,
    flows::{
        Trouble,
        account::{links, log::Happened, me::Me},
        login::Standing,
        mail::FactorChange,
        visitor::Device,
        write,
    },
    protocol::{Result, trace::Trace},
    store::{recovery_code, user::User},
};

/// How many there are at first.
pub const COUNT: usize = 10;

/// Letters that are hard to mistake for one another (Crockford's base 32), so each is five bits.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 80 bits: nobody finds one by trying, even with the hashes at hand.
const LENGTH: usize = 16;

/// A fresh set, to be shown once. Prints nothing of itself.
#[derive(Clone)]
pub struct Codes(Vec<String>);

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codes(…)")
    }
}

impl Codes {
    pub(super) fn draw(app: &App) -> Self {
        let letter = |byte: u8| char::from(LETTERS[usize::from(byte % 32)]);
        let code = || app.random.bytes::<LENGTH>().map(letter).iter().collect::<String>();
        Codes(std::iter::repeat_with(code).take(COUNT).collect())
    }

    /// As people write them down: groups of four.
    pub fn shown(&self) -> Vec<String> {
        let groups = |code: &String| {
            let letters: Vec<char> = code.chars().collect();
            letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
        };
        self.0.iter().map(groups).collect()
    }

    pub(super) fn hashes(&self, app: &App, person: Uuid) -> Vec<SecretHash> {
        self.0.iter().map(|code| hash(app, person, code)).collect()
    }
}

fn hash(app: &App, person: Uuid, code: &str) -> SecretHash {
    SecretHash(app.macs.codes.tag(&[b"recovery", person.as_bytes(), code.as_bytes()]).to_vec())
}

/// A code as it was typed, in the one form that counts: whatever stands between the letters, and letters that look alike.
fn typed(given: &str) -> String {
    let letter = |c: char| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    };
    given.chars().filter(char::is_ascii_alphanumeric).map(letter).take(2 * LENGTH).collect()
}

/// Whether this is one of the person's codes that nobody has used before. With it the sign-in is done, and the person is
/// told; the code is used up only by that.
///
/// # Errors
/// When the database is away.
pub async fn spend(
    app: &App,
    (user, device): (&User, &Device),
    half_way: Uuid,
    given: &str,
    trace: &Trace,
) -> Result<Spent> {
    let given = typed(given);
    if given.len() != LENGTH {
        return Ok(Spent::Wrong);
    }
    let (hash, id, now) = (hash(app, user.id, &given), user.id, app.now());
    let (of_app, of_trace, user, device) = (app.clone(), trace.clone(), user.clone(), device.clone());
    let spent = write!(app, db => {
        if !Spent::may(db, id, half_way).await? {
            return Ok(Spent::Over);
        }
        if !recovery_code::spend(db, id, &hash, now).await? {
            return Ok(Spent::Wrong);
        }
        let told = FactorChange::RecoveryCodeUsed { left: recovery_code::left(db, id).await? };
        let change = Change::new(&of_app, &of_trace, &user, &device, Happened::RecoveryCodeUsed, told);
        change.of_no_factor().write(db).await?;
        Spent::finish(db, half_way).await
    });
    let spent = spent.await?;
    if spent == Spent::Well {
        said(app, trace, Happened::RecoveryCodeUsed);
    }
    Ok(spent)
}

/// New codes; the old ones are worth nothing.
///
/// # Errors
/// `insufficient_user_authentication`, or that there is no factor that they could stand in for.
pub async fn renew(app: &App, me: &Me) -> Result<Codes, Trouble> {
    let trace = me.trace(app);
    let renewed = renew_traced(app, me, &trace).await;
    links::settle(app, trace, renewed)
}

async fn renew_traced(app: &App, me: &Me, trace: &Trace) -> Result<Codes, Trouble> {
    check_fresh(app, me).await?;
    let codes = Codes::draw(app);
    let (hashes, id, now) = (codes.hashes(app, me.user.id), me.user.id, app.now());
    let told = FactorChange::RecoveryCodesMade;
    let change = Change::new(app, trace, &me.user, &me.device, Happened::RecoveryCodesMade, told);
    let permit = Permit::of(me);
    let made = write!(app, db => {
        if !permit.holds(db).await? {
            return Ok(None);
        }
        if !has_any(db, id).await? {
            return Ok(Some(false));
        }
        recovery_code::replace(db, id, hashes, now).await?;
        change.write(db).await?;
        Ok(Some(true))
    });
    if !made.await?.ok_or_else(Standing::lost)? {
        return Err(super::nothing_there());
    }
    said(app, trace, Happened::RecoveryCodesMade);
    Ok(codes)
}
