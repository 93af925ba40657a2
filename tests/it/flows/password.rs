//! RFC 6749 §4.3, for the operator's own clients that are registered for it, and for nobody else.
use crate::harness::{
    Parameters, RelyingParty, TestServer, Tokens, Userinfo, assert, fixtures,
    seed::{ClientSpec, try_client},
};

async fn own(server: &TestServer) -> RelyingParty {
    let grant_types = vec!["authorization_code", "password", "refresh_token"];
    server.client(ClientSpec { first_party: true, grant_types, ..ClientSpec::web("own") }).await
}

fn form(username: &str, password: &str, scope: &str) -> Parameters {
    Parameters::new(&[("grant_type", "password"), ("username", username), ("password", password), ("scope", scope)])
}

#[tokio::test]
async fn the_operators_own_client_may_ask_for_the_password() {
    let f = fixtures().await;
    let client = own(&f).await;
    for name in [&f.u1.username, &f.u1.email] {
        let tokens = Tokens::of(&client.token(form(name, &f.u1.password, "openid email offline_access")).await);
        let claims = tokens.claims();
        assert_eq!((claims["sub"].as_str(), claims["auth_time"].as_i64()), (Some(f.u1.id.as_str()), Some(f.now())));
        assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
        let told = client.userinfo(&tokens.access, Userinfo::Get).await.json();
        assert_eq!(told["email"], f.u1.email.as_str());
        client.refreshed(tokens.refresh_token()).await;
    }
}

/// SEC-117's rule: who is unknown, disabled or mistaken hears the same.
#[tokio::test]
async fn a_password_is_refused_when() {
    let f = fixtures().await;
    let client = own(&f).await;
    let mut words = Vec::new();
    for (name, username, password) in [
        ("it is wrong", &f.u1.username, "a wrong password"),
        ("nobody has that name", &"nobody".to_string(), "a wrong password"),
        ("the person is disabled", &f.u5.username, &f.u5.password),
        ("it is in other letters", &f.u1.username, &f.u1.password.to_uppercase()),
        ("it has a space behind it", &f.u1.username, &format!("{} ", f.u1.password)),
    ] {
        eprintln!("when {name}");
        let answer = client.token(form(username, password, "openid")).await;
        assert::json(&answer, 400, "invalid_grant");
        words.push(answer.json()["error_description"].clone());
    }
    words.dedup();
    assert_eq!(words.len(), 1, "{words:?}");
    for missing in ["username", "password"] {
        let form = form(&f.u1.username, &f.u1.password, "openid").without(missing);
        assert::json(&client.token(form).await, 400, "invalid_request");
    }
    let huge = client.token(form(&f.u1.username, &"x".repeat(5000), "openid")).await;
    assert::json_of(&huge, &[(400, "invalid_grant"), (400, "invalid_request")]);
}

#[tokio::test]
async fn nobody_elses_client_may_have_the_grant() {
    let server = TestServer::start().await;
    let grant_types = vec!["authorization_code", "password"];
    let error = try_client(&server, ClientSpec { grant_types, ..ClientSpec::web("theirs") }).await.err();
    assert!(error.is_some_and(|error| error.contains("first-party") || error.contains("first_party")));
}
