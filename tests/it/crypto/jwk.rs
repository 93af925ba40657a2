use serde_json::{Value, json};
use signet::crypto::jwk::{JwkError, KeySet, generate_rsa, public_jwk, thumbprint};

use super::der;

/// RFC 7638 §3.1.
pub const RFC_7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
const POINT: [&str; 2] = ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"];

#[test]
fn a_thumbprint_is_that_of_rfc_7638() {
    let key = json!({"kty": "RSA", "n": RFC_7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    assert_eq!(thumbprint(&key).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 8037 §A.3
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    assert_eq!(thumbprint(&key).unwrap(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    for none in [json!({}), json!({"kty": "RSA", "n": "AA"}), json!({"kty": "new"}), json!([])] {
        assert_eq!(thumbprint(&none), None, "{none}");
    }
}

/// SEC-061.
#[test]
fn a_published_key_has_public_members_only() {
    let jwk = public_jwk(der(), "RS256").unwrap();
    let mut members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!([&jwk["alg"], &jwk["use"], &jwk["e"]], ["RS256", "sig", "AQAB"]);
    assert_eq!(jwk["kid"].as_str(), thumbprint(&jwk).as_deref());
    assert!(public_jwk(b"garbage", "RS256").is_err());
}

#[test]
fn a_key_of_unusual_length_is_not_generated() {
    for bits in [0, 512, 1024, 2047, 5000, 16384] {
        assert!(generate_rsa(bits).is_err(), "{bits}");
    }
}

fn ec(curve: &str, x: &str, y: &str) -> Value {
    json!({"kty": "EC", "crv": curve, "x": x, "y": y})
}

#[test]
fn a_foreign_key_is_refused_when() {
    let [x, y] = POINT;
    let rsa = json!({"kty": "RSA", "n": RFC_7638_N, "e": "AQAB"});
    let with = |name: &str, value: Value| {
        let mut key = rsa.clone();
        key[name] = value;
        key
    };
    assert!(KeySet::parse(&json!({"keys": [rsa]})).is_ok());
    assert!(KeySet::parse(&json!({"keys": [ec("P-256", x, y)]})).is_ok());
    for (name, key) in [
        ("it has no type", json!({})),
        ("it is not an object", json!("key")),
        ("it is null", Value::Null),
        ("it is symmetric", json!({"kty": "oct", "k": "c2VjcmV0"})),
        ("it is private", with("d", "AQAB".into())),
        ("RSA has 1024 bits", with("n", RFC_7638_N[..171].into())),
        ("RSA has 2048 bits with the leading ones zero", with("n", format!("AAAA{}", &RFC_7638_N[..338]).into())),
        ("RSA has 16384 bits", with("n", RFC_7638_N.repeat(8)[..2730].into())),
        ("the exponent is one", with("e", "AQ".into())),
        ("the exponent is even", with("e", "Ag".into())),
        ("the exponent is long", with("e", RFC_7638_N.into())),
        ("the exponent is missing", with("e", Value::Null)),
        ("the modulus is padded", with("n", format!("{RFC_7638_N}==").into())),
        ("the modulus is a number", with("n", 5.into())),
        ("it is for encryption", with("use", "enc".into())),
        ("its operations lack verify", with("key_ops", json!(["encrypt"]))),
        ("its operations are text", with("key_ops", "verify".into())),
        ("its algorithm is of another type", with("alg", "ES256".into())),
        ("its algorithm is none", with("alg", "none".into())),
        ("its algorithm is HMAC", with("alg", "HS256".into())),
        ("the curve is unknown", ec("P-224", x, y)),
        ("the curve is another", ec("P-384", x, y)),
        ("the point is not on the curve", ec("P-256", x, x)),
        ("a coordinate is short", ec("P-256", &x[..40], y)),
        ("a coordinate is empty", ec("P-256", "", y)),
        ("the Ed25519 key is short", json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"})),
        ("the curve is for agreement", json!({"kty": "OKP", "crv": "X25519", "x": x})),
    ] {
        assert!(KeySet::parse(&json!({"keys": [key]})).is_err(), "{name}");
    }
}

#[test]
fn a_set_passes_over_what_it_cannot_use() {
    let [x, y] = POINT;
    let mixed = json!({"keys": [{"kty": "new"}, {"kty": "oct", "k": "AAAA"}, ec("P-256", x, y)]});
    assert!(KeySet::parse(&mixed).is_ok());
    assert_eq!(KeySet::parse_registered(&mixed).unwrap_err(), JwkError::Private);
    let unknown = json!({"keys": [{"kty": "new"}, ec("P-256", x, y)]});
    assert!(KeySet::parse_registered(&unknown).is_ok());
}

#[test]
fn a_set_is_refused_when() {
    let [x, y] = POINT;
    for (name, set, error) in [
        ("it is not an object", json!([]), JwkError::NotASet),
        ("it has no keys", json!({}), JwkError::NotASet),
        ("its keys are no list", json!({"keys": {}}), JwkError::NotASet),
        ("it is empty", json!({"keys": []}), JwkError::Empty),
        ("it is endless", json!({"keys": vec![ec("P-256", x, y); 65]}), JwkError::TooMany),
    ] {
        assert_eq!(KeySet::parse(&set).unwrap_err(), error, "{name}");
    }
}
