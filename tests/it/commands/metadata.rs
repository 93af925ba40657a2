//! `signet clients create --metadata` and `signet clients update`: everything that metadata can say.

use serde_json::json;

use super::Place;

fn with(metadata: &serde_json::Value) -> Place {
    let place = Place::new();
    place.write("shop.json", &metadata.to_string());
    place
}

const CREATE: [&str; 6] = ["clients", "create", "--kind", "web", "--metadata", "shop.json"];

#[test]
fn metadata_stands_over_the_defaults_and_flags_over_metadata() {
    let place = with(&json!({
        "client_name": "From the file",
        "redirect_uris": ["https://shop.example/cb"],
        "id_token_signed_response_alg": "ES256",
        "contacts": ["ops@shop.example"],
        "scope": "openid email",
    }));
    let flags = ["--client-id", "shop", "--name", "From the flag"];
    place.json(&[&CREATE[..], &flags].concat());
    let metadata = place.json(&["clients", "show", "shop"])["metadata"].clone();
    for (name, value) in [
        ("client_name", json!("From the flag")),
        ("redirect_uris", json!(["https://shop.example/cb"])),
        ("id_token_signed_response_alg", json!("ES256")),
        ("contacts", json!(["ops@shop.example"])),
        ("scope", json!("email openid")),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
    ] {
        assert_eq!(metadata[name], value, "{name}");
    }
    place.write("change.json", &json!({ "contacts": null, "client_uri": "https://shop.example/" }).to_string());
    let changed = place.json(&["clients", "update", "shop", "--metadata", "change.json"])["metadata"].clone();
    assert_eq!((changed.get("contacts"), &changed["client_uri"]), (None, &json!("https://shop.example/")));
    assert_eq!(changed["client_name"], "From the flag", "what is not named stays");
}

#[test]
fn metadata_is_refused_when() {
    let good = json!({ "client_name": "Shop", "redirect_uris": ["https://shop.example/cb"] });
    let place = with(&good);
    place.json(&[&CREATE[..], &["--client-id", "shop"]].concat());
    for (reason, text, says) in [
        ("it is no JSON", "{", "--metadata: shop.json: "),
        ("it is no object", "[]", "it is no JSON object"),
        (
            "it has a member that there is not",
            r#"{ "redirect_uri": "https://a.example" }"#,
            "there is no member redirect_uri",
        ),
        ("a member is of another type", r#"{ "contacts": "me" }"#, "--metadata: contacts: invalid type"),
        ("a rule forbids it", r#"{ "initiate_login_uri": "http://a.example/" }"#, "--metadata: initiate_login_uri: "),
        ("the address is wrong", r#"{ "redirect_uris": ["x"] }"#, "--redirect-uri: x"),
    ] {
        place.write("shop.json", text);
        let create = place.run(&[&CREATE[..], &["--name", "x", "--redirect-uri", "https://a.example/"]].concat());
        let update = place.run(&["clients", "update", "shop", "--metadata", "shop.json"]);
        for ended in [create, update].into_iter().filter(|ended| ended.code != 0) {
            let line = ended.refused(2);
            assert!(line.contains(says), "{reason}: {line}");
        }
    }
    assert_eq!(place.json(&["clients", "list"]).as_array().unwrap().len(), 2, "the flag mended the last one");
    let line = place.run(&["clients", "update", "nobody", "--metadata", "shop.json"]).refused(1);
    assert!(line.contains("there is no client nobody"), "{line}");
    let nameless = place.run(&["clients", "create", "--kind", "web"]);
    assert!(nameless.code == 2 && nameless.err.contains("--name"), "{}", nameless.err);
}
