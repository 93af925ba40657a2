//! A relying party that registers itself, and its site, where its documents lie.
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    Answer, Call, Fixtures, Proof, RelyingParty, assert, documents::Documents, jwt::CLIENTS_KEY,
    relying_party::DISCOVERY,
};

/// The settings of a certification: everybody may register, for everything.
pub const OPEN: [(&str, &str); 5] = [
    ("registration.mode", "open"),
    ("registration.require_pkce", "false"),
    ("registration.response_types", "code,id_token,id_token token,code id_token,code token,code id_token token"),
    ("outbound.allow_hosts", "localhost"),
    ("outbound.root_certificates", "authority.pem"),
];

pub struct Site {
    pub f: Fixtures,
    pub there: Documents,
}

/// A client, and what it was told when it registered.
pub struct Client {
    pub party: RelyingParty,
    pub told: Value,
}

impl Site {
    pub async fn new(f: Fixtures) -> Self {
        Site { f, there: Documents::start().await }
    }

    /// Sends what every module sends, with `more`; null takes a member away.
    pub async fn tries(&self, more: Value) -> Answer {
        let mut metadata = json!({
            "client_name": "A client of the tests",
            "redirect_uris": ["https://rp.example/cb"],
            "response_types": ["code"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "private_key_jwt",
            "contacts": ["certification@oidf.org"],
            "jwks": { "keys": [CLIENTS_KEY.jwk()] },
            "unknown_member": "is ignored",
        });
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        metadata.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let endpoint = self.f.site.get(DISCOVERY).await.json()["registration_endpoint"].as_str().unwrap().to_string();
        self.f.site.send(Call::post(&endpoint).body("application/json", metadata.to_string())).await
    }

    /// The common checks of a registration (RFC 7591 §3.2.1, RFC 7592 §3).
    pub async fn registers(&self, more: Value) -> Client {
        let answer = self.tries(more).await;
        assert_eq!((answer.status, answer.media_type()), (201, "application/json"), "{}", answer.text());
        assert::not_stored(&answer);
        let told = answer.json();
        assert!(told.get("error").is_none() && told.get("unknown_member").is_none(), "{told}");
        assert_eq!(told.get("client_secret").is_some(), told.get("client_secret_expires_at").is_some());
        assert!(told["registration_client_uri"].as_str().unwrap().starts_with(&self.f.site.issuer));
        assert!(told["registration_access_token"].is_string());
        let secret = || told["client_secret"].as_str().unwrap().to_string();
        let proof = match told["token_endpoint_auth_method"].as_str().unwrap() {
            "private_key_jwt" => Proof::PrivateKeyJwt(CLIENTS_KEY.clone()),
            "client_secret_jwt" => Proof::SecretJwt(secret()),
            "client_secret_post" => Proof::Post(secret()),
            "none" => Proof::None,
            _ => Proof::Basic(secret()),
        };
        let party = RelyingParty {
            client_id: told["client_id"].as_str().unwrap().to_string(),
            proof,
            redirect_uri: told["redirect_uris"][0].as_str().unwrap().to_string(),
            ..self.f.c1.clone()
        };
        Client { party, told }
    }
}

impl Client {
    /// RFC 7592 §2.3.
    pub async fn is_deleted(&self) {
        let text = |name: &str| self.told[name].as_str().unwrap();
        let call = Call::new(Method::DELETE, text("registration_client_uri"));
        let answer = self.party.site.send(call.bearer(text("registration_access_token"))).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
}
