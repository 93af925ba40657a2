//! `/api/v1/auth`.

mod links;
mod login;
mod mailed;
mod password;
mod register;
