//! `/api/v1/me/password` and `/api/v1/me/email`: what lets a person in.

use poem::web::Data;
use poem_openapi::{Object, OpenApi};

use crate::{
    app::App,
    flows::account::{address, password},
    http::{
        api::{
            answer::{Accepted, Done},
            auth::StatusBody,
            body::Body,
            person::Person,
            problem::Problem,
        },
        oauth::Topic,
    },
};

pub struct Credentials;

#[OpenApi(prefix_path = "/api/v1/me", tag = "Topic::Account")]
impl Credentials {
    /// Set another password, or a first one.
    ///
    /// With another one, every other session ends with its tokens; the caller's goes on. Who came by a provider has none
    /// (`has_password` of `/api/v1/me/factors`): a first one ends nothing and needs no `current_password`, but a sign-in
    /// some minutes ago at most (`second_factor.fresh`); 401 with `insufficient_user_authentication` otherwise.
    #[oai(path = "/password", method = "post", operation_id = "change_password")]
    async fn password(&self, app: Data<&App>, person: Person, new: Body<PasswordBody>) -> Result<Done, Problem> {
        let PasswordBody { current_password, new_password } = new.0;
        let current = current_password.unwrap_or_default();
        password::change(&app, &person.visitor, &person.me, &current, &new_password).await?;
        Ok(Done::from(()))
    }

    /// Ask for another e-mail address.
    ///
    /// The new one gets a link that confirms it, and the old one counts until then; it is told, and can undo it. The
    /// answer is the same for an address that has an account.
    #[oai(path = "/email", method = "post", operation_id = "change_email")]
    async fn email(
        &self,
        app: Data<&App>,
        person: Person,
        new: Body<EmailBody>,
    ) -> Result<Accepted<StatusBody>, Problem> {
        let EmailBody { email, current_password } = new.0;
        address::ask(&app, &person.visitor, &person.me, &email, current_password.as_deref()).await?;
        Ok(StatusBody::of("verification_sent").into())
    }
}

#[derive(Object)]
struct PasswordBody {
    /// Of whom has one.
    current_password: Option<String>,
    new_password: String,
}

#[derive(Object)]
struct EmailBody {
    /// The new one.
    email: String,
    /// Not needed for some minutes after signing in (`second_factor.fresh`). Who has none signs in again after that.
    current_password: Option<String>,
}
