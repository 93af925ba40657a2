//! Which file is read, what wins over what, and what happens to names that mean nothing.
use std::ffi::OsString;

use signet::config::{LoadArgs, Source, catalog, load};

use super::{Place, refusal, settings, without};

#[test]
fn with_nothing_configured_everything_has_its_default() {
    let config = load(&LoadArgs::default(), [("HOME", "/root")]).unwrap();
    assert_eq!(config.server.issuer.as_str(), "http://localhost:8080");
    assert_eq!(config.server.listen.address().to_string(), "127.0.0.1:8080");
    assert_eq!(config.data_dir().to_str(), Some("data"));
    assert_eq!(config.database.url.masked(), "sqlite:data/signet.db");
    assert_eq!(config.master_key_file().to_str(), Some("data/master.key"));
    assert_eq!(config.file, None);
    assert!(config.server.limits && config.tls.is_none() && config.clients.is_empty());
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let place = Place::with("listen = '127.0.0.1:1'\n[log]\nlevel = 'warn'\n[branding]\nname = 'File'\n");
    let mut args = place.args();
    args.flags.push(("listen".into(), "127.0.0.1:3".into()));
    let environment = [("SIGNET_LISTEN", "127.0.0.1:2"), ("SIGNET_LOG_LEVEL", "debug")];
    let config = load(&args, environment).unwrap();
    assert_eq!(config.server.listen.address().port(), 3);
    assert_eq!(config.log.level, "debug");
    assert_eq!(config.branding.name, "File");
    assert_eq!(config.source("listen").to_string(), "--listen");
    assert_eq!(config.source("log.level").to_string(), "SIGNET_LOG_LEVEL");
    assert!(config.source("branding.name").to_string().ends_with("signet.toml:5"));
    assert_eq!(config.source("log.format"), Source::Default);
}

#[test]
fn the_settings_file_is_the_first_of_flag_variable_working_folder_and_data_folder() {
    let place = Place::empty();
    let name = |environment: &[(&str, &str)], flag: Option<&str>| {
        let args = LoadArgs { config_file: flag.map(Into::into), ..place.args() };
        load(&args, environment.iter().copied()).unwrap().branding.name
    };
    assert_eq!(name(&[], None), "Signet");
    place.write("data/signet.toml", "[branding]\nname = 'data'");
    place.write("state/signet.toml", "[branding]\nname = 'state'");
    assert_eq!(name(&[], None), "data");
    assert_eq!(name(&[("SIGNET_DATA_DIR", "state")], None), "state");
    place.write("signet.toml", "[branding]\nname = 'here'");
    assert_eq!(name(&[("SIGNET_DATA_DIR", "state")], None), "here");
    place.write("variable.toml", "[branding]\nname = 'variable'");
    assert_eq!(name(&[("SIGNET_CONFIG", "variable.toml")], None), "variable");
    place.write("flag.toml", "[branding]\nname = 'flag'");
    assert_eq!(name(&[("SIGNET_CONFIG", "variable.toml")], Some("flag.toml")), "flag");
}

#[test]
fn a_settings_file_is_refused_when() {
    let place = Place::empty();
    place.write("folder/x", "");
    place.write("latin.toml", b"# a\nissuer = \"caf\xe9\"\n");
    place.write("large.toml", "#".repeat(1024 * 1024 + 1));
    for (reason, file, says) in [
        (
            "it does not exist",
            "none.toml",
            "--config: the settings file none.toml cannot be read (no such file or directory)",
        ),
        ("it is a folder", "folder", "--config: the settings file folder is a folder; name the file inside it"),
        (
            "it is not UTF-8",
            "latin.toml",
            "--config: the settings file latin.toml is not UTF-8 on line 2; save it as UTF-8",
        ),
        ("it is large", "large.toml", "--config: the settings file large.toml is larger than 1 MiB"),
        ("it is endless", "/dev/zero", "--config: the settings file /dev/zero is larger than 1 MiB"),
    ] {
        let args = LoadArgs { config_file: Some(file.into()), ..place.args() };
        let error = load(&args, [("HOME", "/")]).unwrap_err().to_string();
        let error = without(place.folder.path(), &error);
        assert!(error.starts_with(says), "{reason}: {error}");
    }
    let error = place.refusal(&[("SIGNET_CONFIG", "none.toml")]);
    assert!(error.starts_with("SIGNET_CONFIG: the settings file none.toml cannot be read"), "{error}");
    assert_eq!(
        place.refusal(&[("SIGNET_CONFIG", "")]),
        "SIGNET_CONFIG: the path of the settings file is empty; give a path, or unset the variable"
    );
}

