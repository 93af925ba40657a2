//! Links that were mailed: an address is confirmed, or another one. A front end of one's own takes `token` out of the
//! link's address.

use poem::web::Data;
use poem_openapi::{Object, OpenApi};

use super::{StatusBody, Who};
use crate::{
    app::App,
    flows::account::{address, verification},
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

pub struct Email;

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Topic::Authentication")]
impl Email {
    /// Confirm an address.
    ///
    /// The password proves that who reads the mail is who registered.
    #[oai(path = "/verify-email", method = "post", operation_id = "verify_email")]
    async fn verify(
        &self,
        app: Data<&App>,
        caller: Caller,
        proof: Body<VerificationBody>,
    ) -> Result<Answer<StatusBody>, Problem> {
        let VerificationBody { token, password } = proof.0;
        verification::confirm(&app, &caller.0, &token, Some(&password), false).await?;
        Ok(StatusBody::of("verified").into())
    }

    /// Mail another link that confirms an address.
    #[oai(path = "/resend-verification", method = "post", operation_id = "resend_verification")]
    async fn resend(&self, app: Data<&App>, caller: Caller, who: Body<Who>) -> Result<Accepted<StatusBody>, Problem> {
        verification::ask(&app, &caller.0, who.0.login()?)?;
        Ok(StatusBody::of("accepted").into())
    }

    /// Confirm the new address of an account. It counts from now on.
    ///
    /// The password proves that who reads the mail is whose account it is.
    #[oai(path = "/confirm-email-change", method = "post", operation_id = "confirm_email_change")]
    async fn confirm_change(
        &self,
        app: Data<&App>,
        caller: Caller,
        proof: Body<VerificationBody>,
    ) -> Result<Answer<StatusBody>, Problem> {
        let VerificationBody { token, password } = proof.0;
        address::confirm(&app, &caller.0, &token, Some(&password)).await?;
        Ok(StatusBody::of("changed").into())
    }
}

#[derive(Object)]
struct VerificationBody {
    /// `token` of the mailed link.
    token: String,
    /// The account's password.
    password: String,
}
