//! The stories of the server, told from outside.
mod claims;
mod client_credentials;
mod code;
mod form_post;
mod import;
mod new_passwords;
mod nonsense;
mod opaque;
mod password;
mod races;
