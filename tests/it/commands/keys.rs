use super::Place;

#[test]
fn a_new_key_is_announced_before_it_signs() {
    let place = Place::new();
    let first = place.json(&["keys", "list"]);
    assert_eq!((first.as_array().unwrap().len(), &first[0]["state"]), (1, &"signing".into()));
    let next = place.json(&["keys", "rotate", "--announce", "3600"]);
    assert_eq!((&next["state"], &next["algorithm"]), (&"announced".into(), &"RS256".into()));
    assert_ne!(next["kid"], first[0]["kid"]);
    let both = place.json(&["keys", "list"]);
    assert_eq!((&both[0], &both[1]["state"]), (&next, &"signing".into()), "newest first");
    assert_eq!(both[1]["retired_at"], next["signs_from"], "the old one signs until the new one does");
}

#[test]
fn a_key_that_is_not_announced_signs_at_once() {
    let place = Place::new();
    let new = place.json(&["keys", "rotate", "--announce", "0"]);
    assert_eq!(new["state"], "signing");
    let keys = place.json(&["keys", "list"]);
    let old = keys.as_array().unwrap().iter().find(|key| key["kid"] != new["kid"]).unwrap();
    assert_eq!((&old["state"], keys.as_array().unwrap().len()), (&"retired".into(), 2));
    let text = place.run(&["keys", "rotate"]).succeeded();
    assert!(text.starts_with("The key ") && text.contains(" is published and signs from 20"), "{text}");
    let table = place.run(&["keys", "list"]).succeeded();
    assert!(table.starts_with("KEY") && table.contains("announced") && table.lines().count() == 4, "{table}");
    assert!(!table.contains("PRIVATE") && !place.json(&["keys", "list"]).to_string().contains("private"));
    assert_eq!(place.run(&["keys", "rotate", "--announce", "soon"]).code, 2);
}

#[test]
fn in_an_emergency_the_output_says_what_it_means() {
    let place = Place::new();
    let old = place.json(&["keys", "list"])[0]["kid"].clone();
    let report = place.json(&["keys", "rotate", "--emergency"]);
    assert_eq!((&report["dropped"][0], &report["key"]["state"]), (&old, &"signing".into()));
    assert_eq!(report["must_refetch"], serde_json::json!([]));
    let keys = place.json(&["keys", "list"]);
    assert_eq!((keys.as_array().unwrap().len(), &keys[0]["kid"]), (1, &report["key"]["kid"]));
    let text = place.run(&["keys", "drop", report["key"]["kid"].as_str().unwrap()]).succeeded();
    assert!(
        text.starts_with("Dropped on every server within 5 seconds: ") && text.contains("at the latest after 5m"),
        "{text}"
    );
    let unknown = place.run(&["keys", "drop", "nothing"]);
    assert_eq!((unknown.code, &*unknown.err), (1, "error: there is no such key\n"));
    assert_eq!(place.run(&["keys", "rotate", "--emergency", "--announce", "5"]).code, 2);
}

#[test]
fn a_key_that_others_encrypt_for_is_not_announced() {
    let place = Place::new();
    let made = place.json(&["keys", "rotate", "--algorithm", "ECDH-ES"]);
    assert_eq!((&made["algorithm"], &made["state"]), (&"ECDH-ES".into(), &"signing".into()));
    assert_eq!(place.run(&["keys", "rotate", "--algorithm", "ECDH-ES", "--announce", "5"]).code, 2);
}

#[test]
fn the_status_names_the_keys_that_sign_or_will() {
    let place = Place::new();
    let next = place.json(&["keys", "rotate"]);
    let status = place.json(&["keys", "status"]);
    assert_eq!((&status["keys"][0]["kid"], &status["servers"]), (&next["kid"], &serde_json::json!([])));
    assert_eq!(status["keys"][0]["apps"], serde_json::json!([]));
    let text = place.run(&["keys", "status"]).succeeded();
    assert!(text.starts_with("RS256 ") && text.contains(" announced, from 20"), "{text}");
    assert_eq!(text.matches("no app got tokens in the last 30 days").count(), 2, "{text}");
}
