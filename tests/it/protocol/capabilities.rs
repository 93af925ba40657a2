//! SEC-060, RFC 8414 §2, OpenID Connect Discovery §3: every capability that the metadata lists is read from there and used.
//! What it does not list is in `not_listed`.
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{fixtures_with, registering::OPEN};
use crate::harness::{
    Answer, Fixtures, Parameters, Proof, RelyingParty, Tokens, Userinfo, assert,
    jwt::{CLIENTS_KEY, Pair, Token, decrypt, encrypt},
    phone::phone,
    relying_party::{INTROSPECT, REVOKE, random},
    seed::ClientSpec,
    tokens::IdToken,
};

/// What the server says of itself.
pub struct Says {
    pub f: Fixtures,
    metadata: Value,
}

impl Says {
    pub async fn read() -> Self {
        let f = fixtures_with(&OPEN).await;
        let metadata = f.c1.discovery().await;
        Says { f, metadata }
    }

    #[track_caller]
    pub fn list(&self, name: &str) -> Vec<&str> {
        let list = self.metadata[name].as_array().unwrap_or_else(|| panic!("no {name} in {}", self.metadata));
        list.iter().map(|value| value.as_str().unwrap()).collect()
    }

    /// A client that people sign in to, with everything that this registration adds.
    pub async fn client(&self, more: Value) -> RelyingParty {
        let mut all = json!({ "jwks": { "keys": [CLIENTS_KEY.jwk()] } });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let client_id = format!("client-{}", random(12));
        self.f.client(ClientSpec { client_id, more: all, ..ClientSpec::web("") }).await
    }
}

/// A new member is a new promise: it needs a test below that names it, or one for all of its kind.
#[tokio::test]
async fn sec_060_no_member_is_untried() {
    let says = Says::read().await;
    let tried: BTreeSet<&str> = include_str!("capabilities.rs").split('"').collect();
    let of_a_kind = [
        "_endpoint_auth_methods_supported",
        "_endpoint_auth_signing_alg_values_supported",
        "_encryption_alg_values_supported",
        "_encryption_enc_values_supported",
    ];
    for (name, value) in says.metadata.as_object().unwrap() {
        let of_a_kind = value.is_string() || of_a_kind.iter().any(|end| name.ends_with(end));
        assert!(of_a_kind || tried.contains(name.as_str()), "nothing tries {name}");
    }
}

#[tokio::test]
async fn sec_060_grant_types() {
    let says = Says::read().await;
    let f = &says.f;
    for grant in says.list("grant_types_supported") {
        match grant {
            "authorization_code" => drop(f.visit(&f.c1).await),
            "refresh_token" => {
                let tokens = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens;
                f.c1.refreshed(tokens.refresh_token()).await;
            }
            "client_credentials" => {
                Tokens::of(&f.c5.token(Parameters::new(&[("grant_type", grant)])).await);
            }
            "implicit" => {
                let more = json!({ "response_types": ["id_token"], "grant_types": ["implicit"] });
                let client = says.client(more).await;
                f.flow(&client, client.asks().with("response_type", "id_token")).await;
            }
            other => panic!("nothing tries {other}"),
        }
    }
}

#[tokio::test]
async fn sec_060_response_types_and_modes() {
    let says = Says::read().await;
    for kind in says.list("response_types_supported") {
        let grants = ["authorization_code", "implicit"];
        let client = says.client(json!({ "response_types": [kind], "grant_types": grants })).await;
        for mode in says.list("response_modes_supported") {
            eprintln!("when {kind} comes by {mode}");
            let asked = client.asks().with("response_type", kind).with("response_mode", mode);
            if mode == "query" && kind != "code" {
                let mut browser = says.f.browser();
                browser.goto(&asked.url()).await;
                assert::redirect(&browser, &client, &asked.with("response_mode", "fragment"), "invalid_request");
                continue;
            }
            says.f.flow(&client, asked).await;
        }
    }
}

