use serde_json::json;

use crate::{
    api::{Session, api, is_problem, refused},
    harness::{Call, Parameters, assert},
};

#[tokio::test]
async fn a_person_signs_in_by_whatever_they_are_known_by() {
    let api = api(&[]).await;
    let person = api.person("sven").await;
    for who in [
        json!({ "login": "SVEN" }),
        json!({ "login": "Sven@Example.com" }),
        json!({ "username": "sven" }),
        json!({ "email": "sven@example.com" }),
    ] {
        let mut body = who.clone();
        body["password"] = json!(person.password);
        let session = Session::of(&api.auth("login", body).await);
        assert_eq!(api.get("/me", &session.access).await.json()["username"], "sven", "{who}");
    }
}

/// Case SEC-117: the times are measured by `make test-timing`.
#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let api = api(&[]).await;
    let person = api.person("tara").await;
    let disabled = api.person("tom").await;
    crate::harness::seed::disable_user(&api.app, &disabled, true).await;
    let told = |answer: &crate::harness::Answer| {
        let mut problem = is_problem(answer);
        problem.as_object_mut().unwrap().remove("trace_id");
        (answer.status, problem, answer.header("www-authenticate").map(str::to_owned))
    };
    let wrong = told(&api.auth("login", json!({ "login": person.email, "password": "wrong" })).await);
    assert_eq!(
        (wrong.0, &wrong.1["code"], wrong.2.as_deref()),
        (401, &json!("wrong_credentials"), Some("Bearer realm=\"signet\""))
    );
    for (login, password) in
        [("nobody@example.com", "wrong"), (&disabled.email, &disabled.password), ("a b@c", "x"), ("\u{202e}", "x")]
    {
        assert_eq!(told(&api.auth("login", json!({ "login": login, "password": password })).await), wrong, "{login}");
    }
}

#[tokio::test]
async fn tools_sign_in_with_a_form() {
    let api = api(&[]).await;
    let person = api.person("uma").await;
    let form = Parameters::new(&[
        ("grant_type", "password"),
        ("username", &person.email),
        ("password", &person.password),
        ("scope", ""),
    ]);
    // What Swagger UI sends along, though there is no client.
    let answer = api.site.send(Call::post("/api/v1/auth/token").basic("", "").form(&form)).await;
    let session = Session::of(&answer);
    assert_eq!(api.get("/me", &session.access).await.status, 200);
    for (form, refusal) in [
        (form.clone().with("password", "wrong"), (401, "wrong_credentials")),
        (form.clone().without("username"), (400, "invalid_request")),
        (form.clone().also("username", "other"), (400, "invalid_request")),
        (form.with("grant_type", "client_credentials"), (400, "unsupported_grant_type")),
    ] {
        let answer = api.site.send(Call::post("/api/v1/auth/token").form(&form)).await;
        assert_eq!(refused(&answer), (refusal.0, refusal.1.to_owned()));
    }
    let json = json!({ "username": person.email, "password": person.password }).to_string();
    let answer = api.site.send(Call::post("/api/v1/auth/token").body("application/json", json)).await;
    assert_eq!(refused(&answer).0, 415);
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let api = api(&[]).await;
    let (_, session) = api.somebody("vera").await;
    let refresh = async |token: &str| api.auth("refresh", json!({ "refresh_token": token })).await;
    let next = Session::of(&refresh(&session.refresh).await);
    assert_ne!(next.refresh, session.refresh);
    assert_eq!(api.get("/me", &next.access).await.status, 200);
    api.wait(61).await;
    let stolen = refresh(&session.refresh).await;
    assert_eq!(refused(&stolen), (401, "invalid_grant".to_owned()));
    assert!(stolen.header("www-authenticate").is_some());
    assert_eq!(refused(&refresh(&next.refresh).await).0, 401, "the family has ended");
    assert_eq!(refused(&api.get("/me", &next.access).await), (401, "invalid_token".to_owned()));
    for junk in ["", "x", "AAAA"] {
        assert!(matches!(refresh(junk).await.status, 400 | 401), "{junk}");
    }
}

