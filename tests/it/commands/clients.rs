use serde_json::{Value, json};

use super::Place;

const REDIRECT: [&str; 2] = ["--redirect-uri", "https://app.example.com/cb"];

fn create(place: &Place, arguments: &[&str]) -> Value {
    place.json(&[&["clients", "create", "--name", "Example"], arguments].concat())
}

#[test]
fn a_client_gets_what_its_kind_needs() {
    let place = Place::new();
    for (kind, has_secret, method, grants) in [
        ("web", true, "client_secret_basic", json!(["authorization_code", "refresh_token"])),
        ("spa", false, "none", json!(["authorization_code", "refresh_token"])),
        ("native", false, "none", json!(["authorization_code", "refresh_token"])),
        ("machine", true, "client_secret_basic", json!(["client_credentials"])),
    ] {
        let redirect = if kind == "machine" { &[][..] } else { &REDIRECT };
        let created = create(&place, &[&["--kind", kind], redirect].concat());
        let members: Vec<_> = created.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = if has_secret { &["client_id", "client_secret"] } else { &["client_id"] };
        assert_eq!(members, expected, "{kind}");
        let shown = place.json(&["clients", "show", created["client_id"].as_str().unwrap()]);
        assert_eq!(shown["has_secret"], has_secret, "{kind}");
        assert_eq!(shown["metadata"]["token_endpoint_auth_method"], method, "{kind}");
        assert_eq!(shown["metadata"]["grant_types"], grants, "{kind}");
        assert_eq!(shown["policy"]["skip_consent"], false, "{kind}: people are asked");
        assert_eq!(shown["policy"]["require_pkce"], true, "{kind}");
    }
}

#[test]
fn everything_that_is_said_of_a_client_is_kept() {
    let place = Place::new();
    place.write(
        "keys.json",
        r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    );
    let arguments = [
        "--kind",
        "native",
        "--client-id",
        "shop",
        "--auth-method",
        "private_key_jwt",
        "--jwks",
        "keys.json",
        "--redirect-uri",
        "https://a.example.com/cb",
        "--redirect-uri",
        "com.example.shop:/cb",
        "--post-logout-redirect-uri",
        "https://a.example.com/bye",
        "--scope",
        "openid email",
        "--grant-type",
        "authorization_code",
        "--grant-type",
        "password",
        "--no-pkce",
        "--first-party",
        "--skip-consent",
        "--opaque-access-tokens",
        "--allowed-origin",
        "https://a.example.com",
        "--client-uri",
        "https://a.example.com/",
        "--logo-uri",
        "https://a.example.com/logo",
        "--policy-uri",
        "https://a.example.com/privacy",
        "--tos-uri",
        "https://a.example.com/terms",
    ];
    assert_eq!(create(&place, &arguments), json!({ "client_id": "shop" }));
    let shown = place.json(&["clients", "show", "shop"]);
    let metadata = &shown["metadata"];
    assert_eq!(metadata["redirect_uris"], json!(["https://a.example.com/cb", "com.example.shop:/cb"]));
    assert_eq!(metadata["post_logout_redirect_uris"], json!(["https://a.example.com/bye"]));
    assert_eq!((&metadata["scope"], &metadata["client_name"]), (&json!("email openid"), &json!("Example")));
    assert_eq!(metadata["grant_types"], json!(["authorization_code", "password"]));
    assert_eq!(metadata["jwks"]["keys"][0]["crv"], "Ed25519");
    assert_eq!(metadata["tos_uri"], "https://a.example.com/terms");
    for decided in ["first_party", "skip_consent", "opaque_access_tokens"] {
        assert_eq!(shown["policy"][decided], true, "{decided}");
    }
    assert_eq!(shown["policy"]["require_pkce"], false);
    assert_eq!(shown["policy"]["allowed_origins"], json!(["https://a.example.com"]));
}

