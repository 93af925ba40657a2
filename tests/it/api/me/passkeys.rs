//! Passkeys of programs: made, named and removed at `/api/v1/me/factors`, and proved with at `/api/v1/auth`.

use serde_json::{Value, json};

use crate::{
    api::{Api, Session, api, blamed, refused},
    harness::{Answer, authenticator::Authenticator, phone::phone, seed::Person},
};

async fn begin(api: &Api, here: &Session) -> Answer {
    api.post("/me/factors/passkeys/challenge", &here.access, json!({})).await
}

/// Somebody who has just signed in makes a passkey.
async fn enrol(api: &Api, here: &Session, authenticator: &mut Authenticator) -> Answer {
    let begun = begin(api, here).await.json();
    let made = authenticator.make(&begun["public_key"]);
    let body = json!({ "ticket": begun["ticket"], "credential": made, "name": "blue key" });
    api.post("/me/factors/passkeys", &here.access, body).await
}

async fn with_passkey(settings: &[(&str, &str)]) -> (Api, Person, Authenticator) {
    let api = api(settings).await;
    let (person, here) = api.somebody("gus").await;
    let mut authenticator = Authenticator::new(&api.site.issuer, "gus");
    let added = enrol(&api, &here, &mut authenticator).await;
    assert_eq!(added.json()["recovery_codes"].as_array().map(Vec::len), Some(10), "{}", added.text());
    (api, person, authenticator)
}

/// The challenge of a sign-in without a password, signed.
async fn signed(api: &Api, authenticator: &mut Authenticator) -> Value {
    let asked = api.auth("passkey/challenge", json!({})).await.json();
    json!({ "ticket": asked["ticket"], "credential": authenticator.sign(&asked["public_key"]) })
}

#[tokio::test]
async fn somebody_makes_a_passkey_and_signs_in_with_it() {
    let (api, person, mut authenticator) = with_passkey(&[]).await;
    let answer = signed(&api, &mut authenticator).await;
    let session = Session::of(&api.auth("passkey", answer.clone()).await);
    assert_eq!(api.get("/me", &session.access).await.json()["email"], person.email);
    assert_eq!(
        refused(&api.auth("passkey", answer).await),
        (401, "invalid_ticket".to_owned()),
        "it was answered already"
    );
    let have = api.get("/me/factors", &session.access).await.json();
    let key = &have["passkeys"][0];
    assert_eq!(
        (&key["name"], &key["synced"], &key["last_used_at"]),
        (&json!("blue key"), &json!(false), &json!(api.now()))
    );
    let path = format!("/me/factors/passkeys/{}", key["id"].as_str().unwrap());
    let renamed =
        api.send(reqwest::Method::PATCH, &path, Some(&session.access), Some(json!({ "name": "green key" }))).await;
    assert_eq!(renamed.status, 204, "{}", renamed.text());
    assert_eq!(api.get("/me/factors", &session.access).await.json()["passkeys"][0]["name"], "green key");
    assert_eq!(api.delete(&path, &session.access, None).await.status, 204);
    assert_eq!(refused(&api.delete(&path, &session.access, None).await).0, 404);
    assert_eq!(refused(&api.auth("passkey", signed(&api, &mut authenticator).await).await).0, 401);
    api.sign_in(&person).await;
}

