//! A client of the server under test: it asks, redeems, checks and asks again as the specifications tell a client to.
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use reqwest::Method;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    http::{Answer, Call, Parameters, Site},
    jwt::{Pair, by_secret},
    tokens::Tokens,
};

pub const TOKEN: &str = "/oauth2/token";
pub const USERINFO: &str = "/oauth2/userinfo";
pub const INTROSPECT: &str = "/oauth2/introspect";
pub const REVOKE: &str = "/oauth2/revoke";
pub const JWKS: &str = "/oauth2/jwks";
pub const DISCOVERY: &str = "/.well-known/openid-configuration";
pub const METADATA: &str = "/.well-known/oauth-authorization-server";
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a client proves who it is at the machine endpoints.
#[derive(Clone)]
pub enum Proof {
    None,
    Basic(String),
    Post(String),
    PrivateKeyJwt(Pair),
    SecretJwt(String),
}

#[derive(Clone)]
pub struct RelyingParty {
    pub site: Site,
    pub client_id: String,
    pub proof: Proof,
    pub redirect_uri: String,
    /// What it asks for where a test says nothing else.
    pub scope: String,
    /// Where a browser-based client runs.
    pub origin: Option<String>,
    /// The clock of the client, as it stood when the test made it: assertions carry times.
    pub clock: super::server::Clock,
}

/// Three ways to present a token at userinfo (RFC 6750 §2.1 and §2.2).
#[derive(Clone, Copy, Debug)]
pub enum Userinfo {
    Get,
    PostHeader,
    PostBody,
}

/// Random text of the base64url alphabet.
pub fn random(length: usize) -> String {
    let mut bytes = vec![0; length];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    BASE64.encode(bytes)[..length].to_string()
}

pub fn s256(verifier: &str) -> String {
    BASE64.encode(openssl::sha::sha256(verifier.as_bytes()))
}

/// An authorization request, and what the client remembers of it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub parameters: Parameters,
    pub verifier: String,
}

impl Asked {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters = self.parameters.with(name, value);
        self
    }

    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.parameters = self.parameters.also(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.parameters = self.parameters.without(name);
        self
    }

    pub fn without_pkce(self) -> Self {
        self.without("code_challenge").without("code_challenge_method")
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)
    }

    pub fn url(&self) -> String {
        format!("/authorize?{}", self.parameters.encoded())
    }
}

impl RelyingParty {
    /// A request with everything that a careful client sends: 128 characters of state, a nonce, PKCE.
    pub fn asks(&self) -> Asked {
        let verifier = random(64);
        let parameters = Parameters::new(&[
            ("client_id", &self.client_id),
            ("response_type", "code"),
            ("scope", &self.scope),
            ("redirect_uri", &self.redirect_uri),
            ("state", &random(128)),
            ("nonce", &random(32)),
            ("code_challenge", &s256(&verifier)),
            ("code_challenge_method", "S256"),
        ]);
        Asked { parameters, verifier }
    }

    /// A request for a grant that lasts: the refresh token needs the scope, and the scope needs consent (§11).
    pub fn asks_to_stay(&self) -> Asked {
        self.asks().with("scope", &format!("{} offline_access", self.scope)).with("prompt", "consent")
    }

    /// The form that redeems a code.
    pub fn redemption(&self, code: &str, asked: &Asked) -> Parameters {
        let form = Parameters::new(&[("grant_type", "authorization_code"), ("code", code)]);
        let form = form.also("redirect_uri", asked.get("redirect_uri").unwrap_or(&self.redirect_uri));
        if asked.get("code_challenge").is_some() { form.also("code_verifier", &asked.verifier) } else { form }
    }

    pub async fn redeem(&self, code: &str, asked: &Asked) -> Answer {
        self.token(self.redemption(code, asked)).await
    }

