//! `/api/v1/me`.

mod credentials;
mod data;
mod factors;
mod passkeys;
mod log;
mod profile;
mod sessions;