#[test]
fn a_file_in_the_data_folder_cannot_move_the_data_folder() {
    let place = Place::empty();
    place.write("data/signet.toml", "data_dir = '/srv/other'\n");
    assert_eq!(
        place.refusal(&[]),
        "data/signet.toml:1: data_dir = \"/srv/other\": this file was found in the data folder, which it cannot move; \
         set SIGNET_DATA_DIR, or name the file with --config"
    );
}

#[test]
fn what_is_not_toml_is_refused_with_its_line_and_without_its_text() {
    for (text, line) in [
        ("listen = '127.0.0.1:1'\nissuer = hunter2hunter2\n", 2),
        ("issuer = 'https://a'\nissuer = 'https://hunter2hunter2'\n", 2),
        ("[log\nlevel = 'hunter2hunter2'", 1),
        ("\n\n= 'hunter2hunter2'", 3),
        ("issuer = \"hunter2hunter2\n", 1),
    ] {
        let error = refusal(text);
        assert!(error.starts_with(&format!("signet.toml:{line}: this is not TOML: ")), "{error}");
        assert!(!error.contains("hunter2hunter2"), "{error}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_what_was_probably_meant() {
    for (text, says) in [
        ("isuer = 'https://id.example.com'", "signet.toml:1: isuer: there is no such setting; did you mean issuer?"),
        ("[lifetime]\ncode = 1", "signet.toml:1: lifetime: there is no such setting; did you mean lifetimes?"),
        ("[lifetimes]\n\ncodes = 1", "signet.toml:3: lifetimes.codes: there is no such setting; did you mean code?"),
        (
            "access_token = 1",
            "signet.toml:1: access_token: there is no such setting; access_token belongs into [lifetimes]",
        ),
        (
            "[log]\nissuer = 'https://id.example.com'",
            "signet.toml:2: log.issuer: there is no such setting; issuer belongs at the top of the file, above the first [table]",
        ),
        (
            "redirect_uris = []",
            "signet.toml:1: redirect_uris: there is no such setting; redirect_uris belongs into [[clients]]",
        ),
        (
            "zzzzzz = 'hunter2'",
            "signet.toml:1: zzzzzz: there is no such setting; remove it, or see the example file for the names",
        ),
        (
            "\"\\u001b[2J\" = 1",
            "signet.toml:1: \\u{1b}[2J: there is no such setting; remove it, or see the example file for the names",
        ),
        (
            "[[clients]]\nclient_id = 'a'\nname = 'A'\nkind = 'spa'\n\n[[clients]]\nclient_id = 'b'\nname = 'B'\nkind = 'spa'\nredirect_uri = 1",
            "signet.toml:10: clients[1].redirect_uri: there is no such setting; did you mean redirect_uris?",
        ),
        (
            "[[resources]]\nidentifier = 'https://a'\n[[resources.scopes]]\nname = 'a'\ndescriptoin = 'b'",
            "signet.toml:5: resources[0].scopes[0].descriptoin: there is no such setting; did you mean description?",
        ),
    ] {
        assert_eq!(refusal(text), says);
    }
}

#[test]
fn a_table_is_refused_when_it_has_the_wrong_form() {
    for (text, says) in [
        ("lifetimes = 5", "signet.toml:1: lifetimes: this is a table; write [lifetimes] and its keys below it"),
        ("[[log]]", "signet.toml:1: log: this is a table; write [log] and its keys below it"),
        ("[clients]\nclient_id = 'a'", "signet.toml:1: clients: this is a list of tables; write [[clients]]"),
        ("clients = ['a']", "signet.toml:1: clients[0]: this is not a table; write [[clients]]"),
        (
            "[[resources]]\nidentifier = 'https://a'\nscopes = ['read']",
            "signet.toml:3: resources[0].scopes[0]: this is not a table; write [[resources.scopes]]",
        ),
    ] {
        assert_eq!(refusal(text), says);
    }
}

#[test]
fn an_unknown_variable_is_refused_without_its_value() {
    let place = Place::empty();
    for (name, says) in [
        ("SIGNET_ISUER", "SIGNET_ISUER: there is no such setting; did you mean SIGNET_ISSUER?"),
        ("SIGNET_LIFETIME_CODE", "SIGNET_LIFETIME_CODE: there is no such setting; did you mean SIGNET_LIFETIMES_CODE?"),
        ("SIGNET_PORT", "SIGNET_PORT: there is no such setting; unset it, or see `signet check-config` for the names"),
        (
            "SIGNET_CLIENTS_0_CLIENT_SECRET",
            "SIGNET_CLIENTS_0_CLIENT_SECRET: lists of tables can be given in the file only; declare it there",
        ),
    ] {
        assert_eq!(place.refusal(&[(name, "hunter2")]), says);
    }
}

#[test]
fn variables_of_tests_and_of_others_are_ignored() {
    let place = Place::empty();
    place.load(&[("SIGNET_TEST_DATABASE", "x"), ("SIGNETX", "x"), ("ISSUER", "x"), ("signet_issuer", "x")]).unwrap();
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_called_signet_are_ignored_with_a_warning() {
    let links = [
        ("SIGNET_SERVICE_HOST", "10.0.0.1"),
        ("SIGNET_SERVICE_PORT", "80"),
        ("SIGNET_SERVICE_PORT_HTTP", "80"),
        ("SIGNET_PORT", "tcp://10.0.0.1:80"),
        ("SIGNET_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("SIGNET_PORT_80_TCP_ADDR", "10.0.0.1"),
    ];
    let config = Place::empty().load(&links).unwrap();
    for (name, _) in links {
        assert!(config.warnings.iter().any(|warning| warning.key == name), "{name}");
    }
}

#[test]
fn a_variable_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let value = OsString::from_vec(vec![b'a', 0xff]);
    let error = load(&Place::empty().args(), [("SIGNET_BRANDING_NAME", value)]).unwrap_err();
    assert_eq!(error.to_string(), "SIGNET_BRANDING_NAME: the value is not UTF-8; write it in UTF-8");
}

#[test]
fn every_setting_outside_lists_has_a_variable_of_its_own() {
    let mut names: Vec<_> = catalog::variables().collect();
    assert!(names.contains(&"SIGNET_LIFETIMES_ACCESS_TOKEN".to_owned()));
    assert!(names.contains(&"SIGNET_DATABASE_URL_FILE".to_owned()));
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_flag_is_refused_when() {
    let place = Place::empty();
    for (reason, key, says) in [
        (
            "it carries a secret",
            "database.url",
            "--database-url: database.url: a secret on the command line can be read by every user of this machine; \
             use database.url_file, or the environment",
        ),
        ("it is no setting", "nonsense", "--nonsense: nonsense: there is no such setting; leave out nonsense"),
    ] {
        let mut args = place.args();
        args.flags.push((key.into(), "postgres://u:hunter2@h/d".into()));
        assert_eq!(load(&args, [("A", "b")]).unwrap_err().to_string(), says, "{reason}");
    }
}

#[test]
fn relative_paths_start_where_they_were_written() {
    let place = Place::empty();
    place.write("etc/signet.toml", "data_dir = './state'\n[database]\nurl = 'sqlite:db/x.db'\n");
    let config = place.load(&[("SIGNET_CONFIG", "etc/signet.toml")]).unwrap();
    assert_eq!(config.data_dir(), place.path("etc/state"));
    assert_eq!(without(place.folder.path(), &config.database.url.masked()), "sqlite:etc/db/x.db");
    let config = place.load(&[("SIGNET_CONFIG", "etc/signet.toml"), ("SIGNET_DATA_DIR", "run")]).unwrap();
    assert_eq!(config.data_dir(), place.path("run"));
}

#[test]
fn every_mistake_is_reported_at_once() {
    let place = Place::with("isuer = 1\nlisten = 'nowhere'\n[log]\nformat = 'xml'\n[[clients]]\nkind = 'web'\n");
    let error = place.refusal(&[("SIGNET_LIMIT", "off"), ("SIGNET_LIFETIMES_CODE", "10m")]);
    assert_eq!(
        error.lines().collect::<Vec<_>>(),
        [
            "SIGNET_LIMIT: there is no such setting; did you mean SIGNET_LIMITS?",
            "signet.toml:1: isuer: there is no such setting; did you mean issuer?",
            "signet.toml:2: listen = \"nowhere\": the value is not an address with a port; write address:port, like \
             \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::]:8080\"",
            "SIGNET_LIFETIMES_CODE: lifetimes.code = \"10m\": the time is too long; use from 1s to 1m",
            "signet.toml:4: log.format = \"xml\": the value is not one of the known words; use \"auto\" or \"text\" or \"json\"",
            "signet.toml:5: clients[0].client_id: this setting is missing; add it",
            "signet.toml:5: clients[0].name: this setting is missing; add it",
        ]
    );
}

#[test]
fn a_byte_order_mark_and_carriage_returns_do_no_harm() {
    assert_eq!(settings("\u{feff}[branding]\r\nname = 'A'\r\n").branding.name, "A");
}
