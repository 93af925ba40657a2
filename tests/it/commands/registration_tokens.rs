//! `signet registration-tokens`: made, listed, revoked.

use super::Place;

const NEW: [&str; 4] = ["registration-tokens", "create", "--name", "Partners"];

#[test]
fn a_token_is_made_listed_and_revoked() {
    let place = Place::new();
    let made = place.json(&[&NEW[..], &["--uses", "3", "--expires-in", "2h"]].concat());
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert!(token.len() >= 43, "256 bits");
    assert_eq!((&made["uses"], &made["used"], made["state"].as_str()), (&3.into(), &0.into(), Some("good")));
    let listed = place.json(&["registration-tokens", "list"]);
    assert_eq!((listed[0]["id"].as_str(), listed[0]["name"].as_str()), (Some(id), Some("Partners")));
    assert!(!listed.to_string().contains(token), "a token is shown once");
    place.json(&["registration-tokens", "revoke", id]);
    assert_eq!(place.json(&["registration-tokens", "list"])[0]["state"], "revoked");
    let text = place.run(&["registration-tokens", "list"]).succeeded();
    assert!(text.contains("revoked") && text.contains("0 of 3") && text.contains("Partners"), "{text}");
    let text = place.run(&NEW).succeeded();
    assert!(text.contains("It registers 1 client") && text.contains("not shown again"), "{text}");
    for (file, _) in [("data/signet.db", ()), ("data/signet.db-wal", ())] {
        let bytes = std::fs::read(place.path(file)).unwrap_or_default();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "{file} has the token in clear");
    }
}

#[test]
fn a_token_is_refused_when() {
    let place = Place::new();
    for (reason, more, says) in [
        ("it is of no use", ["--uses", "0"], "--uses: must be from 1"),
        ("it is good too often", ["--uses", "10000000"], "--uses: must be from 1"),
        ("it has no name", ["--name", ""], "--name: must have 1 to 100"),
    ] {
        let base = ["registration-tokens", "create"];
        let name: &[&str] = if more[0] == "--name" { &[] } else { &["--name", "x"] };
        let line = place.run(&[&base[..], name, &more[..]].concat()).refused(2);
        assert!(line.contains(says), "{reason}: {line}");
    }
    for time in ["soon", "1s", "9999d"] {
        let ended = place.run(&[&NEW[..], &["--expires-in", time]].concat());
        assert!(ended.code == 2 && ended.err.contains("--expires-in"), "{time}: {}", ended.err);
    }
    let id = "7d9f4cbe-51ee-4f2a-9a3b-3d8b42c4d3f1";
    let line = place.run(&["registration-tokens", "revoke", id]).refused(1);
    assert!(line.contains(id) && line.contains("registration-tokens list"), "{line}");
}
