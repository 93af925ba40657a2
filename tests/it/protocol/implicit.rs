//! Implicit OP. Plan: oidcc-implicit-certification-test-plan. Everything is in the fragment, errors too; `RelyingParty::front`
//! and `assert::redirect` look.
use super::fixtures;
use crate::harness::{assert, front};
use crate::protocol::{family::client, plan::modules};

modules! { ["id_token", "id_token token"], None =>
    oidcc_server,
    oidcc_idtoken_signature,
    oidcc_scope_profile,
    oidcc_scope_email,
    oidcc_scope_address,
    oidcc_scope_phone,
    oidcc_scope_all,
    oidcc_alternate_happy_flow,
    oidcc_display_page,
    oidcc_display_popup,
    oidcc_prompt_login,
    oidcc_prompt_none_not_logged_in,
    oidcc_prompt_none_logged_in,
    oidcc_max_age_1,
    oidcc_max_age_10000,
    oidcc_ensure_request_with_unknown_parameter_succeeds,
    oidcc_id_token_hint,
    oidcc_login_hint,
    oidcc_ui_locales,
    oidcc_claims_locales,
    oidcc_ensure_request_with_acr_values_succeeds,
    oidcc_ensure_registered_redirect_uri,
    oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported,
    oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
    oidcc_ensure_request_object_with_redirect_uri,
    oidcc_claims_essential,
    oidcc_ensure_request_without_nonce_fails,
    oidcc_ensure_post_request_succeeds,
}

modules! { ["id_token token"], None =>
    oidcc_userinfo_get,
    oidcc_userinfo_post_header,
    oidcc_userinfo_post_body,
    oidcc_response_type_missing,
}

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
