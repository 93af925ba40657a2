use serde_json::json;

use crate::api::{Session, api, blamed, refused};

const GOOD: &str = "seven quiet lighthouses";

#[tokio::test]
async fn an_account_waits_until_its_address_is_confirmed() {
    let api = api(&[]).await;
    let new = json!({
        "email": "Mia@Example.com", "username": "mia", "password": GOOD, "given_name": "Mia", "family_name": "Moor",
    });
    let made = api.auth("register", new).await;
    assert_eq!((made.status, made.json()), (201, json!({ "status": "verification_sent" })));
    let first = api.link("mia@example.com", "verify_email").await;
    let early = api.auth("login", json!({ "username": "mia", "password": GOOD })).await;
    let wrong = api.auth("login", json!({ "username": "mia", "password": "x" })).await;
    assert_eq!(refused(&early), (401, "wrong_credentials".to_owned()));
    assert_eq!(early.text(), wrong.text(), "whoever chose the password learns no more");

    let another = async || Some(api.link("mia@example.com", "verify_email").await).filter(|token| *token != first);
    let token = api.until(another).await;
    let wrong = api.auth("verify-email", json!({ "token": token, "password": "another" })).await;
    assert_eq!(blamed(&wrong), ["password"]);
    let verified = api.auth("verify-email", json!({ "token": token, "password": GOOD })).await;
    assert_eq!((verified.status, verified.json()), (200, json!({ "status": "verified" })));
    let session = Session::of(&api.auth("login", json!({ "email": "mia@example.com", "password": GOOD })).await);
    let me = api.get("/me", &session.access).await.json();
    assert_eq!(
        (&me["username"], &me["given_name"], &me["email_verified"]),
        (&json!("mia"), &json!("Mia"), &json!(true))
    );
}

/// Case SEC-118.
#[tokio::test]
async fn nobody_learns_whether_an_address_has_an_account() {
    let api = api(&[]).await;
    let person = api.person("noor").await;
    let known = api.auth("register", json!({ "email": person.email, "password": GOOD })).await;
    let unknown = api.auth("register", json!({ "email": "nobody@example.com", "password": GOOD })).await;
    assert_eq!((known.status, known.text()), (unknown.status, unknown.text()));
    let letters = api.letters().await;
    assert!(letters.iter().any(|(to, letter)| *to == person.email && letter.name() == "address_taken"), "{letters:?}");
}

#[tokio::test]
async fn where_confirming_is_optional_the_answer_has_tokens() {
    let api = api(&[("accounts.verification", "optional")]).await;
    let new = json!({ "email": "otto@example.com", "password": GOOD });
    let made = api.auth("register", new.clone()).await;
    assert_eq!((made.status, &made.json()["status"]), (201, &json!("registered")));
    let session = Session::of(&made);
    assert_eq!(api.get("/me", &session.access).await.json()["email_verified"], false);
    assert_eq!(blamed(&api.auth("register", new).await), ["email"]);
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_said_by_member() {
    let api = api(&[]).await;
    let person = api.person("pia").await;
    for (reason, new, members) in [
        ("no address", json!({ "email": "pia", "password": GOOD }), vec!["email"]),
        ("a weak password", json!({ "email": "p@example.com", "password": "password1" }), vec!["password"]),
        (
            "a name with a space",
            json!({ "email": "p@example.com", "password": GOOD, "username": "p q" }),
            vec!["username"],
        ),
        (
            "a name that turns",
            json!({ "email": "p@example.com", "password": GOOD, "username": "p\u{202e}q" }),
            vec!["username"],
        ),
        (
            "a name that is taken",
            json!({ "email": "p@example.com", "password": GOOD, "username": person.username }),
            vec!["username"],
        ),
        (
            "no number",
            json!({ "email": "p@example.com", "password": GOOD, "phone_number": "call me" }),
            vec!["phone_number"],
        ),
        ("a control character", json!({ "email": "p@example.com", "password": GOOD, "name": "a\u{7}b" }), vec!["name"]),
        // Case SEC-145.
        (
            "what is not theirs",
            json!({ "email": "p@example.com", "password": GOOD, "admin": true, "email_verified": true, "id": "x" }),
            vec!["admin", "email_verified", "id"],
        ),
    ] {
        let answer = api.auth("register", new).await;
        assert_eq!(blamed(&answer), members, "{reason}: {}", answer.text());
    }
}

#[tokio::test]
async fn registering_is_there_only_where_it_is_offered() {
    let closed = api(&[("accounts.registration", "off")]).await;
    let new = json!({ "email": "rosa@example.com", "password": GOOD });
    assert_eq!(refused(&closed.auth("register", new.clone()).await), (404, "not_found".to_owned()));
    let invited = api(&[("accounts.registration", "invitation")]).await;
    assert_eq!(refused(&invited.auth("register", new.clone()).await), (403, "not_invited".to_owned()));
    let domains = [("accounts.registration", "domains"), ("accounts.email_domains", "example.org")];
    assert_eq!(blamed(&api(&domains).await.auth("register", new).await), ["email"]);
}
