//! Declared apps and APIs.
use serde_json::json;
use signet::{
    config::{AccessTokenFormat, ClientKind, Consent, RefreshTokens},
    crypto::jwk::{generate, public_jwk},
    flows::declared,
};

use super::{refusal, settings};

const SHOP: &str = "[[clients]]\nclient_id = 'shop'\nname = 'Shop'\nkind = 'web'\n";

#[test]
fn a_client_has_defaults_for_all_but_its_id_its_name_and_its_kind() {
    let config = settings(SHOP);
    let client = &config.clients[0];
    assert_eq!((client.client_id.as_str(), client.name.as_str(), client.kind), ("shop", "Shop", ClientKind::Web));
    assert!(client.require_pkce && !client.first_party && !client.require_auth_time && !client.id_token_claims);
    assert_eq!(client.access_token_format, AccessTokenFormat::Jwt);
    assert_eq!(client.refresh_tokens, RefreshTokens::OfflineAccess);
    assert_eq!(client.consent, Consent::Required);
    assert!(client.redirect_uris.is_empty() && client.grant_types.is_none() && client.scope.is_none());
}

#[test]
fn a_client_says_what_a_registration_would_say() {
    let client = &settings(&format!(
        "{SHOP}redirect_uris = ['https://shop.example/cb']\nscope = 'openid email'\ngrant_types = ['authorization_code']\n\
         default_max_age = '1h'\nrequire_auth_time = true\njwks = '{{\"keys\": []}}'\ntoken_endpoint_auth_method = 'none'\n"
    ))
    .clients[0];
    assert_eq!(
        client.metadata(),
        json!({
            "client_name": "Shop",
            "application_type": "web",
            "redirect_uris": ["https://shop.example/cb"],
            "post_logout_redirect_uris": [],
            "scope": "openid email",
            "grant_types": ["authorization_code"],
            "default_max_age": 3600,
            "require_auth_time": true,
            "jwks": { "keys": [] },
            "token_endpoint_auth_method": "none",
        })
    );
}

