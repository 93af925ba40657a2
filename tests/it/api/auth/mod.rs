//! `/api/v1/auth`.

mod links;
mod login;
mod password;
mod register;
