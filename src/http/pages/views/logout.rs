//! `/logout` and `/logged-out` (OpenID Connect RP-Initiated Logout 1.0 §2).

use askama::Template;

use super::{ClientCard, Link};
use crate::http::pages::view::{Frame, Person};

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

/// The end of a session; also what a person sees who had none.
#[derive(Template, Debug)]
#[template(path = "pages/logged_out.html")]
pub struct LoggedOut {
    pub frame: Frame,
    pub client: Option<ClientCard>,
    /// A way on, such as the client's home page.
    pub back: Option<Link>,
}