#[test]
fn a_client_is_refused_when() {
    for (says, extra) in [
        (
            "clients[0].kind = \"desktop\": the value is not one of the known words; use \"web\" or \"spa\"",
            "kind = 'desktop'",
        ),
        ("clients[0].client_id = \"a b\": the id has spaces", "client_id = 'a b'"),
        ("clients[0].client_id = \"é\": the id has spaces or characters beyond ASCII", "client_id = 'é'"),
        ("clients[0].client_id = \"\": the value is empty", "client_id = ''"),
        ("clients[0].redirect_uris = [1]: item 1: the value is not a text", "redirect_uris = [1]"),
        ("clients[0].redirect_uris = {\"a\":1}: the value is not a list", "redirect_uris = {a = 1}"),
        ("the origin must be https", "allowed_origins = ['http://app.example']"),
        ("write \"https://app.example\"", "allowed_origins = ['https://app.example/']"),
        ("item 1: the origin is not a URL", "allowed_origins = ['*']"),
        ("clients[0].consent = \"skip\": consent can be skipped for first-party apps only", "consent = 'skip'"),
        ("the value is not a JWK Set", "jwks = {}"),
        ("the text is not JSON", "jwks = 'x'"),
        ("clients[0].jwks_uri = \"https://a/\": jwks is set too", "jwks = {keys = []}\njwks_uri = 'https://a/'"),
        ("neither on nor off", "first_party = 'perhaps'"),
    ] {
        let key = extra.split(' ').next().unwrap();
        let base: String = SHOP.lines().filter(|line| !line.starts_with(key)).map(|line| format!("{line}\n")).collect();
        let error = refusal(&format!("{base}{extra}"));
        assert!(error.starts_with("signet.toml:") && error.contains(says), "{extra}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_first_party_app_may_skip_consent() {
    let client = &settings(&format!("{SHOP}first_party = true\nconsent = 'skip'")).clients[0];
    assert_eq!(client.consent, Consent::Skip);
}

#[test]
fn each_client_and_each_api_is_declared_once() {
    assert_eq!(
        refusal(&format!("{SHOP}\n{SHOP}")),
        "signet.toml:7: clients[1].client_id = \"shop\": signet.toml:2 declares the same one; declare each once"
    );
    assert_eq!(
        refusal("[[resources]]\nidentifier = 'https://a'\n[[resources]]\nidentifier = 'https://a'"),
        "signet.toml:4: resources[1].identifier = \"https://a\": signet.toml:2 declares the same one; declare each once"
    );
    assert_eq!(
        refusal("[[resources]]\nidentifier = 'https://a'\nscopes = [\n{name = 'r'},\n{name = 'r'}]"),
        "signet.toml:5: resources[0].scopes[1].name = \"r\": signet.toml:4 declares the same one; declare each once"
    );
    settings(
        "[[resources]]\nidentifier = 'https://a'\nscopes = [{name = 'r'}]\n[[resources]]\nidentifier = 'https://b'\nscopes = [{name = 'r'}]",
    );
}

#[test]
fn an_api_has_scopes_in_both_spellings_of_toml() {
    for scopes in [
        "scopes = [{name = 'read', description = 'See it'}, {name = 'write'}]",
        "[[resources.scopes]]\nname = 'read'\ndescription = 'See it'\n[[resources.scopes]]\nname = 'write'",
    ] {
        let config = settings(&format!("[[resources]]\nidentifier = 'https://api.example'\n{scopes}"));
        let resource = &config.resources[0];
        assert_eq!(
            (resource.identifier.as_str(), resource.name.as_str()),
            ("https://api.example", "https://api.example")
        );
        assert_eq!(resource.scopes[0].description.as_deref(), Some("See it"));
        assert_eq!(resource.scopes[1].name, "write");
    }
}

#[test]
fn an_api_is_refused_when() {
    for (says, text) in [
        ("signet.toml:1: resources[0].identifier: this setting is missing; add it", "[[resources]]"),
        ("the identifier is not a URI", "[[resources]]\nidentifier = 'api'"),
        ("the identifier must have no fragment", "[[resources]]\nidentifier = 'https://a#b'"),
        (
            "signet.toml:4: resources[0].scopes[0].name: this setting",
            "[[resources]]\nidentifier = 'https://a'\nscopes = [\n{}]",
        ),
        ("a scope is one word", "[[resources]]\nidentifier = 'https://a'\nscopes = [{name = 'a b'}]"),
        ("a scope is one word", "[[resources]]\nidentifier = 'https://a'\nscopes = [{name = 'a\"b'}]"),
    ] {
        let error = refusal(text);
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_problem_that_others_find_names_its_line() {
    let config = settings(&format!("{SHOP}redirect_uris = ['x']\n"));
    let line = |key: &str| {
        let problem = config.problem(key, "it is wrong", "mend it").to_string();
        problem[problem.find("signet.toml").unwrap_or(0)..].to_owned()
    };
    assert_eq!(
        line("clients[0].redirect_uris"),
        "signet.toml:5: clients[0].redirect_uris = [\"x\"]: it is wrong; mend it"
    );
    assert_eq!(line("clients[0].scope"), "signet.toml:1: clients[0].scope: it is wrong; mend it");
    assert_eq!(line("clients[0]"), "signet.toml:1: clients[0]: it is wrong; mend it");
    assert_eq!(line("listen"), "listen = \"127.0.0.1:8080\": it is wrong; mend it");
}

/// Keys to encrypt for are enough for a client that signs nothing; each purpose needs a key that serves it.
#[test]
fn the_keys_of_a_client_serve_what_they_are_declared_for() {
    let key = |algorithm| public_jwk(&generate(algorithm, 2048).unwrap(), algorithm).unwrap();
    let (sign, encrypt) = (key("ES256"), key("ECDH-ES"));
    let basic = "client_secret = 'ccqUOrXuQU5DsrQ4vSTW2rwQZ1QpWWrQ'\nid_token_encrypted_response_alg = 'ECDH-ES'";
    let by_key = "token_endpoint_auth_method = 'private_key_jwt'";
    for (keys, options, says) in [
        (vec![&encrypt], basic, None),
        (vec![&sign, &encrypt], basic, None),
        (vec![&sign, &encrypt], by_key, None),
        (vec![&sign], basic, Some("no key that ECDH-ES could encrypt for")),
        (vec![&encrypt], by_key, Some("its use is not sig")),
    ] {
        let jwks = json!({ "keys": keys });
        let options = format!("redirect_uris = ['https://shop.example/cb']\njwks = '{jwks}'\n{options}\n");
        let checked = declared::check(&settings(&format!("{SHOP}{options}")));
        match says {
            None => checked.unwrap(),
            Some(says) => assert!(checked.unwrap_err().to_string().contains(says), "{options}"),
        }
    }
}
