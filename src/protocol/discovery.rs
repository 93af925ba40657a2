//! OpenID Connect Discovery §3, RFC 8414 §2, RFC 9207 §3: what this server says it can do. Only what works is listed.

use serde::Serialize;

use super::{Scope, claims, client_metadata, reply, scope};

/// The paths of the endpoints, under the issuer.
pub mod path {
    pub const DISCOVERY: &str = "/.well-known/openid-configuration";
    pub const AUTHORIZE: &str = "/authorize";
    pub const TOKEN: &str = "/oauth2/token";
    pub const USERINFO: &str = "/oauth2/userinfo";
    pub const INTROSPECT: &str = "/oauth2/introspect";
    pub const REVOKE: &str = "/oauth2/revoke";
    pub const JWKS: &str = "/oauth2/jwks";
    pub const LOGOUT: &str = "/logout";
}

/// Authentication context classes (OpenID Connect Core §2): one factor.
pub const ACR: &str = "aal1";

#[derive(Debug, Serialize)]
pub struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    end_session_endpoint: String,
    scopes_supported: Vec<String>,
    response_types_supported: [&'a str; 1],
    response_modes_supported: [&'a str; 3],
    grant_types_supported: &'a [&'a str],
    subject_types_supported: [&'a str; 1],
    id_token_signing_alg_values_supported: [&'a str; 1],
    token_endpoint_auth_methods_supported: [&'a str; 4],
    token_endpoint_auth_signing_alg_values_supported: [&'a str; 5],
    introspection_endpoint_auth_methods_supported: &'a [&'a str],
    introspection_endpoint_auth_signing_alg_values_supported: [&'a str; 5],
    revocation_endpoint_auth_methods_supported: [&'a str; 4],
    revocation_endpoint_auth_signing_alg_values_supported: [&'a str; 5],
    code_challenge_methods_supported: [&'a str; 1],
    claims_supported: Vec<&'a str>,
    claim_types_supported: [&'a str; 1],
    acr_values_supported: [&'a str; 1],
    request_object_signing_alg_values_supported: [&'a str; 1],
    display_values_supported: [&'a str; 2],
    ui_locales_supported: &'a [&'a str],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    authorization_response_iss_parameter_supported: bool,
}

/// What differs between deployments.
#[derive(Debug)]
pub struct Offered<'a> {
    pub issuer: &'a str,
    pub grant_types: &'a [&'a str],
    pub locales: &'a [&'a str],
    /// Scopes of the registered resources.
    pub resource_scopes: &'a Scope,
}

pub fn metadata<'a>(offered: &Offered<'a>) -> Metadata<'a> {
    let at = |path: &str| format!("{}{path}", offered.issuer.trim_end_matches('/'));
    let scopes = scope::STANDARD.iter().copied().chain(offered.resource_scopes.tokens());
    let claims = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"]
        .into_iter()
        .chain(claims::supported());
    Metadata {
        issuer: offered.issuer,
        authorization_endpoint: at(path::AUTHORIZE),
        token_endpoint: at(path::TOKEN),
        userinfo_endpoint: at(path::USERINFO),
        jwks_uri: at(path::JWKS),
        introspection_endpoint: at(path::INTROSPECT),
        revocation_endpoint: at(path::REVOKE),
        end_session_endpoint: at(path::LOGOUT),
        scopes_supported: scopes.map(str::to_owned).collect(),
        response_types_supported: ["code"],
        response_modes_supported: reply::MODES,
        grant_types_supported: offered.grant_types,
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        token_endpoint_auth_methods_supported: client_metadata::AUTH_METHODS,
        token_endpoint_auth_signing_alg_values_supported: client_metadata::ASSERTION_ALGORITHMS,
        introspection_endpoint_auth_methods_supported: &client_metadata::AUTH_METHODS[..3],
        introspection_endpoint_auth_signing_alg_values_supported: client_metadata::ASSERTION_ALGORITHMS,
        revocation_endpoint_auth_methods_supported: client_metadata::AUTH_METHODS,
        revocation_endpoint_auth_signing_alg_values_supported: client_metadata::ASSERTION_ALGORITHMS,
        code_challenge_methods_supported: ["S256"],
        claims_supported: claims.collect(),
        claim_types_supported: ["normal"],
        acr_values_supported: [ACR],
        // Request objects are not taken yet; when they are, unsigned ones never will be.
        request_object_signing_alg_values_supported: ["RS256"],
        display_values_supported: ["page", "popup"],
        ui_locales_supported: offered.locales,
        claims_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true,
    }
}
