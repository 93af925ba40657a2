use signet::crypto::seal::{MasterKey, SealError};

const PLACE: &str = "signing_key/1/private";

#[test]
fn what_was_sealed_opens_at_its_place() {
    let key = MasterKey::from_bytes([1; 32]);
    for plain in [&b""[..], b"secret", &[0; 5000]] {
        let sealed = key.seal(PLACE, plain, [2; 12]);
        assert!(plain.is_empty() || !sealed.windows(plain.len()).any(|window| window == plain));
        assert_eq!(key.open(PLACE, &sealed).unwrap().as_slice(), plain);
    }
}

#[test]
fn a_sealed_value_is_refused_when() {
    let key = MasterKey::from_bytes([1; 32]);
    let other = MasterKey::from_bytes([9; 32]);
    let sealed = key.seal(PLACE, b"secret", [2; 12]);
    let changed = |at: usize| {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        changed
    };
    let tampered = |context: &str| SealError::Tampered { context: context.to_owned() };
    let wrong_key = |sealed_with: String, key: &MasterKey| SealError::WrongKey { sealed_with, configured: key.id() };
    let last = sealed.len() - 1;
    for (name, key, place, sealed, error) in [
        ("the key is another", &other, PLACE, sealed.clone(), wrong_key(key.id(), &other)),
        ("the row is another", &key, "signing_key/2/private", sealed.clone(), tampered("signing_key/2/private")),
        ("the nonce was changed", &key, PLACE, changed(5), tampered(PLACE)),
        ("the content was changed", &key, PLACE, changed(17), tampered(PLACE)),
        ("the tag was changed", &key, PLACE, changed(last), tampered(PLACE)),
        ("the end is missing", &key, PLACE, sealed[..last].to_vec(), tampered(PLACE)),
        ("the format is unknown", &key, PLACE, changed(0), SealError::Format),
        ("it is too short", &key, PLACE, sealed[..20].to_vec(), SealError::Format),
        ("it is empty", &key, PLACE, vec![], SealError::Format),
    ] {
        assert_eq!(key.open(place, &sealed).unwrap_err(), error, "{name}");
    }
}

/// The id stands in clear before the ciphertext: changing it must not make another key open the value.
#[test]
fn the_key_id_is_authenticated() {
    let key = MasterKey::from_bytes([1; 32]);
    let mut sealed = key.seal(PLACE, b"secret", [2; 12]);
    sealed[1] ^= 1;
    assert!(matches!(key.open(PLACE, &sealed), Err(SealError::WrongKey { .. })));
}

#[test]
fn the_text_of_a_master_key_is_read_back() {
    let key = MasterKey::from_bytes([1; 32]);
    let text = format!("  {}\n", *key.to_text());
    assert_eq!(MasterKey::parse(&text).unwrap().id(), key.id());
    assert_eq!(key.id().len(), 8);
    for wrong in ["", "abc", &text.trim()[..40], "not base64 at all, but 44 characters long!!!"] {
        assert!(MasterKey::parse(wrong).is_err(), "{wrong}");
    }
}
