//! `signet providers`: made, changed, checked, removed.

use super::Place;

const SECRET: &str = "f3c19be07d5a4a60b2";
const ADD: [&str; 9] = [
    "providers",
    "add",
    "company",
    "--kind",
    "oidc",
    "--client-id",
    "us",
    "--set",
    "issuer=https://login.company.example",
];

fn place() -> Place {
    let place = Place::new();
    let added =
        place.tell(&[&ADD[..], &["--secret-stdin", "--set", "order=7"]].concat(), format!("{SECRET}\n").as_bytes());
    let text = added.succeeded();
    assert!(text.contains("http://localhost:8080/federation/company/callback"), "{text}");
    place
}

#[test]
fn a_provider_is_made_shown_changed_and_removed() {
    let place = place();
    let shown = place.json(&["providers", "show", "company"]);
    assert_eq!((&shown["has_secret"], &shown["settings"]["order"]), (&true.into(), &7.into()));
    assert_eq!(shown["register"]["redirect_uri"], "http://localhost:8080/federation/company/callback");
    place.write("secret", "another-one-77aa\n");
    let set = ["providers", "set", "company", "--set", "sign_up=true", "--set", "email_domains=a.example, b.example"];
    let more = ["--set", "claims={\"name\":\"display_name\"}", "--set", "order=", "--secret-file", "secret"];
    let changed = place.json(&[&set[..], &more].concat());
    let settings = &changed["settings"];
    assert_eq!((&settings["sign_up"], &settings["order"]), (&true.into(), &100.into()));
    assert_eq!(settings["email_domains"], serde_json::json!(["a.example", "b.example"]));
    assert_eq!(settings["claims"]["name"], "display_name");
    place.write("company.png", "\u{89}PNG");
    let line = place.run(&["providers", "set", "company", "--set", "icon=company.png"]).refused(2);
    assert!(line.contains("--set icon: the picture is neither PNG"), "{line}");
    std::fs::write(place.path("company.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let icon = place.json(&["providers", "set", "company", "--set", "icon=company.png"])["settings"]["icon"].clone();
    assert_eq!(icon, "data:image/png;base64,iVBORw0KGgo=");
    place.run(&["providers", "disable", "company"]).succeeded();
    let listed = place.run(&["providers", "list"]).succeeded();
    assert!(listed.contains("company") && listed.contains("disabled") && listed.contains("/callback"), "{listed}");
    assert_eq!(place.json(&["providers", "enable", "company"])["enabled"], true);
    for file in ["data/signet.db", "data/signet.db-wal"] {
        let bytes = std::fs::read(place.path(file)).unwrap_or_default();
        for secret in [SECRET, "another-one-77aa"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file} has it in clear");
        }
    }
    assert_eq!(place.json(&["providers", "remove", "company"])["deleted"], true);
    let line = place.run(&["providers", "show", "company"]).refused(1);
    assert!(line.contains("company") && line.contains("providers list"), "{line}");
}

#[test]
fn a_provider_by_the_command_line_is_refused_when() {
    let place = place();
    for (reason, arguments, says) in [
        ("its name is taken", &[&ADD[..], &["--secret-file", "s"]].concat()[..], "there is a provider company already"),
        (
            "a secret is for everybody to see",
            &["providers", "set", "company", "--set", "client_secret=x"],
            "--secret-stdin",
        ),
        ("a setting is not known", &["providers", "set", "company", "--set", "colour=red"], "there is no such setting"),
        ("a setting has no value", &["providers", "set", "company", "--set", "order"], "SETTING=VALUE"),
        ("a value is wrong", &["providers", "set", "company", "--set", "order=many"], "--set order: "),
        ("nothing is said", &["providers", "set", "company"], "nothing is to be changed"),
        ("a file is not there", &["providers", "set", "company", "--secret-file", "none"], "cannot be read"),
        ("nobody knows it", &["providers", "enable", "nobody"], "there is no provider nobody"),
    ] {
        place.write("s", SECRET);
        let ended = place.run(arguments);
        assert!(ended.code > 0 && ended.out.is_empty() && ended.err.contains(says), "{reason}: {}", ended.err);
        assert!(!ended.err.contains(SECRET), "{}", ended.err);
    }
    let empty = place.tell(&["providers", "set", "company", "--secret-stdin"], b"\n").refused(2);
    assert!(empty.contains("has no secret"), "{empty}");
}

#[test]
fn what_the_settings_declare_is_not_changed_by_a_command() {
    let entry =
        format!("[[providers]]\nname = 'github'\nkind = 'github'\nclient_id = 'us'\nclient_secret = '{SECRET}'\n");
    let place = Place::with(&entry);
    place.serve(&[]);
    for command in ["enable", "disable", "remove"] {
        let line = place.run(&["providers", command, "github"]).refused(1);
        assert!(line.contains("change its [[providers]] entry"), "{line}");
    }
    place.write("signet.toml", "");
    assert_eq!(place.json(&["providers", "remove", "github"])["deleted"], true, "nobody declares it any more");
}

#[test]
fn a_check_that_fails_says_what_to_do() {
    let place = Place::new();
    let add = ["providers", "add", "away", "--kind", "oidc", "--client-id", "us", "--set", "issuer=https://10.1.2.3"];
    place.tell(&[&add[..], &["--secret-stdin"]].concat(), SECRET.as_bytes()).succeeded();
    let ended = place.run(&["providers", "check", "away"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.out.contains("metadata") && ended.out.contains("not well"), "{}", ended.out);
    assert!(ended.err.contains("people cannot sign in with away"), "{}", ended.err);
}

/// What a start says that refuses to make another provider of one.
#[test]
fn a_declared_provider_is_made_anew_in_the_way_that_is_told() {
    let entry = |host: &str| {
        format!(
            "[[providers]]\nname = 'harbor'\nkind = 'oauth2'\nclient_id = 'us'\nclient_secret = '{SECRET}'\n\
             authorization_endpoint = 'https://{host}/a'\ntoken_endpoint = 'https://{host}/t'\n\
             userinfo_endpoint = 'https://{host}/u'\nclaims = {{ sub = 'id' }}\n"
        )
    };
    let place = Place::with(&entry("old.example"));
    place.serve(&[]);
    place.write("signet.toml", "");
    assert_eq!(place.json(&["providers", "remove", "harbor", "--unlink"])["deleted"], true);
    place.write("signet.toml", &entry("new.example"));
    place.serve(&[]);
    let shown = place.json(&["providers", "show", "harbor"]);
    assert_eq!(shown["settings"]["token_endpoint"], "https://new.example/t");
}
