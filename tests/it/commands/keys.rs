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
