//! SEC-060: what the metadata does not list is refused, where it is registered and where it is used.
use serde_json::{Value, json};

use super::capabilities::Says;
use crate::harness::{
    Parameters, Proof, RelyingParty, assert,
    jwt::{CLIENTS_KEY, Pair, by_secret, unsigned},
    relying_party::{TOKEN, random, with_assertion},
    seed::{ClientSpec, try_client},
};

/// Nobody can be registered for it.
#[tokio::test]
async fn sec_060_nothing_else_can_be_registered() {
    let says = Says::read().await;
    let enc = Pair::of("for-secrets", "RSA-OAEP-256");
    let keys = json!({ "keys": [CLIENTS_KEY.jwk(), enc.jwk()] });
    let signing = ["none", "HS256", "HS512", "ES384", "ES512", "PS512", "ES256K", "rs256"];
    let alg = ["RSA1_5", "RSA-OAEP", "A128KW", "dir", "ECDH-ES+A128KW", "PBES2-HS256+A128KW"];
    let encoding = ["A128GCM", "A256CBC-HS512", "A192GCM", "none"];
    let (methods, grants) = (
        ["tls_client_auth", "self_signed_tls_client_auth", "attest_jwt_client_auth", "client_secret"],
        ["urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba", "x"],
    );
    let mut tries: Vec<(&str, String, &str, Value)> = Vec::new();
    for name in ["id_token", "userinfo", "introspection"] {
        let member = |end: &str| format!("{name}_{end}");
        let list = |end: &str| format!("{name}_{end}_values_supported");
        tries.extend(signing.map(|value| (value, member("signed_response_alg"), "", json!(list("signing_alg")))));
        tries.extend(alg.map(|value| (value, member("encrypted_response_alg"), "", json!(list("encryption_alg")))));
        let pair = match name {
            "id_token" => "id_token_encrypted_response_alg",
            "userinfo" => "userinfo_encrypted_response_alg",
            _ => "introspection_encrypted_response_alg",
        };
        tries.extend(
            encoding.map(|value| (value, member("encrypted_response_enc"), pair, json!(list("encryption_enc")))),
        );
    }
    let objects = ["none", "HS256", "RS384", "ES512"];
    let listed = json!("request_object_signing_alg_values_supported");
    tries.extend(objects.map(|value| (value, "request_object_signing_alg".into(), "", listed.clone())));
    let listed = json!("token_endpoint_auth_methods_supported");
    tries.extend(methods.map(|value| (value, "token_endpoint_auth_method".into(), "", listed.clone())));
    tries.extend(
        ["ephemeral", "PAIRWISE"].map(|value| (value, "subject_type".into(), "", json!("subject_types_supported"))),
    );
    for (value, member, pair, list) in tries {
        eprintln!("when {member} is {value}");
        assert!(!says.list(list.as_str().unwrap()).contains(&value), "{value} is listed in {list}");
        let mut more = json!({ "jwks": keys });
        more[&member] = json!(value);
        if !pair.is_empty() {
            more[pair] = json!("RSA-OAEP-256");
        }
        is_not_registered(&says, more).await;
    }
    for grant in grants {
        assert!(!says.list("grant_types_supported").contains(&grant));
        is_not_registered(&says, json!({ "grant_types": ["authorization_code", grant] })).await;
    }
    for kind in ["token", "none", "code code", "id_token code token x"] {
        assert!(!says.list("response_types_supported").contains(&kind));
        let grants = ["authorization_code", "implicit"];
        is_not_registered(&says, json!({ "response_types": [kind], "grant_types": grants })).await;
    }
}

async fn is_not_registered(says: &Says, more: Value) {
    let said = more.to_string();
    let spec = ClientSpec { client_id: format!("client-{}", random(12)), more, ..ClientSpec::web("") };
    assert!(try_client(&says.f, spec).await.is_err(), "registered: {said}");
}

#[tokio::test]
async fn sec_060_no_other_grant_type_gives_tokens() {
    let says = Says::read().await;
    for grant in [
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:openid:params:grant-type:ciba",
        "implicit",
        "AUTHORIZATION_CODE",
    ] {
        let answer = says.f.c5.token(Parameters::new(&[("grant_type", grant), ("code", "x")])).await;
        assert::json_of(&answer, &[(400, "unsupported_grant_type"), (400, "unauthorized_client")]);
    }
}

/// Assertions of other algorithms prove nobody, though the key is the client's.
#[tokio::test]
async fn sec_060_no_other_algorithm_proves_a_client() {
    let says = Says::read().await;
    let listed = says.list("token_endpoint_auth_signing_alg_values_supported");
    for algorithm in ["RS384", "RS512", "PS384", "ES512"] {
        assert!(!listed.contains(&algorithm), "{algorithm}");
        let key = Pair::of("own", algorithm);
        let (client_id, mut jwk) = (format!("machine-{}", random(12)), key.jwk());
        // A key that does not say what it is for.
        jwk.as_object_mut().unwrap().remove("alg");
        let more = json!({ "jwks": { "keys": [jwk, CLIENTS_KEY.jwk()] } });
        let spec = ClientSpec { client_id, auth_method: "private_key_jwt", more, ..ClientSpec::machine("") };
        // A curve that nothing here signs with may be refused at once.
        let Ok(client) = try_client(&says.f, spec).await else { continue };
        let client = RelyingParty { proof: Proof::PrivateKeyJwt(key), ..client };
        let answer = client.token(Parameters::new(&[("grant_type", "client_credentials")])).await;
        assert::json(&answer, 401, "invalid_client");
    }
    let client = &says.f.c6;
    let claims = client.assertion_claims();
    for assertion in [unsigned(&claims), by_secret(b"a secret of c6", &json!({ "alg": "HS256" }), &claims)] {
        let form = with_assertion(Parameters::new(&[("grant_type", "authorization_code"), ("code", "x")]), &assertion);
        let answer = says.f.site.send(crate::harness::Call::post(TOKEN).form(&form)).await;
        assert::json(&answer, 401, "invalid_client");
    }
}

#[tokio::test]
async fn sec_060_no_other_request_is_taken() {
    let says = Says::read().await;
    let f = &says.f;
    let client = says.client(json!({})).await;
    let object = json!({ "client_id": client.client_id, "response_type": "code" });
    let other = Pair::of("client-key", "RS512");
    let hs = by_secret(b"the secret of the client, if it were one", &json!({ "alg": "HS256" }), &object);
    for (name, value, errors) in [
        ("code_challenge_method", "plain", &["invalid_request"][..]),
        ("code_challenge_method", "S512", &["invalid_request"]),
        ("response_type", "token", &["unsupported_response_type"]),
        ("response_type", "none", &["unsupported_response_type"]),
        ("response_type", "code token id_token none", &["unsupported_response_type"]),
        ("response_mode", "jwt", &["invalid_request"]),
        ("response_mode", "query.jwt", &["invalid_request"]),
        ("response_mode", "web_message", &["invalid_request"]),
        ("prompt", "create", &["invalid_request"]),
        ("request", &unsigned(&object), &["invalid_request_object"]),
        ("request", &other.sign(&object), &["invalid_request_object"]),
        ("request", &hs, &["invalid_request_object"]),
        ("request_uri", "https://rp.example/not-registered.jwt", &["invalid_request_uri"]),
        ("registration", "{}", &["registration_not_supported"]),
    ] {
        eprintln!("when {name} is {value}");
        let mode = if name == "response_mode" { value } else { "query" };
        let asked = client.asks().with("response_mode", mode).with(name, value);
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect_of(&browser, &client, &asked.without("response_mode").with("response_type", "code"), errors);
    }
}
