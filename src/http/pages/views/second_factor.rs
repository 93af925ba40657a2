//! `/authorize/{id}/second-factor`: the second step of a sign-in, or the way to have one; and the codes that come with it.

use askama::Template;

use super::{ClientCard, Destination};
use crate::{
    app::{moment::span, text::Texts},
    http::pages::view::{Frame, Person},
};

/// Fields: `code` or `credential` (what a passkey has signed), `by` = `app`, `recovery` or `mail`, `trust`, `answer` = `check`,
/// `cancel`, `another` or `mail`.
#[derive(Template, Debug)]
#[template(path = "pages/second_factor.html")]
pub struct SecondFactor {
    pub frame: Frame,
    /// Where the form goes.
    pub action: String,
    /// The app that asked.
    pub client: ClientCard,
    /// Who has given the first proof.
    pub person: Person,
    /// A recovery code is asked for, and not one of the authenticator app.
    pub recovery: bool,
    /// The person has an authenticator app.
    pub app: bool,
    /// Where a script learns what the person's passkey is to sign, if there is one.
    pub passkey: Option<String>,
    /// A code is asked for that was mailed, to this address.
    pub mailed: Option<String>,
    /// Whether one can be.
    pub by_mail: bool,
    pub problem: Option<FactorProblem>,
    /// For how many seconds the browser can be trusted, if it can.
    pub trust: Option<u64>,
}

impl SecondFactor {
    fn trust_for(&self, seconds: &u64) -> String {
        self.frame.with("factor.trust", &[("time", &span(self.frame.texts, *seconds))])
    }

    fn complaint(&self) -> Option<String> {
        let is_once = self.recovery || self.mailed.is_some();
        Some(self.problem?.sentence(self.frame.texts, is_once))
    }
}

/// The same address, for who has none yet. Fields: `code` or `credential` (a passkey that was made), `by` = `first`, `answer`
/// as above.
#[derive(Template, Debug)]
#[template(path = "pages/set_up_factor.html")]
pub struct SetUpFactor {
    pub frame: Frame,
    pub action: String,
    pub client: ClientCard,
    pub person: Person,
    pub key: AppKey,
    /// Where a script learns what a new passkey is to be, if passkeys work here.
    pub passkey: Option<String>,
    pub problem: Option<FactorProblem>,
    /// Whether a code can be mailed instead.
    pub by_mail: bool,
}

impl SetUpFactor {
    fn complaint(&self) -> Option<String> {
        Some(self.problem?.sentence(self.frame.texts, false))
    }
}

/// What an authenticator app reads.
#[derive(Clone)]
pub struct AppKey {
    /// Modules on each side of the picture.
    pub size: i32,
    /// The dark ones, as the path of an SVG.
    pub path: String,
    /// For who types it.
    pub secret: String,
}

impl std::fmt::Debug for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppKey(…)")
    }
}

/// Recovery codes, shown this once.
#[derive(Template)]
#[template(path = "pages/recovery_codes.html")]
pub struct RecoveryCodes {
    pub frame: Frame,
    pub codes: Vec<String>,
    /// Where the person goes on.
    pub on: String,
}

impl RecoveryCodes {
    fn file_name(&self) -> String {
        let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
        format!("{}-recovery-codes.txt", self.frame.site.name.chars().map(plain).collect::<String>().to_lowercase())
    }

    /// The codes as a file, which no server has (RFC 2397): this page is shown once.
    fn file(&self) -> String {
        let text = format!("{}\n\n{}\n", self.frame.t("factor.codes_title"), self.codes.join("\n"));
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        format!("data:text/plain;charset=utf-8,{}", encoded.replace('+', "%20"))
    }
}

/// Why the last answer did not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorProblem {
    Wrong,
    Passkey,
    TooMany {
        seconds: u64,
    },
    Busy,
    /// The form was too old, or came from another browser; a fresh one is on the page.
    Stale,
}

impl FactorProblem {
    pub fn sentence(self, texts: &Texts, recovery: bool) -> String {
        match self {
            Self::Wrong if recovery => texts.get("factor.wrong_recovery").to_owned(),
            Self::Passkey => texts.get("login.passkey_wrong").to_owned(),
            Self::Wrong => texts.get("factor.wrong").to_owned(),
            Self::TooMany { seconds } => texts.with("login.too_many", &[("wait", &span(texts, seconds))]),
            Self::Busy => texts.get("login.busy").to_owned(),
            Self::Stale => texts.get("login.stale").to_owned(),
        }
    }
}
