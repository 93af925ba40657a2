use serde_json::json;

use super::{PASSWORD, Place};

#[test]
fn a_person_is_created_with_a_password_and_every_standard_claim() {
    let place = Place::new();
    let mut arguments = vec!["users", "create", "--email", "Anna@Example.com", "--username", "Anna", "--json"];
    arguments.extend(["--password-stdin", "--email-verified", "--admin", "--phone-number-verified"]);
    let claims = [
        ("--name", "Dr. Anna Example"),
        ("--given-name", "Anna"),
        ("--family-name", "Example"),
        ("--middle-name", "Maria"),
        ("--nickname", "Anni"),
        ("--profile", "https://example.com/anna"),
        ("--picture", "https://example.com/anna.png"),
        ("--website", "https://anna.example.com"),
        ("--gender", "female"),
        ("--birthdate", "1990-02-28"),
        ("--zoneinfo", "Europe/Berlin"),
        ("--locale", "de-DE"),
        ("--phone-number", "+4930901820"),
        ("--address-formatted", "Hauptstr. 1\n10115 Berlin"),
        ("--address-street", "Hauptstr. 1"),
        ("--address-locality", "Berlin"),
        ("--address-region", "Berlin"),
        ("--address-postal-code", "10115"),
        ("--address-country", "Germany"),
    ];
    arguments.extend(claims.iter().flat_map(|(flag, value)| [flag, value]));
    let created = place.tell(&arguments, PASSWORD.as_bytes()).json();
    let id = created["id"].as_str().unwrap();
    assert_eq!(created, json!({ "id": id, "email": "anna@example.com", "username": "anna" }));

    let shown = place.json(&["users", "show", id]);
    assert_eq!((&shown["admin"], &shown["enabled"]), (&json!(true), &json!(true)));
    let known = &shown["claims"];
    assert_eq!((&known["email_verified"], &known["phone_number_verified"]), (&json!(true), &json!(true)));
    for (flag, value) in claims.iter().filter(|(flag, _)| !flag.starts_with("--address")) {
        assert_eq!(known[flag.trim_start_matches("--").replace('-', "_")], *value, "{flag}");
    }
    let address = json!({
        "formatted": "Hauptstr. 1\n10115 Berlin", "street_address": "Hauptstr. 1", "locality": "Berlin",
        "region": "Berlin", "postal_code": "10115", "country": "Germany",
    });
    assert_eq!(known["address"], address);
}

#[test]
fn the_whole_name_is_made_of_its_parts_unless_it_is_given() {
    let place = Place::new();
    for (arguments, name) in [
        (&["--username", "a", "--given-name", "Anna", "--family-name", "Example"][..], json!("Anna Example")),
        (&["--username", "b", "--given-name", "Anna"], json!("Anna")),
        (&["--username", "c", "--given-name", "Anna", "--name", "Anni"], json!("Anni")),
        (&["--username", "d"], json!(null)),
    ] {
        place.json(&[&["users", "create"], arguments].concat());
        assert_eq!(place.json(&["users", "show", arguments[1]])["claims"]["name"], name);
    }
}

#[test]
fn an_account_is_refused_when() {
    let place = Place::with_anna();
    for (reason, arguments, password, code, says) in [
        ("the password is short", &["--username", "b"][..], "fourteen chars", 2, "the password: must have at least 15"),
        ("the line break does not count", &["--username", "b"], "fourteen chars\n", 2, "it has 14"),
        ("nor does that of another system", &["--username", "b"], "fourteen chars\r\n", 2, "it has 14"),
        ("the password is empty", &["--username", "b"], "\n", 2, "has no password"),
        ("neither name nor address is given", &[], PASSWORD, 2, "--email: give an e-mail address or a user name"),
        ("the address is none", &["--email", "anna"], PASSWORD, 2, "--email: is not an e-mail address"),
        ("the date is none", &["--username", "b", "--birthdate", "28.2.1990"], PASSWORD, 2, "--birthdate: must be"),
        ("the name is taken", &["--username", "ANNA"], PASSWORD, 1, "somebody has this user name"),
        ("the address is taken", &["--email", "anna@EXAMPLE.com"], PASSWORD, 1, "somebody has this e-mail address"),
        (
            "nobody can be called there",
            &["--username", "b", "--phone-number", "+49 30"],
            PASSWORD,
            2,
            "--phone-number: is",
        ),
        ("the name mixes alphabets", &["--username", "p\u{430}ul"], PASSWORD, 2, "--username: has letters that"),
    ] {
        let arguments = [&["users", "create", "--password-stdin", "--json"], arguments].concat();
        let line = place.tell(&arguments, password.as_bytes()).refused(code);
        assert!(line.starts_with("error: ") && line.contains(says), "{reason}: {line}");
        assert!(!line.contains(PASSWORD), "{reason}: {line}");
    }
    let not_text = ["users", "create", "--password-stdin", "--username", "b"];
    assert!(place.tell(&not_text, b"\xff\xfe is not UTF-8").refused(1).contains("cannot be read"));
    assert!(place.run(&["users", "show", "b"]).refused(1).contains("nobody is called b"), "nothing was kept");
}

