//! `signet openapi`: the contract of the endpoints, as `openapi/signet.yaml` holds it.

use super::{failure::Failure, output};
use crate::http;

/// # Errors
/// When it cannot be written.
pub fn print() -> Result<(), Failure> {
    output::print(&http::contract())
}
