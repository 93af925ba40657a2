//! Passwords that were forgotten, and new ones: drawn, or judged before they are sent anywhere else.

use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi};

use super::{StatusBody, Who};
use crate::{
    app::App,
    flows::{
        account::recovery,
        passwords::{self, About, Kind, Strength},
    },
    http::{
        api::{
            answer::{Accepted, Answer},
            body::Body,
            person::Caller,
            problem::Problem,
        },
        oauth::Topic,
    },
};

pub struct Password;

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Topic::Authentication")]
impl Password {
    /// Mail a link to a new password, if there is such an account.
    #[oai(path = "/forgot-password", method = "post", operation_id = "forgot_password")]
    async fn forgot(&self, app: Data<&App>, caller: Caller, who: Body<Who>) -> Result<Accepted<StatusBody>, Problem> {
        recovery::ask(&app, &caller.0, who.0.login()?)?;
        Ok(StatusBody::of("accepted").into())
    }

    /// Set a new password. Every session and every token of the account ends.
    #[oai(path = "/reset-password", method = "post", operation_id = "reset_password")]
    async fn reset(
        &self,
        app: Data<&App>,
        caller: Caller,
        new: Body<ResetBody>,
    ) -> Result<Answer<StatusBody>, Problem> {
        recovery::finish(&app, &caller.0, &new.0.token, &new.0.password).await?;
        Ok(StatusBody::of("changed").into())
    }

    /// Draw a random password that the policy accepts.
    #[oai(path = "/password/generate", method = "post", operation_id = "generate_password")]
    async fn generate(&self, app: Data<&App>, asked: Body<DrawBody>) -> Answer<DrawnBody> {
        let kind = match asked.0.kind {
            None | Some(KindWord::Passphrase) => Kind::Passphrase,
            Some(KindWord::Characters) => Kind::Characters,
        };
        DrawnBody { password: passwords::generate(&app, kind) }.into()
    }

    /// Judge a password as it would be judged when it is set, former ones left aside. Nothing of it is kept.
    #[oai(path = "/password/strength", method = "post", operation_id = "password_strength")]
    async fn strength(&self, app: Data<&App>, given: Body<GivenBody>) -> Answer<StrengthBody> {
        let GivenBody { password, about } = given.0;
        let words: Vec<&str> = about.iter().flatten().map(String::as_str).collect();
        let about = About { person: None, words: &words };
        StrengthBody::from(passwords::estimate(&app, &about, &password)).into()
    }
}

#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum KindWord {
    /// Words, to be remembered.
    Passphrase,
    /// Characters, for a password manager.
    Characters,
}

#[derive(Object)]
struct DrawBody {
    /// `passphrase` if it is left out.
    kind: Option<KindWord>,
}

#[derive(Object)]
struct DrawnBody {
    password: String,
}

#[derive(Object)]
struct GivenBody {
    password: String,
    /// Words that the person is known by, such as their address and name: a password must not consist of them.
    #[oai(validator(max_items = 20))]
    about: Option<Vec<String>>,
}

#[derive(Object)]
struct StrengthBody {
    /// From 0 to 4.
    score: u8,
    /// The same in a word: `very_weak`, `weak`, `fair`, `good` or `strong`.
    verdict: String,
    /// Whether it would be accepted.
    acceptable: bool,
    /// What the policy has against it, as ends of a sentence.
    problems: Vec<String>,
}

impl From<Strength> for StrengthBody {
    fn from(strength: Strength) -> Self {
        StrengthBody {
            score: strength.score,
            verdict: strength.verdict.as_str().to_owned(),
            acceptable: strength.problems.is_empty(),
            problems: strength.problems.iter().map(ToString::to_string).collect(),
        }
    }
}

#[derive(Object)]
struct ResetBody {
    /// `token` of the mailed link.
    token: String,
    /// The new one.
    password: String,
}
