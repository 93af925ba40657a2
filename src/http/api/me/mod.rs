//! `/api/v1/me`: what people do with their own account.

pub mod apps;
pub mod credentials;
pub mod data;
pub mod factors;
pub mod log;
pub mod profile;
pub mod providers;
pub mod sessions;

use poem_openapi::OpenApi;

/// All of it.
pub fn apis() -> impl OpenApi {
    (
        (profile::Profile, (credentials::Credentials, factors::Factors, providers::Providers), sessions::Sessions),
        (log::Log, apps::Apps, data::OwnData),
    )
}
