//! Hybrid OP. Plan: oidcc-hybrid-certification-test-plan. `RelyingParty::front` looks for c_hash and at_hash, `Fixtures::arrived`
//! that both ID tokens speak of the same person.
use super::fixtures;
use crate::{
    harness::assert,
    protocol::{family::client, plan::modules},
};

modules! { ["code id_token", "code token", "code id_token token"], None =>
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
    oidcc_userinfo_get,
    oidcc_userinfo_post_header,
    oidcc_userinfo_post_body,
    oidcc_codereuse,
    oidcc_codereuse_30seconds,
    oidcc_ensure_post_request_succeeds,
    oidcc_server_client_secret_post,
    oidcc_refresh_token,
}

// The plan has these for the first response type only; they hold for all.
modules! { ["code id_token", "code token", "code id_token token"], None =>
    oidcc_response_type_missing,
    oidcc_ensure_request_with_valid_pkce_succeeds,
}

modules! { ["code id_token", "code id_token token"], None =>
    oidcc_ensure_request_without_nonce_fails,
}

// No ID token travels through the browser.
modules! { ["code token"], None =>
    oidcc_ensure_request_without_nonce_succeeds,
}

/// The ID token that came through the browser says which code it came with: a code of another answer is noticed.
#[tokio::test]
async fn hybrid_tokens_are_bound_to_their_code() {
    let f = fixtures().await;
    let client = client(&f, "code id_token", "client_secret_basic").await;
    let asked = client.asks().with("response_type", "code id_token");
    let first = f.flow(&client, asked).await;
    let second = f.flow(&client, client.asks().with("response_type", "code id_token")).await;
    let hash = |flow: &crate::harness::front::Flow| flow.front.id_token().unwrap().0.claims["c_hash"].clone();
    assert_ne!(hash(&first), hash(&second));
}

/// The code is worth tokens to nobody but its client, whatever came beside it.
#[tokio::test]
async fn hybrid_codes_are_for_their_client() {
    let f = fixtures().await;
    let own = client(&f, "code token", "client_secret_basic").await;
    let asked = own.asks().with("response_type", "code token");
    let mut browser = f.browser();
    browser.goto(&asked.url()).await;
    browser.walk(&f.u1).await;
    let front = own.front(&browser, &asked).await;
    assert::json(&f.c1.redeem(&front.code.unwrap(), &asked).await, 400, "invalid_grant");
}
