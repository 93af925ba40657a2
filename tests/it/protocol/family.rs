//! The modules that the plans have in common, for one response type and response mode at a time. Each is named like the
//! plan's module; `implicit`, `hybrid` and `form_post` say for which of them it runs.
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use signet::app::clock::Clock;

use crate::harness::{
    Answer, Asked, Browser, Fixtures, RelyingParty, Tokens, Userinfo, assert, front,
    front::Flow,
    jwt,
    relying_party::DISCOVERY,
    seed::{ClientSpec, every_claim},
};

/// A response type and a response mode, and a client that is registered for it and for nothing else.
pub struct Case<'a> {
    pub f: &'a Fixtures,
    pub client: RelyingParty,
    pub kind: &'static str,
    pub mode: Option<&'static str>,
}

/// Runs a module for each: all at once where waiting takes time. By a clock that is moved, one after the other, since whoever
/// waits moves it for all, and codes of the others would expire.
pub async fn each(f: &Fixtures, kinds: &[&'static str], mode: Option<&'static str>, module: impl AsyncFn(&Case<'_>)) {
    let mut cases = Vec::new();
    for kind in kinds {
        cases.push(Case { f, client: client(f, kind, "client_secret_basic").await, kind, mode });
    }
    let run = async |case: &Case<'_>| {
        eprintln!("when {} is answered by {:?}", case.kind, case.mode);
        module(case).await;
    };
    if matches!(f.clock, Clock::Fixed(_)) {
        for case in &cases {
            run(case).await;
        }
    } else {
        join_all(cases.iter().map(run)).await;
    }
}

/// A client of the plans: it uses no PKCE unless the module is about it.
pub async fn client(f: &Fixtures, kind: &str, auth_method: &'static str) -> RelyingParty {
    let words: Vec<&str> = kind.split(' ').collect();
    let mut grants = vec!["authorization_code", "refresh_token"];
    if kind != "code" {
        grants.push("implicit");
    }
    let client_id = format!("{}.{auth_method}", words.join("-"));
    let more = json!({ "response_types": [kind], "grant_types": grants });
    f.client(ClientSpec { client_id, auth_method, require_pkce: false, more, ..ClientSpec::web("") }).await
}

impl Case<'_> {
    pub fn asks(&self) -> Asked {
        let asked = self.client.asks().without_pkce().with("response_type", self.kind);
        match self.mode {
            Some(mode) => asked.with("response_mode", mode),
            None => asked,
        }
    }

    fn has(&self, word: &str) -> bool {
        self.kind.split(' ').any(|given| given == word)
    }

    async fn flow(&self, asked: Asked) -> Flow {
        self.f.flow(&self.client, asked).await
    }

    /// A request in a browser with a session that needs no page.
    async fn silently(&self, mut browser: Browser, asked: Asked) -> Flow {
        browser.goto(&asked.url()).await;
        assert!(browser.has_left(), "signed in, but asked again: {}", browser.page());
        assert_eq!(browser.hops.len(), 1, "no page on the way");
        self.f.arrived(browser, &self.client, asked).await
    }

    async fn refused(&self, asked: Asked, either: &[&str]) {
        let mut browser = self.f.browser();
        browser.goto(&asked.url()).await;
        assert::redirect_of(&browser, &self.client, &asked, either);
    }
}

fn auth_time(flow: &Flow) -> i64 {
    flow.claims()["auth_time"].as_i64().unwrap()
}

pub async fn oidcc_server(case: &Case<'_>) {
    let flow = case.flow(case.asks()).await;
    assert_eq!(flow.claims().contains_key("name"), case.kind == "id_token");
    assert_eq!(flow.claims()["sub"], case.f.u1.id.as_str());
}

pub async fn oidcc_response_type_missing(case: &Case<'_>) {
    let asked = case.asks().without("response_type");
    let mut browser = case.f.browser();
    browser.goto(&asked.url()).await;
    // The answer is where one of the client's response type would be.
    assert::redirect_of(
        &browser,
        &case.client,
        &asked.with("response_mode", case.mode.unwrap_or(if case.kind == "code" { "query" } else { "fragment" })),
        &["unsupported_response_type", "invalid_request"],
    );
}

