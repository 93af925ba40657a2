//! What the standards say. No clock, no database, no HTTP: values in, values out.
//! The first line of each file names its specification.

pub mod access_token;
pub mod assertion;
pub mod assurance;
pub mod authorize;
pub mod claims;
pub mod client_metadata;
pub mod code_grant;
pub mod discovery;
pub mod error;
pub mod id_token;
pub mod logout;
pub mod logout_token;
pub mod numeric_date;
pub mod params;
pub mod password;
pub mod phone;
pub mod picture;
pub mod pkce;
pub mod prompt;
pub mod redirect_uri;
pub mod register;
pub mod registration;
pub mod reply;
pub mod request_object;
pub mod resource;
pub mod response_type;
pub mod rule;
pub mod scope;
pub mod step;
pub mod text;
pub mod trace;
pub mod upstream;
pub mod user_agent;

pub use error::{Code, Error};
pub use params::Params;
pub use scope::Scope;

/// What a rule answers: its value, or the one error that clients are told.
pub type Result<T, E = Error> = std::result::Result<T, E>;
