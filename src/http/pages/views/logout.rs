//! `/logout` and `/logged-out` (OpenID Connect RP-Initiated Logout 1.0 §2).

use askama::Template;

use super::{ClientCard, Link};
use crate::{
    app::text::Texts,
    http::pages::view::{Frame, Person},
};

/// Field: `answer` = `confirm` or `stay`, and what `fields` says.
#[derive(Template, Debug)]
#[template(path = "pages/logout.html")]
pub struct LogoutConfirm {
    pub frame: Frame,
    pub action: String,
    /// The app that asked, if it could prove it.
    pub client: Option<ClientCard>,
    pub person: Option<Person>,
    /// Hidden fields that go back with the answer.
    pub fields: Vec<(String, String)>,
}

/// Apps sign the person out in frames of their own, then the browser goes on (OpenID Connect Front-Channel Logout §3).
/// The page's `frame-src` must name their origins.
#[derive(Template, Debug)]
#[template(path = "pages/signing_out.html")]
pub struct SigningOut {
    pub frame: Frame,
    /// Registered addresses of the apps, with what they need to know.
    pub frames: Vec<String>,
    /// Where it goes on: an address of the app that asked, which has been checked, or a path of ours.
    pub on: String,
    /// Where that is, for people; none if it is here.
    pub host: Option<String>,
    /// What people call the provider that it goes on to.
    pub provider: Option<String>,
}

/// How many apps know that the session is over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub told: usize,
    pub waiting: usize,
    pub given_up: usize,
}

impl Told {
    /// Whether all is well, and the sentence.
    pub fn lines(&self, texts: &Texts) -> Vec<(bool, String)> {
        let counted = [
            (true, self.told, "logged_out.told_one", "logged_out.told_many"),
            (false, self.waiting, "logged_out.waiting_one", "logged_out.waiting_many"),
            (false, self.given_up, "logged_out.given_up_one", "logged_out.given_up_many"),
        ];
        let say = |(good, number, one, many): (bool, usize, &str, &str)| {
            (good, texts.with(if number == 1 { one } else { many }, &[("number", &number.to_string())]))
        };
        counted.into_iter().filter(|(_, number, ..)| *number > 0).map(say).collect()
    }
}

/// What an app's hidden frame loads to follow the state of this browser. It shows nothing.
#[derive(Template, Debug)]
#[template(path = "pages/session_check.html")]
pub struct SessionCheck {
    pub frame: Frame,
    /// The name of the cookie that its script reads.
    pub cookie: String,
}

/// The end of a session; also what a person sees who had none.
#[derive(Template, Debug)]
#[template(path = "pages/logged_out.html")]
pub struct LoggedOut {
    pub frame: Frame,
    /// The apps that we tell by ourselves.
    pub told: Told,
    pub client: Option<ClientCard>,
    /// A way on, such as the client's home page.
    pub back: Option<Link>,
}