pub async fn oidcc_idtoken_signature(case: &Case<'_>) {
    let flow = case.flow(case.asks()).await;
    let token = jwt::Token::read(flow.hint());
    assert_eq!(token.alg(), "RS256");
    assert!(token.is_signed_by(&case.client.jwks().await));
}

async fn userinfo(case: &Case<'_>, way: Userinfo) {
    let flow = case.flow(case.asks()).await;
    for access in flow.access_tokens() {
        let answer = case.client.userinfo(access, way).await;
        assert_eq!((answer.status, answer.media_type()), (200, "application/json"));
        assert_eq!(answer.json()["sub"], flow.claims()["sub"]);
    }
}

pub async fn oidcc_userinfo_get(case: &Case<'_>) {
    userinfo(case, Userinfo::Get).await;
}

pub async fn oidcc_userinfo_post_header(case: &Case<'_>) {
    userinfo(case, Userinfo::PostHeader).await;
}

pub async fn oidcc_userinfo_post_body(case: &Case<'_>) {
    userinfo(case, Userinfo::PostBody).await;
}

/// An ID token in the browser is bound to its request, or there is none.
pub async fn oidcc_ensure_request_without_nonce_fails(case: &Case<'_>) {
    case.refused(case.asks().without("nonce"), &["invalid_request"]).await;
}

pub async fn oidcc_ensure_request_without_nonce_succeeds(case: &Case<'_>) {
    assert!(!case.flow(case.asks().without("nonce")).await.claims().contains_key("nonce"));
}

const PROFILE: &str = "name family_name given_name middle_name nickname preferred_username profile picture website \
                       gender birthdate zoneinfo locale updated_at";

/// All claims of the scope and no others: at userinfo, or in the ID token where that is all there is.
async fn scope_gives(case: &Case<'_>, scope: &str, names: &str) {
    let names: Vec<&str> = names.split_whitespace().collect();
    let flow = case.flow(case.asks().with("scope", scope)).await;
    let mut told: Vec<Map<String, Value>> = Vec::new();
    for access in flow.access_tokens() {
        let answer = case.client.userinfo(access, Userinfo::Get).await;
        told.push(answer.json().as_object().unwrap().clone());
        assert_eq!(front::about_the_person(&flow.claims()), Vec::<&str>::new(), "leaked into the ID token");
    }
    if case.kind == "id_token" {
        told.push(flow.claims());
    }
    assert!(!told.is_empty());
    for claims in told {
        assert::well_typed(&claims);
        let mut found = front::about_the_person(&claims);
        let mut expected = names.clone();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        for (name, stored) in
            every_claim().as_object().unwrap().iter().filter(|(name, _)| names.contains(&name.as_str()))
        {
            assert_eq!(&claims[name], stored, "{name}");
        }
    }
}

pub async fn oidcc_scope_profile(case: &Case<'_>) {
    scope_gives(case, "openid profile", PROFILE).await;
}

pub async fn oidcc_scope_email(case: &Case<'_>) {
    scope_gives(case, "openid email", "email email_verified").await;
}

pub async fn oidcc_scope_address(case: &Case<'_>) {
    scope_gives(case, "openid address", "address").await;
}

pub async fn oidcc_scope_phone(case: &Case<'_>) {
    scope_gives(case, "openid phone", "phone_number phone_number_verified").await;
}

pub async fn oidcc_scope_all(case: &Case<'_>) {
    let all = format!("{PROFILE} email email_verified address phone_number phone_number_verified");
    scope_gives(case, "openid profile email address phone", &all).await;
}

/// Scopes and parameters in another order, and the words of the response type too.
pub async fn oidcc_alternate_happy_flow(case: &Case<'_>) {
    let mut words: Vec<&str> = case.kind.split(' ').collect();
    words.reverse();
    let mut asked =
        case.asks().with("scope", "phone address email profile openid").with("response_type", &words.join(" "));
    asked.parameters.0.reverse();
    case.flow(asked).await;
}

pub async fn oidcc_display_page(case: &Case<'_>) {
    case.flow(case.asks().with("display", "page")).await;
}

pub async fn oidcc_display_popup(case: &Case<'_>) {
    case.flow(case.asks().with("display", "popup")).await;
}

