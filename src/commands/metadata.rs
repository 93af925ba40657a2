//! Files with what clients say of themselves: metadata (RFC 7591 §2) and key sets (RFC 7517 §5), as JSON.

use std::path::Path;

use serde_json::Value;

use super::failure::Failure;
use crate::{
    flows::{Field, Trouble},
    protocol::{client_metadata::ClientMetadata, register},
};

/// The members of the file over those of `base`; null takes one away.
///
/// # Errors
/// When the file cannot be read, or has a member that there is not, or one of another type.
pub fn over(base: &ClientMetadata, file: &Path) -> Result<ClientMetadata, Failure> {
    const REMEDY: &str = "name a file with a JSON object, {\"client_name\": …}";
    let Value::Object(said) = read(file, "--metadata", REMEDY)? else {
        return Err(Failure::usage(format!("--metadata: {}: it is no JSON object; {REMEDY}", file.display())));
    };
    if let Some(name) = said.keys().find(|name| !register::MEMBERS.contains(&name.as_str())) {
        return Err(Failure::usage(format!("--metadata: {}: there is no member {name}", file.display())));
    }
    register::merged(base, &said).map_err(|problems| {
        let field = |(name, why): (&'static str, String)| Field { name, why: why.into() };
        Trouble::Invalid(problems.into_iter().map(field).collect()).into()
    })
}

/// # Errors
/// When the file cannot be read.
pub fn jwks(file: &Path) -> Result<Value, Failure> {
    read(file, "--jwks", "name a file with a JWK Set, {\"keys\": [ … ]}")
}

fn read(file: &Path, flag: &str, remedy: &str) -> Result<Value, Failure> {
    let wrong =
        |error: &dyn std::fmt::Display| Failure::usage(format!("{flag}: {}: {error}; {remedy}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}

/// Whether a member can be said in the file alone: then it is named by itself, and not as a flag.
pub fn is_only_there(member: &str) -> bool {
    const FLAGS: [&str; 7] = ["scope", "jwks", "jwks_uri", "client_uri", "logo_uri", "policy_uri", "tos_uri"];
    register::MEMBERS.contains(&member) && !FLAGS.contains(&member)
}
