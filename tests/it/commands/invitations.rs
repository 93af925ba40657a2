//! `signet invitations`: made, listed, revoked.

use super::Place;

const INVITED: &str = "[accounts]\nregistration = \"invitation\"\n";

#[test]
fn an_invitation_is_made_listed_and_revoked() {
    let place = Place::with(INVITED);
    let made = place.json(&["invitations", "create", "--email", "Eva@Example.com", "--expires", "2h"]);
    let (id, link) = (made["id"].as_str().unwrap(), made["link"].as_str().unwrap());
    assert_eq!(
        (&made["email"], &made["state"], &made["sent"]),
        (&"eva@example.com".into(), &"open".into(), &false.into())
    );
    let (before, token) = link.split_once('=').unwrap();
    assert_eq!(before, "http://localhost:8080/account/register?invitation");
    let listed = place.json(&["invitations", "list"]);
    assert_eq!((listed[0]["id"].as_str(), listed[0]["email"].as_str()), (Some(id), Some("eva@example.com")));
    assert!(!listed.to_string().contains(token), "a link is shown once");
    let text = place.run(&["invitations", "list"]).succeeded();
    assert!(text.contains("open") && text.contains("eva@example.com"), "{text}");
    for file in ["data/signet.db", "data/signet.db-wal"] {
        let bytes = std::fs::read(place.path(file)).unwrap_or_default();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "{file} has the token in clear");
    }
    assert_eq!(place.json(&["invitations", "revoke", id])["revoked"], true);
    assert!(place.run(&["invitations", "revoke", id]).refused(1).contains("invitations list"));
    let text = place.run(&["invitations", "create"]).succeeded();
    assert!(text.contains("lets one person register") && text.contains("not shown again"), "{text}");
    let sent = place.json(&["invitations", "create", "--email", "eva@example.com", "--send"]);
    assert_eq!(sent["sent"], true);
}

#[test]
fn an_invitation_is_refused_when() {
    let place = Place::with(INVITED);
    let line = place.run(&["invitations", "create", "--email", "eva"]).refused(2);
    assert!(line.contains("--email: is not an e-mail address"), "{line}");
    for wrong in [["--expires-in", "1s"], ["--expires-in", "soon"]] {
        let ended = place.run(&[&["invitations", "create"], &wrong[..]].concat());
        assert!(ended.code == 2 && ended.err.contains("--expires-in"), "{}", ended.err);
    }
    assert_eq!(place.run(&["invitations", "create", "--send"]).code, 2, "to whom?");
    let line = Place::new().run(&["invitations", "create"]).refused(1);
    assert!(line.contains("accounts.registration"), "{line}");
}
