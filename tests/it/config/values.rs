//! Single values: bounds, forms, and the words of their refusals.
use signet::config::{DatabaseUrl, LogFormat, Seconds, Synchronous};

use super::{Place, refusal, settings};

#[test]
fn a_value_is_refused_when_it_is_out_of_bounds() {
    for (text, says) in [
        (
            "[lifetimes]\ncode = '61s'",
            "signet.toml:2: lifetimes.code = \"61s\": the time is too long; use from 1s to 1m",
        ),
        ("[lifetimes]\ncode = 0", "signet.toml:2: lifetimes.code = 0: the time is too short; use from 1s to 1m"),
        ("[lifetimes]\naccess_token = '61m'", "the time is too long; use from 1s to 1h"),
        ("[lifetimes]\nid_token = '2h'", "the time is too long; use from 1s to 1h"),
        ("[lifetimes]\nrefresh_grace = '61s'", "the time is too long; use from 0s to 1m"),
        ("[lifetimes]\nsession_absolute = '31d'", "the time is too long; use from 1m to 30d"),
        ("[lifetimes]\nrefresh_absolute = '366d'", "the time is too long; use from 1m to 365d"),
        ("[lifetimes]\njourney = '99999999999999999999d'", "the time is too long; use from 1m to 1d"),
        ("[lifetimes]\njourney = '9223372036854775807d'", "the time is too long; use from 1m to 1d"),
        ("[passwords]\nmemory_kib = 19455", "the value is too small; use a whole number from 19456 to 4194304"),
        ("[passwords]\niterations = 1", "the value is too small; use a whole number from 2 to 100"),
        ("[passwords]\nparallelism = 0", "the value is too small; use a whole number from 1 to 16"),
        ("[passwords]\nminimum_length = 7", "the value is too small; use a whole number from 8 to 64"),
        ("[passwords]\nminimum_length = 9223372036854775807", "the value is too large"),
        ("[passwords]\nminimum_length = 99999999999999999999", "is not a whole number"),
        ("[passwords]\nminimum_strength = 5", "the value is too large; use a whole number from 0 to 4"),
        ("[passwords]\nhistory = 25", "the value is too large; use a whole number from 0 to 24"),
        ("[passwords]\npolicy = 'strict'", "is not one of the known words; use \"nist\" or \"classic\""),
        ("[events]\nkeep = '59m'", "the time is too short; use from 1h to 90d"),
        ("[events]\nkeep = '91d'", "the time is too long; use from 1h to 90d"),
        (
            "[keys]\nbits = 1024",
            "keys.bits = 1024: the value is not a length that Signet makes keys of; use 2048, 3072 or 4096",
        ),
        ("[keys]\nannounce = '9s'", "the time is too short; use from 10s to 30d"),
        ("[keys]\nrotate_after = '3651d'", "the time is too long; use from 1m to 3650d, or \"off\""),
        ("[keys]\nrotate_after = '24h'", "it is not longer than keys.announce, which is 1d; lengthen it"),
        ("[keys]\nrotate_after = 'never'", "14d\", from 1m to 3650d, or \"off\""),
        ("[database]\nmax_connections = 0", "the value is too small; use a whole number from 1 to 1000"),
    ] {
        let error = refusal(text);
        assert!(error.ends_with(says) || error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_value_is_refused_when_it_has_the_wrong_form() {
    for (text, says) in [
        ("issuer = 5", "issuer = 5: the issuer is not a text"),
        ("limits = 'maybe'", "limits = \"maybe\": the value is neither on nor off; use true or false"),
        ("limits = 1", "neither on nor off"),
        ("data_dir = ''", "data_dir = \"\": the path is empty"),
        ("data_dir = 5", "data_dir = 5: the value is not a path; put it in quotes"),
        ("data_dir = \"a\\u0000\"", "the path has a NUL character"),
        ("trusted_proxies = ['10.0.0.0/8', 'x']", "item 2: this is not a network"),
        ("trusted_proxies = ['10.0.0.0/33']", "item 1: this is not a network"),
        ("trusted_proxies = 5", "the value is not a list"),
        ("[lifetimes]\ncode = '1w'", "the value is not a span of time; write \"90s\""),
        ("[lifetimes]\ncode = '-5'", "not a span of time"),
        ("[lifetimes]\ncode = -5", "not a span of time"),
        ("[lifetimes]\ncode = '+5s'", "not a span of time"),
        ("[lifetimes]\ncode = 's'", "not a span of time"),
        ("[lifetimes]\ncode = '5µ'", "not a span of time"),
        ("[lifetimes]\ncode = 1.5", "not a span of time"),
        ("[lifetimes]\ncode = true", "not a span of time"),
        ("[lifetimes]\ncode = 2020-01-01", "not a span of time"),
        ("[passwords]\niterations = 2.0", "is not a whole number"),
        ("[branding]\nname = ''", "the value is empty"),
        ("[branding]\nname = ' A'", "spaces around it"),
        ("[branding]\nname = \"A\\u001b[2J\"", "control characters"),
        ("[branding]\nname = \"A\\u202eB\"", "control characters"),
        ("[branding]\nname = ['A']", "is not a text"),
        ("[log]\nlevel = 'inof'", "is not a filter of log levels"),
        ("[log]\nlevel = 'info,signet=loud'", "is not a filter of log levels"),
        ("[log]\nlevel = ''", "is not a filter of log levels"),
        ("[log]\nlevel = 'info,=debug'", "is not a filter of log levels"),
        ("[outbound]\nallow_hosts = ['https://a']", "item 1: this is not the name or address of a host"),
        ("[outbound]\nallow_hosts = ['']", "item 1: this is not the name or address of a host"),
        ("[outbound]\nroot_certificates = ['none.pem']", "item 1: the file cannot be read (no such file or directory)"),
    ] {
        let error = Place::with(text).refusal(&[]);
        assert!(error.starts_with("signet.toml:") && error.contains(says), "{text}: {error}");
        assert_eq!(error.lines().count(), 1, "{text}: {error}");
    }
}

#[test]
fn a_time_that_use_renews_cannot_outlive_the_one_that_it_does_not() {
    assert_eq!(
        refusal("[lifetimes]\nrefresh_idle = '91d'\nsession_absolute = '30m'"),
        "signet.toml:2: lifetimes.refresh_idle = \"91d\": it is longer than lifetimes.refresh_absolute, which is 90d; \
         shorten it, or lengthen lifetimes.refresh_absolute\n\
         lifetimes.session_idle = \"1h\": it is longer than lifetimes.session_absolute, which is 30m; shorten it, or \
         lengthen lifetimes.session_absolute"
    );
}

#[test]
fn times_are_written_in_many_ways() {
    for (text, seconds) in [("'45s'", 45), ("45", 45), ("'45'", 45), ("'1m'", 60), ("0b1_0", 2), ("'060s'", 60)] {
        let config = settings(&format!("[lifetimes]\ncode = {text}"));
        assert_eq!(config.lifetimes.code.get(), seconds, "{text}");
    }
    let lifetimes = settings("").lifetimes;
    for (seconds, shown) in [
        (lifetimes.code, "1m"),
        (lifetimes.access_token, "10m"),
        (lifetimes.refresh_idle, "14d"),
        (lifetimes.session_absolute, "1d"),
        (Seconds::new(90), "90s"),
        (Seconds::new(0), "0s"),
    ] {
        assert_eq!(seconds.to_string(), shown);
    }
    assert_eq!(lifetimes.session_idle.duration().as_secs(), 3600);
}

#[test]
fn the_environment_has_texts_for_everything() {
    let config = Place::empty()
        .load(&[
            ("SIGNET_LIMITS", "off"),
            ("SIGNET_TRUSTED_PROXIES", "10.0.0.0/8, 192.168.1.1,fd00::/8"),
            ("SIGNET_PASSWORDS_ITERATIONS", "4"),
            ("SIGNET_KEYS_BITS", "3072"),
            ("SIGNET_LOG_FORMAT", "json"),
            ("SIGNET_LOG_LEVEL", "info,signet::flows=debug"),
            ("SIGNET_OUTBOUND_ALLOW_HOSTS", "Apps.Internal,[::1],10.0.0.5"),
            ("SIGNET_DATABASE_SYNCHRONOUS", "normal"),
        ])
        .unwrap();
    assert!(!config.server.limits);
    let networks: Vec<_> = config.server.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "192.168.1.1/32", "fd00::/8"]);
    assert_eq!((config.passwords.iterations, config.keys.bits), (4, 3072));
    assert_eq!((config.log.format, config.log.level.as_str()), (LogFormat::Json, "info,signet::flows=debug"));
    let hosts: Vec<_> = config.outbound.allow_hosts.iter().map(|host| host.as_str()).collect();
    assert_eq!(hosts, ["apps.internal", "[::1]", "10.0.0.5"]);
    assert_eq!(config.database.synchronous, Synchronous::Normal);
    assert!(Place::empty().load(&[("SIGNET_TRUSTED_PROXIES", "")]).unwrap().server.trusted_proxies.is_empty());
}

#[test]
fn a_database_is_named_by_its_url() {
    let url = |text: &str| Place::empty().load(&[("SIGNET_DATABASE_URL", text)]).unwrap().database.url;
    for (text, revealed) in [
        ("postgres://u:p@db:5432/signet?sslmode=require", "postgres://u:p@db:5432/signet?sslmode=require"),
        ("postgresql://u:p@db/signet", "postgres://u:p@db/signet"),
        ("postgres:///signet?host=/run/postgresql", "postgres:///signet?host=/run/postgresql"),
        ("mysql://u:p@db/signet", "mysql://u:p@db/signet"),
        ("mariadb://u:p@db/signet", "mysql://u:p@db/signet"),
    ] {
        match url(text) {
            DatabaseUrl::Postgres(url) | DatabaseUrl::Mysql(url) => assert_eq!(url.reveal(), revealed),
            DatabaseUrl::Sqlite(_) => panic!("{text}"),
        }
    }
    for text in ["sqlite:/var/lib/a.db", "sqlite:///var/lib/a.db"] {
        assert_eq!(url(text), DatabaseUrl::Sqlite("/var/lib/a.db".into()));
    }
}

#[test]
fn a_database_is_refused_when() {
    let place = Place::empty();
    for (text, says) in [
        ("", "(hidden): the value names no database that Signet knows; write sqlite:PATH, "),
        ("hunter2", "(hidden): the value names no database that Signet knows"),
        ("oracle://u:hunter2@h/d", "(hidden): the value names no database that Signet knows"),
        ("sqlite:", "\"sqlite:\": the URL names no file"),
        ("sqlite::memory:", "a database in memory forgets everybody"),
        ("sqlite://a.db?mode=memory", "a database in memory forgets everybody"),
        ("sqlite:a.db?mode=rwc", "a SQLite URL takes no parameters"),
        ("postgres://u:hunter2@h", "postgres:(hidden): the URL does not name a database"),
        ("postgres:u:hunter2@h/d", "postgres:(hidden): the URL does not name a database"),
        ("postgres:///d", "the URL does not name a host"),
        ("mysql://u:hunter2#x@h/d", "mysql:(hidden): the value is not a URL (invalid port number)"),
        ("mysql://u:hunter2@h/d#x", "mysql:(hidden): the URL has a fragment"),
        ("mysql://u:hunter2@h:99999/d", "mysql:(hidden): the value is not a URL"),
    ] {
        let error = place.refusal(&[("SIGNET_DATABASE_URL", text)]);
        assert!(error.starts_with("SIGNET_DATABASE_URL: database.url = ") && error.contains(says), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn tls_needs_both_files_and_an_https_issuer() {
    let place = Place::with("[tls]\ncertificate = 'c.pem'\nkey = 'k.pem'\n");
    assert_eq!(
        place.refusal(&[]),
        "signet.toml:2: tls.certificate = \"c.pem\": the file cannot be read (no such file or directory); name a file that \
         exists and that the user who runs Signet may read\n\
         signet.toml:3: tls.key = \"k.pem\": the file cannot be read (no such file or directory); name a file that exists \
         and that the user who runs Signet may read"
    );
    place.write("c.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    place.write("k.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert!(place.refusal(&[]).contains("tls.key = \"k.pem\": the file has no PEM block"));
    place.write("k.pem", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
    let config = place.load(&[]).unwrap();
    assert_eq!(config.server.issuer.as_str(), "https://localhost:8080");
    assert_eq!(config.tls.unwrap().key, place.path("k.pem"));
    assert!(place.refusal(&[("SIGNET_ISSUER", "http://localhost:8080")]).contains("the server speaks https only"));
    place.write("signet.toml", "[tls]\ncertificate = 'c.pem'\n");
    assert!(place.refusal(&[]).ends_with("the certificate has no key; set tls.key too, or neither"));
    place.write("signet.toml", "[tls]\nkey = 'k.pem'\n");
    assert!(place.refusal(&[]).ends_with("the key has no certificate; set tls.certificate too, or neither"));
}

#[test]
fn certificates_of_authorities_are_read_at_the_start() {
    let place = Place::with("[outbound]\nroot_certificates = ['ca.pem']\n");
    place.write("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let config = place.load(&[]).unwrap();
    assert!(config.outbound.root_certificates[0].pem.starts_with(b"-----BEGIN"));
}

/// A policy is a set of defaults: whatever is set by itself says more.
#[test]
fn a_policy_for_passwords_sets_what_is_not_set_by_itself() {
    for (text, least, strength, kinds, blocklist) in [
        ("", 15, 3, false, true),
        ("[passwords]\npolicy = 'nist'", 15, 3, false, true),
        ("[passwords]\npolicy = 'classic'", 12, 0, true, true),
        ("[passwords]\npolicy = 'classic'\nminimum_length = 16\nblocklist = false", 16, 0, true, false),
        ("[passwords]\nminimum_strength = 4\ncharacter_kinds = 'on'", 15, 4, true, true),
    ] {
        let config = settings(text);
        let policy = config.passwords.policy();
        let found = (policy.least, policy.strength, policy.kinds, policy.blocklist);
        assert_eq!(found, (least, strength, kinds, blocklist), "{text}");
        let printed = config.effective().text();
        for line in [format!("minimum_length = {least}"), format!("character_kinds = {kinds}")] {
            assert!(printed.contains(&line), "{text}: {line} is not in\n{printed}");
        }
    }
}

#[test]
fn a_weaker_policy_for_passwords_is_allowed_and_said() {
    for (text, key) in [
        ("[passwords]\npolicy = 'classic'", Some("passwords.policy")),
        ("[passwords]\nminimum_length = 14", Some("passwords.minimum_length")),
        ("[passwords]\npolicy = 'classic'\nminimum_length = 15", None),
        ("[passwords]\nblocklist = false", Some("passwords.blocklist")),
        ("[passwords]\ncharacter_kinds = true", None),
    ] {
        let warnings = settings(text).warnings;
        let about = warnings.iter().map(|warning| &*warning.key).find(|key| key.starts_with("passwords."));
        assert_eq!(about, key, "{text}: {warnings:?}");
    }
}
