//! TK, second part: what a code is worth, to whom, how often and how long.
use crate::harness::{
    Parameters, Tokens, assert, fixtures,
    jwt::Token,
    relying_party::{random, s256},
    seed::ClientSpec,
};

/// SEC-031, RFC 6749 §4.1.2, RFC 9700 §4.2.4, oidcc-codereuse.
#[tokio::test]
async fn sec_031_a_code_used_twice_takes_its_tokens_with_it() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    let (access, refresh) = (&visit.tokens.access, visit.tokens.refresh_token());
    assert!(
        f.c1.finds_active(access).await && f.c1.finds_active(refresh).await && f.c1.may_read_userinfo(access).await
    );

    assert::json(&f.c1.redeem(&visit.code, &visit.asked).await, 400, "invalid_grant");
    assert!(!f.c1.finds_active(access).await, "the access token outlived the reuse");
    assert!(!f.c1.finds_active(refresh).await, "the refresh token outlived the reuse");
    assert!(!f.c1.may_read_userinfo(access).await);
    assert::json(&f.c1.refresh(refresh).await, 400, "invalid_grant");
    assert::json(&f.c1.redeem(&visit.code, &visit.asked).await, 400, "invalid_grant");
}

/// SEC-031: what was refreshed since then goes too.
#[tokio::test]
async fn sec_031_a_code_used_twice_takes_what_came_of_it() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    let second = f.c1.refreshed(visit.tokens.refresh_token()).await;
    f.clock.advance(30);
    assert::json(&f.c1.redeem(&visit.code, &visit.asked).await, 400, "invalid_grant");
    assert!(!f.c1.may_read_userinfo(&second.access).await);
    assert::json(&f.c1.refresh(second.refresh_token()).await, 400, "invalid_grant");
}

/// SEC-032, OAuth 2.1 §7.5.3: who cannot prove the code cannot end its tokens.
#[tokio::test]
async fn sec_032_a_replay_without_proof_harms_nobody() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks_to_stay()).await;
    let form = || f.c1.redemption(&visit.code, &visit.asked);
    assert::json(&f.c1.token(form().with("code_verifier", &random(64))).await, 400, "invalid_grant");
    assert::json(&f.c4.token(form()).await, 400, "invalid_grant");
    assert::json(&f.c2.token(form()).await, 400, "invalid_grant");
    let unproven = f.site.send(crate::harness::Call::post("/oauth2/token").form(&form().also("client_id", "c1"))).await;
    assert::json(&unproven, 401, "invalid_client");
    assert!(f.c1.finds_active(&visit.tokens.access).await && f.c1.may_read_userinfo(&visit.tokens.access).await);
    f.c1.refreshed(visit.tokens.refresh_token()).await;
}

/// SEC-033, CVE-2026-28513, CVE-2026-55672: the client and the verifier, each on its own.
#[tokio::test]
async fn sec_033_a_code_is_for_the_client_that_asked() {
    let f = fixtures().await;
    let (asked, code) = f.code(&f.c1).await;
    for thief in [&f.c4, &f.c2, &f.c6, &f.c7] {
        eprintln!("when {} redeems", thief.client_id);
        assert::json(&thief.token(f.c1.redemption(&code, &asked)).await, 400, "invalid_grant");
    }
    let (asked, code) = f.code(&f.c2).await;
    assert::json(&f.c3.token(f.c2.redemption(&code, &asked)).await, 400, "invalid_grant");
    assert::json(&f.c1.token(f.c2.redemption(&code, &asked)).await, 400, "invalid_grant");
}

/// SEC-034, RFC 6749 §4.1.3.
#[tokio::test]
async fn sec_034_a_code_is_for_the_address_that_got_it() {
    let f = fixtures().await;
    let asked = f.c7.asks();
    for (name, redirect_uri) in [
        ("another registered one", "https://rp.example/other"),
        ("one that is not registered", "https://evil.test/"),
        ("the same with a slash", "https://rp.example/cb/"),
    ] {
        eprintln!("when the address is {name}");
        let code = f.code_for(&f.c7, &asked).await;
        let form = f.c7.redemption(&code, &asked).with("redirect_uri", redirect_uri);
        assert::json(&f.c7.token(form).await, 400, "invalid_grant");
    }
    let code = f.code_for(&f.c7, &asked).await;
    assert::json(&f.c7.token(f.c7.redemption(&code, &asked).without("redirect_uri")).await, 400, "invalid_grant");
    let code = f.code_for(&f.c7, &asked).await;
    Tokens::of(&f.c7.redeem(&code, &asked).await);
}

/// SEC-034 for native clients: the port that was asked with is the port that counts.
#[tokio::test]
async fn sec_034_a_loopback_port_is_part_of_the_address() {
    let f = fixtures().await;
    let asked = f.c3.asks().with("redirect_uri", "http://127.0.0.1:51004/cb");
    let code = f.code_for(&f.c3, &asked).await;
    let other = f.c3.redemption(&code, &asked).with("redirect_uri", "http://127.0.0.1:51005/cb");
    assert::json(&f.c3.token(other).await, 400, "invalid_grant");
    let code = f.code_for(&f.c3, &asked).await;
    Tokens::of(&f.c3.redeem(&code, &asked).await);
}

