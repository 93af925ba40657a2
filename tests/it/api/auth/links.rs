use serde_json::json;

use crate::api::{Session, api, refused};

#[tokio::test]
async fn sec_118_asking_for_links_tells_nothing() {
    let api = api(&[]).await;
    let person = api.person("anna").await;
    for path in ["forgot-password", "resend-verification"] {
        let mut told = Vec::new();
        for who in [json!({ "email": person.email }), json!({ "username": "nobody" }), json!({ "login": "a b" })] {
            let answer = api.auth(path, who).await;
            told.push((answer.status, answer.text()));
        }
        assert_eq!(told[0], (202, json!({ "status": "accepted" }).to_string()));
        assert!(told.iter().all(|answer| *answer == told[0]), "{told:?}");
    }
}

#[tokio::test]
async fn another_link_confirms_an_address_and_the_first_does_not() {
    let api = api(&[]).await;
    let password = "seven quiet lighthouses";
    api.auth("register", json!({ "email": "bea@example.com", "password": password })).await;
    let first = api.link("bea@example.com", "verify_email").await;
    api.auth("resend-verification", json!({ "email": "bea@example.com" })).await;
    let second = api
        .until(async || Some(api.link("bea@example.com", "verify_email").await).filter(|token| *token != first))
        .await;
    let confirm = async |token: &str| api.auth("verify-email", json!({ "token": token, "password": password })).await;
    assert_eq!(refused(&confirm(&first).await), (400, "invalid_link".to_owned()));
    assert_eq!(confirm(&second).await.status, 200);
    assert_eq!(refused(&confirm(&second).await), (400, "invalid_link".to_owned()));
}

/// SEC-120 as programs see it.
#[tokio::test]
async fn sec_120_a_forgotten_password_is_replaced_once_and_everything_ends() {
    let api = api(&[]).await;
    let (person, session) = api.somebody("carl").await;
    api.auth("forgot-password", json!({ "email": person.email })).await;
    let token = api.link(&person.email, "reset_password").await;
    let reset =
        async |password: &str| api.auth("reset-password", json!({ "token": token, "password": password })).await;
    assert_eq!(crate::api::blamed(&reset("short").await), ["password"], "the link still works");
    assert_eq!(reset("eight green armchairs").await.json(), json!({ "status": "changed" }));
    assert_eq!(refused(&reset("nine green armchairs").await), (400, "invalid_link".to_owned()));
    assert_eq!(refused(&api.get("/me", &session.access).await).0, 401);
    assert_eq!(refused(&api.auth("refresh", json!({ "refresh_token": session.refresh })).await).0, 401);
    assert_eq!(refused(&api.auth("login", json!({ "login": "carl", "password": person.password })).await).0, 401);
    Session::of(&api.auth("login", json!({ "login": "carl", "password": "eight green armchairs" })).await);
}

#[tokio::test]
async fn sec_123_another_address_counts_once_it_has_confirmed() {
    let api = api(&[("second_factor.fresh", "5m")]).await;
    let (person, session) = api.somebody("dora").await;
    let asked = api.post("/me/email", &session.access, json!({ "email": "dora@example.org" })).await;
    assert_eq!((asked.status, asked.json()), (202, json!({ "status": "verification_sent" })));
    assert_eq!(api.get("/me", &session.access).await.json()["email"], person.email);
    let token = api.link("dora@example.org", "confirm_new_address").await;
    let confirm =
        async |password: &str| api.auth("confirm-email-change", json!({ "token": token, "password": password })).await;
    for wrong in ["", "somebody else's"] {
        assert_eq!(crate::api::blamed(&confirm(wrong).await), ["password"], "nobody confirms for somebody else");
    }
    assert_eq!(confirm(&person.password).await.json(), json!({ "status": "changed" }));
    assert_eq!(refused(&confirm(&person.password).await), (400, "invalid_link".to_owned()));
    assert_eq!(api.get("/me", &session.access).await.json()["email"], "dora@example.org");
    api.wait(301).await;
    let late = api.post("/me/email", &session.access, json!({ "email": "dora@example.net" })).await;
    assert_eq!(crate::api::blamed(&late), ["current_password"]);
}
