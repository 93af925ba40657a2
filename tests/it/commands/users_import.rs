//! `signet users import`: the people of another system.
use serde_json::{Value, json};

use super::Place;

/// passlib: bcrypt.using(rounds=4).hash("correct horse battery")
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS";
const ID: &str = "0b8f6a7c-58c5-4f0e-9d52-0c6f7b1e2a3d";

/// The refusals of a report: line, member, a part of the reason.
#[track_caller]
fn refusals(report: &Value, expected: &[(u64, &str, &str)]) {
    let found = report["problems"].as_array().unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|p| (p["line"].as_u64().unwrap(), p["member"].as_str().unwrap(), p["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((line, member, why), (at, of, says)) in found.iter().zip(expected) {
        assert!((line, member) == (at, of) && why.contains(says), "{line}: {member}: {why}, not {at}: {of}: {says}");
    }
}

/// The report of an import, and how it ended.
fn import(place: &Place, file: &str, flags: &[&str]) -> (Value, i32) {
    let ended = place.run(&[&["users", "import", file, "--json"], flags].concat());
    let report: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{} {}", ended.out, ended.err));
    let refused = report["refused"].as_u64().unwrap();
    assert_eq!(ended.code, i32::from(refused > 0), "{}", ended.err);
    let tally: u64 = ["imported", "skipped", "refused"].iter().map(|name| report[name].as_u64().unwrap()).sum();
    assert_eq!(report["read"].as_u64(), Some(tally), "every line became something: {report}");
    (report, ended.code)
}

fn counts(report: &Value) -> [u64; 3] {
    ["imported", "skipped", "refused"].map(|name| report[name].as_u64().unwrap())
}

#[test]
fn a_table_brings_people_with_their_ids_hashes_and_claims() {
    let place = Place::new();
    place.write(
        "people.csv",
        &format!(
            "\u{feff}id,Email,email_verified,username,name,address.country,phone_number,disabled,created_at,password_hash\r\n\
             {ID},Anna@Example.com,true,Anna,\"Example, \"\"Anna\"\"\",Germany,+49 30 901820,,2020-02-29T12:00:00Z,{HASH}\r\n\
             ,bob@example.com,0,,,,,yes,1582977600,\r\n"
        ),
    );
    let text = place.run(&["users", "import", "people.csv"]).succeeded();
    assert!(text.starts_with("2 of 2 people were imported, 0 skipped, 0 refused, in "), "{text}");
    let anna = place.json(&["users", "show", "anna"]);
    assert_eq!((&anna["id"], &anna["enabled"], &anna["admin"]), (&json!(ID), &json!(true), &json!(false)));
    assert_eq!((&anna["email"], &anna["created_at"]), (&json!("anna@example.com"), &json!("2020-02-29T12:00:00Z")));
    let claims = &anna["claims"];
    assert_eq!((&claims["name"], &claims["email_verified"]), (&json!("Example, \"Anna\""), &json!(true)));
    assert_eq!(claims["address"], json!({ "country": "Germany" }));
    let bob = place.json(&["users", "show", "bob@example.com"]);
    assert_eq!((&bob["enabled"], &bob["created_at"]), (&json!(false), &json!("2020-02-29T12:00:00Z")));
}

#[test]
fn json_lines_bring_the_same() {
    let place = Place::new();
    let lines = [
        json!({ "sub": ID, "username": "anna", "password_hash": HASH, "address": { "country": "Germany", "region": null },
            "birthdate": "1990-02-28", "zoneinfo": "Europe/Berlin", "disabled": false, "created_at": 1_582_977_600 }),
        json!({ "email": "bob@example.com", "password": "four wet umbrellas", "updated_at": "2021-01-01T00:00:00Z" }),
    ];
    let text = format!("\u{feff}{}\n\n  \r\n{}", lines[0], lines[1]);
    let ended = place.tell(&["users", "import", "-", "--format", "jsonl", "--json"], text.as_bytes());
    assert_eq!(counts(&ended.json()), [2, 0, 0]);
    let anna = place.json(&["users", "show", ID]);
    assert_eq!((&anna["username"], &anna["claims"]["zoneinfo"]), (&json!("anna"), &json!("Europe/Berlin")));
    assert_eq!(place.json(&["users", "show", "bob@example.com"])["updated_at"], "2021-01-01T00:00:00Z");
}

#[test]
fn a_line_is_refused_by_its_number_when() {
    let place = Place::with_anna();
    let cases = [
        (json!({ "username": "ok1" }), None),
        (json!({ "name": "Nobody" }), Some(("email", "give an e-mail address or a user name"))),
        (json!({ "username": "b b" }), Some(("username", "white space"))),
        (json!({ "email": "bob" }), Some(("email", "is not an e-mail address"))),
        (json!({ "username": "c", "id": "17" }), Some(("id", "must be a UUID"))),
        (json!({ "username": "c", "sub": "00000000-0000-0000-0000-000000000000" }), Some(("id", "must be a UUID"))),
        (json!({ "username": "c", "id": ID, "sub": "x" }), Some(("sub", "another than id"))),
        (
            json!({ "username": "c", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99" }),
            Some(("password_hash", "Argon2, bcrypt")),
        ),
        (
            json!({ "username": "c", "password_hash": HASH.replace("$04$", "$31$") }),
            Some(("password_hash", "more memory or time")),
        ),
        (
            json!({ "username": "c", "password_hash": HASH, "password": "four wet umbrellas" }),
            Some(("password", "one of the two")),
        ),
        (json!({ "username": "c", "password": "short" }), Some(("password", "at least 15"))),
        (json!({ "username": "c", "disabled": "perhaps" }), Some(("disabled", "true or false"))),
        (json!({ "username": "c", "created_at": "yesterday" }), Some(("created_at", "a time that has passed"))),
        (json!({ "username": "c", "created_at": 99_999_999_999_i64 }), Some(("created_at", "a time that has passed"))),
        (json!({ "username": "c", "birthdate": "28.2.1990" }), Some(("birthdate", "YYYY-MM-DD"))),
        (json!({ "username": "c", "name": 5 }), Some(("name", "must be a text"))),
        (json!({ "username": "c", "address": "Berlin" }), Some(("address", "must be an object"))),
        (
            json!({ "username": "c", "address": { "planet": "Mars" } }),
            Some(("address.planet", "not a member that is known")),
        ),
        (json!({ "username": "c", "admin": true }), Some(("admin", "not a member that is known"))),
        (json!({ "username": "ANNA" }), Some(("username", "somebody has it already"))),
        (json!({ "email": "Anna@EXAMPLE.com." }), Some(("email", "somebody has it already"))),
        (json!(["username"]), Some(("line", "is not a JSON object"))),
        (json!({ "username": "ok2" }), None),
    ];
    let text: Vec<String> = cases.iter().map(|(line, _)| line.to_string()).collect();
    place.write("people.jsonl", &text.join("\n"));
    let (report, code) = import(&place, "people.jsonl", &[]);
    let numbered = cases.iter().zip(1..);
    let expected: Vec<_> =
        numbered.filter_map(|((_, why), line)| why.map(|(member, says)| (line, member, says))).collect();
    refusals(&report, &expected);
    assert_eq!((code, counts(&report)), (1, [2, 0, 21]), "the others are imported");
    for name in ["ok1", "ok2"] {
        place.run(&["users", "show", name]).succeeded();
    }
    let plain = place.run(&["users", "import", "people.jsonl"]);
    assert!(plain.out.contains("line 3: username: contains white space\n"), "{}", plain.out);
    assert!(plain.err.contains("error: 23 of 23 lines were refused"), "{}", plain.err);
    for secret in [HASH, "four wet umbrellas", "short", "5f4dcc3b"] {
        assert!(!plain.out.contains(secret) && !plain.err.contains(secret), "{secret}");
    }
}

/// SEC-161: the one form of a name decides, within the file as against those who are here.
#[test]
fn twins_within_a_file_are_found() {
    let place = Place::new();
    let rows = [
        "Anna@Example.com,,",
        "anna@example.com,,",
        "ANNA@EXAMPLE.COM.,,",
        ",straße,",
        ",STRASSE1,",
        ",strasse1.,",
        ",\u{ff42}ob,",
        ",bob,",
        ",josé,+49 30 901820",
        ",jose\u{301},",
        ",carl,+4930901820",
        ",dora,+49 30 901821",
    ];
    place.write("twins.csv", &format!("email,username,phone_number\n{}\n", rows.join("\n")));
    let expected = [
        (3, "email", "already"),
        (4, "email", "already"),
        (7, "username", "already"),
        (9, "username", "already"),
        (11, "username", "already"),
        (12, "phone_number", "already"),
    ];
    for flags in [&["--dry-run"][..], &[]] {
        let (report, _) = import(&place, "twins.csv", flags);
        refusals(&report, &expected);
        assert_eq!(counts(&report), [6, 0, 6]);
        assert_eq!(report["dry_run"], flags.len() == 1);
    }
}

#[test]
fn a_dry_run_judges_all_and_writes_nobody() {
    let place = Place::new();
    // More than are judged at once, and a twin far behind.
    let mut rows: String = (0..1500).map(|number| format!("person{number}@example.com\n")).collect();
    rows.push_str("PERSON3@example.com\nnobody\n");
    place.write("people.csv", &format!("email\n{rows}"));
    let (report, _) = import(&place, "people.csv", &["--dry-run"]);
    assert_eq!((counts(&report), &report["dry_run"]), ([1500, 0, 2], &json!(true)));
    refusals(&report, &[(1502, "email", "earlier line"), (1503, "email", "is not an e-mail address")]);
    assert!(place.run(&["users", "show", "person3@example.com"]).refused(1).contains("nobody is called"));
    let (report, _) = import(&place, "people.csv", &[]);
    assert_eq!(counts(&report), [1500, 0, 2]);
}

#[test]
fn an_import_may_be_run_again() {
    let place = Place::with_anna();
    place.write("people.csv", &format!("id,username\n{ID},bob\n,carl\n,Anna\n"));
    let (report, code) = import(&place, "people.csv", &["--on-conflict", "skip"]);
    assert_eq!((counts(&report), code), ([2, 1, 0], 0));
    let (report, code) = import(&place, "people.csv", &["--on-conflict", "skip"]);
    assert_eq!((counts(&report), code), ([0, 3, 0], 0));
    let (report, code) = import(&place, "people.csv", &["--on-conflict", "fail"]);
    assert_eq!((counts(&report), code), ([0, 0, 3], 1));
    refusals(&report, &[(2, "id", "already"), (3, "username", "already"), (4, "username", "already")]);
    let anna = place.json(&["users", "show", "anna"]);
    assert_eq!(anna["email"], "anna@example.com", "who was here is as before");
}

#[test]
fn a_file_is_refused_as_a_whole_when() {
    let place = Place::new();
    for (reason, name, text, code, says) in [
        ("its name says nothing", "people", "username\na\n", 2, "add --format csv"),
        ("it is not there", "nowhere.csv", "", 1, "nowhere.csv"),
        ("a column is unknown", "a.csv", "username,shoe_size\na,44\n", 2, "the column shoe_size is not known"),
        ("a column is there twice", "b.csv", "username,Username\na,b\n", 2, "twice"),
        ("a column has no name", "c.csv", "username,\na,b\n", 2, "without a name"),
        ("it has other separators", "d.csv", "username;email\na;b\n", 2, "the column username;email is not known"),
    ] {
        if name != "nowhere.csv" {
            place.write(name, text);
        }
        let line = place.run(&["users", "import", name]).refused(code);
        assert!(line.contains(says), "{reason}: {line}");
    }
}

/// Whatever stands in a file, little of it is kept at a time.
#[test]
fn a_line_without_end_is_not_read_into_memory() {
    let place = Place::new();
    let endless = "x".repeat(200_000);
    place.write("long.jsonl", &format!("{{\"username\":\"{endless}\"}}\n{{\"username\":\"ok\"}}\n"));
    let (report, _) = import(&place, "long.jsonl", &[]);
    refusals(&report, &[(1, "line", "longer than 64 KiB")]);
    assert_eq!(counts(&report), [1, 0, 1]);
    place.write("long.csv", &format!("username,name\nfirst,\nsecond,\"{}\n", "y,z\n".repeat(100_000)));
    let ended = place.run(&["users", "import", "long.csv"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("is a quotation mark missing?"), "{}", ended.err);
    place.write("odd.csv", "username,name\nthird,a,b\nfourth\nfifth,e\n");
    let (report, _) = import(&place, "odd.csv", &[]);
    refusals(&report, &[(2, "line", "has 3 fields, and the header has 2"), (3, "line", "has 1 fields")]);
    std::fs::write(place.path("latin.csv"), b"username,name\nsixth,Ren\xe9\n").unwrap();
    refusals(&import(&place, "latin.csv", &[]).0, &[(2, "line", "is not UTF-8")]);
}
