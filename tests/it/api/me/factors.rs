//! `/api/v1/me/factors`, and the sign-in with two steps (requirement MF5).

use serde_json::{Value, json};

use crate::{
    api::{Api, Session, api, blamed, refused},
    harness::{
        Call,
        phone::{Phone, phone},
        seed::Person,
    },
};

/// The first call of somebody with a second factor.
async fn ticket(api: &Api, person: &Person) -> String {
    let answer = api.auth("login", json!({ "login": person.email, "password": person.password })).await;
    assert_eq!(refused(&answer), (403, "second_factor_needed".to_owned()));
    assert_eq!(answer.json()["factors"], json!(["totp", "recovery_code"]));
    answer.json()["ticket"].as_str().unwrap().to_owned()
}

async fn with_phone(settings: &[(&str, &str)]) -> (Api, Person, Phone) {
    let api = api(settings).await;
    let person = api.person("gus").await;
    let phone = phone(&api.app, &person).await;
    api.wait(30).await;
    (api, person, phone)
}

fn code(ticket: &str, code: &str) -> Value {
    json!({ "ticket": ticket, "totp": code })
}

#[tokio::test]
async fn somebody_sets_an_app_up_and_signs_in_with_it() {
    let api = api(&[]).await;
    let (person, here) = api.somebody("gus").await;
    let begun = api.post("/me/factors/totp", &here.access, json!({})).await.json();
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/Signet:gus%40example.com?secret="), "{begun}");
    assert!(begun["qr_png"].as_str().unwrap().starts_with("iVBORw0KGgo"), "{begun}");
    let phone = Phone::reading(begun["secret"].as_str().unwrap());
    let again = api.post("/me/factors/totp", &here.access, json!({})).await.json();
    assert_eq!(again["secret"], begun["secret"]);
    let wrong = api.post("/me/factors/totp/confirm", &here.access, json!({ "code": "000000" })).await;
    assert_eq!(blamed(&wrong), ["code"]);
    let right = json!({ "code": phone.shows(api.now()) });
    let codes = api.post("/me/factors/totp/confirm", &here.access, right).await.json();
    assert_eq!(codes["recovery_codes"].as_array().unwrap().len(), 10);
    let have = api.get("/me/factors", &here.access).await.json();
    assert_eq!((&have["totp_since"], &have["recovery_codes_left"]), (&json!(api.now()), &json!(10)));

    api.wait(30).await;
    let first = ticket(&api, &person).await;
    assert_eq!(refused(&api.auth("second-factor", code(&first, "000000")).await), (401, "wrong_code".to_owned()));
    let session = Session::of(&api.auth("second-factor", code(&first, &phone.shows(api.now()))).await);
    assert_eq!(api.get("/me", &session.access).await.status, 200);
    let repeated = api.auth("second-factor", code(&first, &phone.shows(api.now()))).await;
    assert_eq!(refused(&repeated), (401, "invalid_ticket".to_owned()));

    let second = ticket(&api, &person).await;
    let body = json!({ "ticket": second, "recovery_code": codes["recovery_codes"][0] });
    let session = Session::of(&api.auth("second-factor", body).await);
    let renewed = api.post("/me/factors/recovery-codes", &session.access, json!({})).await.json();
    assert_eq!(renewed["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(api.delete("/me/factors/totp", &session.access, None).await.status, 204);
    assert_eq!(refused(&api.delete("/me/factors/totp", &session.access, None).await).0, 404);
    api.sign_in(&person).await;
}

/// Case SEC-132, RFC 9470 §3.
#[tokio::test]
async fn sec_132_a_token_of_one_factor_or_of_long_ago_changes_nothing() {
    let api = api(&[]).await;
    let (person, weak) = api.somebody("gus").await;
    let phone = phone(&api.app, &person).await;
    api.wait(30).await;
    let ticket = ticket(&api, &person).await;
    let strong = Session::of(&api.auth("second-factor", code(&ticket, &phone.shows(api.now()))).await);
    let is_refused = async |session: &Session| {
        let answer = api.delete("/me/factors/totp", &session.access, None).await;
        let asks = answer.header("www-authenticate").unwrap_or_default().to_owned();
        assert_eq!(refused(&answer), (401, "insufficient_user_authentication".to_owned()));
        assert!(asks.contains("error=\"insufficient_user_authentication\""), "{asks}");
    };
    is_refused(&weak).await;
    api.clock.advance(570);
    let refreshed = api.auth("refresh", json!({ "refresh_token": strong.refresh })).await;
    let refreshed = Session::of(&refreshed);
    api.clock.advance(30);
    is_refused(&refreshed).await;
    assert_eq!(api.get("/me/factors", &refreshed.access).await.status, 200);
}

/// Case SEC-125, requirement MF5: bound to whoever called first, for five minutes and five tries.
#[tokio::test]
async fn a_ticket_is_worth_nothing_when() {
    let (api, person, phone) = with_phone(&[]).await;
    let right = || phone.shows(api.now());
    let invalid = (401, "invalid_ticket".to_owned());
    assert_eq!(refused(&api.auth("second-factor", code("junk", &right())).await), invalid, "nobody was given it");
    let theirs = ticket(&api, &person).await;
    let body = code(&theirs, &right()).to_string();
    let call = Call::post("/api/v1/auth/second-factor").body("application/json", body);
    assert_eq!(refused(&api.site.send(call.from([127, 0, 0, 9])).await), invalid, "it comes from elsewhere");
    for _ in 0..4 {
        assert_eq!(refused(&api.auth("second-factor", code(&theirs, "000000")).await).1, "wrong_code");
    }
    assert_eq!(refused(&api.auth("second-factor", code(&theirs, "000000")).await), invalid, "the fifth was the last");
    assert_eq!(refused(&api.auth("second-factor", code(&theirs, &right())).await), invalid, "it is used up");
    let late = ticket(&api, &person).await;
    api.clock.advance(300);
    assert_eq!(refused(&api.auth("second-factor", code(&late, &right())).await), invalid, "it has expired");
    let body = json!({ "ticket": late, "totp": "1", "recovery_code": "2" });
    assert_eq!(blamed(&api.auth("second-factor", body).await), ["totp"]);
}

/// Whom the operator asks for a factor, and who has none, sets one up at the pages.
#[tokio::test]
async fn who_must_have_one_and_has_none_gets_no_ticket() {
    let api = api(&[("second_factor.required", "everybody"), ("accounts.verification", "optional")]).await;
    let person = api.person("gus").await;
    let answer = api.auth("login", json!({ "login": person.email, "password": person.password })).await;
    assert_eq!(refused(&answer), (403, "second_factor_needed".to_owned()));
    assert!(answer.json().get("ticket").is_none(), "{}", answer.text());
}