    pub fn refreshing(&self, refresh_token: &str) -> Parameters {
        Parameters::new(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(self.refreshing(refresh_token)).await
    }

    pub async fn token(&self, form: Parameters) -> Answer {
        self.post(TOKEN, form).await
    }

    /// An access token that a machine gets for itself (RFC 6749 §4.4).
    pub async fn for_itself(&self, scope: &str) -> String {
        let answer = self.token(Parameters::new(&[("grant_type", "client_credentials"), ("scope", scope)])).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn introspect(&self, token: &str) -> Answer {
        self.post(INTROSPECT, Parameters::new(&[("token", token)])).await
    }

    pub async fn revoke(&self, token: &str) -> Answer {
        self.post(REVOKE, Parameters::new(&[("token", token)])).await
    }

    /// Whether the server says that this token is good.
    pub async fn finds_active(&self, token: &str) -> bool {
        let answer = self.introspect(token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["active"].as_bool().expect("active is a boolean")
    }

    /// A form to a machine endpoint, with the client's proof of who it is.
    pub async fn post(&self, path: &str, form: Parameters) -> Answer {
        self.site.send(self.call(path, form)).await
    }

    pub fn call(&self, path: &str, form: Parameters) -> Call {
        let call = match &self.proof {
            Proof::None => Call::post(path).form(&form.with("client_id", &self.client_id)),
            Proof::Basic(secret) => Call::post(path).basic(&encoded(&self.client_id), &encoded(secret)).form(&form),
            Proof::Post(secret) => {
                let form = form.also("client_id", &self.client_id).also("client_secret", secret);
                Call::post(path).form(&form)
            }
            Proof::PrivateKeyJwt(_) | Proof::SecretJwt(_) => {
                Call::post(path).form(&with_assertion(form, &self.assertion(|_| {})))
            }
        };
        match &self.origin {
            Some(origin) => call.header("origin", origin),
            None => call,
        }
    }

    /// A client assertion (RFC 7523 §3) as the server asks for it, changed as a test says.
    pub fn assertion(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.assertion_claims();
        change(&mut claims);
        match &self.proof {
            Proof::PrivateKeyJwt(pair) => pair.sign(&claims),
            Proof::SecretJwt(secret) => by_secret(secret.as_bytes(), &json!({ "alg": "HS256" }), &claims),
            _ => panic!("{} has no key", self.client_id),
        }
    }

    pub fn assertion_claims(&self) -> Value {
        let now = self.clock.now();
        json!({
            "iss": self.client_id, "sub": self.client_id, "aud": self.site.issuer,
            "jti": random(24), "iat": now, "exp": now + 60,
        })
    }

    pub async fn userinfo(&self, access_token: &str, way: Userinfo) -> Answer {
        let call = match way {
            Userinfo::Get => Call::get(USERINFO).bearer(access_token),
            Userinfo::PostHeader => Call::post(USERINFO).bearer(access_token),
            Userinfo::PostBody => Call::post(USERINFO).form(&Parameters::new(&[("access_token", access_token)])),
        };
        self.site.send(call).await
    }

    /// Whether userinfo takes this token; a refusal must be the one that RFC 6750 prescribes.
    pub async fn may_read_userinfo(&self, access_token: &str) -> bool {
        let answer = self.userinfo(access_token, Userinfo::Get).await;
        if answer.status != 200 {
            super::assert::bearer_refusal(&answer, 401, Some("invalid_token"));
        }
        answer.status == 200
    }

    pub async fn discovery(&self) -> Value {
        let answer = self.site.get(DISCOVERY).await;
        assert_eq!((answer.status, answer.media_type()), (200, "application/json"));
        answer.json()
    }

    pub async fn jwks(&self) -> Value {
        let address = self.discovery().await["jwks_uri"].as_str().expect("a jwks_uri").to_string();
        let answer = self.site.get(&address).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Redeems and checks everything that a client must check (OpenID Connect Core §3.1.3.3 to §3.1.3.7).
    pub async fn tokens(&self, code: &str, asked: &Asked) -> Tokens {
        let answer = self.redeem(code, asked).await;
        let tokens = Tokens::of(&answer);
        if tokens.id.is_some() {
            self.trusts(&tokens, asked).await;
        }
        tokens
    }

    /// Refreshes and checks; the ID token of a refresh need not repeat the nonce (§12.2).
    pub async fn refreshed(&self, refresh_token: &str) -> Tokens {
        Tokens::of(&self.refresh(refresh_token).await)
    }

    pub async fn trusts(&self, tokens: &Tokens, asked: &Asked) {
        let keys = self.jwks().await;
        tokens.id_token().is_for(self, asked.get("nonce"), &keys);
        super::tokens::hash_fits(&tokens.id_token().0, "at_hash", &tokens.access);
    }

    pub fn logout_url(&self, parameters: &[(&str, &str)]) -> String {
        format!("/logout?{}", Parameters::new(parameters).encoded())
    }

    /// The CORS preflight of a browser-based client.
    pub async fn preflight(&self, path: &str, origin: &str, method: &str) -> Answer {
        let call = Call::new(Method::OPTIONS, path).header("origin", origin);
        let call = call.header("access-control-request-method", method);
        self.site.send(call.header("access-control-request-headers", "authorization")).await
    }
}

/// RFC 6749 §2.3.1: both halves of Basic are form-encoded first.
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub fn with_assertion(form: Parameters, assertion: &str) -> Parameters {
    form.with("client_assertion_type", ASSERTION_TYPE).with("client_assertion", assertion)
}
