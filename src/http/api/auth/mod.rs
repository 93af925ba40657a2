//! `/api/v1/auth`: how people come in, and out. What a hand-written back end with tokens has, over the flows of the pages.

pub mod email;
pub mod login;
pub mod magic_link;
pub mod password;
pub mod register;
pub mod second_factor;

use poem_openapi::{Object, OpenApi};

use crate::flows::Trouble;

/// All of it.
pub fn apis() -> impl OpenApi {
    let sign_in = (login::Login, second_factor::SecondFactor, magic_link::MagicLink);
    (register::Register, sign_in, email::Email, password::Password)
}

/// What is the same for everybody, whether or not there is anything to do.
#[derive(Object)]
pub struct StatusBody {
    /// A word for programs. It stays the same from release to release.
    pub status: String,
}

impl StatusBody {
    pub fn of(word: &str) -> Self {
        StatusBody { status: word.to_owned() }
    }
}

/// Whom a request is about: exactly one of the members.
#[derive(Object)]
pub struct Who {
    /// A user name, an e-mail address or a telephone number.
    login: Option<String>,
    username: Option<String>,
    email: Option<String>,
    phone_number: Option<String>,
}

impl Who {
    /// # Errors
    /// When there is none, or are several.
    fn login(&self) -> Result<&str, Trouble> {
        let all = [&self.login, &self.username, &self.email, &self.phone_number];
        let mut given = all.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(Trouble::field("login", "give exactly one of login, username, email and phone_number")),
        }
    }
}
