//! The pages that people see. Each reads the request, calls one flow, and shows what came of it.
//! Pages of a journey never link to one another: every answer goes back to `/authorize/{id}`.

pub mod account;
pub mod accounts;
pub mod assets;
pub mod authorize;
pub mod brand;
pub mod connect;
pub mod consent;
pub mod error;
pub mod files;
pub mod forms;
pub mod language;
pub mod login;
pub mod logo;
pub mod logout;
pub mod outbox;
pub mod provider;
pub mod request;
pub mod second_factor;
pub mod session_check;
pub mod set_up;
pub mod try_it;
pub mod view;
pub mod views;