#[test]
fn a_client_is_refused_when() {
    let place = Place::new();
    create(&place, &[&["--kind", "web", "--client-id", "shop"][..], &REDIRECT].concat());
    place.write("private.json", r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}"#);
    let web = |more: &'static [&'static str]| [&["--kind", "web"][..], &REDIRECT, more].concat();
    for (reason, arguments, code, says) in [
        (
            "it has nowhere to send people",
            vec!["--kind", "web"],
            2,
            "--redirect-uri: a client of the authorization code flow",
        ),
        (
            "the address is plain http",
            web(&["--redirect-uri", "http://a.example.com/"]),
            2,
            "--redirect-uri: http://a.example.com/",
        ),
        ("its id is taken", web(&["--client-id", "shop"]), 1, "there is a client shop already"),
        ("the grant is unknown", web(&["--grant-type", "magic"]), 2, "--grant-type: magic is not one of"),
        ("consent is skipped for others", web(&["--skip-consent"]), 2, "--skip-consent: only first-party clients"),
        ("keys are missing", web(&["--auth-method", "private_key_jwt"]), 2, "--jwks: private_key_jwt needs"),
        ("the file is not there", web(&["--jwks", "none.json"]), 2, "--jwks: none.json: "),
        ("the keys are not public", web(&["--jwks", "private.json"]), 2, "--jwks: "),
        (
            "the origin has a path",
            web(&["--allowed-origin", "https://a.example.com/x"]),
            2,
            "--allowed-origin: https://a.example.com/x",
        ),
        ("the logo is a script", web(&["--logo-uri", "javascript:alert(1)"]), 2, "--logo-uri: javascript:alert(1)"),
    ] {
        let arguments = [&["clients", "create", "--name", "Example", "--json"], &arguments[..]].concat();
        let line = place.run(&arguments).refused(code);
        assert!(line.starts_with("error: ") && line.contains(says), "{reason}: {line}");
    }
    for usage in
        [&["--kind", "robot"][..], &["--kind", "web", "--auth-method", "magic"], &["--kind", "web", "--scope", "a\"b"]]
    {
        assert_eq!(place.run(&[&["clients", "create", "--name", "A"], usage].concat()).code, 2, "{usage:?}");
    }
    assert_eq!(place.run(&["clients", "list"]).succeeded().lines().count(), 2, "the head and the shop");
}

#[test]
fn a_secret_is_shown_once() {
    let place = Place::new();
    let text = place.run(&["clients", "create", "--name", "A", "--kind", "machine", "--client-id", "a"]).succeeded();
    assert!(text.contains("it is not shown again"), "{text}");
    let secret = text.lines().find_map(|line| line.strip_prefix("client_secret")).unwrap().trim();
    for command in [
        &["clients", "list"][..],
        &["clients", "list", "--json"],
        &["clients", "show", "a", "--json"],
        &["clients", "show", "a"],
    ] {
        assert!(!place.run(command).succeeded().contains(secret), "{command:?}");
    }
    for file in ["data/signet.db", "data/signet.db-wal"] {
        let bytes = std::fs::read(place.path(file)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "only the hash is in {file}");
    }
}

#[test]
fn a_secret_is_replaced_at_once_or_after_a_while() {
    let place = Place::new();
    let first = create(&place, &["--kind", "machine", "--client-id", "a"]);
    let second = place.json(&["clients", "rotate-secret", "a"]);
    assert_eq!(second["client_id"], "a");
    assert_ne!(second["client_secret"], first["client_secret"]);
    assert!(second.get("old_secret_until").is_none(), "the old one is void: {second}");
    let third = place.json(&["clients", "rotate-secret", "a", "--keep-old-for", "3600"]);
    assert_eq!(third["old_secret_until"], place.json(&["clients", "show", "a"])["old_secret_until"]);

    create(&place, &[&["--kind", "spa", "--client-id", "b"][..], &REDIRECT].concat());
    assert!(place.run(&["clients", "rotate-secret", "b"]).refused(1).contains("b has no secret to rotate"));
    assert_eq!(place.run(&["clients", "rotate-secret", "a", "--keep-old-for", "-1"]).code, 2);
}

#[test]
fn a_client_is_disabled_enabled_and_deleted() {
    let place = Place::new();
    create(&place, &["--kind", "machine", "--client-id", "a"]);
    assert_eq!(place.json(&["clients", "disable", "a"]), json!({ "client_id": "a", "enabled": false }));
    assert_eq!(place.json(&["clients", "list"])[0]["enabled"], false);
    assert_eq!(place.run(&["clients", "enable", "a"]).succeeded(), "a is enabled.\n");
    assert_eq!(place.json(&["clients", "show", "a"])["enabled"], true);
    assert_eq!(place.json(&["clients", "delete", "a"]), json!({ "client_id": "a", "deleted": true }));
    for command in ["show", "delete", "disable", "enable", "rotate-secret"] {
        let line = place.run(&["clients", command, "a"]).refused(1);
        assert!(line.contains("there is no client a in sqlite:") && line.contains("signet clients list"), "{line}");
    }
}

#[test]
fn a_declared_client_is_changed_in_the_settings_only() {
    let declared = "[[clients]]\nclient_id = \"shop\"\nname = \"Shop\"\nkind = \"spa\"\nredirect_uris = [\"https://a.example.com/\"]\n";
    let place = Place::with(declared);
    place.serve(&[]).stop();
    assert_eq!(place.json(&["clients", "show", "shop"])["origin"], "declared");
    for command in ["delete", "disable", "rotate-secret"] {
        let line = place.run(&["clients", command, "shop"]).refused(1);
        assert!(line.contains("shop is declared in the settings; change its [[clients]] entry"), "{line}");
    }
}
