//! RFC 7516: what we encrypt, an independent reader reads; what others encrypt for us, we read, within limits.
use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::{jwe, jwk::Jwk};
use serde_json::{Value, json};
use signet::crypto::{
    jwe::{ALGORITHMS, ENCODINGS, JweError, Opener, can_encrypt, decrypt, encrypt, is_encrypted},
    jwk::{generate, public_jwk},
};

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ1cyJ9.c2lnbmF0dXJl";

fn pair(algorithm: &str) -> (Vec<u8>, Value) {
    let der = generate(algorithm, 2048).unwrap();
    let jwk = public_jwk(&der, algorithm).unwrap();
    assert_eq!(jwk["use"], "enc");
    (der.to_vec(), jwk)
}

fn set(jwk: &Value) -> Value {
    json!({ "keys": [{"kty": "RSA", "use": "sig", "n": "AQAB", "e": "AQAB"}, jwk] })
}

#[test]
fn each_pair_of_algorithms_comes_back_as_it_went() {
    for algorithm in ALGORITHMS {
        let (der, jwk) = pair(algorithm);
        let opener = Arc::new(Opener::new(&der, algorithm).unwrap());
        for encoding in ENCODINGS {
            let token = encrypt(TOKEN, &set(&jwk), algorithm, encoding).unwrap();
            assert!(is_encrypted(&token));
            let header: Value =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
            assert_eq!([&header["alg"], &header["enc"], &header["cty"]], [algorithm, encoding, "JWT"]);
            assert_eq!(header["kid"], jwk["kid"]);
            let find = |kid: &str| (jwk["kid"] == kid).then(|| opener.clone());
            assert_eq!(decrypt(&token, &find).unwrap(), TOKEN);
            assert_eq!(decrypt(&token, &|_| None), Err(JweError::UnknownKey));
        }
    }
}

#[test]
fn a_set_without_a_fitting_key_is_no_receiver() {
    let (_, mut jwk) = pair("ECDH-ES");
    assert!(can_encrypt(&set(&jwk), "ECDH-ES"));
    assert!(!can_encrypt(&set(&jwk), "RSA-OAEP-256"));
    jwk["use"] = "sig".into();
    assert!(!can_encrypt(&set(&jwk), "ECDH-ES"));
    assert!(!can_encrypt(&json!({}), "ECDH-ES"));
    let weak = json!({"keys": [{"kty": "RSA", "use": "enc", "n": URL_SAFE_NO_PAD.encode([255; 128]), "e": "AQAB"}]});
    assert!(matches!(encrypt(TOKEN, &weak, "RSA-OAEP-256", "A256GCM"), Err(JweError::NoKey(_))));
}

/// SEC-159: a compressed token could be a thousand times as large as it looks.
#[test]
fn sec_159_compression_extensions_and_foreign_algorithms_are_refused() {
    let (der, jwk) = pair("RSA-OAEP-256");
    let opener = Arc::new(Opener::new(&der, "RSA-OAEP-256").unwrap());
    let find = |_: &str| Some(opener.clone());
    let key = Jwk::from_map(jwk.as_object().unwrap().clone()).unwrap();
    let token = |change: &dyn Fn(&mut jwe::JweHeader)| {
        let mut header = jwe::JweHeader::new();
        header.set_content_encryption("A256GCM");
        header.set_key_id(jwk["kid"].as_str().unwrap());
        change(&mut header);
        let encrypter = jwe::RSA_OAEP_256.encrypter_from_jwk(&key).unwrap();
        jwe::serialize_compact(&[b'a'; 20_000], &header, &encrypter).unwrap()
    };
    assert_eq!(decrypt(&token(&|header| header.set_compression("DEF")), &find), Err(JweError::Extension));
    assert!(matches!(
        decrypt(&token(&|header| header.set_content_encryption("A128GCM")), &find),
        Err(JweError::Algorithm(_))
    ));
    assert_eq!(decrypt(&"a.".repeat(40_000), &find), Err(JweError::TooLong));
    for nonsense in ["", "....", "a.b.c.d.e", "e30.a.b.c.d"] {
        assert_eq!(decrypt(nonsense, &find), Err(JweError::Malformed), "{nonsense}");
    }
    let mut changed = encrypt(TOKEN, &set(&jwk), "RSA-OAEP-256", "A256GCM").unwrap().into_bytes();
    let last = changed.len() - 3;
    changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
    assert_eq!(decrypt(&String::from_utf8(changed).unwrap(), &find), Err(JweError::Undecryptable));
}
