//! Config OP. Plan: oidcc-config-certification-test-plan, whose one module is
//! oidcc-discovery-endpoint-verification.
use serde_json::{Value, json};

use super::{fixtures, secure};
use crate::harness::{Call, jwt, relying_party::DISCOVERY};

/// Every member of Discovery §3 and RFC 8414 §2 that the server publishes, with its JSON type; an unknown one warns.
const STRINGS: [&str; 11] = [
    "check_session_iframe",
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "introspection_endpoint",
    "revocation_endpoint",
    "end_session_endpoint",
    "service_documentation",
    "op_policy_uri",
];
const LISTS: [&str; 32] = [
    "scopes_supported",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "id_token_encryption_alg_values_supported",
    "id_token_encryption_enc_values_supported",
    "userinfo_signing_alg_values_supported",
    "userinfo_encryption_alg_values_supported",
    "userinfo_encryption_enc_values_supported",
    "introspection_signing_alg_values_supported",
    "introspection_encryption_alg_values_supported",
    "introspection_encryption_enc_values_supported",
    "request_object_encryption_alg_values_supported",
    "request_object_encryption_enc_values_supported",
    "request_object_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "display_values_supported",
    "claim_types_supported",
    "claims_supported",
    "claims_locales_supported",
    "ui_locales_supported",
    "code_challenge_methods_supported",
    "acr_values_supported",
    "prompt_values_supported",
    "authorization_details_types_supported",
];
const BOOLEANS: [&str; 9] = [
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
    "authorization_response_iss_parameter_supported",
];

fn list<'a>(metadata: &'a Value, name: &str) -> Vec<&'a str> {
    let list = metadata[name].as_array().unwrap_or_else(|| panic!("{name} is no list: {}", metadata[name]));
    assert!(!list.is_empty(), "{name} is empty");
    list.iter().map(|item| item.as_str().unwrap_or_else(|| panic!("{name} has {item}"))).collect()
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let server = secure().await;
    let answer = server.site.get(DISCOVERY).await;
    assert_eq!((answer.status, answer.media_type()), (200, "application/json"));
    let metadata = answer.json();
    assert_eq!(metadata["issuer"], server.site.issuer.as_str());
    for (name, value) in metadata.as_object().unwrap() {
        match name.as_str() {
            name if STRINGS.contains(&name) => {
                assert!(value.as_str().is_some_and(|text| !text.is_empty()), "{name}: {value}")
            }
            name if LISTS.contains(&name) => drop(list(&metadata, name)),
            name if BOOLEANS.contains(&name) => assert!(value.is_boolean(), "{name}: {value}"),
            name => panic!("nobody knows {name}: {value}"),
        }
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            assert!(value.as_str().unwrap().starts_with("https://"), "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn oidcc_discovery_lists_what_certification_looks_for() {
    let f = fixtures().await;
    let metadata = f.c1.discovery().await;
    for needed in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"]
    {
        assert!(metadata[needed].is_string(), "{needed}");
    }
    assert_eq!(list(&metadata, "response_types_supported"), ["code"]);
    assert_eq!(list(&metadata, "subject_types_supported"), ["public", "pairwise"]);
    assert!(list(&metadata, "id_token_signing_alg_values_supported").contains(&"RS256"));
    assert!(list(&metadata, "request_object_signing_alg_values_supported").contains(&"RS256"));
    let scopes = list(&metadata, "scopes_supported");
    for scope in ["openid", "profile", "email", "address", "phone", "offline_access"] {
        assert!(scopes.contains(&scope), "{scope}");
    }
    let claims = list(&metadata, "claims_supported");
    for claim in ["sub", "iss", "auth_time", "acr", "name", "updated_at", "email_verified", "address", "phone_number"] {
        assert!(claims.contains(&claim), "{claim}");
    }
    let grants = list(&metadata, "grant_types_supported");
    for grant in ["authorization_code", "refresh_token", "client_credentials"] {
        assert!(grants.contains(&grant), "{grant}");
    }
    let modes = list(&metadata, "response_modes_supported");
    assert!(modes.contains(&"query") && modes.contains(&"form_post"), "{modes:?}");
    assert_eq!(list(&metadata, "code_challenge_methods_supported"), ["S256"]);
}

/// Language tags in the casing of BCP 47: language lower, script title, region upper.
#[tokio::test]
async fn oidcc_discovery_locales_are_canonical() {
    let f = fixtures().await;
    let metadata = f.c1.discovery().await;
    let locales = list(&metadata, "ui_locales_supported");
    assert!(locales.contains(&"en") && locales.contains(&"de"), "{locales:?}");
    for tag in locales {
        for (position, part) in tag.split('-').enumerate() {
            let canonical = match (position, part.len()) {
                (0, _) => part.to_lowercase(),
                (_, 2) => part.to_uppercase(),
                (_, 4) => part[..1].to_uppercase() + &part[1..].to_lowercase(),
                _ => part.to_lowercase(),
            };
            assert!(part == canonical && (2..=8).contains(&part.len()), "{tag}");
        }
    }
}

/// jwks_uri leads to keys that work.
#[tokio::test]
async fn oidcc_discovery_keys_are_valid() {
    let f = fixtures().await;
    for key in f.c1.jwks().await["keys"].as_array().unwrap() {
        let key = jwt::public_key(key);
        assert!(key.rsa().unwrap().size() >= 256);
    }
}

/// OP1: cacheable, with a validator, for every origin, and the same as RFC 8414's document.
#[tokio::test]
async fn metadata_may_be_cached_and_read_by_every_page() {
    let f = fixtures().await;
    for path in [DISCOVERY, crate::harness::relying_party::METADATA, crate::harness::relying_party::JWKS] {
        let answer = f.site.send(Call::get(path).header("origin", "https://anywhere.example")).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let control = answer.tokens_of("cache-control");
        assert!(control.iter().any(|token| token.starts_with("max-age=")), "{path}: {control:?}");
        let tag = answer.header("etag").unwrap_or_else(|| panic!("no ETag at {path}")).to_string();
        assert!(tag.trim_start_matches("W/").starts_with('"') && tag.ends_with('"'), "{tag}");
        let again = f.site.send(Call::get(path).header("if-none-match", &tag)).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        let changed = f.site.send(Call::get(path).header("if-none-match", "\"other\"")).await;
        assert_eq!((changed.status, changed.body), (200, answer.body), "{path}");
        assert!(answer.headers.get("set-cookie").is_none());
    }
}

/// What discovery says of claims and parameters is what happens.
#[tokio::test]
async fn metadata_switches_are_true() {
    let f = fixtures().await;
    let metadata = f.c1.discovery().await;
    assert_eq!(metadata["claims_parameter_supported"], json!(true));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], json!(true));
    for mode in list(&metadata, "response_modes_supported") {
        let visit = f.visit_with(&f.c1, f.c1.asks().with("response_mode", mode)).await;
        assert!(visit.tokens.id.is_some(), "{mode}");
    }
}
