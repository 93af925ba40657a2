//! SEC-131, SEC-133: the ways around the second step, and the one that is meant.

use sea_orm::EntityTrait;
use serde_json::json;
use signet::{crypto::secret::Secret, store::trusted_device};

use super::{cookie, half_way, is_inside, step, with_phone};
use crate::{
    accounts::signed_in::log,
    harness::{
        Browser, Call, Parameters, assert,
        phone::phone,
        seed::{self, ClientSpec, Person},
    },
    pages::entry::forgotten,
};

const NEW: &str = "seven violet lanterns";

#[tokio::test]
async fn sec_131_no_other_door_goes_round_the_second_step() {
    let (f, phone) = with_phone().await;
    let grant_types = vec!["authorization_code", "password"];
    let own = f.client(ClientSpec { first_party: true, grant_types, ..ClientSpec::web("own") }).await;
    let form = [("grant_type", "password"), ("username", &*f.u1.username), ("password", &*f.u1.password)];
    let answer = own.token(Parameters::new(&form).also("scope", "openid")).await;
    assert::json(&answer, 400, "invalid_grant");
    assert!(answer.json()["error_description"].as_str().unwrap().contains("second factor"), "{}", answer.text());

    // A remembered consent.
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    step(&mut browser, &phone.shows(f.now())).await;
    browser.walk(&f.u1).await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;

    // A new password by a mailed link.
    let reset = forgotten(&f, &mut browser).await;
    browser.goto(&reset).await.fill("reset-password", NEW).press("reset-submit").await;
    assert_eq!(cookie(&browser, "session"), None);
    let f_u1 = Person { password: NEW.into(), ..f.u1.clone() };
    browser.goto(&f.c1.asks().url()).await.sign_in(&f_u1).await;
    assert!(browser.sees("factor-code"), "{}", browser.page());
    f.clock.advance(30);
    step(&mut browser, &phone.shows(f.now())).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

#[tokio::test]
async fn sec_131_a_login_of_the_api_does_not_go_round_it_either() {
    let (f, _) = with_phone().await;
    let body = json!({ "login": f.u1.email, "password": f.u1.password }).to_string();
    let call = Call::post("/api/v1/auth/login").body("application/json", body);
    let answer = f.site.send(call).await;
    assert!(matches!(answer.status, 401 | 403), "{}", answer.text());
    assert_eq!(answer.json()["code"], "second_factor_needed");
    assert!(answer.json().get("access_token").is_none());
}

/// Case SEC-133: a random id of its own, a hash in the database, no password's substitute, void after each of three acts.
#[tokio::test]
async fn sec_133_a_trusted_browser_is_not_asked_again() {
    let (f, of_u1) = with_phone().await;
    let trusting = async |at: i64| {
        f.clock.advance(at);
        let mut browser = f.browser();
        half_way(&f, &mut browser, &f.c1).await;
        let (action, method, form) = browser.fill("factor-code", &of_u1.shows(f.now())).form("factor-submit");
        browser.submit(&action, method, &form.with("trust", "yes")).await;
        assert!(is_inside(&browser), "{}", browser.page());
        browser
    };
    let again = async |browser: &mut Browser, person: &Person| {
        browser.goto(&f.c1.asks().with("prompt", "login").url()).await;
        assert!(browser.sees("login-password"), "the password is asked for all the same");
        browser.sign_in(person).await;
        is_inside(browser)
    };
    let mut browser = trusting(0).await;
    let secret = cookie(&browser, "trusted").expect("a cookie");
    assert!(secret.len() == 43 && cookie(&browser, "session") != Some(secret.clone()));
    let rows = trusted_device::Entity::find().all(&f.app.db).await.unwrap();
    assert_eq!(rows[0].hash, Secret::presented(&secret).hash(), "a hash is kept");
    assert!(again(&mut browser, &f.u1).await);
    assert_eq!(log(&f, &f.u1).await.iter().filter(|kind| *kind == "device_trusted").count(), 1);
    // What was not done is not claimed, and whoever needs it asks.
    let asked = f.c1.asks().with("acr_values", "aal2");
    browser.goto(&asked.url()).await;
    assert!(browser.sees("factor-code"), "{}", browser.page());
    // It is one person's.
    phone(&f.app, &f.u2).await;
    let mut theirs = browser.stolen();
    theirs.goto(&f.c1.asks().with("prompt", "login").url()).await.press("login-another").await;
    theirs.sign_in(&f.u2).await;
    assert!(theirs.sees("factor-code"), "{}", theirs.page());

    seed::set_password_for_a_moment(&f.app, &f.u1).await;
    assert!(!again(&mut browser, &f.u1).await, "another password voids it");
    let mut browser = trusting(30).await;
    browser.goto("/account/factors").await.press("factors-forget-all").await;
    assert!(browser.sees("notice"), "{}", browser.page());
    assert!(!again(&mut browser, &f.u1).await, "it was forgotten");
    let mut browser = trusting(30).await;
    f.clock.advance(30 * 86_400);
    assert!(!again(&mut browser, &f.u1).await, "it has expired");
}
