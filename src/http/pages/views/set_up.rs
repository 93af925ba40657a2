//! `/setup`: the first administrator, made in the browser behind the one-time link.

use askama::Template;

use super::{Input, NewPassword};
use crate::http::pages::view::Frame;

/// Fields: `email`, `username` (may be empty), `name`, `password`.
#[derive(Template, Debug)]
#[template(path = "pages/set_up.html")]
pub struct SetUp {
    pub frame: Frame,
    pub action: String,
    pub email: Input,
    pub username: Input,
    pub name: Input,
    pub new_password: NewPassword,
}

impl SetUp {
    /// The first field that needs the person: a wrong one, or the first of all.
    pub fn focus(&self) -> &'static str {
        let fields = [
            ("email", self.email.problem.is_some()),
            ("name", self.name.problem.is_some()),
            ("username", self.username.problem.is_some()),
            ("password", self.new_password.problem.is_some()),
        ];
        fields.iter().find(|(_, wrong)| *wrong).map_or("email", |(name, _)| name)
    }

    fn wrong(&self) -> bool {
        let problems = [self.email.problem, self.name.problem, self.username.problem, self.new_password.problem];
        problems.iter().any(Option::is_some)
    }
}

/// The end of the set-up, with the one thing to do next. The form posts `csrf` to `try_it`, which starts the sign-in.
#[derive(Template, Debug)]
#[template(path = "pages/set_up_done.html")]
pub struct SetUpDone {
    pub frame: Frame,
    pub try_it: String,
    /// Where "not now" leads: the account.
    pub account: String,
}
