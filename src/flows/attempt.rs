//! Every try to sign in is kept (requirement AC7), behind the request: it costs the same and takes the same time whether
//! or not somebody has the name (case SEC-117).

use uuid::Uuid;

use super::{
    account::log::{self, Happened, Line},
    mail::{self, FactorChange, Letter, Outgoing},
    visitor::Device,
    write,
};
use crate::{
    app::{App, throttle::Locked},
    protocol::trace::Trace,
    store::{login_attempt::LoginAttempt, user::User},
};

/// What was to be proven, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Who somebody is, by a password.
    Password,
    /// The same of somebody who is signed in.
    PasswordAgain,
    /// The second step, by a code of an authenticator app.
    Totp,
    RecoveryCode,
    /// Either step.
    Passkey,
    MailCode,
    /// Who somebody is, by a mailed link.
    MailLink,
    /// Who somebody is, by what a provider says.
    Provider,
}

impl Method {
    const fn as_str(self) -> &'static str {
        match self {
            Method::Password => "password",
            Method::PasswordAgain => "password_again",
            Method::Totp => "totp",
            Method::RecoveryCode => "recovery_code",
            Method::Passkey => "passkey",
            Method::MailCode => "mail_code",
            Method::MailLink => "mail_link",
            Method::Provider => "provider",
        }
    }
}

/// How a try ended. The words stay the same from release to release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Well,
    Unconfirmed,
    NobodyHasTheName,
    WrongPassword,
    Disabled,
    RightCode,
    WrongCode,
    RightPasskey,
    WrongPasskey,
    RightLink,
    RightProvider,
    WrongProvider,
    Waits(Locked),
}

impl Ended {
    /// Result and reason.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Ended::Well => ("ok", "right_password"),
            Ended::Unconfirmed => ("refused", "unconfirmed_address"),
            Ended::NobodyHasTheName => ("refused", "unknown_name"),
            Ended::WrongPassword => ("refused", "wrong_password"),
            Ended::Disabled => ("refused", "disabled_account"),
            Ended::RightCode => ("ok", "right_code"),
            Ended::WrongCode => ("refused", "wrong_code"),
            Ended::RightPasskey => ("ok", "right_passkey"),
            Ended::WrongPasskey => ("refused", "wrong_passkey"),
            Ended::RightLink => ("ok", "right_link"),
            Ended::RightProvider => ("ok", "right_provider"),
            Ended::WrongProvider => ("refused", "wrong_provider"),
            Ended::Waits(Locked::Account) => ("throttled", "locked_account"),
            Ended::Waits(Locked::Address) => ("throttled", "locked_address"),
        }
    }
}

/// Keeps a try, without anything that was typed.
pub fn note(app: &App, trace: &Trace, device: &Device, person: Option<Uuid>, (method, ended): (Method, Ended)) {
    let (result, reason) = ended.words();
    app.attempts.record(LoginAttempt {
        id: app.ordered_id(),
        user_id: person,
        at: app.now(),
        address: Some(device.address.to_string()),
        user_agent: device.user_agent.clone(),
        method: method.as_str().to_owned(),
        result: result.to_owned(),
        reason: reason.to_owned(),
        trace_id: trace.id.clone(),
    });
}

/// The account waits from now on: its person is told, once until it is over. Nobody waits for this, so a lock takes no
/// longer than one of a name that nobody has.
pub fn locked(app: &App, trace: &Trace, device: &Device, user: &User) {
    let letter = Letter::AccountLocked { when: app.now(), forgot: app.url("/account/forgot") };
    tell(app, trace, device, user, letter);
}

/// The same of second factors. Whoever guesses there knows the password.
pub fn guessed(app: &App, trace: &Trace, device: &Device, user: &User) {
    let letter = Letter::FactorChanged {
        change: FactorChange::Guessed,
        when: app.now(),
        device: device.name(),
        factors: app.url("/account/factors"),
        forgot: app.url("/account/forgot"),
    };
    tell(app, trace, device, user, letter);
}

fn tell(app: &App, trace: &Trace, device: &Device, user: &User, letter: Letter) {
    let (app, trace, device, user) = (app.clone(), trace.clone(), device.clone(), user.clone());
    tokio::spawn(async move {
        let line = Line::new(&app, &trace, user.id, Happened::Locked, &device);
        let to = |to| Outgoing { to, locale: user.locale.clone(), user_id: Some(user.id), letter };
        let letter = user.email.clone().map(to);
        let of_app = app.clone();
        let written = write!(app, db => {
            if let Some(letter) = letter { mail::queue(&of_app, db, letter).await? }
            line.insert(db).await
        });
        match written.await {
            Ok(()) => {
                mail::send_soon(&app);
                log::said(&trace, Happened::Locked);
            }
            Err(error) => tracing::warn!(%error, trace_id = trace.id, "nobody was told of a locked account"),
        }
    });
}
