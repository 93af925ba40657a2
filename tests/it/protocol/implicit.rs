//! Implicit OP. Plan: oidcc-implicit-certification-test-plan. Everything is in the fragment, errors too; `RelyingParty::front`
//! and `assert::redirect` look.
use super::fixtures;
use crate::harness::{assert, front};
use crate::protocol::{
    family::client,
    plan::{common, implicit_plan, modules, with_userinfo},
};

implicit_plan!(None);

/// What the client gets is no more than it asked for: no code, no refresh token, and for an ID token alone no access token.
#[tokio::test]
async fn implicit_gives_no_code_and_nothing_that_lasts() {
    let f = fixtures().await;
    for kind in ["id_token", "id_token token"] {
        let client = client(&f, kind, "client_secret_basic").await;
        let asked = client.asks_to_stay().with("response_type", kind);
        let flow = f.flow(&client, asked).await;
        let names = flow.browser.landed().parameters.names().join(" ");
        assert!(!names.contains("refresh") && flow.front.code.is_none(), "{names}");
        assert_eq!(flow.front.access.is_some(), kind == "id_token token");
        assert!(front::about_the_person(&flow.claims()).contains(&"email") == (kind == "id_token"));
    }
}

/// OAuth 2.0 Multiple Response Types §5: tokens never travel in a query, and the refusal does not either.
#[tokio::test]
async fn implicit_refuses_the_query() {
    let f = fixtures().await;
    for kind in ["id_token", "id_token token"] {
        let client = client(&f, kind, "client_secret_basic").await;
        let asked = client.asks().with("response_type", kind).with("response_mode", "query");
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect(&browser, &client, &asked.with("response_mode", "fragment"), "invalid_request");
    }
}

/// A client has the response types that it is registered for, and no others.
#[tokio::test]
async fn implicit_is_a_switch_of_each_client() {
    let f = fixtures().await;
    let own = client(&f, "id_token", "client_secret_basic").await;
    for (client, kind) in [
        (&f.c1, "id_token"),
        (&f.c1, "id_token token"),
        (&f.c1, "code id_token"),
        (&f.c1, "token"),
        (&own, "code"),
        (&own, "id_token token"),
        (&own, "token"),
        (&own, "none"),
    ] {
        let mode = if kind == "code" { "query" } else { "fragment" };
        let asked = client.asks().with("response_type", kind).with("response_mode", mode);
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect_of(&browser, client, &asked, &["unsupported_response_type", "unauthorized_client"]);
    }
}
