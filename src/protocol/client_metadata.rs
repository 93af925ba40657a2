//! RFC 7591 §2, OpenID Connect Registration §2: what a client says of itself. One struct is the column in
//! the database, the settings' `[[clients]]` and, later, the registration body.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Scope, redirect_uri};

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
            assertion_audiences: Vec::new(),
            allowed_origins: Vec::new(),
        }
    }
}

/// What is wrong with a member: `(name, why)`.
pub type Problem = (&'static str, String);

const GRANTS: [&str; 4] = ["authorization_code", "refresh_token", "client_credentials", "password"];
/// The client authentication methods that exist (OpenID Connect Core §9).
pub const AUTH_METHODS: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
/// Algorithms of client assertions.
pub const ASSERTION_ALGORITHMS: [&str; 5] = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];

impl ClientMetadata {
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == "none"
    }

    pub fn is_native(&self) -> bool {
        self.application_type == "native"
    }

    /// Everything that is wrong with it, so that an operator mends it in one go.
    pub fn problems(&self, policy: &ClientPolicy) -> Vec<Problem> {
        let mut found = Vec::new();
        self.check_redirects(&mut found);
        self.check_grants(policy, &mut found);
        self.check_keys(&mut found);
        self.check_links(&mut found);
        for origin in &policy.allowed_origins {
            if redirect_uri::origin(origin).as_deref() != Some(origin) {
                found.push(("allowed_origins", format!("{origin} is not an origin such as https://app.example.com")));
            }
        }
        if policy.skip_consent && !policy.first_party {
            found.push(("consent", "only first-party clients may skip consent".into()));
        }
        found
    }

    fn check_redirects(&self, found: &mut Vec<Problem>) {
        let lists =
            [("redirect_uris", &self.redirect_uris), ("post_logout_redirect_uris", &self.post_logout_redirect_uris)];
        for (name, uris) in lists {
            found.extend(
                uris.iter().filter_map(|uri| redirect_uri::check(uri, self.is_native()).err()).map(|e| (name, e)),
            );
        }
        let redirects = self.grant_types.iter().any(|grant| grant == "authorization_code");
        if redirects && self.redirect_uris.is_empty() {
            found.push(("redirect_uris", "a client of the authorization code flow needs at least one".into()));
        }
    }

    fn check_grants(&self, policy: &ClientPolicy, found: &mut Vec<Problem>) {
        let has = |grant: &str| self.grant_types.iter().any(|g| g == grant);
        for grant in &self.grant_types {
            if !GRANTS.contains(&grant.as_str()) {
                found.push(("grant_types", format!("{grant} is not one of {}", GRANTS.join(", "))));
            }
        }
        if has("client_credentials") && self.is_public() {
            found.push(("grant_types", "client_credentials needs a client that authenticates".into()));
        }
        if has("password") && !policy.first_party {
            found.push(("grant_types", "the password grant is for first-party clients only".into()));
        }
        for kind in &self.response_types {
            if kind != "code" {
                found.push(("response_types", format!("{kind} is not supported; use code")));
            }
        }
        if !AUTH_METHODS.contains(&self.token_endpoint_auth_method.as_str()) {
            let why = format!("{} is not one of {}", self.token_endpoint_auth_method, AUTH_METHODS.join(", "));
            found.push(("token_endpoint_auth_method", why));
        }
        if !["web", "native"].contains(&self.application_type.as_str()) {
            found.push(("application_type", format!("{} is neither web nor native", self.application_type)));
        }
        if self.id_token_signed_response_alg != "RS256" {
            found.push(("id_token_signed_response_alg", "only RS256 is supported".into()));
        }
    }

    fn check_keys(&self, found: &mut Vec<Problem>) {
        let by_key = self.token_endpoint_auth_method == "private_key_jwt";
        match (&self.jwks, &self.jwks_uri) {
            (Some(_), Some(_)) => found.push(("jwks", "give jwks or jwks_uri, not both".into())),
            (None, None) if by_key => found.push(("jwks", "private_key_jwt needs jwks or jwks_uri".into())),
            _ => {}
        }
        if let Some(algorithm) = &self.token_endpoint_auth_signing_alg
            && !ASSERTION_ALGORITHMS.contains(&algorithm.as_str())
        {
            let why = format!("{algorithm} is not one of {}", ASSERTION_ALGORITHMS.join(", "));
            found.push(("token_endpoint_auth_signing_alg", why));
        }
        if self.default_max_age.is_some_and(|age| age < 0) {
            found.push(("default_max_age", "must be a whole number of seconds".into()));
        }
    }

    /// Shown as links and images on pages: https only, or the machine itself while developing.
    fn check_links(&self, found: &mut Vec<Problem>) {
        let links = [
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
            ("jwks_uri", &self.jwks_uri),
            ("initiate_login_uri", &self.initiate_login_uri),
        ];
        for (name, link) in links {
            let Some(link) = link else { continue };
            let sound = Url::parse(link)
                .is_ok_and(|url| url.scheme() == "https" || url.scheme() == "http" && redirect_uri::is_loopback(&url));
            if !super::text::is_visible(link) {
                found.push((name, "has a control or invisible character".into()));
            } else if !sound {
                found.push((name, format!("{link} must begin with https://")));
            }
        }
        let name = self.client_name.as_deref().unwrap_or_default();
        if name.chars().count() > 100 || !super::text::is_visible(name) {
            found.push(("client_name", "must be at most 100 visible characters".into()));
        }
    }
}
