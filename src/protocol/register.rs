//! RFC 7591 §2, §3.2; RFC 7592 §2.2; OpenID Connect Registration §2: what clients say of themselves as JSON, what applies
//! where they say nothing, and what those that register themselves may be. The rules for all clients are in
//! [`super::registration`].

use serde_json::{Map, Value};

use super::{
    Code, Error, Scope,
    client_metadata::{ClientMetadata, response_type},
    registration::Problem,
    rule, text,
};

/// What the operator lets clients have that register themselves.
#[derive(Debug, Clone, Copy)]
pub struct Open<'a> {
    pub response_types: &'a [String],
    pub scope: &'a Scope,
}

/// The members of [`ClientMetadata`].
pub const MEMBERS: [&str; 42] = [
    "client_name",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "redirect_uris",
    "post_logout_redirect_uris",
    "grant_types",
    "response_types",
    "application_type",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "scope",
    "jwks",
    "jwks_uri",
    "id_token_signed_response_alg",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "introspection_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "request_object_signing_alg",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "require_signed_request_object",
    "request_uris",
    "subject_type",
    "sector_identifier_uri",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "software_id",
    "software_version",
    "default_max_age",
    "require_auth_time",
    "default_acr_values",
    "initiate_login_uri",
];

/// `base` with the members that were said over its own; null takes one away (RFC 7592 §2.2). Members that are not
/// known here are nobody's business.
///
/// # Errors
/// Each member that is of another JSON type than the specifications give it.
pub fn merged(base: &ClientMetadata, said: &Map<String, Value>) -> Result<ClientMetadata, Vec<Problem>> {
    let (metadata, problems) = merge(base, said);
    if problems.is_empty() { Ok(metadata) } else { Err(problems) }
}

fn merge(base: &ClientMetadata, said: &Map<String, Value>) -> (ClientMetadata, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut members = match serde_json::to_value(base) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    for name in MEMBERS {
        match said.get(name) {
            None => {}
            Some(Value::Null) => drop(members.remove(name)),
            Some(value) => match alone(name, value) {
                Ok(()) => drop(members.insert(name.to_owned(), value.clone())),
                Err(why) => problems.push((name, why)),
            },
        }
    }
    (serde_json::from_value(members.into()).unwrap_or_else(|_| base.clone()), problems)
}

