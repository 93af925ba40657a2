//! The example file: it has every key, shows the right defaults, and works.
use std::collections::BTreeSet;

use signet::config::{
    catalog,
    setting::{Fallback, Setting},
};

use super::Place;

const EXAMPLE: &str = include_str!("../../../deploy/signet.example.toml");

/// The example with every setting switched on, but for those that `leave_out` says.
fn switched_on(leave_out: impl Fn(&str) -> bool) -> String {
    let line = |line: &str| {
        let setting =
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()));
        let key = setting.and_then(|setting| setting.split_once(" = ")).map(|(key, _)| key);
        match setting {
            Some(_) if key.is_some_and(&leave_out) => "\n".to_owned(),
            Some(setting) => format!("{setting}\n"),
            None => format!("{line}\n"),
        }
    };
    EXAMPLE.lines().map(line).collect()
}

/// A folder with all that the example speaks of.
fn place(settings: &str) -> Place {
    let place = Place::with(settings);
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    place.write("tls/certificate.pem", certificate);
    place.write("tls/authority.pem", certificate);
    place.write("tls/key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    place.write("logo.png", b"\x89PNG\r\n\x1a\n");
    place.write("company.png", b"\x89PNG\r\n\x1a\n");
    place.write("secrets/database-url", "postgres://signet:hunter2@db/signet\n");
    place.write("secrets/master-key", "Q6ajWxsLIqGWzJ2tFpkPhGYXjSXXVKp4RVQgJF0r3qw=\n");
    place.write("secrets/previous-master-key", "bN4oX1J9m0yVtq3kq2rXG2h8nQy7C5y0u1pP6s0wKjE=\n");
    place.write("secrets/smtp-password", "correct horse\n");
    place.write("secrets/company", "7c1d0f3e9b5a4826\n");
    place.write("secrets/shop", "3f7e0c5b9a1d4862e0b7c49d5a18f3e26d90\n");
    place
}

#[test]
fn the_example_changes_nothing_as_it_is() {
    let (example, nothing) = (Place::with(EXAMPLE), Place::with(""));
    let values = |place: &Place| {
        let config = place.load(&[("SIGNET_DATA_DIR", "/data")]).unwrap();
        config.effective().entries().to_vec()
    };
    assert_eq!(values(&example), values(&nothing));
}

#[test]
fn the_example_works_with_everything_switched_on() {
    let config = place(&switched_on(|key| {
        ["url", "master_key", "previous_master_key", "password", "client_secret"].contains(&key)
    }))
    .load(&[])
    .unwrap();
    assert_eq!(config.clients.len(), 3);
    assert_eq!(config.providers.len(), 3);
    assert_eq!(config.resources[0].scopes.len(), 1);
    assert_eq!(config.database.url.masked(), "postgres://signet:(hidden)@db/signet");
}

/// SEC-177: nobody goes into production with the secrets of the example.
#[test]
fn sec_177_the_secrets_of_the_example_are_refused() {
    let error = place(&switched_on(|key| key.ends_with("_file"))).load(&[]).unwrap_err();
    let keys: Vec<_> = error.problems().iter().map(|problem| problem.key.as_str()).collect();
    let [client, provider] = ["clients[0].client_secret", "providers[0].client_secret"];
    assert_eq!(keys, ["keys.master_key", "keys.previous_master_key", "mail.password", client, provider]);
}

#[test]
fn the_example_names_every_key_and_no_other() {
    let text = switched_on(|_| false);
    let mut named = BTreeSet::new();
    let table: toml::Table = text.parse().unwrap();
    collect(&toml::Value::Table(table), "", &mut named);
    let known: BTreeSet<_> = catalog::keys().collect();
    assert_eq!(named, known);
}

fn collect(value: &toml::Value, key: &str, named: &mut BTreeSet<String>) {
    match value {
        _ if catalog::find(key).is_some() => _ = named.insert(key.to_owned()),
        toml::Value::Table(table) => {
            let separator = if key.is_empty() { "" } else { "." };
            table.iter().for_each(|(name, value)| collect(value, &format!("{key}{separator}{name}"), named));
        }
        toml::Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, &format!("{key}[]"), named)),
        _ => _ = named.insert(key.to_owned()),
    }
}

#[test]
fn the_example_shows_the_defaults() {
    let shown: toml::Table = switched_on(|_| false).parse().unwrap();
    let of =
        |key: &str| key.split('.').try_fold(&toml::Value::Table(shown.clone()), |value, name| value.get(name)).cloned();
    let settings = catalog::settings().filter(|setting| !setting.key.contains("[]"));
    for Setting { key, fallback, .. } in settings {
        let Fallback::Fixed(default) = fallback else { continue };
        match of(key).unwrap() {
            toml::Value::Array(_) if default.is_empty() => {}
            toml::Value::Array(shown) => {
                let shown: Vec<_> = shown.iter().filter_map(toml::Value::as_str).collect();
                assert_eq!(shown.join(","), *default, "{key}");
            }
            toml::Value::String(text) => assert_eq!(text, *default, "{key}"),
            other => assert_eq!(other.to_string(), *default, "{key}"),
        }
    }
}

/// The documentation beside a key and its default are one declaration, but two texts.
#[test]
fn the_documentation_of_a_key_says_its_default() {
    for Setting { key, doc, fallback, .. } in catalog::settings() {
        let doc: String = doc.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "");
        let says = match fallback {
            Fallback::Fixed("") => "Default: none.".to_owned(),
            Fallback::Fixed(text) => format!("Default: {text}"),
            Fallback::Derived(_) | Fallback::Unset => "Default: ".to_owned(),
            Fallback::Required => "Required.".to_owned(),
        };
        assert!(doc.contains(&says), "{key}: {doc}");
    }
}
