//! The issuer and the address to listen on.
use super::{Place, settings};

fn issuer(text: &str) -> Result<String, String> {
    let place = Place::empty();
    let config = place.load(&[("SIGNET_ISSUER", text)]).map_err(|error| error.to_string())?;
    Ok(config.server.issuer.as_str().to_owned())
}

#[test]
fn an_issuer_is_kept_as_written() {
    for text in [
        "https://id.example.com",
        "https://id.example.com/",
        "https://id.example.com:8443",
        "https://example.com/tenant/a",
        "https://example.com/tenant/a/",
        "https://xn--bcher-kva.example",
        "http://localhost:8080",
        "http://127.0.0.1:9000/path",
        "http://[::1]:8080",
    ] {
        assert_eq!(issuer(text).as_deref(), Ok(text));
    }
}

#[test]
fn an_issuer_is_refused_when() {
    for (text, says) in [
        ("http://id.example.com", "the issuer must be https; plain http is for localhost"),
        ("http://localhost.example.com", "the issuer must be https"),
        ("http://127.0.0.2", "the issuer must be https"),
        ("ftp://id.example.com", "the issuer must be an https URL"),
        ("id.example.com", "the issuer is not a URL"),
        ("", "the issuer is not a URL"),
        ("https://", "the issuer is not a URL"),
        ("https://id.example.com?", "must have no query"),
        ("https://id.example.com?a=b", "must have no query"),
        ("https://id.example.com#", "must have no fragment"),
        ("https://id.example.com#a", "must have no fragment"),
        ("https://user@id.example.com", "must have no user name"),
        ("https://:password@id.example.com", "must have no user name"),
        ("https://ID.example.com", "write \"https://id.example.com\""),
        ("HTTPS://id.example.com", "write \"https://id.example.com\""),
        ("https://id.example.com:443", "write \"https://id.example.com\""),
        ("https://id.example.com/a/../b", "write \"https://id.example.com/b\""),
        ("https://bücher.example", "write \"https://xn--bcher-kva.example\""),
        (" https://id.example.com", "write \"https://id.example.com\""),
        ("https://id.exa\nmple.com", "write \"https://id.example.com\""),
        ("https:id.example.com", "write \"https://id.example.com\""),
    ] {
        let error = issuer(text).unwrap_err();
        assert!(error.starts_with("SIGNET_ISSUER: issuer = \"") && error.contains(says), "{text}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn the_issuer_is_the_root_of_every_url() {
    for (text, endpoint, path, origin) in [
        ("https://id.example.com", "https://id.example.com/token", "", "https://id.example.com"),
        ("https://id.example.com/", "https://id.example.com/token", "", "https://id.example.com"),
        ("https://example.com:8443/a/", "https://example.com:8443/a/token", "/a", "https://example.com:8443"),
    ] {
        let issuer = settings(&format!("issuer = '{text}'")).server.issuer;
        assert_eq!((issuer.at("/token").as_str(), issuer.path(), issuer.origin().as_str()), (endpoint, path, origin));
    }
}

#[test]
fn without_an_issuer_it_is_localhost_with_the_port_of_the_listener() {
    for (listen, issuer) in [
        ("127.0.0.1:9000", "http://localhost:9000"),
        ("0.0.0.0:8081", "http://localhost:8081"),
        ("[::1]:80", "http://localhost"),
    ] {
        assert_eq!(settings(&format!("listen = '{listen}'")).server.issuer.as_str(), issuer);
    }
}

#[test]
fn an_address_to_listen_on_is_refused_when() {
    let place = Place::empty();
    for text in ["8080", ":8080", "localhost:8080", "127.0.0.1", "127.0.0.1:99999", "", "http://127.0.0.1:1", "::1:1:"]
    {
        let error = place.refusal(&[("SIGNET_LISTEN", text)]);
        assert!(error.starts_with("SIGNET_LISTEN: listen = ") && error.contains("write address:port"), "{error}");
        assert_eq!(error.lines().count(), 1, "the issuer, which follows from it, is not a second mistake: {error}");
    }
}

#[test]
fn a_port_that_the_system_chooses_needs_an_issuer() {
    let place = Place::empty();
    assert_eq!(
        place.refusal(&[("SIGNET_LISTEN", "127.0.0.1:0")]),
        "SIGNET_LISTEN: listen = \"127.0.0.1:0\": port 0 lets the system choose, and the issuer would not know it; set \
         issuer too"
    );
    place.load(&[("SIGNET_LISTEN", "127.0.0.1:0"), ("SIGNET_ISSUER", "http://localhost:1")]).unwrap();
}

/// SEC-177: development mode prints a warning on every start.
#[test]
fn sec_177_what_is_for_development_only_is_warned_of() {
    let keys = |text: &str| settings(text).warnings.into_iter().map(|warning| warning.key).collect::<Vec<_>>();
    assert_eq!(keys("issuer = 'https://id.example.com'"), ["mail.host"]);
    assert_eq!(keys(""), ["issuer"]);
    assert_eq!(
        keys("issuer = 'https://a.example'\n[database]\nurl = 'postgres://u:changeme@db/signet'"),
        ["database.url", "mail.host"]
    );
    assert_eq!(
        keys(
            "issuer = 'https://a.example'\nlimits = 'off'\ntrusted_proxies = ['0.0.0.0/0']\n[database]\nsynchronous = 'normal'\n\
             [passwords]\nminimum_length = 8\n[keys]\nannounce = '1h'"
        ),
        ["limits", "trusted_proxies", "database.synchronous", "passwords.minimum_length", "keys.announce", "mail.host"]
    );
}
