//! `/api/v1/me`.

mod credentials;
mod data;
mod factors;
mod log;
mod profile;
mod sessions;