pub async fn oidcc_prompt_login(case: &Case<'_>) {
    let first = case.flow(case.asks()).await;
    case.f.wait(2).await;
    let before = auth_time(&first);
    let (mut browser, asked) = (first.browser, case.asks().with("prompt", "login"));
    browser.goto(&asked.url()).await;
    assert!(browser.sees("login-password"), "{}", browser.page());
    browser.walk(&case.f.u1).await;
    let second = case.f.arrived(browser, &case.client, asked).await;
    assert!(auth_time(&second) > before);
}

pub async fn oidcc_prompt_none_not_logged_in(case: &Case<'_>) {
    case.refused(case.asks().with("prompt", "none"), &["login_required"]).await;
}

pub async fn oidcc_prompt_none_logged_in(case: &Case<'_>) {
    let first = case.flow(case.asks()).await;
    let before = auth_time(&first);
    case.f.wait(2).await;
    let second = case.silently(first.browser, case.asks().with("prompt", "none")).await;
    assert_eq!(auth_time(&second), before);
}

pub async fn oidcc_max_age_1(case: &Case<'_>) {
    let first = case.flow(case.asks()).await;
    let before = auth_time(&first);
    case.f.wait(2).await;
    let (mut browser, asked) = (first.browser, case.asks().with("max_age", "1"));
    browser.goto(&asked.url()).await;
    assert!(browser.sees("login-password"), "{}", browser.page());
    browser.walk(&case.f.u1).await;
    let second = case.f.arrived(browser, &case.client, asked).await;
    assert!(auth_time(&second) >= before + 2);
    assert!(auth_time(&second) <= case.f.now());
}

pub async fn oidcc_max_age_10000(case: &Case<'_>) {
    let first = case.flow(case.asks().with("max_age", "15000")).await;
    let before = auth_time(&first);
    case.f.wait(2).await;
    let second = case.silently(first.browser, case.asks().with("max_age", "10000")).await;
    assert_eq!(auth_time(&second), before);
}

pub async fn oidcc_ensure_request_with_unknown_parameter_succeeds(case: &Case<'_>) {
    case.flow(case.asks().with("extra", "foobar")).await;
}

pub async fn oidcc_id_token_hint(case: &Case<'_>) {
    let first = case.flow(case.asks()).await;
    let asked = case.asks().with("prompt", "none").with("id_token_hint", first.hint());
    case.silently(first.browser, asked).await;
}

pub async fn oidcc_login_hint(case: &Case<'_>) {
    case.flow(case.asks().with("login_hint", "buffy@localhost")).await;
}

pub async fn oidcc_ui_locales(case: &Case<'_>) {
    case.flow(case.asks().with("ui_locales", "se")).await;
}

pub async fn oidcc_claims_locales(case: &Case<'_>) {
    case.flow(case.asks().with("claims_locales", "se")).await;
}

pub async fn oidcc_ensure_request_with_acr_values_succeeds(case: &Case<'_>) {
    let supported = case.client.discovery().await["acr_values_supported"].clone();
    for values in [supported[0].as_str().unwrap(), "1 2"] {
        let flow = case.flow(case.asks().with("acr_values", values)).await;
        assert!(supported.as_array().unwrap().contains(&flow.claims()["acr"]));
    }
}

/// Immediate second use.
pub async fn oidcc_codereuse(case: &Case<'_>) {
    let flow = case.flow(case.asks()).await;
    let code = flow.front.code.as_ref().unwrap();
    assert::json(&case.client.redeem(code, &flow.asked).await, 400, "invalid_grant");
}

/// The second use revokes what the code was worth, and what came with it through the browser too.
pub async fn oidcc_codereuse_30seconds(case: &Case<'_>) {
    let flow = case.flow(case.asks()).await;
    case.f.wait(30).await;
    let code = flow.front.code.as_ref().unwrap();
    assert::json(&case.client.redeem(code, &flow.asked).await, 400, "invalid_grant");
    for access in flow.access_tokens() {
        assert!(!case.client.may_read_userinfo(access).await);
    }
}

pub async fn oidcc_ensure_registered_redirect_uri(case: &Case<'_>) {
    let mut browser = case.f.browser();
    browser.goto(&case.asks().with("redirect_uri", "https://rp.example/cb_invalid").url()).await;
    assert::page(&browser, 400);
    assert!(browser.page().text().to_lowercase().contains("redirect"), "a reviewer reads why: {}", browser.page());
}

