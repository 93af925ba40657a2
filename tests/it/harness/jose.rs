//! Signatures of every algorithm that clients may choose, by OpenSSL alone (RFC 7518 §3, RFC 8037 §3.1).
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use openssl::{
    bn::{BigNum, BigNumRef},
    ec::{EcGroup, EcKey},
    ecdsa::EcdsaSig,
    hash::{MessageDigest, hash},
    nid::Nid,
    pkey::{Id, PKey, Private, Public},
    rsa::{Padding, Rsa},
    sign::{RsaPssSaltlen, Signer, Verifier},
};
use serde_json::{Value, json};

fn digest(alg: &str) -> MessageDigest {
    match &alg[2..] {
        "384" => MessageDigest::sha384(),
        "512" | "DSA" => MessageDigest::sha512(),
        _ => MessageDigest::sha256(),
    }
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that the algorithm of the ID token uses.
pub fn left_half(alg: &str, value: &str) -> String {
    let hash = hash(digest(alg), value.as_bytes()).unwrap();
    BASE64.encode(&hash[..hash.len() / 2])
}

/// A new key for an algorithm.
pub fn generate(alg: &str) -> PKey<Private> {
    let curve = |nid| {
        let group = EcGroup::from_curve_name(nid).unwrap();
        PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
    };
    match alg {
        "ES256" | "ECDH-ES" => curve(Nid::X9_62_PRIME256V1),
        "ES384" => curve(Nid::SECP384R1),
        "ES512" => curve(Nid::SECP521R1),
        "EdDSA" => PKey::generate_ed25519().unwrap(),
        _ => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
    }
}

/// The public half as a JWK (RFC 7517 §4), without `kid`, `use` and `alg`.
pub fn public_jwk(key: &PKey<Private>) -> Value {
    let number = |number: &BigNumRef, length: i32| BASE64.encode(number.to_vec_padded(length).unwrap());
    match key.id() {
        Id::RSA => {
            let rsa = key.rsa().unwrap();
            json!({ "kty": "RSA", "n": number(rsa.n(), rsa.n().num_bytes()), "e": number(rsa.e(), rsa.e().num_bytes()) })
        }
        Id::EC => {
            let (ec, mut context) = (key.ec_key().unwrap(), openssl::bn::BigNumContext::new().unwrap());
            let (crv, length) = match ec.group().curve_name() {
                Some(Nid::X9_62_PRIME256V1) => ("P-256", 32),
                Some(Nid::SECP384R1) => ("P-384", 48),
                _ => ("P-521", 66),
            };
            let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
            ec.public_key().affine_coordinates(ec.group(), &mut x, &mut y, &mut context).unwrap();
            json!({ "kty": "EC", "crv": crv, "x": number(&x, length), "y": number(&y, length) })
        }
        _ => json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(key.raw_public_key().unwrap()) }),
    }
}

pub fn public_key(jwk: &Value) -> PKey<Public> {
    let bytes = |name: &str| BASE64.decode(jwk[name].as_str().unwrap_or_else(|| panic!("no {name} in {jwk}"))).unwrap();
    let number = |name: &str| BigNum::from_slice(&bytes(name)).unwrap();
    match jwk["kty"].as_str().unwrap() {
        "RSA" => PKey::from_rsa(Rsa::from_public_components(number("n"), number("e")).unwrap()).unwrap(),
        "EC" => {
            let nid = match jwk["crv"].as_str().unwrap() {
                "P-256" => Nid::X9_62_PRIME256V1,
                "P-384" => Nid::SECP384R1,
                _ => Nid::SECP521R1,
            };
            let group = EcGroup::from_curve_name(nid).unwrap();
            let key = EcKey::from_public_key_affine_coordinates(&group, &number("x"), &number("y")).unwrap();
            PKey::from_ec_key(key).unwrap()
        }
        _ => PKey::public_key_from_raw_bytes(&bytes("x"), Id::ED25519).unwrap(),
    }
}

pub fn sign(alg: &str, key: &PKey<Private>, text: &str) -> Vec<u8> {
    if alg == "EdDSA" {
        return Signer::new_without_digest(key).unwrap().sign_oneshot_to_vec(text.as_bytes()).unwrap();
    }
    let mut signer = Signer::new(digest(alg), key).unwrap();
    if alg.starts_with("PS") {
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
    }
    let signature = signer.sign_oneshot_to_vec(text.as_bytes()).unwrap();
    if !alg.starts_with("ES") {
        return signature;
    }
    let pair = EcdsaSig::from_der(&signature).unwrap();
    let length = key.ec_key().unwrap().group().degree().div_ceil(8).cast_signed();
    [pair.r().to_vec_padded(length).unwrap(), pair.s().to_vec_padded(length).unwrap()].concat()
}

pub fn verify(alg: &str, jwk: &Value, text: &str, signature: &[u8]) -> bool {
    assert!(jwk.get("alg").is_none_or(|of| of == alg), "{jwk} does not sign with {alg}");
    let key = public_key(jwk);
    if alg == "EdDSA" {
        return Verifier::new_without_digest(&key).unwrap().verify_oneshot(signature, text.as_bytes()).unwrap();
    }
    let mut verifier = Verifier::new(digest(alg), &key).unwrap();
    if alg.starts_with("PS") {
        verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
    }
    if alg.starts_with("ES") {
        let (r, s) = signature.split_at(signature.len() / 2);
        let pair = EcdsaSig::from_private_components(BigNum::from_slice(r).unwrap(), BigNum::from_slice(s).unwrap());
        return verifier.verify_oneshot(&pair.unwrap().to_der().unwrap(), text.as_bytes()).unwrap();
    }
    verifier.verify_oneshot(signature, text.as_bytes()).unwrap_or(false)
}
