//! Tests out of modules: each name becomes a test that runs the module of that name for every response type given.
macro_rules! modules {
    ($kinds:expr, $mode:expr => $($module:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $module() {
            let f = fixtures().await;
            crate::protocol::family::each(&f, &$kinds, $mode, crate::protocol::family::$module).await;
        }
    )+};
}

/// What every plan has for every response type.
macro_rules! common {
    ($kinds:expr, $mode:expr) => {
        modules! { $kinds, $mode =>
            oidcc_server, oidcc_idtoken_signature, oidcc_scope_profile, oidcc_scope_email, oidcc_scope_address, oidcc_scope_phone,
            oidcc_scope_all, oidcc_alternate_happy_flow, oidcc_display_page, oidcc_display_popup, oidcc_prompt_login,
            oidcc_prompt_none_not_logged_in, oidcc_prompt_none_logged_in, oidcc_max_age_1, oidcc_max_age_10000,
            oidcc_ensure_request_with_unknown_parameter_succeeds, oidcc_id_token_hint, oidcc_login_hint,
            oidcc_ui_locales, oidcc_claims_locales, oidcc_ensure_request_with_acr_values_succeeds,
            oidcc_ensure_registered_redirect_uri,
            oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported,
            oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported,
            oidcc_ensure_request_object_with_redirect_uri, oidcc_claims_essential,
            oidcc_ensure_post_request_succeeds,
        }
    };
}

/// What plans have where an access token comes of it.
macro_rules! with_userinfo {
    ($kinds:expr, $mode:expr) => {
        modules! { $kinds, $mode =>
            oidcc_userinfo_get, oidcc_userinfo_post_header, oidcc_userinfo_post_body, oidcc_response_type_missing,
        }
    };
}

/// What plans have where a code comes of it.
macro_rules! with_code {
    ($kinds:expr, $mode:expr) => {
        modules! { $kinds, $mode =>
            oidcc_codereuse, oidcc_codereuse_30seconds, oidcc_server_client_secret_post, oidcc_refresh_token,
            oidcc_ensure_request_with_valid_pkce_succeeds,
        }
    };
}

macro_rules! basic_plan {
    ($mode:expr) => {
        common!(["code"], $mode);
        with_userinfo!(["code"], $mode);
        with_code!(["code"], $mode);
        modules! { ["code"], $mode => oidcc_ensure_request_without_nonce_succeeds }
    };
}

macro_rules! implicit_plan {
    ($mode:expr) => {
        common!(["id_token", "id_token token"], $mode);
        with_userinfo!(["id_token token"], $mode);
        modules! { ["id_token", "id_token token"], $mode => oidcc_ensure_request_without_nonce_fails }
    };
}

/// The plan asks some of it for its first response type only; it holds for all.
macro_rules! hybrid_plan {
    ($mode:expr) => {
        common!(["code id_token", "code token", "code id_token token"], $mode);
        with_userinfo!(["code id_token", "code token", "code id_token token"], $mode);
        with_code!(["code id_token", "code token", "code id_token token"], $mode);
        modules! { ["code id_token", "code id_token token"], $mode => oidcc_ensure_request_without_nonce_fails }
        // No ID token travels through the browser.
        modules! { ["code token"], $mode => oidcc_ensure_request_without_nonce_succeeds }
    };
}
pub(super) use {basic_plan, common, hybrid_plan, implicit_plan, modules, with_code, with_userinfo};
