use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::{
    jwk::{
        Jwk,
        alg::{ec::EcCurve, ed::EdCurve},
    },
    jws::{self as jose, JwsHeader, JwsSigner},
};
use serde_json::{Map, Value, json};
use signet::{
    crypto::{
        jwk::{Algorithm, KeySet, public_jwk},
        jws::{JwsError, Verifier, open_foreign, open_own},
    },
    protocol::numeric_date,
};

use super::{der, other_der, signer};

const ALL: [&str; 6] = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"];
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(&json!({ "keys": keys })).unwrap()
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token with any header, signed with our RSA key whatever the header says.
fn token_with(header: &Value, payload: &str) -> String {
    let signed = format!("{}.{}", b64(header.to_string()), b64(payload));
    let signature = jose::RS256.signer_from_der(der()).unwrap().sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", b64(signature))
}

fn open(token: &str, typ: Option<&str>) -> Result<Map<String, Value>, JwsError> {
    let jwk = public_jwk(der(), "RS256").unwrap();
    let verifier = Arc::new(Verifier::from_jwk(&jwk).unwrap());
    open_own(token, &|kid| (jwk["kid"] == kid).then(|| verifier.clone()), typ)
}

/// RFC 7515 §A.2 and §A.3.
#[test]
fn the_examples_of_rfc_7515_are_opened() {
    let rsa = json!({"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"});
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let keys = set(&[rsa, ec]);
    for (header, signature) in [
        (
            "eyJhbGciOiJSUzI1NiJ9",
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
        (
            "eyJhbGciOiJFUzI1NiJ9",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
    ] {
        let claims = open_foreign(&format!("{header}.{PAYLOAD}.{signature}"), &keys, &ALL).unwrap();
        assert_eq!(claims["iss"], "joe");
        assert_eq!(numeric_date::read(&claims["exp"]), Some(1_300_819_380));
    }
}

#[test]
fn our_own_token_says_what_we_signed() {
    let signer = signer();
    let claims = json!({"iss": "https://id.example", "iat": 1_795_165_245_i64, "name": "Zoë"});
    for typ in [None, Some("at+jwt")] {
        let token = signer.sign(typ, &claims).unwrap();
        let header: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
        assert_eq!(header["alg"], "RS256");
        assert_eq!(header["kid"], signer.kid());
        assert_eq!(header.get("typ").and_then(Value::as_str), typ);
        assert_eq!(Value::from(open(&token, typ).unwrap()), claims);
        assert!(token.contains(&b64(claims.to_string())), "whole numbers stay whole");
    }
}

/// SEC-066.
#[test]
fn our_own_token_is_refused_when() {
    let kid = signer().kid().to_owned();
    let good = signer().sign(Some("at+jwt"), &json!({"sub": "u1"})).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let header = |extra: Value| {
        let mut header = json!({"alg": "RS256", "kid": kid, "typ": "at+jwt"});
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        token_with(&header, r#"{"sub":"u1"}"#)
    };
    let stranger = signet::crypto::jws::Signer::new(other_der(), "RS256").unwrap();
    let public_pem = openssl::pkey::PKey::private_key_from_pkcs8(der()).unwrap().public_key_to_pem().unwrap();
    let confused = {
        let mut header = JwsHeader::new();
        header.set_token_type("at+jwt");
        let mut hmac = jose::HS256.signer_from_bytes(&public_pem).unwrap();
        hmac.set_key_id(&kid);
        jose::serialize_compact(b"{\"sub\":\"u1\"}", &header, &hmac).unwrap()
    };
    let with_type = |typ: &str| header(json!({ "typ": typ }));
    let refused = |name: &str| JwsError::Algorithm(name.to_owned());
    assert!(open(&good, Some("at+jwt")).is_ok());
    assert!(open(&with_type("application/AT+JWT"), Some("at+jwt")).is_ok(), "RFC 7515 §4.1.9");
    for (name, token, error) in [
        ("alg is none", header(json!({"alg": "none"})), refused("none")),
        (
            "alg is none and there is no signature",
            format!("{}.{}.", b64(r#"{"alg":"none","typ":"at+jwt"}"#), parts[1]),
            refused("none"),
        ),
        ("alg is HS256, keyed with the public key", confused, refused("HS256")),
        ("alg is another of the same key", header(json!({"alg": "PS256"})), refused("PS256")),
        ("alg is in small letters", header(json!({"alg": "rs256"})), refused("rs256")),
        ("alg is not text", header(json!({"alg": 1})), JwsError::Malformed),
        ("there is no kid", token_with(&json!({"alg": "RS256", "typ": "at+jwt"}), "{}"), JwsError::UnknownKey),
        ("kid is unknown", header(json!({"kid": "x"})), JwsError::UnknownKey),
        ("a stranger signed it", stranger.sign(Some("at+jwt"), &json!({})).unwrap(), JwsError::UnknownKey),
        ("crit is unknown", header(json!({"crit": ["exp"]})), JwsError::Critical),
        ("crit is b64", header(json!({"crit": ["b64"], "b64": false})), JwsError::Critical),
        ("crit is null", header(json!({"crit": null})), JwsError::Critical),
        (
            "the payload was changed",
            format!("{}.{}.{}", parts[0], b64(r#"{"sub":"u2"}"#), parts[2]),
            JwsError::Signature,
        ),
        ("the signature is missing", format!("{}.{}.", parts[0], parts[1]), JwsError::Signature),
        ("the signature is cut", good[..good.len() - 6].to_owned(), JwsError::Signature),
        ("the signature is padded", format!("{good}=="), JwsError::Malformed),
        ("there are two parts", format!("{}.{}", parts[0], parts[1]), JwsError::Malformed),
        ("there are four parts", format!("{good}.AAAA"), JwsError::Signature),
        ("it is empty", String::new(), JwsError::Malformed),
        ("it is dots", "..".to_owned(), JwsError::Malformed),
        ("the header is no object", format!("{}.{}.{}", b64("[]"), parts[1], parts[2]), JwsError::Malformed),
        (
            "a header member comes twice",
            format!("{}.{}.{}", b64(r#"{"alg":"RS256","alg":"none"}"#), parts[1], parts[2]),
            JwsError::Malformed,
        ),
        (
            "the claims are no object",
            token_with(&json!({"alg": "RS256", "kid": kid, "typ": "at+jwt"}), "[1]"),
            JwsError::Malformed,
        ),
        (
            "a number is beyond all range",
            token_with(&json!({"alg": "RS256", "kid": kid, "typ": "at+jwt"}), r#"{"exp":1e999}"#),
            JwsError::Malformed,
        ),
        (
            "it is too long",
            signer().sign(Some("at+jwt"), &json!({"sub": "u".repeat(16_384)})).unwrap(),
            JwsError::TooLong,
        ),
        (
            "the type is missing",
            token_with(&json!({"alg": "RS256", "kid": kid}), "{}"),
            JwsError::Type("(none)".into()),
        ),
        ("the type is another", with_type("logout+jwt"), JwsError::Type("logout+jwt".into())),
    ] {
        assert_eq!(open(&token, Some("at+jwt")).unwrap_err(), error, "{name}");
    }
    assert_eq!(open(&good, None).unwrap_err(), JwsError::Type("at+jwt".into()), "an access token is no ID token");
}

/// SEC-066: nothing is read from, or fetched for, a key that the token brings along.
#[test]
fn a_key_in_the_header_is_not_used() {
    let stranger = signet::crypto::jws::Signer::new(other_der(), "RS256").unwrap();
    let bring = |header: Value| {
        let signed = format!("{}.{}", b64(header.to_string()), b64(r#"{"sub":"u1"}"#));
        let signature = jose::RS256.signer_from_der(other_der()).unwrap().sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", b64(signature))
    };
    let kid = signer().kid().to_owned();
    let keys = set(&[signer().public_jwk().clone()]);
    for extra in [
        json!({"jwk": stranger.public_jwk()}),
        json!({"jku": "https://attacker.example/jwks"}),
        json!({"x5u": "https://attacker.example/cert"}),
        json!({"x5c": ["MIIB"]}),
        json!({"jwk": "not even a key"}),
    ] {
        let mut header = json!({"alg": "RS256", "kid": kid});
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let token = bring(header.clone());
        assert_eq!(open(&token, None).unwrap_err(), JwsError::Signature, "{extra}");
        assert_eq!(open_foreign(&token, &keys, &ALL).unwrap_err(), JwsError::Signature, "{extra}");
        assert!(open(&token_with(&header, "{}"), None).is_ok(), "a right signature is not spoiled by {extra}");
    }
}

/// A stranger's key of each kind, and its signer.
fn foreign(alg: &str) -> (Box<dyn JwsSigner>, Value) {
    fn pair<S: JwsSigner + 'static>(signer: S, key: &Jwk) -> (Box<dyn JwsSigner>, Value) {
        (Box::new(signer), serde_json::to_value(key.to_public_key().unwrap().as_ref()).unwrap())
    }
    let rsa = || openssl_rsa();
    let ec = |curve| Jwk::generate_ec_key(curve).unwrap();
    match alg {
        "RS256" => pair(jose::RS256.signer_from_jwk(&rsa()).unwrap(), &rsa()),
        "PS256" => pair(jose::PS256.signer_from_jwk(&rsa()).unwrap(), &rsa()),
        "ES256" => {
            let key = ec(EcCurve::P256);
            pair(jose::ES256.signer_from_jwk(&key).unwrap(), &key)
        }
        "ES384" => {
            let key = ec(EcCurve::P384);
            pair(jose::ES384.signer_from_jwk(&key).unwrap(), &key)
        }
        "ES512" => {
            let key = ec(EcCurve::P521);
            pair(jose::ES512.signer_from_jwk(&key).unwrap(), &key)
        }
        _ => {
            let key = Jwk::generate_ed_key(EdCurve::Ed25519).unwrap();
            pair(jose::EdDSA.signer_from_jwk(&key).unwrap(), &key)
        }
    }
}

fn openssl_rsa() -> Jwk {
    josekit::jwk::alg::rsa::RsaKeyPair::from_der(der()).unwrap().to_jwk_key_pair()
}

#[test]
fn foreign_tokens_of_every_algorithm_are_opened() {
    for alg in ALL {
        let (signer, key) = foreign(alg);
        let token = jose::serialize_compact(br#"{"iss":"c6"}"#, &JwsHeader::new(), signer.as_ref()).unwrap();
        let keys = set(&[key]);
        assert_eq!(open_foreign(&token, &keys, &ALL).unwrap()["iss"], "c6", "{alg}");
        let others: Vec<&str> = ALL.into_iter().filter(|other| *other != alg).collect();
        assert_eq!(
            open_foreign(&token, &keys, &others).unwrap_err(),
            JwsError::Algorithm(alg.into()),
            "{alg} is not allowed"
        );
        let (head, signature) = token.rsplit_once('.').unwrap();
        for (name, wrong) in [("zeroes", vec![0; 64]), ("nothing", vec![]), ("too much", vec![1; 600])] {
            let token = format!("{head}.{}", b64(wrong));
            assert_eq!(open_foreign(&token, &keys, &ALL).unwrap_err(), JwsError::Signature, "{alg}: {name}");
        }
        let mut changed = URL_SAFE_NO_PAD.decode(signature).unwrap();
        changed[10] ^= 1;
        assert_eq!(
            open_foreign(&format!("{head}.{}", b64(changed)), &keys, &ALL).unwrap_err(),
            JwsError::Signature,
            "{alg}"
        );
    }
}

#[test]
fn the_kid_chooses_among_foreign_keys() {
    let (signer, mut right) = foreign("ES256");
    let (_, mut wrong) = foreign("ES256");
    right["kid"] = "right".into();
    wrong["kid"] = "wrong".into();
    let token = |kid: Option<&str>, typ: Option<&str>| {
        let mut header = JwsHeader::new();
        if let Some(kid) = kid {
            header.set_key_id(kid);
        }
        if let Some(typ) = typ {
            header.set_token_type(typ);
        }
        jose::serialize_compact(b"{}", &header, signer.as_ref()).unwrap()
    };
    let both = set(&[wrong.clone(), right.clone()]);
    let unnamed = {
        let mut key = right.clone();
        key.as_object_mut().unwrap().remove("kid");
        set(&[key])
    };
    for (name, token, keys, outcome) in [
        ("named rightly", token(Some("right"), None), &both, Ok(())),
        ("named wrongly", token(Some("wrong"), None), &both, Err(JwsError::Signature)),
        ("named unknown", token(Some("new"), None), &both, Err(JwsError::UnknownKey)),
        ("not named", token(None, None), &both, Ok(())),
        ("named, while the key is not", token(Some("new"), None), &unnamed, Ok(())),
        ("the keys are of another kind", token(None, None), &set(&[foreign("EdDSA").1]), Err(JwsError::UnknownKey)),
        ("typed as an assertion", token(None, Some("client-authentication+jwt")), &both, Ok(())),
        ("typed plainly", token(None, Some("JWT")), &both, Ok(())),
        ("made for another purpose", token(None, Some("dpop+jwt")), &both, Err(JwsError::Type("dpop+jwt".into()))),
    ] {
        assert_eq!(open_foreign(&token, keys, &ALL).map(|_| ()), outcome, "{name}");
    }
}

#[test]
fn the_algorithms_a_caller_names_cannot_include_hmac_or_none() {
    let keys = set(&[signer().public_jwk().clone()]);
    for alg in ["none", "HS256", "HS512"] {
        let token = token_with(&json!({"alg": alg}), "{}");
        assert_eq!(open_foreign(&token, &keys, &[alg]).unwrap_err(), JwsError::Algorithm(alg.into()));
    }
}

#[test]
fn a_numeric_date_is_a_second_of_our_era() {
    for (value, date) in [
        ("0", Some(0)),
        ("1795165245", Some(1_795_165_245)),
        ("1795165245.9", Some(1_795_165_245)),
        ("1.5e9", Some(1_500_000_000)),
        ("253402300799", Some(253_402_300_799)),
        ("253402300800", None),
        ("1795165245123", None),
        ("18446744073709551615", None),
        ("-1", None),
        ("-0.5", None),
        ("1e300", None),
        ("-1e300", None),
        ("\"1795165245\"", None),
        ("null", None),
        ("true", None),
        ("[1]", None),
    ] {
        assert_eq!(numeric_date::read(&serde_json::from_str(value).unwrap()), date, "{value}");
    }
}

/// A signed `"exp": 1e300` is opened without a panic; its date is none.
#[test]
fn an_absurd_date_in_a_signed_token_is_no_date() {
    let token = token_with(&json!({"alg": "RS256", "kid": signer().kid()}), r#"{"exp":1e300}"#);
    assert_eq!(numeric_date::read(&open(&token, None).unwrap()["exp"]), None);
}

/// OpenID Connect Core §3.1.3.6, by the example of its §A.3.
#[test]
fn at_hash_is_the_left_half() {
    assert_eq!(
        Algorithm::Rs256.left_half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn no_token_and_no_key_causes_a_panic(
        parts in proptest::collection::vec("[ -~]{0,40}|\\{\"alg\":\"(RS256|ES256|EdDSA)\"\\}", 0..5),
        members in proptest::collection::hash_map("kty|crv|n|e|x|y|kid|alg|use|key_ops", "RSA|EC|OKP|P-256|Ed25519|sig|[A-Za-z0-9_-]{0,60}", 0..8),
    ) {
        let keys = set(&[signer().public_jwk().clone()]);
        let encoded = parts.iter().map(b64).collect::<Vec<_>>().join(".");
        for token in [parts.join("."), encoded] {
            proptest::prop_assert!(open(&token, None).is_err());
            proptest::prop_assert!(open_foreign(&token, &keys, &ALL).is_err());
        }
        let _ = KeySet::parse(&json!({"keys": [members]}));
        let _ = Verifier::from_jwk(&json!(members));
        let _ = signet::crypto::jwk::thumbprint(&json!(members));
    }
}
