//! Telephone numbers: one form of each, and people sign in with it.

use signet::{
    flows::{
        Trouble,
        admin::users::{self, NewUser},
    },
    protocol::phone::{dialed, e164},
};

use super::{PASSWORD, gets_in};
use crate::harness::{TestServer, seed::ClientSpec};

#[test]
fn a_number_has_one_form() {
    for (text, region, number) in [
        ("+44 20 7946 0000", None, "+442079460000"),
        ("+44 (0)20 7946-0000", None, "+442079460000"),
        ("020 7946 0000", Some("GB"), "+442079460000"),
        ("00 44 20 7946 0000", Some("DE"), "+442079460000"),
        ("＋４４ ２０ ７９４６ ００００", None, "+442079460000"),
        ("+44\u{a0}20\u{2011}7946\u{2013}0000", None, "+442079460000"),
        ("030/901820", Some("DE"), "+4930901820"),
        ("+49 30.90.18.20", Some("GB"), "+4930901820"),
        // The zero is a part of Italian numbers, wherever the reader is.
        ("+39 06 698 12345", Some("DE"), "+390669812345"),
        ("06 698 12345", Some("IT"), "+390669812345"),
        ("+225 01 23 45 67 89", None, "+2250123456789"),
        ("(202) 555-0143", Some("US"), "+12025550143"),
        ("+800 1234 5678", None, "+80012345678"),
    ] {
        assert_eq!(e164(text, region).as_deref(), Ok(number), "{text} in {region:?}");
        assert_eq!(dialed(text, region).as_deref(), Some(number), "{text} in {region:?}, to sign in");
        assert_eq!(e164(number, region).as_deref(), Ok(number), "the form of the form is the form");
    }
}

#[test]
fn nobody_can_be_called_at() {
    for (reason, text, region) in [
        ("nothing", "", None),
        ("a word", "call me", None),
        ("letters between digits", "+44 20 79AB 0000", None),
        ("a number without its country", "020 7946 0000", None),
        ("a number of another country", "020 7946 0000", Some("US")),
        ("a number too short for its country", "+44 20 7946", None),
        ("a number too long for its country", "+44 20 7946 0000 000", None),
        ("a country that is none", "+999 20 7946 0000", None),
        ("an extension", "+44 20 7946 0000 ext. 5", None),
        ("two signs", "++44 20 7946 0000", None),
        ("an emergency", "112", Some("DE")),
        ("a URI", "tel:+44-20-7946-0000", None),
        ("a parameter", "20 7946 0000;phone-context=+44", None),
        ("only zeros", "0000000000", Some("DE")),
        ("far too many digits", &"+4420794600".repeat(20), None),
    ] {
        assert!(e164(text, region).is_err(), "{reason}: {text}");
    }
    for no_number in ["anna", "12345", "anna+44@example.com", "", "+", "+49", "1990-02-28", "2079460000"] {
        assert_eq!(dialed(no_number, None), None, "{no_number}");
    }
}

/// AC3: the number that was given in one form opens the account in all of them.
#[tokio::test]
async fn a_person_signs_in_with_the_telephone_number() {
    let server = TestServer::with(&[("accounts.phone_region", "GB")]).await;
    let new = NewUser {
        email: Some("ada@example.com".into()),
        phone_number: Some("020 7946 0000".into()),
        password: Some(PASSWORD.into()),
        ..NewUser::default()
    };
    let made = users::create(&server.app, new).await.unwrap();
    assert_eq!(made.phone_number.as_deref(), Some("+442079460000"));
    let app = server.client(ClientSpec::web("c1")).await;
    for typed in ["+442079460000", "+44 20 7946 0000", "020 7946 0000", "(020) 7946-0000", "+44 (0)20 7946 0000"] {
        assert!(gets_in(&server, &app, typed, PASSWORD).await, "{typed}");
        assert_eq!(users::find(&server.app, typed).await.unwrap().id, made.id, "{typed}");
    }
    for typed in ["+44 20 7946 0001", "20 7946 0000 0", "+"] {
        assert!(!gets_in(&server, &app, typed, PASSWORD).await, "{typed}");
    }
}

/// A number is one person's, and nobody takes it as a name.
#[tokio::test]
async fn a_number_belongs_to_one_person() {
    let server = TestServer::with(&[("accounts.phone_region", "GB")]).await;
    let new = |username: &str, number: &str| NewUser {
        username: Some(username.into()),
        phone_number: Some(number.into()).filter(|number: &String| !number.is_empty()),
        ..NewUser::default()
    };
    users::create(&server.app, new("ada", "+44 20 7946 0000")).await.unwrap();
    let twin = users::create(&server.app, new("bob", "020 7946 0000")).await;
    assert!(matches!(&twin, Err(Trouble::Conflict(what)) if what.contains("telephone number")), "{twin:?}");
    for posing in ["+442079460001", "0207946-0001", "02079460001", "+1"] {
        let refused = users::create(&server.app, new(posing, "")).await;
        let named = matches!(&refused, Err(Trouble::Invalid(fields)) if fields[0].name == "username");
        assert!(named, "{posing}: {refused:?}");
    }
    users::create(&server.app, new("4711", "")).await.expect("a number that is too short to be called is a name");
    users::create(&server.app, new("1234567", "")).await.expect("and one that nobody has");
}
