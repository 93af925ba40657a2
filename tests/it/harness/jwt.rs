//! JSON Web Tokens by OpenSSL alone: an opinion on the server's tokens that is not the server's own library,
//! and the forgeries that it must not believe.
use std::sync::LazyLock;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use josekit::{jwe, jwk::Jwk};
use openssl::{
    hash::MessageDigest,
    pkey::{PKey, Private},
    sign::Signer,
};
use serde_json::{Map, Value, json};

use super::jose;
pub use super::jose::public_key;

/// A token taken apart, nothing believed yet.
#[derive(Clone, Debug)]
pub struct Token {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    pub signature: Vec<u8>,
    signed: String,
}

impl Token {
    pub fn read(token: &str) -> Self {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("a signed JWT has three parts: {token}") };
        Token {
            header: object(header),
            claims: object(claims),
            signature: BASE64.decode(signature).expect("base64url"),
            signed: format!("{header}.{claims}"),
        }
    }

    pub fn kid(&self) -> &str {
        self.header["kid"].as_str().expect("a kid")
    }

    pub fn alg(&self) -> &str {
        self.header["alg"].as_str().expect("an alg")
    }

    /// By the key of a JWK Set that the header names, with the algorithm that the key is for.
    pub fn is_signed_by(&self, keys: &Value) -> bool {
        let keys = keys["keys"].as_array().expect("a JWK Set");
        let Some(key) = keys.iter().find(|key| key["kid"] == self.header["kid"]) else { return false };
        jose::verify(self.alg(), key, &self.signed, &self.signature)
    }
}

fn object(part: &str) -> Map<String, Value> {
    let bytes = BASE64.decode(part).unwrap_or_else(|error| panic!("{part} is not base64url: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(&bytes)))
}

/// A key pair that the server did not make: a client's own, or an attacker's.
#[derive(Clone)]
pub struct Pair {
    pub kid: String,
    pub alg: String,
    key: PKey<Private>,
}

/// Keys are costly, so all tests share two: one that a client registers, and one that nobody knows.
pub static CLIENTS_KEY: LazyLock<Pair> = LazyLock::new(|| Pair::of("client-key", "RS256"));
pub static FOREIGN_KEY: LazyLock<Pair> = LazyLock::new(|| Pair::of("foreign-key", "RS256"));

impl Pair {
    /// A new key; what it encrypts with is an algorithm too.
    pub fn of(kid: &str, alg: &str) -> Self {
        Pair { kid: kid.into(), alg: alg.into(), key: jose::generate(alg) }
    }

    /// As a client publishes it.
    pub fn jwk(&self) -> Value {
        let usage = if matches!(self.alg.as_str(), "RSA-OAEP-256" | "ECDH-ES") { "enc" } else { "sig" };
        let mut jwk = jose::public_jwk(&self.key);
        let about = json!({ "kid": self.kid, "alg": self.alg, "use": usage });
        jwk.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
        jwk
    }

    /// PKCS#8, for a library that decrypts.
    pub fn der(&self) -> Vec<u8> {
        self.key.private_key_to_pkcs8().unwrap()
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": self.alg, "kid": self.kid }), claims)
    }

    /// With the key's own algorithm, whatever the header says.
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = jose::sign(&self.alg, &self.key, &signed);
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

/// Signed by a shared secret (RFC 7518 §3.2).
pub fn by_secret(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    let secret = PKey::hmac(secret).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &secret).unwrap();
    format!("{signed}.{}", BASE64.encode(signer.sign_oneshot_to_vec(signed.as_bytes()).unwrap()))
}

fn part(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

/// The same claims behind `alg: none`, with no signature (RFC 8725 §2.1).
pub fn unsigned(claims: &Value) -> String {
    format!("{}.{}.", part(&json!({ "alg": "none" })), part(claims))
}

/// HS256 with the bytes of a public RSA key as the secret: PEM and DER, as libraries differ in which they take.
pub fn keyed_with_the_public_key(claims: &Value, jwk: &Value) -> [String; 2] {
    let key = public_key(jwk);
    [key.public_key_to_pem().unwrap(), key.public_key_to_der().unwrap()]
        .map(|secret| by_secret(&secret, &json!({ "alg": "HS256", "kid": jwk["kid"] }), claims))
}

/// Takes off an encryption that was meant for this key; the header must say how it was done (RFC 7516 §5.2).
pub fn decrypt(token: &str, key: &Pair, enc: &str) -> String {
    let header = object(token.split('.').next().unwrap());
    assert_eq!(token.split('.').count(), 5, "not encrypted: {token}");
    assert_eq!((&header["alg"], &header["enc"]), (&json!(key.alg), &json!(enc)), "{header:?}");
    assert_eq!((&header["kid"], &header["cty"]), (&json!(key.kid), &json!("JWT")), "{header:?}");
    let opened = match key.alg.as_str() {
        "ECDH-ES" => jwe::deserialize_compact(token, &jwe::ECDH_ES.decrypter_from_der(key.der()).unwrap()),
        _ => jwe::deserialize_compact(token, &jwe::RSA_OAEP_256.decrypter_from_der(key.der()).unwrap()),
    };
    String::from_utf8(opened.unwrap().0).unwrap()
}

/// Encrypts for a published key.
pub fn encrypt(token: &str, jwk: &Value, enc: &str) -> String {
    let mut header = jwe::JweHeader::new();
    header.set_content_encryption(enc);
    header.set_content_type("JWT");
    header.set_claim("kid", Some(jwk["kid"].clone())).unwrap();
    let key = Jwk::from_map(jwk.as_object().unwrap().clone()).unwrap();
    let made = match jwk["alg"].as_str().unwrap() {
        "ECDH-ES" => jwe::serialize_compact(token.as_bytes(), &header, &jwe::ECDH_ES.encrypter_from_jwk(&key).unwrap()),
        _ => jwe::serialize_compact(token.as_bytes(), &header, &jwe::RSA_OAEP_256.encrypter_from_jwk(&key).unwrap()),
    };
    made.unwrap()
}

/// Another payload under the old signature.
pub fn altered(token: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims = object(parts[1]);
    change(&mut claims);
    format!("{}.{}.{}", parts[0], part(&Value::Object(claims)), parts[2])
}

/// Every way of RFC 8725 to pass off `claims` as signed with `jwk`, named.
pub fn forgeries(genuine: &str, claims: &Value, jwk: &Value, trap: &str) -> Vec<(&'static str, String)> {
    let [pem, der] = keyed_with_the_public_key(claims, jwk);
    let foreign = &*FOREIGN_KEY;
    let with = |extra: Value| {
        let mut header = json!({ "alg": "RS256", "kid": jwk["kid"] });
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        foreign.sign_with(&header, claims)
    };
    vec![
        ("alg none", unsigned(claims)),
        ("HS256 with the public key as PEM", pem),
        ("HS256 with the public key as DER", der),
        ("a foreign key under our kid", with(json!({}))),
        ("a foreign key in the header", with(json!({ "jwk": foreign.jwk() }))),
        ("a foreign jku", with(json!({ "jku": trap }))),
        ("a foreign x5u", with(json!({ "x5u": trap }))),
        ("an unknown crit", with(json!({ "crit": ["exp"], "exp": 1 }))),
        ("another payload", altered(genuine, |claims| claims["sub"] = "somebody-else".into())),
        ("no signature", genuine.rsplit_once('.').map(|(signed, _)| format!("{signed}.")).unwrap()),
    ]
}
