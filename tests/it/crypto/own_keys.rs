//! Our own key pairs, of every algorithm that clients may choose.
use serde_json::json;
use signet::{
    crypto::{
        jwk::{generate, public_jwk},
        jws::{Signer, Verifier, open_own},
    },
    protocol::client_metadata::SIGNING_ALGORITHMS,
};
use std::sync::Arc;

#[test]
fn every_algorithm_signs_what_its_published_key_verifies_and_no_other_key_does() {
    let pairs: Vec<_> = SIGNING_ALGORITHMS.map(|algorithm| (algorithm, generate(algorithm, 2048).unwrap())).into();
    for (algorithm, der) in &pairs {
        let jwk = public_jwk(der, algorithm).unwrap();
        assert_eq!([&jwk["alg"], &jwk["use"]], [algorithm, "sig"]);
        let verifier = Arc::new(Verifier::from_jwk(&jwk).unwrap());
        let token = Signer::new(der, algorithm).unwrap().sign(Some("JWT"), &json!({"iss": "us"})).unwrap();
        let opened = open_own(&token, &|kid| (jwk["kid"] == kid).then(|| verifier.clone()), None).unwrap();
        assert_eq!(opened["iss"], "us", "{algorithm}");
        // The same key under another algorithm is another key (RFC 8725 §3.1).
        for (other, _) in pairs.iter().filter(|(other, _)| other != algorithm) {
            if let Ok(jwk) = public_jwk(der, other) {
                let verifier = Arc::new(Verifier::from_jwk(&jwk).unwrap());
                assert!(open_own(&token, &|_| Some(verifier.clone()), None).is_err(), "{algorithm} as {other}");
            }
        }
    }
}

#[test]
fn the_half_hash_is_as_long_as_the_algorithm_says() {
    use signet::crypto::jwk::Algorithm;
    for (algorithm, bytes) in [
        (Algorithm::Ps256, 16),
        (Algorithm::Es256, 16),
        (Algorithm::Rs384, 24),
        (Algorithm::Rs512, 32),
        (Algorithm::EdDsa, 32),
    ] {
        assert_eq!(algorithm.left_half_hash("a token").len(), (bytes * 4usize).div_ceil(3), "{algorithm:?}");
    }
}