#[tokio::test]
async fn logging_out_ends_both_tokens_at_once_and_nothing_else() {
    let api = api(&[]).await;
    let (person, here) = api.somebody("wanda").await;
    let there = api.sign_in(&person).await;
    let out = api.send(reqwest::Method::POST, "/auth/logout", Some(&here.access), None).await;
    assert_eq!((out.status, out.text()), (204, String::new()));
    assert_eq!(refused(&api.get("/me", &here.access).await).0, 401);
    assert_eq!(refused(&api.auth("refresh", json!({ "refresh_token": here.refresh })).await).0, 401);
    let userinfo = api.site.send(Call::get("/oauth2/userinfo").bearer(&here.access)).await;
    assert_eq!(userinfo.status, 401, "userinfo knows it too");
    assert_eq!(api.get("/me", &there.access).await.status, 200);
    assert_eq!(api.auth("refresh", json!({ "refresh_token": there.refresh })).await.status, 200);
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_token() {
    let api = api(&[]).await;
    let (person, here) = api.somebody("xenia").await;
    let there = api.sign_in(&person).await;
    let (_, other) = api.somebody("yuri").await;
    assert_eq!(api.send(reqwest::Method::POST, "/auth/logout-all", Some(&here.access), None).await.status, 204);
    for session in [&here, &there] {
        assert_eq!(refused(&api.get("/me", &session.access).await).0, 401);
        assert_eq!(refused(&api.auth("refresh", json!({ "refresh_token": session.refresh })).await).0, 401);
    }
    assert_eq!(api.get("/me", &other.access).await.status, 200);
    let again = api.sign_in(&person).await;
    assert_eq!(api.get("/me", &again.access).await.status, 200);
}

/// Requirement AC7, case SEC-124: 423 while the account waits, whoever asks, known or not.
#[tokio::test]
async fn an_account_that_was_guessed_at_is_locked_for_a_while() {
    let api = api(&[("limits", "on")]).await;
    let person = api.person("zoe").await;
    let session = api.sign_in(&person).await;
    for login in [&*person.email, "nobody@example.com"] {
        let mut last = None;
        for _ in 0..6 {
            last = Some(api.auth("login", json!({ "login": login, "password": "wrong" })).await);
        }
        let locked = last.unwrap();
        assert_eq!(refused(&locked), (423, "account_locked".to_owned()), "{login}");
        let seconds: u32 = locked.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&seconds), "{seconds}");
    }
    let right = json!({ "login": person.email, "password": person.password });
    assert_eq!(refused(&api.auth("login", right.clone()).await).0, 423, "the right password waits too");
    let known = json!({ "login": person.email, "password": person.password, "device": session.device });
    assert_eq!(api.auth("login", known).await.status, 200, "strangers do not lock out a known device");
    api.wait(30).await;
    assert_eq!(api.auth("login", right).await.status, 200);
}

#[tokio::test]
async fn an_address_that_guesses_at_many_accounts_waits() {
    let api = api(&[("limits", "on")]).await;
    let mut answers = Vec::new();
    for n in 0..60 {
        let answer = api.auth("login", json!({ "login": format!("n{n}@example.com"), "password": "wrong" })).await;
        answers.push(refused(&answer));
        if answer.status == 429 {
            assert!(answer.header("retry-after").is_some());
        }
    }
    assert_eq!(answers.last().unwrap(), &(429, "too_many_requests".to_owned()));
    assert_eq!(answers[0], (401, "wrong_credentials".to_owned()));
}

/// RFC 6750 §3, and tokens that were not got for this.
#[tokio::test]
async fn a_token_must_be_good_and_meant_for_this() {
    let f = crate::harness::TestServer::start().await.fixtures().await;
    let call = |token: Option<&str>| {
        let call = Call::get("/api/v1/me");
        f.site.send(match token {
            Some(token) => call.bearer(token),
            None => call,
        })
    };
    let none = call(None).await;
    assert_eq!((refused(&none).0, none.header("www-authenticate")), (401, Some("Bearer realm=\"signet\"")));
    let junk = call(Some("junk")).await;
    assert_eq!(refused(&junk), (401, "invalid_token".to_owned()));
    assert!(junk.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
    let of_app = f.tokens(&f.c1).await.access;
    let machine =
        crate::harness::Tokens::of(&f.c5.token(Parameters::new(&[("grant_type", "client_credentials")])).await).access;
    let app = call(Some(&of_app)).await;
    assert_eq!(refused(&app), (403, "insufficient_scope".to_owned()));
    assert!(app.header("www-authenticate").unwrap().contains("scope=\"signet:account\""));
    assert_eq!(refused(&call(Some(&machine)).await).0, 401, "a token for another API");
    let twice = f.site.send(Call::get("/api/v1/me").bearer(&of_app).bearer(&of_app)).await;
    assert_eq!(refused(&twice).0, 400);
    assert::not_stored(&twice);
}
