//! What `check-config` prints.
use signet::config::catalog;

use super::{Place, without};

const SETTINGS: &str = "issuer = 'https://id.example.com'\ntrusted_proxies = ['10.0.0.0/8']\n[lifetimes]\ncode = 30\n\
    [[clients]]\nclient_id = 'a'\nname = \"A \\\"b\\\" é\"\nkind = 'spa'\njwks = {keys = [{kty = \"E\\u007f\\u2028\"}]}\n\
    [[providers]]\nname = 'p'\nkind = 'google'\nclient_id = 'us'\n\
    [[resources]]\nidentifier = 'https://api'\nscopes = [{name = 'r'}]\n";

#[test]
fn the_settings_are_printed_with_their_sources() {
    let place = Place::with("[lifetimes]\ncode = 30\n");
    let config = place.load(&[("SIGNET_LISTEN", "127.0.0.1:9000"), ("SIGNET_DATA_DIR", "/srv/signet")]).unwrap();
    let text = without(place.folder.path(), &config.effective().text());
    let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "listen = \"127.0.0.1:9000\" # SIGNET_LISTEN",
        "issuer = \"http://localhost:9000\" # default",
        "limits = true # default",
        "url = \"sqlite:/srv/signet/signet.db\" # default",
        "# certificate is not set",
        "[lifetimes]",
        "code = \"30s\" # signet.toml:2",
    ] {
        assert!(lines.iter().any(|other| other == line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_is_printed_means_the_same_when_read_again() {
    let place = Place::with(SETTINGS);
    let config = place.load(&[]).unwrap();
    let again = Place::with(&config.effective().text());
    let again = again.load(&[]).unwrap();
    let values = |config: &signet::config::Config| {
        config.effective().entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(values(&config), values(&again));
}

#[test]
fn programs_get_the_same_as_json() {
    let place = Place::with(SETTINGS);
    let json = place.load(&[("SIGNET_LIMITS", "off")]).unwrap().effective().json();
    assert!(json["file"].as_str().unwrap().ends_with("signet.toml"));
    let setting =
        |key: &str| json["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap();
    assert_eq!(setting("limits")["value"], false);
    assert_eq!(setting("limits")["source"], "SIGNET_LIMITS");
    assert!(setting("clients[0].jwks")["source"].as_str().unwrap().ends_with("signet.toml:9"));
    assert!(setting("tls.key")["value"].is_null());
    assert!(json["warnings"][0].as_str().unwrap().starts_with("SIGNET_LIMITS: limits: "));
}

#[test]
fn every_setting_is_printed() {
    let config = Place::with(SETTINGS).load(&[]).unwrap();
    for setting in catalog::settings() {
        let key = setting.key.replace("[]", "[0]");
        assert!(config.effective().entries().iter().any(|entry| entry.key == key), "{key}");
    }
}
