//! `[mail]`: which way mails may leave, and what is told to whoever has it wrong.
use signet::config::{Config, MailTls};

use super::Place;

fn settings(mail: &str) -> Config {
    Place::with(&format!("issuer = 'https://id.example.com'\n[mail]\n{mail}")).load(&[]).unwrap()
}

#[test]
fn what_is_not_said_follows_from_what_is() {
    let mail = settings("host = 'smtp.example.com'").mail;
    assert_eq!((mail.tls, mail.port), (MailTls::Starttls, 587));
    assert_eq!((mail.from.to_string(), mail.reply_to), ("no-reply@id.example.com".into(), None));
    for (text, port) in [("tls = 'tls'", 465), ("tls = 'none'\nhost = 'localhost'", 25), ("port = 2525", 2525)] {
        assert_eq!(settings(text).mail.port, port, "{text}");
    }
    for issuer in ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]", "https://10.0.0.5"] {
        let mail = Place::with(&format!("issuer = '{issuer}'")).load(&[]).unwrap().mail;
        assert_eq!(mail.from.address, "no-reply@localhost", "{issuer}");
    }
    for (text, shown) in [
        ("from = 'Anna <anna@example.com>'", "Anna <anna@example.com>"),
        ("from = '\"Anna, B.\" <anna@example.com>'", "Anna, B. <anna@example.com>"),
        ("from = '<anna@EXAMPLE.com>'", "anna@example.com"),
    ] {
        assert_eq!(settings(text).mail.from.to_string(), shown);
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_remedy_when() {
    for (reason, text, says) in [
        (
            "no protection, to elsewhere",
            "host = 'smtp.example.com'\ntls = 'none'",
            "mail.tls = \"none\": mails carry links",
        ),
        ("no such protection", "tls = 'ssl'", "mail.tls = \"ssl\": the value is not one of the known words"),
        (
            "a name without a password",
            "host = 'a.example'\nusername = 'x'",
            "mail.username = \"x\": it has no password",
        ),
        (
            "a password without a name",
            "host = 'a.example'\npassword = 'x'",
            "mail.password = \"(hidden)\": it has no name",
        ),
        ("a name for no server", "username = 'x'\npassword = 'y'", "mail.username = \"x\": no server is named"),
        ("a URL for a host", "host = 'smtp://a.example'", "mail.host = \"smtp://a.example\": this is not the name"),
        ("a port that is none", "port = 70000", "mail.port = 70000: the value is too large"),
        ("no address", "from = 'Anna'", "mail.from = \"Anna\": the value is not an address for mail"),
        ("a header in an address", "from = \"a@b.example\\r\\nBcc: c@d.example\"", "the value has control characters"),
        ("two addresses", "reply_to = 'a@b.example, c@d.example'", "mail.reply_to = "),
        ("an empty password", "host = 'a.example'\nusername = 'x'\npassword = ''", "the password is empty"),
        ("a day", "timeout = '1d'", "mail.timeout = \"1d\": the time is too long"),
    ] {
        let error = Place::with(&format!("[mail]\n{text}")).load(&[]).unwrap_err().to_string();
        assert!(error.contains(says), "{reason}: {error}");
        assert!(error.contains(';'), "{reason}: no remedy in {error}");
    }
}

/// SEC-154: whoever leaves out the protection is told at every start.
#[test]
fn sec_154_what_leaves_in_clear_is_warned_of() {
    let keys = |text: &str| settings(text).warnings.into_iter().map(|warning| warning.key).collect::<Vec<_>>();
    assert_eq!(keys("host = 'localhost'\ntls = 'none'"), ["mail.tls"]);
    assert_eq!(keys("host = 'localhost'"), [""; 0]);
    assert_eq!(keys(""), ["mail.host"]);
    let local = Place::with("").load(&[]).unwrap();
    assert!(local.is_local() && local.warnings.iter().all(|warning| warning.key != "mail.host"));
}
