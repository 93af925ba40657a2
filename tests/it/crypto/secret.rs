use signet::crypto::{
    mac::MacKey,
    seal::MasterKey,
    secret::{Secret, SecretHash, equal},
};

#[test]
fn a_secret_is_never_printed() {
    let secret = Secret::from_bytes([7; 32]);
    let printed = format!("{secret:?} {:#?} {:?}", Some(&secret), secret.hash());
    assert!(printed.starts_with("Secret(…)"));
    assert!(!printed.contains(secret.reveal()));
    assert!(!printed.contains(&secret.reveal()[..8]));
    assert_eq!(format!("{:?}", MacKey::from_bytes([7; 32])), "MacKey(…)");
    let master = MasterKey::from_bytes([7; 32]);
    assert_eq!(format!("{master:?}"), format!("MasterKey({})", master.id()));
}

#[test]
fn a_presented_secret_has_the_hash_of_the_one_given_out() {
    let given = Secret::from_bytes([9; 32]);
    assert_eq!(given.reveal().len(), 43, "256 bits in base64url");
    assert_eq!(Secret::presented(given.reveal()).hash(), given.hash());
    assert_ne!(Secret::presented("another").hash(), given.hash());
}

#[test]
fn a_hash_is_sha_256_and_its_short_form_is_eight_digits() {
    let hash = Secret::presented("abc").hash();
    assert_eq!(hash.short(), "ba7816bf");
    assert_eq!(hash.0.len(), 32);
    assert_eq!(SecretHash(vec![1]).short(), "01");
}

#[test]
fn equal_compares_content_and_length() {
    assert!(equal(b"same", b"same"));
    assert!(!equal(b"same", b"sane"));
    assert!(!equal(b"same", b"sam"));
    assert!(equal(b"", b""));
}

#[test]
fn a_tag_belongs_to_its_key_and_to_its_parts() {
    let key = MacKey::from_bytes([1; 32]);
    let tag = key.tag(&[b"grant", b"1"]);
    for (name, key, parts, right) in [
        ("the same", &key, [&b"grant"[..], b"1"].as_slice(), true),
        ("another key", &MacKey::from_bytes([2; 32]), [&b"grant"[..], b"1"].as_slice(), false),
        ("another part", &key, [&b"grant"[..], b"2"].as_slice(), false),
        ("parts cut elsewhere", &key, [&b"gran"[..], b"t1"].as_slice(), false),
        ("parts joined", &key, [&b"grant1"[..]].as_slice(), false),
        ("an empty part more", &key, [&b"grant"[..], b"1", b""].as_slice(), false),
    ] {
        assert_eq!(key.verify(parts, &tag), right, "{name}");
    }
    assert!(!key.verify(&[b"grant", b"1"], &tag[..31]), "a tag cut short");
    assert!(!key.verify(&[b"grant", b"1"], b""), "no tag");
}

/// RFC 2104, with the length of each part before it.
#[test]
fn a_tag_is_hmac_sha_256() {
    use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};
    let pkey = PKey::hmac(&[3; 32]).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &pkey).unwrap();
    signer.update(b"\0\0\0\0\0\0\0\x02hi").unwrap();
    assert_eq!(MacKey::from_bytes([3; 32]).tag(&[b"hi"]).to_vec(), signer.sign_to_vec().unwrap());
}