/// SEC-035, RFC 7636 §4.6, FAPI2 ensure-pkce-code-verifier-required and incorrect-pkce-code-verifier-rejected.
#[tokio::test]
async fn sec_035_a_verifier_is_refused_when() {
    let f = fixtures().await;
    for client in [&f.c1, &f.c2] {
        let malformed = &[(400, "invalid_grant"), (400, "invalid_request")][..];
        for (name, verifier, either) in [
            ("it is another", Some(random(64)), &malformed[..1]),
            ("it is the challenge", None, &malformed[..1]),
            ("it is empty", Some(String::new()), malformed),
            ("it has 42 characters", Some(random(42)), malformed),
            ("it has 129 characters", Some(random(129)), malformed),
            ("it has other characters", Some(format!("{} +/=", random(50))), malformed),
        ] {
            eprintln!("when {name}");
            let (asked, code) = f.code(client).await;
            let verifier = verifier.unwrap_or_else(|| asked.get("code_challenge").unwrap().to_string());
            let form = client.redemption(&code, &asked).with("code_verifier", &verifier);
            assert::json_of(&client.token(form).await, either);
        }
        let (asked, code) = f.code(client).await;
        assert::json_of(&client.token(client.redemption(&code, &asked).without("code_verifier")).await, malformed);
    }
}

/// SEC-035: the shortest and the longest verifier and every character of RFC 7636 §4.1.
#[tokio::test]
async fn sec_035_every_lawful_verifier_works() {
    let f = fixtures().await;
    let every = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for verifier in [random(43), random(128), every.to_string()] {
        let mut asked = f.c2.asks().with("code_challenge", &s256(&verifier));
        asked.verifier = verifier;
        f.visit_with(&f.c2, asked).await;
    }
}

/// SEC-036, RFC 9700 §4.8, CVE-2023-48228, CVE-2024-23647: a verifier that nobody asked for is an attack.
#[tokio::test]
async fn sec_036_a_verifier_without_a_challenge_is_refused() {
    let f = fixtures().await;
    let lax = f.client(ClientSpec { require_pkce: false, ..ClientSpec::web("lax") }).await;
    let asked = lax.asks().without_pkce();
    let code = f.code_for(&lax, &asked).await;
    let form = lax.redemption(&code, &asked).with("code_verifier", &random(64));
    assert::json_of(&lax.token(form).await, &[(400, "invalid_grant"), (400, "invalid_request")]);
    let (asked, code) = f.code(&lax).await;
    let form = lax.redemption(&code, &asked).without("code_verifier");
    assert::json_of(&lax.token(form).await, &[(400, "invalid_grant"), (400, "invalid_request")]);
}

/// SEC-037 and decision D1, FAPI2 ensure-token-endpoint-fails-with-expired-auth-code.
#[tokio::test]
async fn sec_037_a_code_lives_for_a_minute() {
    let f = fixtures().await;
    let (asked, code) = f.code(&f.c1).await;
    f.clock.advance(59);
    Tokens::of(&f.c1.redeem(&code, &asked).await);
    let (asked, code) = f.code(&f.c1).await;
    f.clock.advance(61);
    assert::json(&f.c1.redeem(&code, &asked).await, 400, "invalid_grant");
}

/// SEC-038, RFC 6749 §5.1: `Tokens::of` checks the form of every token answer; here are its contents.
#[tokio::test]
async fn sec_038_a_token_answer_says_what_was_granted() {
    let f = fixtures().await;
    let visit = f.visit_with(&f.c1, f.c1.asks().with("scope", "openid email")).await;
    let members: Vec<&str> = visit.tokens.json.as_object().unwrap().keys().map(String::as_str).collect();
    let known = ["access_token", "expires_in", "id_token", "scope", "token_type"];
    assert!(members.iter().all(|member| known.contains(member)), "{members:?}");
    assert!(visit.tokens.id.is_some());
    assert_eq!(visit.tokens.expires_in, 600, "decision D2");

    let visit = f.visit_with(&f.c1, f.c1.asks().with("scope", "openid email nonsense")).await;
    assert_eq!(visit.tokens.scopes(), ["email", "openid"], "different from what was asked");

    let visit = f.visit_with(&f.c1, f.c1.asks().with("scope", "email reports.read")).await;
    assert!(visit.tokens.id.is_none(), "no ID token without openid");
    assert!(!Token::read(&visit.tokens.access).claims["scope"].as_str().unwrap().contains("openid"));
}

/// SEC-038 and decision D3: no refresh token that nobody asked for.
#[tokio::test]
async fn sec_038_a_refresh_token_needs_offline_access_and_the_grant() {
    let f = fixtures().await;
    assert!(f.tokens(&f.c1).await.refresh.is_none(), "offline_access was not asked for");
    assert!(f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens.refresh.is_some());
    let spec = ClientSpec { grant_types: vec!["authorization_code"], ..ClientSpec::web("brief") };
    let brief = f.client(spec).await;
    assert!(f.visit_with(&brief, brief.asks_to_stay()).await.tokens.refresh.is_none(), "not registered for it");
    assert::json(
        &brief.token(Parameters::new(&[("grant_type", "refresh_token"), ("refresh_token", "x")])).await,
        400,
        "unauthorized_client",
    );
}
