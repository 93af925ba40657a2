//! The HTTP API of administration, for machines of the operator. Every handler begins with [`operator`].

pub mod keys;
pub mod logout_deliveries;
pub mod problem;
pub mod registration_tokens;

use poem::{Request, http::header};
use poem_openapi::OpenApi;

use self::problem::Problem;
use super::address;
use crate::{
    app::App,
    flows::{
        api_access::{self, Operator},
        userinfo::Bearer,
    },
};

/// All of it.
pub fn apis() -> impl OpenApi {
    (keys::Keys, registration_tokens::RegistrationTokens, logout_deliveries::LogoutDeliveries)
}

/// Who is asking.
///
/// # Errors
/// 401 or 403, unless it is a machine that may administer this server.
pub async fn operator(app: &App, request: &Request) -> Result<Operator, Problem> {
    let headers = request.headers().get_all(header::AUTHORIZATION).iter();
    let headers = headers.map(|value| value.to_str().unwrap_or_default()).collect();
    let bearer = Bearer { headers, form: None, address: Some(address::counted(app, request)) };
    Ok(api_access::operator(app, &bearer).await?)
}
