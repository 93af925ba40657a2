//! The HTTP API. What is under `/api/v1` is for people and the apps that they use it with: every operation takes a
//! [`Person`](person::Person), or none where there is none yet. The rest is administration, for machines of the operator:
//! every operation takes an [`Admin`].

pub mod invitations;
pub mod answer;
pub mod auth;
pub mod body;
pub mod json;
pub mod keys;
pub mod logout_deliveries;
pub mod mails;
pub mod me;
pub mod paging;
pub mod person;
pub mod problem;
pub mod providers;
pub mod registration_tokens;
pub mod users;

use poem::{Request, RequestBody};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, OpenApi, registry::Registry};

use self::problem::Problem;
use super::oauth::bearer;
use crate::{app::App, flows::api_access};

/// What operators' machines use.
pub fn administration() -> impl OpenApi {
    (
        (keys::Keys, registration_tokens::RegistrationTokens, invitations::Invitations),
        (logout_deliveries::LogoutDeliveries, mails::Mails, users::Users, providers::Providers),
    )
}

/// What people use, where the operator offers it (`accounts.api`).
pub fn accounts() -> impl OpenApi {
    (auth::apis(), me::apis())
}

/// Whether the path is one of [`accounts`]; it begins with `/`.
pub fn is_of_accounts(path: &str) -> bool {
    path.starts_with("/api/v1/")
}

/// Proof that a machine asks that may administer this server. It stands before the body among what an operation takes,
/// so that nobody else is told what is wrong with theirs.
pub struct Admin;

impl<'a> ApiExtractor<'a> for Admin {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        person::register_by_token(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![person::BY_TOKEN]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        let app = request.data::<App>().expect("every request carries the app");
        match api_access::operator(app, &bearer(app, request)).await {
            Ok(_) => Ok(Admin),
            Err(refused) => Err(Problem::from(refused).into()),
        }
    }
}