#[test]
fn a_password_is_set_by_the_standard_input() {
    let place = Place::with_anna();
    let said = place.tell(&["users", "set-password", "anna", "--password-stdin"], b"another horse, another staple\n");
    assert_eq!(said.succeeded(), "anna has a new password and is signed out everywhere.\n");
    let answer = place.tell(
        &["users", "set-password", "anna@example.com", "--password-stdin", "--json"],
        b"a third horse, no staple",
    );
    assert_eq!(answer.json()["username"], "anna");
    let again = place.tell(&["users", "set-password", "anna", "--password-stdin"], PASSWORD.as_bytes());
    assert!(again.refused(2).contains("was used before"), "an operator's choice is judged like anybody's");
    let ended = place.run(&["users", "set-password", "anna"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("--password-stdin"), "{}", ended.err);
}

#[test]
fn a_person_is_kept_out_and_let_in_again() {
    let place = Place::with_anna();
    assert_eq!(place.json(&["users", "disable", "anna"])["enabled"], false);
    assert_eq!(place.json(&["users", "show", "anna@example.com"])["enabled"], false);
    assert_eq!(place.run(&["users", "enable", "anna"]).succeeded(), "anna may sign in again.\n");
    assert_eq!(place.json(&["users", "show", "anna"])["enabled"], true);
}

#[test]
fn second_factors_are_taken_away() {
    let place = Place::with_anna();
    let done = place.json(&["users", "reset-factors", "anna"]);
    assert_eq!((&done["username"], &done["providers_removed"]), (&json!("anna"), &json!(0)));
    let said = place.run(&["users", "reset-factors", "anna", "--keep-providers"]).succeeded();
    assert_eq!(said, "anna has no second factor any more and is signed out everywhere.\n");
}

#[test]
fn accounts_at_providers_are_connected_and_disconnected() {
    let place = Place::with_anna();
    let add = ["providers", "add", "hub", "--kind", "github", "--client-id", "us", "--secret-stdin"];
    place.tell(&add, b"f3c19be07d5a4a60b2\n").succeeded();
    let add = ["users", "providers", "add", "anna", "--provider", "hub", "--subject"];
    let made = place.json(&[&add[..], &["42"]].concat());
    assert_eq!((&made["issuer"], &made["subject"]), (&json!("https://github.com"), &json!("42")));
    assert_eq!(place.json(&["users", "providers", "list", "anna"]), json!([made]));
    let id = made["id"].as_str().unwrap();
    let listed = place.run(&["users", "providers", "list", "anna@example.com"]).succeeded();
    assert!(listed.contains("SUBJECT") && listed.contains(id), "{listed}");
    for (subject, code, says) in [("42", 1, "opens an account already"), ("anna", 2, "--subject: ")] {
        let line = place.run(&[&add[..], &[subject]].concat()).refused(code);
        assert!(line.contains(says), "{line}");
    }
    let nowhere = ["users", "providers", "add", "anna", "--provider", "ferry", "--subject", "1"];
    assert!(place.run(&nowhere).refused(2).contains("--provider: is not the name of one"));
    let remove = ["users", "providers", "remove", "anna", "--id", id];
    assert!(place.run(&remove).succeeded().contains("signet users set-password"));
    assert!(place.run(&remove).refused(1).contains("there is no such connected provider"));

    place.run(&[&add[..], &["43"]].concat()).succeeded();
    assert_eq!(place.json(&["users", "reset-factors", "anna"])["providers_removed"], 1);
}

#[test]
fn a_person_is_removed_for_good() {
    let place = Place::with_anna();
    let known = place.json(&["users", "show", "anna"]);
    let gone = place.json(&["users", "delete", "anna"]);
    assert_eq!((&gone["id"], &gone["deleted"]), (&known["id"], &json!(true)));
    assert!(place.run(&["users", "delete", "anna"]).refused(1).contains("nobody is called anna"));
    let admin = ["users", "create", "--username", "root", "--admin"];
    place.run(&admin).succeeded();
    assert!(place.run(&["users", "delete", "root"]).refused(1).contains("nobody would be left"));
}

#[test]
fn an_account_without_a_password_says_how_to_get_one() {
    let text = Place::new().run(&["users", "create", "--email", "anna@example.com"]).succeeded();
    assert!(text.contains("signet users set-password") && text.contains("--password-stdin"), "{text}");
}

#[test]
fn nobody_is_found_under_a_name_that_nobody_has() {
    let place = Place::with_anna();
    for command in [["users", "show"], ["users", "disable"], ["users", "enable"]] {
        let line = place.run(&[&command[..], &["bob", "--json"]].concat()).refused(1);
        assert!(line.contains("nobody is called bob in sqlite:"), "{line}");
    }
}

#[test]
fn what_is_shown_cannot_steer_the_terminal() {
    let place = Place::new();
    let arguments = ["users", "create", "--username", "a", "--address-formatted", "1\u{1b}[2J\n\u{202e}2"];
    let line = place.run(&arguments).refused(2);
    assert!(line.contains("address") && line.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{line:?}");
    assert!(place.run(&["users", "show", "a\u{1b}[2Jb"]).err.chars().all(|c| c == '\n' || !c.is_control()));
}
