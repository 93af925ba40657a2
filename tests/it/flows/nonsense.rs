//! Bad input: random parameters at every endpoint get an answer that is neither a failure of the server nor a success.
use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_oneof},
    sample::select,
    strategy::{Just, ValueTree},
    test_runner::TestRunner,
};
use reqwest::Method;

use crate::harness::{Call, Parameters, fixtures};

const NAMES: [&str; 34] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "response_type",
    "response_mode",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "display",
    "ui_locales",
    "claims_locales",
    "acr_values",
    "login_hint",
    "id_token_hint",
    "claims",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "request",
    "request_uri",
    "registration",
    "resource",
    "grant_type",
    "code",
    "refresh_token",
    "token",
    "token_type_hint",
    "username",
    "post_logout_redirect_uri",
    "access_token",
];
const VALUES: [&str; 16] = [
    "c1",
    "c2",
    "c5",
    "code",
    "openid",
    "none",
    "login",
    "S256",
    "https://rp.example/cb",
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "query",
    "form_post",
    "{}",
    "eyJhbGciOiJub25lIn0.e30.",
];
const PATHS: [&str; 14] = [
    "/authorize",
    "/oauth2/token",
    "/oauth2/userinfo",
    "/oauth2/introspect",
    "/oauth2/revoke",
    "/oauth2/jwks",
    "/logout",
    "/logged-out",
    "/account",
    "/.well-known/openid-configuration",
    "/authorize/x/login",
    "/authorize/00000000-0000-0000-0000-000000000000",
    "/health/ready",
    "/",
];

/// `Site::send` fails the test on a 5xx and on a connection that breaks: that is G1. No case may end with tokens.
#[tokio::test]
async fn no_nonsense_is_answered_with_a_failure_or_with_tokens() {
    let f = fixtures().await;
    let value = || {
        prop_oneof![
            select(&VALUES[..]).prop_map(str::to_string),
            any::<String>(),
            vec(select(&['\0', '\r', '\n', '"', '\\', '%', '&', '\u{202e}', 'é', '<', '\'', ' '][..]), 0..40)
                .prop_map(String::from_iter),
            Just("x".repeat(3000)),
            any::<i64>().prop_map(|number| number.to_string()),
        ]
    };
    let parameters = vec((select(&NAMES[..]).prop_map(str::to_string), value()), 0..14);
    let kinds = vec!["application/x-www-form-urlencoded", "application/json", "text/plain", ""];
    let methods = [Method::GET, Method::POST, Method::HEAD, Method::PUT];
    let request = (
        select(&PATHS[..]),
        select(methods.to_vec()),
        parameters.clone(),
        parameters,
        select(kinds),
        prop_oneof![Just(None), value().prop_map(Some)],
    );
    let mut runner = TestRunner::deterministic();
    let mut browser = f.signed_in(&f.u1).await;
    for _ in 0..400 {
        let (path, method, query, body, kind, credentials) = request.new_tree(&mut runner).unwrap().current();
        let mut call = Call::new(method, &format!("{path}?{}", Parameters(query).encoded()));
        if call.method == Method::POST || call.method == Method::PUT {
            call = call.body(kind, Parameters(body).encoded());
        }
        if let Some(value) = credentials {
            let plain: String = value.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(200).collect();
            call = call.header("authorization", &format!("Basic {plain}"));
        }
        eprintln!("{} {}", call.method, call.url);
        let answer = browser.request(call).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains("\"access_token\"") && !text.contains("\"id_token\""), "{text}");
        if let Some(location) = answer.location() {
            let ours = location.starts_with('/') || location.starts_with(&f.site.issuer);
            assert!(ours || location.starts_with("https://rp.example/cb"), "sent to {location}");
        }
    }
}

/// Bytes that are no text at all, in the query, in the body and in the headers.
#[tokio::test]
async fn what_is_no_text_is_refused_in_words() {
    let f = fixtures().await;
    for encoded in
        ["state=%ff%fe", "state=%zz", "%=%", "client_id=%00", "&&&==&", "scope=%e2%82", "client_id[]=c1", "a=%"]
    {
        for path in PATHS {
            f.site.get(&format!("{path}?{encoded}")).await;
            let form = "application/x-www-form-urlencoded";
            f.site.send(Call::post(path).body(form, encoded)).await;
            f.site.send(Call::post(path).body(form, vec![0xff, 0xfe, 0x00, b'=', 0x80])).await;
        }
    }
    for authorization in ["", " ", "Bearer", "Bearer ", "Basic", "Basic \u{9}", "é", &"x".repeat(8000)] {
        for path in PATHS {
            f.site.send(Call::get(path).header("authorization", authorization)).await;
        }
    }
}
