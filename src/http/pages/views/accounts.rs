//! `/authorize/{id}/account`: with which account to go on.

use askama::Template;

use super::{ClientCard, Destination};
use crate::http::pages::view::{Frame, Person};

/// Field: `answer` = `continue`, `another` or `cancel`.
#[derive(Template, Debug)]
#[template(path = "pages/accounts.html")]
pub struct AccountChooser {
    pub frame: Frame,
    pub action: String,
    pub client: Option<ClientCard>,
    /// Who is signed in in this browser.
    pub current: Person,
    /// The account that the app asked for, where it is another than the current one.
    pub wanted: Option<String>,
}
