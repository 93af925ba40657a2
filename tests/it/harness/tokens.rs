//! What a token answer holds, and what a client must make sure of before it believes an ID token.
use serde_json::{Map, Value};

use super::{assert, http::Answer, jose, jwt::Token, relying_party::RelyingParty};

#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    pub id: Option<String>,
    pub expires_in: i64,
    /// What was granted, in words: the answer's own, or what was asked where the answer is silent.
    pub scope: Option<String>,
    pub json: Value,
}

impl Tokens {
    /// Reads a token answer; anything that RFC 6749 §5.1 does not allow fails the test.
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "no tokens: {}", answer.text());
        assert_eq!(answer.media_type(), "application/json");
        assert::not_stored(answer);
        let json = answer.json();
        let text = |name: &str| json.get(name).map(|value| value.as_str().expect("tokens are text").to_string());
        assert!(json["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")), "{json}");
        let access = text("access_token").expect("an access token");
        assert::random_enough("access token", &access);
        let refresh = text("refresh_token");
        if let Some(token) = &refresh {
            assert::random_enough("refresh token", token);
        }
        let expires_in = json["expires_in"].as_i64().expect("expires_in is a whole number");
        assert!(expires_in > 0 && json["expires_in"].is_u64(), "{json}");
        Tokens { access, refresh, id: text("id_token"), expires_in, scope: text("scope"), json }
    }

    #[track_caller]
    pub fn refresh_token(&self) -> &str {
        self.refresh.as_deref().unwrap_or_else(|| panic!("no refresh token in {}", self.json))
    }

    #[track_caller]
    pub fn id_token(&self) -> IdToken {
        IdToken(Token::read(self.id.as_deref().unwrap_or_else(|| panic!("no ID token in {}", self.json))))
    }

    /// The claims of the ID token, read but not checked.
    #[track_caller]
    pub fn claims(&self) -> Map<String, Value> {
        self.id_token().0.claims
    }

    pub fn scopes(&self) -> Vec<&str> {
        let mut scopes: Vec<&str> = self.scope.as_deref().unwrap_or_default().split_whitespace().collect();
        scopes.sort_unstable();
        scopes
    }
}

pub struct IdToken(pub Token);

impl IdToken {
    /// OpenID Connect Core §2 and §3.1.3.7, with the expectations of the conformance suite.
    pub fn is_for(&self, client: &RelyingParty, nonce: Option<&str>, keys: &Value) {
        let (now, claims) = (client.clock.now(), &self.0.claims);
        assert!(self.0.is_signed_by(keys), "the signature is not by a published key: {:?}", self.0.header);
        assert_eq!(claims["iss"], client.site.issuer.as_str());
        let audience: Vec<&str> = match &claims["aud"] {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            other => panic!("aud is {other}"),
        };
        assert!(audience.contains(&client.client_id.as_str()), "{claims:?}");
        if let Some(azp) = claims.get("azp") {
            assert_eq!(azp, client.client_id.as_str());
        }
        let number = |name: &str| claims[name].as_i64().unwrap_or_else(|| panic!("{name} is not whole: {claims:?}"));
        assert!((now - 300..=now).contains(&number("iat")), "iat at {now}: {claims:?}");
        assert!((now + 1..=now + 3600).contains(&number("exp")), "exp at {now}: {claims:?}");
        assert_eq!(claims.get("nonce").map(|nonce| nonce.as_str().unwrap()), nonce);
        if claims.contains_key("auth_time") {
            assert!((now - 86_400..=now).contains(&number("auth_time")), "auth_time at {now}: {claims:?}");
        }
        if let Some(acr) = claims.get("acr") {
            assert!(acr.as_str().is_some_and(|acr| !acr.is_empty()), "{claims:?}");
        }
        let sub = claims["sub"].as_str().expect("a sub");
        assert!((1..=255).contains(&sub.len()) && sub.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{sub:?}");
        assert::well_typed(claims);
    }
}

/// `at_hash` and its kin, where they are there: the left half of the hash (§3.1.3.6).
#[track_caller]
pub fn hash_fits(token: &Token, name: &str, value: &str) {
    if let Some(found) = token.claims.get(name) {
        assert_eq!(found, jose::left_half(token.alg(), value).as_str(), "{name}");
    }
}
