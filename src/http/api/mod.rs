//! The HTTP API of administration, for machines of the operator. Every operation takes an [`Admin`].

pub mod invitations;
pub mod keys;
pub mod logout_deliveries;
pub mod mails;
pub mod problem;
pub mod registration_tokens;

use poem::{FromRequest, Request, RequestBody};
use poem_openapi::OpenApi;

use self::problem::Problem;
use super::oauth::bearer;
use crate::{app::App, flows::api_access};

/// All of it.
pub fn apis() -> impl OpenApi {
    (
        (keys::Keys, registration_tokens::RegistrationTokens, invitations::Invitations),
        (logout_deliveries::LogoutDeliveries, mails::Mails),
    )
}

/// Proof that a machine asks that may administer this server. It stands before the body among what an operation takes,
/// so that nobody else is told what is wrong with theirs.
pub struct Admin;

impl<'a> FromRequest<'a> for Admin {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let app = request.data::<App>().expect("every request carries the app");
        match api_access::operator(app, &bearer(app, request)).await {
            Ok(_) => Ok(Admin),
            Err(refused) => Err(Problem::from(refused).into()),
        }
    }
}