pub async fn oidcc_ensure_post_request_succeeds(case: &Case<'_>) {
    let asked = case.asks();
    let mut browser = case.f.browser();
    browser.post_from_elsewhere("/authorize", &asked.parameters).await;
    browser.walk(&case.f.u1).await;
    case.f.arrived(browser, &case.client, asked).await;
}

pub async fn oidcc_server_client_secret_post(case: &Case<'_>) {
    let client = client(case.f, case.kind, "client_secret_post").await;
    let case = Case { client, ..*case };
    case.flow(case.asks()).await;
}

/// Skipped by the plan because of what discovery lists; here it is refused in the right place.
pub async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(case: &Case<'_>) {
    let either = ["request_uri_not_supported", "invalid_request_uri"];
    case.refused(case.asks().with("request_uri", "https://rp.example/request.jwt"), &either).await;
}

/// Silently ignoring the object fails; discovery lets the plan skip the module in the first place.
pub async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(case: &Case<'_>) {
    let listed = case.f.site.get(DISCOVERY).await.json()["request_object_signing_alg_values_supported"].clone();
    assert!(!listed.as_array().unwrap().contains(&json!("none")), "{listed}");
    let asked = case.asks();
    let inside =
        json!({ "nonce": asked.get("nonce"), "state": asked.get("state"), "client_id": case.client.client_id });
    let asked = asked.without("nonce").with("request", &jwt::unsigned(&inside));
    case.refused(asked, &["request_not_supported", "invalid_request_object"]).await;
}

/// What counts is the address that was really sent: no falling back to a registered one.
pub async fn oidcc_ensure_request_object_with_redirect_uri(case: &Case<'_>) {
    let right = &case.client.redirect_uri;
    let inside = json!({ "redirect_uri": right, "client_id": case.client.client_id, "response_type": case.kind });
    let asked = case.asks().with("redirect_uri", &format!("{right}_invalid")).with("request", &jwt::unsigned(&inside));
    let mut browser = case.f.browser();
    browser.goto(&asked.url()).await;
    assert::page(&browser, 400);
}

pub async fn oidcc_claims_essential(case: &Case<'_>) {
    let claims = json!({ "userinfo": { "name": { "essential": true } } }).to_string();
    let flow = case.flow(case.asks().with("scope", "openid").with("claims", &claims)).await;
    assert!(!flow.claims().contains_key("name"));
    for access in flow.access_tokens() {
        assert_eq!(case.client.userinfo(access, Userinfo::Get).await.json()["name"], "Ada King Lovelace");
    }
    let claims = json!({ "id_token": { "name": { "essential": true } } }).to_string();
    let flow = case.flow(case.asks().with("scope", "openid").with("claims", &claims)).await;
    assert_eq!(flow.claims()["name"], "Ada King Lovelace");
}

pub async fn oidcc_ensure_request_with_valid_pkce_succeeds(case: &Case<'_>) {
    let asked = case.client.asks().with("response_type", case.kind);
    let asked = case.mode.iter().fold(asked, |asked, mode| asked.with("response_mode", mode));
    assert!(asked.get("code_challenge").is_some());
    case.flow(asked).await;
}

pub async fn oidcc_refresh_token(case: &Case<'_>) {
    assert!(case.has("code"));
    let lasting =
        |case: &Case<'_>| case.asks().with("scope", "openid profile email offline_access").with("prompt", "consent");
    let flow = case.flow(lasting(case)).await;
    let second_client = client(case.f, case.kind, "client_secret_post").await;
    let other_case = Case { client: second_client, ..*case };
    let other = other_case.flow(lasting(&other_case)).await;
    let (first, other) = (flow.tokens.unwrap(), other.tokens.unwrap());
    case.f.wait(1).await;
    let form = case.client.refreshing(first.refresh_token()).with("scope", "openid profile email offline_access");
    let answer: Answer = case.client.token(form).await;
    let second = Tokens::of(&answer);
    let (before, after) = (first.claims(), second.claims());
    for same in ["iss", "sub", "aud", "auth_time", "azp"] {
        assert_eq!(after.get(same), before.get(same), "{same}");
    }
    assert_ne!(after["iat"], before["iat"]);
    assert_eq!(case.client.userinfo(&second.access, Userinfo::Get).await.status, 200);
    assert::json(&case.client.refresh(other.refresh_token()).await, 400, "invalid_grant");
}