/// Whether the value can be read, by itself: so each wrong member is found, and not only the first.
fn alone(name: &str, value: &Value) -> Result<(), String> {
    let member = Map::from_iter([(name.to_owned(), value.clone())]);
    match serde_json::from_value::<ClientMetadata>(member.into()) {
        Ok(_) if name == "jwks" && !value.is_object() => Err("must be a JWK Set, which is an object".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// What a client that registers itself has said, complete. With it, everything that is wrong in ways that only the
/// registration of strangers can be; [`super::registration::problems`] has the rest.
pub fn proposed(said: &Map<String, Value>, open: Open<'_>) -> (ClientMetadata, Vec<Problem>) {
    let base = ClientMetadata { scope: open.scope.clone(), ..ClientMetadata::default() };
    let (mut metadata, mut problems) = merge(&base, said);
    let is_said = |name: &str| said.get(name).is_some_and(|value| !value.is_null());
    if !is_said("grant_types") {
        metadata.grant_types = grants_for(&metadata.response_types);
    }
    if !is_said("scope") {
        metadata.scope = open.scope.clone();
    }
    beyond(&metadata, open, &mut problems);
    (metadata, problems)
}

/// RFC 7591 §2.1: the grant types that the response types need.
fn grants_for(response_types: &[String]) -> Vec<String> {
    let words: Vec<&str> = response_types.iter().flat_map(|kind| kind.split(' ')).collect();
    let by_code = words.contains(&"code").then_some("authorization_code");
    let by_browser = words.iter().any(|word| matches!(*word, "id_token" | "token")).then_some("implicit");
    by_code.into_iter().chain(by_browser).map(str::to_owned).collect()
}

/// What no client gives itself, and what would contradict itself (RFC 7591 §2.1).
fn beyond(metadata: &ClientMetadata, open: Open<'_>, problems: &mut Vec<Problem>) {
    for kind in metadata.response_types.iter().filter_map(|kind| response_type(kind)) {
        if !open.response_types.iter().any(|open| open == kind) {
            let why =
                format!("{kind} is not for clients that register themselves; use {}", open.response_types.join(", "));
            problems.push(("response_types", why));
        }
    }
    let needed = grants_for(&metadata.response_types);
    for grant in &metadata.grant_types {
        match grant.as_str() {
            "refresh_token" => {}
            "authorization_code" | "implicit" if needed.contains(grant) => {}
            "authorization_code" | "implicit" => {
                problems.push(("grant_types", format!("{grant} is of no use with these response_types")));
            }
            _ => problems.push(("grant_types", format!("{grant} is not for clients that register themselves"))),
        }
    }
    if metadata.response_types.is_empty() {
        problems.push(("response_types", "at least one is needed".to_owned()));
    }
    let texts = [
        ("contacts", &metadata.contacts[..]),
        ("default_acr_values", &metadata.default_acr_values[..]),
        ("software_id", metadata.software_id.as_slice()),
        ("software_version", metadata.software_version.as_slice()),
    ];
    for (name, texts) in texts {
        if !texts.iter().all(|text| text::is_visible(text)) {
            problems.push((name, "has a control or invisible character".to_owned()));
        }
    }
    if !open.scope.covers(&metadata.scope) {
        let beyond = open.scope.tokens().fold(metadata.scope.clone(), |rest, token| rest.without(token));
        problems.push(("scope", format!("{beyond} is not for clients that register themselves")));
    }
}

/// One error for all of them (RFC 7591 §3.2.2). Each member is named once, with what is wrong with it first.
pub fn refusal(problems: &[Problem]) -> Error {
    const LONGEST: usize = 200;
    let mut named: Vec<&str> = Vec::new();
    let mut sentences = Vec::new();
    for (name, why) in problems {
        if !named.contains(name) {
            named.push(name);
            let cut = if why.chars().nth(LONGEST).is_some() { "..." } else { "" };
            sentences.push(format!("{name}: {}{cut}", why.chars().take(LONGEST).collect::<String>()));
        }
    }
    let by_address = named.iter().any(|name| matches!(*name, "redirect_uris" | "post_logout_redirect_uris"));
    let code = if by_address { Code::InvalidRedirectUri } else { Code::InvalidClientMetadata };
    code.because(sentences.join("; ")).under(&rule::REGISTRATION)
}

/// Decision D10: how deep a JSON document may be.
pub const DEEPEST: usize = 32;

/// The body of a registration.
///
/// # Errors
/// When it is no JSON object, or a deeper one than anybody needs.
pub fn read(body: &[u8]) -> Result<Map<String, Value>, Error> {
    let refuse = |why: &'static str| Code::InvalidClientMetadata.because(why).under(&rule::REGISTRATION);
    let value = serde_json::from_slice(body).map_err(|_| refuse("the body is not JSON"))?;
    if is_deeper(&value, DEEPEST) {
        return Err(refuse("the body is nested more than 32 levels deep"));
    }
    match value {
        // §2.3: a statement that is not understood must not be passed over as if it said nothing.
        Value::Object(said) if said.contains_key("software_statement") => Err(Code::InvalidSoftwareStatement
            .because("software_statement: this server takes no software statements; leave it out")
            .under(&rule::REGISTRATION)),
        Value::Object(said) => Ok(said),
        _ => Err(refuse("the body is not a JSON object")),
    }
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    let mut inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => return false,
    };
    levels == 0 || inner.any(|value| is_deeper(value, levels - 1))
}
