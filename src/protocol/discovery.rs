//! OpenID Connect Discovery §3, RFC 8414 §2, RFC 9207 §3: what this server says it can do. Only what works is listed.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Scope, assurance::Level, claims, client_metadata, registration, reply, scope};

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
    pub const CHECK_SESSION: &str = "/session/check";
    pub const REGISTER: &str = "/oauth2/register";
}

/// OpenID Connect Discovery §3; the order is the order in the document.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    scopes_supported: Vec<String>,
    response_types_supported: Vec<&'a str>,
    response_modes_supported: [&'a str; 3],
    grant_types_supported: Vec<&'a str>,
    subject_types_supported: [&'a str; 2],
    #[serde(flatten)]
    algorithms: Algorithms,
    #[serde(flatten)]
    authentication: Authentication,
    code_challenge_methods_supported: [&'a str; 1],
    claims_supported: Vec<&'a str>,
    claim_types_supported: [&'a str; 1],
    acr_values_supported: [&'a str; 2],
    display_values_supported: [&'a str; 2],
    ui_locales_supported: &'a [&'a str],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    require_request_uri_registration: bool,
    authorization_response_iss_parameter_supported: bool,
    #[serde(flatten)]
    logout: Logout,
}

/// By which tokens are signed and encrypted; the same on every deployment.
#[derive(Debug, Serialize)]
struct Algorithms {
    id_token_signing_alg_values_supported: [&'static str; 6],
    id_token_encryption_alg_values_supported: [&'static str; 2],
    id_token_encryption_enc_values_supported: [&'static str; 2],
    userinfo_signing_alg_values_supported: [&'static str; 6],
    userinfo_encryption_alg_values_supported: [&'static str; 2],
    userinfo_encryption_enc_values_supported: [&'static str; 2],
    /// RFC 9701 §7.
    introspection_signing_alg_values_supported: [&'static str; 6],
    introspection_encryption_alg_values_supported: [&'static str; 2],
    introspection_encryption_enc_values_supported: [&'static str; 2],
    request_object_signing_alg_values_supported: [&'static str; 5],
    request_object_encryption_alg_values_supported: [&'static str; 2],
    request_object_encryption_enc_values_supported: [&'static str; 2],
}

const ALGORITHMS: Algorithms = Algorithms {
    id_token_signing_alg_values_supported: client_metadata::SIGNING_ALGORITHMS,
    id_token_encryption_alg_values_supported: registration::ENCRYPTION_ALGORITHMS,
    id_token_encryption_enc_values_supported: registration::ENCRYPTION_ENCODINGS,
    userinfo_signing_alg_values_supported: client_metadata::SIGNING_ALGORITHMS,
    userinfo_encryption_alg_values_supported: registration::ENCRYPTION_ALGORITHMS,
    userinfo_encryption_enc_values_supported: registration::ENCRYPTION_ENCODINGS,
    introspection_signing_alg_values_supported: client_metadata::SIGNING_ALGORITHMS,
    introspection_encryption_alg_values_supported: registration::ENCRYPTION_ALGORITHMS,
    introspection_encryption_enc_values_supported: registration::ENCRYPTION_ENCODINGS,
    request_object_signing_alg_values_supported: client_metadata::ASSERTION_ALGORITHMS,
    request_object_encryption_alg_values_supported: registration::ENCRYPTION_ALGORITHMS,
    request_object_encryption_enc_values_supported: registration::ENCRYPTION_ENCODINGS,
};

/// How clients prove themselves at each endpoint (RFC 8414 §2).
#[derive(Debug, Serialize)]
struct Authentication {
    token_endpoint_auth_methods_supported: &'static [&'static str],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 6],
    /// Not for public clients.
    introspection_endpoint_auth_methods_supported: &'static [&'static str],
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 6],
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 6],
}

const AUTHENTICATION: Authentication = {
    let [a, b, c, d, e] = client_metadata::ASSERTION_ALGORITHMS;
    let algorithms = [a, b, c, d, e, client_metadata::SECRET_ALGORITHM];
    Authentication {
        token_endpoint_auth_methods_supported: &client_metadata::AUTH_METHODS,
        token_endpoint_auth_signing_alg_values_supported: algorithms,
        introspection_endpoint_auth_methods_supported: client_metadata::AUTH_METHODS.split_at(4).0,
        introspection_endpoint_auth_signing_alg_values_supported: algorithms,
        revocation_endpoint_auth_methods_supported: &client_metadata::AUTH_METHODS,
        revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    }
};

/// OpenID Connect Session Management §2.1, Front-Channel Logout §3, Back-Channel Logout §2.1.
#[derive(Debug, Serialize)]
struct Logout {
    check_session_iframe: String,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
}

/// What differs between deployments.
#[derive(Debug)]
pub struct Offered<'a> {
    pub issuer: &'a str,
    pub grant_types: &'a [&'a str],
    /// Those that some client may use now.
    pub response_types: &'a BTreeSet<String>,
    /// Those that clients may register for by themselves; none while they may not register.
    pub registration: Option<&'a [String]>,
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
    let mut response_types = vec!["code"];
    let is_usable = |kind: &&str| {
        let is_open = offered.registration.is_some_and(|open| open.iter().any(|open| open == kind));
        is_open || offered.response_types.contains(*kind)
    };
    response_types.extend(client_metadata::RESPONSE_TYPES[1..].iter().copied().filter(is_usable));
    let mut grant_types = offered.grant_types.to_vec();
    if response_types.len() > 1 {
        grant_types.push("implicit");
    }
    Metadata {
        issuer: offered.issuer,
        authorization_endpoint: at(path::AUTHORIZE),
        token_endpoint: at(path::TOKEN),
        userinfo_endpoint: at(path::USERINFO),
        jwks_uri: at(path::JWKS),
        introspection_endpoint: at(path::INTROSPECT),
        revocation_endpoint: at(path::REVOKE),
        end_session_endpoint: at(path::LOGOUT),
        registration_endpoint: offered.registration.map(|_| at(path::REGISTER)),
        scopes_supported: scopes.map(str::to_owned).collect(),
        response_types_supported: response_types,
        response_modes_supported: reply::MODES,
        grant_types_supported: grant_types,
        subject_types_supported: ["public", "pairwise"],
        algorithms: ALGORITHMS,
        authentication: AUTHENTICATION,
        code_challenge_methods_supported: ["S256"],
        claims_supported: claims.collect(),
        claim_types_supported: ["normal"],
        acr_values_supported: Level::ALL.map(Level::acr),
        display_values_supported: ["page", "popup"],
        ui_locales_supported: offered.locales,
        claims_parameter_supported: true,
        request_parameter_supported: true,
        request_uri_parameter_supported: true,
        require_request_uri_registration: true,
        authorization_response_iss_parameter_supported: true,
        logout: Logout {
            check_session_iframe: at(path::CHECK_SESSION),
            frontchannel_logout_supported: true,
            frontchannel_logout_session_supported: true,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
        },
    }
}