#[tokio::test]
async fn a_passkey_is_the_second_step_of_a_program() {
    let (api, person, mut authenticator) = with_passkey(&[]).await;
    let answer = api.auth("login", json!({ "login": person.email, "password": person.password })).await;
    assert_eq!(refused(&answer), (403, "second_factor_needed".to_owned()));
    assert_eq!(answer.json()["factors"], json!(["passkey", "recovery_code"]));
    let ticket = answer.json()["ticket"].clone();
    let asked = api.auth("second-factor/passkey", json!({ "ticket": ticket })).await.json();
    assert_eq!(asked["public_key"]["allowCredentials"].as_array().unwrap().len(), 1);
    // What was asked of anybody is no answer to it, and the ticket of that opens nothing here.
    let foreign = signed(&api, &mut authenticator).await;
    let body = json!({ "ticket": ticket, "passkey": foreign["credential"] });
    assert_eq!(refused(&api.auth("second-factor", body).await), (401, "wrong_code".to_owned()));
    let asked = api.auth("second-factor/passkey", json!({ "ticket": ticket })).await.json();
    let right = authenticator.sign(&asked["public_key"]);
    let body = json!({ "ticket": foreign["ticket"], "passkey": right });
    assert_eq!(refused(&api.auth("second-factor", body).await), (401, "invalid_ticket".to_owned()));
    let session = Session::of(&api.auth("second-factor", json!({ "ticket": ticket, "passkey": right })).await);
    assert_eq!(api.get("/me", &session.access).await.status, 200);
    let none = api.auth("second-factor/passkey", json!({ "ticket": "invented" })).await;
    assert_eq!(refused(&none), (401, "invalid_ticket".to_owned()));
}

/// SEC-135, SEC-132.
#[tokio::test]
async fn sec_135_a_program_makes_no_passkey_when() {
    let (api, _, mut authenticator) = with_passkey(&[("second_factor.fresh", "6m")]).await;
    let (other, there) = api.somebody("ida").await;
    let mut same = Authenticator::new(&api.site.issuer, "gus");
    assert_eq!(blamed(&enrol(&api, &there, &mut same).await), ["credential"], "it is somebody else's");
    let begun = begin(&api, &there).await.json();
    let made = Authenticator::new(&api.site.issuer, "fresh").make(&begun["public_key"]);
    let body = json!({ "ticket": begun["ticket"], "credential": made, "name": "x".repeat(101) });
    assert_eq!(blamed(&api.post("/me/factors/passkeys", &there.access, body).await), ["name"]);
    let session = Session::of(&api.auth("passkey", signed(&api, &mut authenticator).await).await);
    let body = json!({ "ticket": begun["ticket"], "credential": made });
    assert_eq!(refused(&api.post("/me/factors/passkeys", &session.access, body).await).0, 404, "another's ticket");
    // Enrolment is no sign-in.
    let body = json!({ "ticket": begun["ticket"], "totp": "000000" });
    assert_eq!(refused(&api.auth("second-factor", body).await), (401, "invalid_ticket".to_owned()));
    api.wait(301).await;
    let body = json!({ "ticket": begun["ticket"], "credential": made });
    assert_eq!(refused(&api.post("/me/factors/passkeys", &there.access, body).await).0, 404, "too late");
    api.wait(60).await;
    assert_eq!(refused(&begin(&api, &there).await), (401, "insufficient_user_authentication".to_owned()));
    // One factor is not enough for whoever has two.
    let here = api.sign_in(&other).await;
    phone(&api.app, &other).await;
    assert_eq!(refused(&begin(&api, &here).await), (401, "insufficient_user_authentication".to_owned()));
}

/// WebAuthn §6.1, UV: a key that cannot make sure of its owner is a second factor where the operator says so, and never more.
#[tokio::test]
async fn a_key_without_a_pin_is_taken_where_the_operator_says_so() {
    let api = api(&[("second_factor.verify_passkeys", "preferred")]).await;
    let (person, here) = api.somebody("gus").await;
    let mut key = Authenticator { verifies: false, counter: 1, ..Authenticator::new(&api.site.issuer, "plain") };
    assert_eq!(enrol(&api, &here, &mut key).await.status, 200);
    assert_eq!(refused(&api.auth("passkey", signed(&api, &mut key).await).await), (401, "wrong_code".to_owned()));
    let answer = api.auth("login", json!({ "login": person.email, "password": person.password })).await;
    let ticket = answer.json()["ticket"].clone();
    let asked = api.auth("second-factor/passkey", json!({ "ticket": ticket })).await.json();
    let body = json!({ "ticket": ticket, "passkey": key.sign(&asked["public_key"]) });
    let session = Session::of(&api.auth("second-factor", body).await);
    assert_eq!(api.get("/me/factors", &session.access).await.json()["passkeys"].as_array().unwrap().len(), 1);
}
