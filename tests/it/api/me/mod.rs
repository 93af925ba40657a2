//! `/api/v1/me`.

mod credentials;
mod data;
mod log;
mod profile;
mod sessions;
