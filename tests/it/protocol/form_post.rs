//! Form Post OP, with the response types of Basic, Implicit and Hybrid. Plans: oidcc-formpost-basic-, -implicit- and
//! -hybrid-certification-test-plan. The browser of the tests takes nothing but a 200 with a form of hidden inputs, and
//! errors come in one too.
use super::fixtures;
use crate::{
    harness::{Mode, assert, relying_party::random},
    protocol::{family::client, plan::modules},
};

const FORM_POST: Option<&str> = Some("form_post");

mod basic {
    use super::{FORM_POST, fixtures, modules};

    modules! { ["code"], FORM_POST =>
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
        oidcc_response_type_missing,
        oidcc_ensure_request_with_valid_pkce_succeeds,
        oidcc_ensure_request_without_nonce_succeeds,
    }
}

mod implicit {
    use super::{FORM_POST, fixtures, modules};

    modules! { ["id_token", "id_token token"], FORM_POST =>
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

    modules! { ["id_token token"], FORM_POST =>
        oidcc_userinfo_get,
        oidcc_userinfo_post_header,
        oidcc_userinfo_post_body,
        oidcc_response_type_missing,
    }
}

mod hybrid {
    use super::{FORM_POST, fixtures, modules};

    modules! { ["code id_token", "code token", "code id_token token"], FORM_POST =>
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
    modules! { ["code id_token", "code token", "code id_token token"], FORM_POST =>
        oidcc_response_type_missing,
        oidcc_ensure_request_with_valid_pkce_succeeds,
    }

    modules! { ["code id_token", "code id_token token"], FORM_POST =>
        oidcc_ensure_request_without_nonce_fails,
    }

    // No ID token travels through the browser.
    modules! { ["code token"], FORM_POST =>
        oidcc_ensure_request_without_nonce_succeeds,
    }
}

/// The page is a form and nothing else: post, to the redirect URI, hidden inputs, and a visible button without scripts.
#[tokio::test]
async fn form_post_is_a_form_of_hidden_inputs() {
    let f = fixtures().await;
    assert!(f.c1.discovery().await["response_modes_supported"].to_string().contains("\"form_post\""));
    for kind in ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"] {
        let client = client(&f, kind, "client_secret_basic").await;
        let asked = client.asks().with("response_type", kind).with("response_mode", "form_post");
        for asked in [
            asked.clone().with("state", "\"><script>alert(1)</script>&amp;'"),
            asked.with("prompt", "none").with("state", &random(128)),
        ] {
            let mut browser = f.browser();
            browser.goto(&asked.url()).await;
            if asked.get("prompt").is_none() {
                browser.walk(&f.u1).await;
                client.front(&browser, &asked).await;
            } else {
                assert::redirect(&browser, &client, &asked, "login_required");
            }
            let (landed, page) = (browser.landed(), browser.page());
            assert_eq!(
                (landed.mode, landed.raw.as_str(), page.status()),
                (Mode::FormPost, "https://rp.example/cb", 200)
            );
            assert::page_headers(page);
            let inputs: Vec<_> = page.document.named("input").collect();
            assert!(inputs.iter().all(|input| input.attribute("type") == Some("hidden")), "{page}");
            assert_eq!(inputs.len(), landed.parameters.0.len());
            assert_eq!((page.document.named("form").count(), page.document.named("button").count()), (1, 1));
            assert_eq!(page.document.named("script").count(), 1);
        }
    }
}