/// Each method with each of its algorithms, at each endpoint that lists it.
#[tokio::test]
async fn sec_060_client_authentication() {
    let says = Says::read().await;
    for endpoint in ["token", "introspection", "revocation"] {
        for method in says.list(&format!("{endpoint}_endpoint_auth_methods_supported")) {
            let all = says.list(&format!("{endpoint}_endpoint_auth_signing_alg_values_supported"));
            let algorithms: Vec<Option<&str>> = match method {
                "client_secret_jwt" => all.into_iter().filter(|alg| alg.starts_with("HS")).map(Some).collect(),
                "private_key_jwt" => all.into_iter().filter(|alg| !alg.starts_with("HS")).map(Some).collect(),
                _ => vec![None],
            };
            assert!(!algorithms.is_empty(), "{method} has no algorithm at {endpoint}");
            for algorithm in algorithms {
                eprintln!("when {method} proves by {algorithm:?} at {endpoint}");
                proves(&says.f, endpoint, method, algorithm).await;
            }
        }
    }
}

async fn proves(f: &Fixtures, endpoint: &str, method: &str, algorithm: Option<&str>) {
    if method == "none" {
        let tokens = f.tokens(&f.c2).await;
        assert!(endpoint == "token" || f.c2.revoke(&tokens.access).await.status == 200, "{endpoint}");
        return;
    }
    let key = algorithm.filter(|_| method == "private_key_jwt").map(|algorithm| Pair::of("own", algorithm));
    let more = json!({
        "token_endpoint_auth_method": method,
        "token_endpoint_auth_signing_alg": algorithm,
        "jwks": key.as_ref().map(|key| json!({ "keys": [key.jwk()] })),
    });
    let auth_method = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"];
    let auth_method = auth_method.into_iter().find(|known| *known == method).unwrap();
    let client_id = format!("machine-{}", random(12));
    let spec = ClientSpec { client_id, auth_method, more, ..ClientSpec::machine("") };
    let client = f.client(spec).await;
    let client = match key {
        Some(key) => RelyingParty { proof: Proof::PrivateKeyJwt(key), ..client },
        None => client,
    };
    let answer = match endpoint {
        "token" => client.token(Parameters::new(&[("grant_type", "client_credentials")])).await,
        "introspection" => client.introspect("x").await,
        _ => client.revoke("x").await,
    };
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// What the three kinds of answer say, in the clear once opened.
struct Told {
    id_token: Token,
    userinfo: Token,
    introspection: Token,
}

/// All three answers for one client; `open` takes an encryption off.
async fn told(f: &Fixtures, client: &RelyingParty, open: impl Fn(&str) -> String) -> Told {
    let asked = client.asks();
    let code = f.code_for(client, &asked).await;
    let answer = client.redeem(&code, &asked).await;
    let tokens = Tokens::of(&answer);
    let userinfo = client.userinfo(&tokens.access, Userinfo::Get).await;
    assert_eq!((userinfo.status, userinfo.media_type()), (200, "application/jwt"), "{}", userinfo.text());
    let form = Parameters::new(&[("token", &tokens.access)]);
    let call = client.call(INTROSPECT, form).header("accept", "application/token-introspection+jwt");
    let introspection: Answer = f.site.send(call).await;
    assert_eq!(introspection.media_type(), "application/token-introspection+jwt", "{}", introspection.text());
    let told = Told {
        id_token: Token::read(&open(tokens.id.as_ref().unwrap())),
        userinfo: Token::read(&open(&userinfo.text())),
        introspection: Token::read(&open(&introspection.text())),
    };
    let keys = client.jwks().await;
    IdToken(told.id_token.clone()).is_for(client, asked.get("nonce"), &keys);
    assert!(told.userinfo.is_signed_by(&keys) && told.introspection.is_signed_by(&keys));
    assert_eq!(told.userinfo.claims["sub"], told.id_token.claims["sub"]);
    assert_eq!(told.introspection.claims["token_introspection"]["active"], true);
    told
}

#[tokio::test]
async fn sec_060_signing_algorithms() {
    let says = Says::read().await;
    let kinds = ["id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported"];
    let introspection = says.list("introspection_signing_alg_values_supported");
    for name in kinds {
        assert_eq!(says.list(name), introspection, "one list for all answers");
    }
    for algorithm in introspection {
        eprintln!("when answers are signed with {algorithm}");
        let names = ["id_token", "userinfo", "introspection"];
        let more = names.map(|name| (format!("{name}_signed_response_alg"), json!(algorithm)));
        let client = says.client(Value::Object(more.into_iter().collect::<Map<_, _>>())).await;
        let told = told(&says.f, &client, str::to_string).await;
        for token in [&told.id_token, &told.userinfo, &told.introspection] {
            assert_eq!(token.alg(), algorithm);
        }
    }
}

#[tokio::test]
async fn sec_060_encryption_of_answers() {
    let says = Says::read().await;
    let names = ["id_token", "userinfo", "introspection"];
    let [algs, encs] = ["alg", "enc"].map(|part| {
        let lists = names.map(|name| says.list(&format!("{name}_encryption_{part}_values_supported")));
        assert!(lists.iter().all(|list| *list == lists[0]), "one list for all answers: {lists:?}");
        lists[0].clone()
    });
    for alg in &algs {
        let key = Pair::of("for-secrets", alg);
        for enc in &encs {
            eprintln!("when answers are encrypted with {alg} and {enc}");
            let mut more = json!({ "jwks": { "keys": [CLIENTS_KEY.jwk(), key.jwk()] } });
            for name in names {
                more[format!("{name}_encrypted_response_alg")] = json!(alg);
                more[format!("{name}_encrypted_response_enc")] = json!(enc);
            }
            more["userinfo_signed_response_alg"] = json!("RS256");
            let client = says.client(more).await;
            told(&says.f, &client, |token| decrypt(token, &key, enc)).await;
        }
    }
}

/// Parameters as the members of a request object.
fn object(client: &RelyingParty, asked: &crate::harness::Asked) -> Value {
    let about = [("iss", json!(client.client_id)), ("aud", json!(client.site.issuer))];
    let about = about.into_iter().map(|(name, value)| (name.to_string(), value));
    Value::Object(asked.parameters.0.iter().map(|(name, value)| (name.clone(), json!(value))).chain(about).collect())
}

#[tokio::test]
async fn sec_060_request_objects() {
    let says = Says::read().await;
    for name in ["request_parameter_supported", "request_uri_parameter_supported", "require_request_uri_registration"] {
        assert_eq!(says.metadata[name], true);
    }
    for algorithm in says.list("request_object_signing_alg_values_supported") {
        eprintln!("when a request is signed with {algorithm}");
        let key = Pair::of("of-requests", algorithm);
        let more = json!({ "jwks": { "keys": [key.jwk()] }, "request_object_signing_alg": algorithm });
        let client = says.client(more).await;
        let asked = client.asks();
        is_understood(&says.f, &client, &asked, &key.sign(&object(&client, &asked))).await;
    }
    for alg in says.list("request_object_encryption_alg_values_supported") {
        for enc in says.list("request_object_encryption_enc_values_supported") {
            eprintln!("when a request is encrypted with {alg} and {enc}");
            let more = json!({ "request_object_encryption_alg": alg, "request_object_encryption_enc": enc });
            let client = says.client(more).await;
            let keys = client.jwks().await["keys"].as_array().unwrap().clone();
            let ours = keys.iter().find(|key| key["use"] == "enc" && key["alg"] == alg);
            let asked = client.asks();
            let signed = CLIENTS_KEY.sign(&object(&client, &asked));
            is_understood(&says.f, &client, &asked, &encrypt(&signed, ours.expect("a key of ours"), enc)).await;
        }
    }
}

async fn is_understood(f: &Fixtures, client: &RelyingParty, asked: &crate::harness::Asked, token: &str) {
    let outside = Parameters::new(&[
        ("client_id", &client.client_id),
        ("response_type", "code"),
        ("scope", "openid"),
        ("request", token),
    ]);
    let mut browser = f.browser();
    browser.goto(&format!("/authorize?{}", outside.encoded())).await.walk(&f.u1).await;
    f.arrived(browser, client, asked.clone()).await;
}

#[tokio::test]
async fn sec_060_what_a_request_may_ask() {
    let says = Says::read().await;
    let f = &says.f;
    assert_eq!(says.list("code_challenge_methods_supported"), ["S256"]);
    for scope in says.list("scopes_supported") {
        let client = says.client(json!({ "scope": format!("openid {scope}") })).await;
        let tokens = f.visit_with(&client, client.asks().with("scope", &format!("openid {scope}"))).await.tokens;
        assert!(tokens.scopes().contains(&scope), "{scope}: {tokens:?}");
    }
    for (name, parameter) in [("display_values_supported", "display"), ("ui_locales_supported", "ui_locales")] {
        for value in says.list(name) {
            f.visit_with(&f.c1, f.c1.asks().with(parameter, value)).await;
        }
    }
    let phone = phone(&f.app, &f.u2).await;
    f.wait(30).await;
    for (value, person) in says.list("acr_values_supported").into_iter().zip([&f.u1, &f.u2]) {
        let (mut browser, asked) = (f.browser(), f.c1.asks().with("acr_values", value));
        browser.goto(&asked.url()).await.sign_in(person).await;
        if browser.sees("factor-code") {
            browser.fill("factor-code", &phone.shows(f.now())).press("factor-submit").await;
        }
        browser.walk(person).await;
        let code = assert::granted(&browser, &f.c1, &asked);
        assert_eq!(f.c1.tokens(&code, &asked).await.claims()["acr"], value);
    }
    for (kind, own) in says.list("subject_types_supported").into_iter().map(|kind| (kind, kind == "public")) {
        let client = says.client(json!({ "subject_type": kind })).await;
        assert_eq!(f.tokens(&client).await.claims()["sub"] == f.u1.id.as_str(), own, "{kind}");
    }
    assert_eq!(says.metadata["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test]
async fn sec_060_claims() {
    let says = Says::read().await;
    let f = &says.f;
    assert_eq!(
        (&says.metadata["claims_parameter_supported"], says.list("claim_types_supported")),
        (&json!(true), vec!["normal"])
    );
    let all: Map<String, Value> =
        says.list("claims_supported").iter().map(|name| (name.to_string(), Value::Null)).collect();
    let claims = json!({ "userinfo": all, "id_token": all }).to_string();
    let tokens = f.visit_with(&f.c1, f.c1.asks().with("scope", "openid").with("claims", &claims)).await.tokens;
    let userinfo = f.c1.userinfo(&tokens.access, Userinfo::Get).await.json();
    let of_the_token = ["iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"];
    for claim in says.list("claims_supported") {
        assert!(tokens.claims().contains_key(claim), "{claim} in the ID token");
        assert!(userinfo.get(claim).is_some() || of_the_token.contains(&claim), "{claim} at userinfo");
    }
}

/// Each address is there, and each logout that is promised is told of in the tests of its plan.
#[tokio::test]
async fn sec_060_places() {
    let says = Says::read().await;
    for (name, value) in says.metadata.as_object().unwrap().iter().filter(|(_, value)| value.is_string()) {
        if name == "issuer" {
            continue;
        }
        let answer = says.f.site.get(value.as_str().unwrap()).await;
        assert_ne!(answer.status, 404, "{name} leads nowhere");
    }
    assert_eq!(says.f.c1.post(REVOKE, Parameters::new(&[("token", "x")])).await.status, 200);
    for name in [
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
    ] {
        assert_eq!(says.metadata[name], true, "{name}");
    }
}
