//! OpenID Connect Core §3.1, RFC 6749 §4.1 from the other side: providers that people sign in with. What the operator says
//! of one, and the rules for what it answers.

pub mod answer;
pub mod icon;
pub mod id_token;
pub mod logout_token;
pub mod metadata;
pub mod profile;

use std::collections::BTreeMap;

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// What the operator says of a provider, its name and its secret aside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default)]
pub struct Settings {
    /// `google`, `github`, `oidc`, `oauth2`.
    pub kind: String,
    pub client_id: String,
    /// None: that of the kind.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    pub issuer: Option<String>,
    pub api_url: Option<String>,
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: Option<String>,
    pub userinfo_endpoint: Option<String>,
    /// None: those of the kind.
    pub scopes: Option<Vec<String>>,
    /// What its authorization endpoint is told besides.
    pub authorization_params: BTreeMap<String, String>,
    /// Where our claims stand in what the provider says, members within members by dots. The names of a person that stand
    /// here are taken over again at every sign-in.
    pub claims: BTreeMap<String, String>,
    pub sign_up: bool,
    pub email_domains: Vec<String>,
    pub hosted_domain: Option<String>,
    pub link: Link,
    pub trust_second_factor: bool,
    pub second_factor_acr: Vec<String>,
    pub groups_claim: Option<String>,
    pub allowed_groups: Vec<String>,
    pub admin_groups: Vec<String>,
    /// Signing out here goes on to the provider.
    pub logout: bool,
    /// What it gives for a code is kept, sealed.
    pub keep_tokens: bool,
    pub button: Option<String>,
    /// None: the mark of the kind, or a letter.
    pub icon: Option<icon::Icon>,
    pub hidden: bool,
    /// Domains whose people are shown its button though it is hidden. None: those that may come.
    pub hint_domains: Option<Vec<String>>,
    pub order: u32,
}

impl Settings {
    /// Whether people with an address of that domain are its people.
    pub fn expects(&self, domain: &str) -> bool {
        let domains = self.hint_domains.as_ref().unwrap_or(&self.email_domains);
        domains.iter().any(|known| known.eq_ignore_ascii_case(domain))
    }

    /// Whether these, in the place of those, say of other people who they are: number 42 is somebody else elsewhere.
    pub fn is_another(&self, other: &Settings) -> bool {
        self.whence() != other.whence()
    }

    /// Whether the secret for those could come to somebody else by these.
    pub fn tells_elsewhere(&self, other: &Settings) -> bool {
        let told = |of: &Settings| (of.kind.clone(), of.issuer.clone(), of.api_url.clone(), of.token_endpoint.clone());
        told(self) != told(other)
    }

    /// An ID token proves whose it is, so nobody comes under the identity that another issuer gave to somebody.
    pub fn proves_issuer(&self) -> bool {
        matches!(self.kind.as_str(), "google" | "oidc")
    }

    /// All that decides whom a subject names, whether it is written out or follows from the kind.
    fn whence(&self) -> (&str, Option<&str>, [Option<String>; 4]) {
        let asked = match self.kind.as_str() {
            "github" => [Some(self.github_api()), None, None, None],
            "oauth2" => [
                self.authorization_endpoint.clone(),
                self.token_endpoint.clone(),
                self.userinfo_endpoint.clone(),
                self.claims.get("sub").cloned(),
            ],
            _ => [const { None }; 4],
        };
        let issuer = match self.kind.as_str() {
            "github" => Some(self.github_issuer()),
            "google" => Some(self.issuer.as_deref().unwrap_or(GOOGLE)),
            _ => self.issuer.as_deref(),
        };
        (&self.kind, issuer, asked)
    }

    /// The site of GitHub, or of a GitHub Enterprise Server.
    pub fn github_issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or("https://github.com").trim_end_matches('/')
    }

    /// Where its API is.
    pub fn github_api(&self) -> String {
        match (&self.api_url, &self.issuer) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(_)) => format!("{}/api/v3", self.github_issuer()),
            (None, None) => "https://api.github.com".to_owned(),
        }
    }
}

/// Google, as its document names it.
pub const GOOGLE: &str = "https://accounts.google.com";

/// How we prove to the provider who we are (OpenID Connect Core §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    ClientSecretBasic,
    ClientSecretPost,
    None,
}

/// When an account that is here already belongs to whoever comes from the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Once the person has signed in to it (case SEC-138).
    #[default]
    SignIn,
    /// Where both say that the same address is theirs.
    VerifiedEmail,
}

/// Parameters of a request that bind it to us, which are nobody's to choose.
pub const OWN_PARAMETERS: [&str; 12] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "client_secret",
    "id_token_hint",
];

/// Claims that a mapping can name.
pub const MAPPED: [&str; 8] =
    ["sub", "email", "email_verified", "name", "given_name", "family_name", "nickname", "preferred_username"];
