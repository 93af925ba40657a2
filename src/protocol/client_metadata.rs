//! RFC 7591 §2, OpenID Connect Registration §2: what a client says of itself. One struct is the column in
//! the database, the settings' `[[clients]]` and, later, the registration body.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::Scope;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default)]
pub struct ClientMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Kept as written: they are compared byte for byte.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    pub grant_types: Vec<String>,
    pub response_types: Vec<String>,
    /// `web` or `native`.
    pub application_type: String,
    pub token_endpoint_auth_method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    pub scope: Scope,
    /// Public keys, by value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Public keys, by reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    pub id_token_signed_response_alg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<String>,
    /// None is plain JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<String>,
    /// RFC 9701 §6. None is plain JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<String>,
    /// The only algorithm that its request objects may be signed with; none: any that is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_enc: Option<String>,
    /// RFC 9101 §10.5: requests without a signed request object are refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_signed_request_object: bool,
    /// Request objects by reference; what follows `#` names the content, not the place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    /// `public` or `pairwise` (OpenID Connect Core §8).
    pub subject_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub frontchannel_logout_session_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// RFC 7591 §2: which software this is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<i64>,
    pub require_auth_time: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
}

impl Default for ClientMetadata {
    fn default() -> Self {
        ClientMetadata {
            client_name: None,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            contacts: Vec::new(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: vec!["authorization_code".into()],
            response_types: vec!["code".into()],
            application_type: "web".into(),
            token_endpoint_auth_method: "client_secret_basic".into(),
            token_endpoint_auth_signing_alg: None,
            scope: Scope::default(),
            jwks: None,
            jwks_uri: None,
            id_token_signed_response_alg: "RS256".into(),
            id_token_encrypted_response_alg: None,
            id_token_encrypted_response_enc: None,
            userinfo_signed_response_alg: None,
            userinfo_encrypted_response_alg: None,
            userinfo_encrypted_response_enc: None,
            introspection_signed_response_alg: None,
            introspection_encrypted_response_alg: None,
            introspection_encrypted_response_enc: None,
            request_object_signing_alg: None,
            request_object_encryption_alg: None,
            request_object_encryption_enc: None,
            require_signed_request_object: false,
            request_uris: Vec::new(),
            subject_type: "public".into(),
            sector_identifier_uri: None,
            frontchannel_logout_uri: None,
            frontchannel_logout_session_required: false,
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            software_id: None,
            software_version: None,
            default_max_age: None,
            require_auth_time: false,
            default_acr_values: Vec::new(),
            initiate_login_uri: None,
        }
    }
}

/// What an operator decides about a client beyond what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default)]
pub struct ClientPolicy {
    /// The operator's own app: may use the `password` grant if registered for it, may skip consent.
    pub first_party: bool,
    /// Only for first-party clients.
    pub skip_consent: bool,
    /// RFC 7636 for confidential clients; public ones always must.
    pub require_pkce: bool,
    /// Opaque access tokens instead of JWTs.
    pub opaque_access_tokens: bool,
    /// A refresh token also without `offline_access`; it ends with the session.
    pub always_refresh: bool,
    /// Profile claims in the ID token too, for apps that never call userinfo.
    pub id_token_claims: bool,
    /// Nobody gets to it with one factor alone.
    pub require_second_factor: bool,
    /// Audiences of client assertions accepted besides the issuer (decision K9).
    pub assertion_audiences: Vec<String>,
    /// Browser origins that may call the token endpoint, besides those of a public web client's redirect URIs.
    pub allowed_origins: Vec<String>,
}

impl Default for ClientPolicy {
    fn default() -> Self {
        ClientPolicy {
            first_party: false,
            skip_consent: false,
            require_pkce: true,
            opaque_access_tokens: false,
            always_refresh: false,
            id_token_claims: false,
            require_second_factor: false,
            assertion_audiences: Vec::new(),
            allowed_origins: Vec::new(),
        }
    }
}

/// What is wrong with a member: `(name, why)`.
pub type Problem = (&'static str, String);

/// The client authentication methods that exist (OpenID Connect Core §9).
pub const AUTH_METHODS: [&str; 5] =
    ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];
/// Algorithms of client assertions and request objects that a client signs with its key.
pub const ASSERTION_ALGORITHMS: [&str; 5] = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];
/// The one algorithm of client assertions by a shared secret.
pub const SECRET_ALGORITHM: &str = "HS256";
/// Algorithms that tokens are signed with, as the client chooses.
pub const SIGNING_ALGORITHMS: [&str; 6] = ["RS256", "RS384", "RS512", "PS256", "ES256", "EdDSA"];
/// Response types (OAuth 2.0 Multiple Response Types §3, §5; OpenID Connect Core §3). Every one but `code` lets tokens
/// travel through the browser, and only clients that are registered for it may use it.
pub const RESPONSE_TYPES: [&str; 6] =
    ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];

/// A response type in the one order of its words in which it is registered and compared.
pub fn response_type(given: &str) -> Option<&'static str> {
    let words = |text: &str| {
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    RESPONSE_TYPES.into_iter().find(|known| words(known) == words(given))
}

/// The host of a web address. What stands there in an address of an app's own scheme, anybody can write.
pub fn web_host(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    url.host_str().map(str::to_owned)
}

/// Of the usual response types those that the grants let a client use, where it does not say itself (RFC 7591 §2.1).
pub fn fitting(usual: &[String], grants: &[String]) -> Vec<String> {
    let by_code = grants.iter().any(|grant| grant == "authorization_code");
    usual.iter().filter(|kind| by_code || *kind != "code").cloned().collect()
}

impl ClientMetadata {
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == "none"
    }

    pub fn is_native(&self) -> bool {
        self.application_type == "native"
    }

    pub fn is_pairwise(&self) -> bool {
        self.subject_type == "pairwise"
    }

    /// How its ID tokens, and what is made as they are, get encrypted: `…_alg` and `…_enc`.
    pub fn id_token_encryption(&self) -> (Option<&str>, Option<&str>) {
        (self.id_token_encrypted_response_alg.as_deref(), self.id_token_encrypted_response_enc.as_deref())
    }

    /// OpenID Connect Core §8.1: whom a pairwise subject is the same for.
    pub fn sector(&self) -> Option<String> {
        let uri = self.sector_identifier_uri.as_ref().or_else(|| self.redirect_uris.first())?;
        web_host(uri)
    }

    /// The signature algorithms that it makes us sign with, ID tokens first.
    pub fn signing_algorithms(&self) -> impl Iterator<Item = &str> {
        let others = [&self.userinfo_signed_response_alg, &self.introspection_signed_response_alg];
        std::iter::once(self.id_token_signed_response_alg.as_str())
            .chain(others.into_iter().flatten().map(String::as_str))
    }

    /// The algorithms by which we encrypt for it.
    pub fn encryption_algorithms(&self) -> impl Iterator<Item = &str> {
        let of = [
            &self.id_token_encrypted_response_alg,
            &self.userinfo_encrypted_response_alg,
            &self.introspection_encrypted_response_alg,
        ];
        of.into_iter().flatten().map(String::as_str)
    }

    /// Whether it has to sign something with a key of its own.
    pub fn must_sign(&self) -> bool {
        let requests = self.require_signed_request_object || self.request_object_signing_alg.is_some();
        requests || self.token_endpoint_auth_method == "private_key_jwt"
    }
}
