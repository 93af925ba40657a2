//! `/account/factors`: what people do with their own.

use signet::flows::factors;

use super::{cookie, half_way, is_inside, step, with_phone};
use crate::{
    accounts::signed_in::log,
    harness::{
        Browser, Call, Fixtures, Parameters, Tokens, fixtures,
        phone::Phone,
        seed::{self, ClientSpec},
    },
};

async fn subjects(f: &Fixtures) -> Vec<String> {
    seed::mailbox(&f.app, &f.u1.email).await.into_iter().map(|mail| mail.subject).collect()
}

/// U1 sets an app up at the page, codes and all.
async fn set_up(f: &Fixtures, browser: &mut Browser) -> (Phone, Vec<String>) {
    browser.goto("/account/factors").await.press("factors-begin").await;
    let phone = Phone::reading(&browser.page().read("factor-secret"));
    assert!(browser.sees("factor-qr"), "{}", browser.page());
    browser.fill("factor-code", "000000").press("factors-confirm").await;
    assert_eq!((browser.page().status(), browser.sees("factor-code-problem")), (422, true), "{}", browser.page());
    browser.fill("factor-code", &phone.shows(f.now())).press("factors-confirm").await;
    assert!(browser.sees("recovery-codes"), "{}", browser.page());
    let codes = browser.page().read("recovery-codes").split_whitespace().map(str::to_owned).collect();
    browser.press("codes-on").await;
    (phone, codes)
}

/// Case SEC-132, requirement MF1 and MF2.
#[tokio::test]
async fn somebody_sets_an_app_up_uses_it_and_removes_it() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    let before = cookie(&browser, "session");
    let (phone, codes) = set_up(&f, &mut browser).await;
    assert_ne!(cookie(&browser, "session"), before, "case SEC-107");
    assert!(browser.sees("factors-app-since"), "{}", browser.page());
    assert_eq!(browser.page().read("factors-codes-left"), "Codes that are left: 10");
    browser.goto("/account").await;
    assert!(browser.page().text().contains("Password, Authenticator app"), "{}", browser.page());
    assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), 10);
    assert!(codes.iter().all(|code| code.len() == 19), "80 bits in groups: {codes:?}");

    f.clock.advance(30);
    let mut elsewhere = f.browser();
    half_way(&f, &mut elsewhere, &f.c1).await;
    step(&mut elsewhere, &phone.shows(f.now())).await;
    assert!(is_inside(&elsewhere), "{}", elsewhere.page());

    browser.goto("/account/factors").await.press("factors-renew").await;
    assert!(browser.sees("recovery-codes"), "{}", browser.page());
    let mut late = f.browser();
    half_way(&f, &mut late, &f.c1).await;
    late.press("factor-recovery").await;
    step(&mut late, &codes[0]).await;
    assert!(late.sees("factor-problem"), "case SEC-129: an old code, {}", late.page());

    browser.goto("/account/factors").await.press("factors-remove").await;
    assert!(browser.sees("notice") && browser.sees("factors-begin"), "{}", browser.page());
    assert!(!browser.sees("factors-codes-left"), "there is nothing for them to stand in for");
    let mut plain = f.browser();
    plain.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(is_inside(&plain), "{}", plain.page());

    let mails = subjects(&f).await;
    for subject in
        ["An authenticator app was set up", "You have new recovery codes", "The authenticator app was removed"]
    {
        assert_eq!(mails.iter().filter(|mail| *mail == subject).count(), 1, "{subject}: {mails:?}");
    }
    let lines = log(&f, &f.u1).await;
    for kind in ["totp_added", "recovery_codes_made", "totp_removed"] {
        assert_eq!(lines.iter().filter(|line| *line == kind).count(), 1, "{kind}: {lines:?}");
    }
}

/// Case SEC-132: somebody who finds a browser open changes nothing.
#[tokio::test]
async fn sec_132_who_signed_in_long_ago_signs_in_again_by_all_that_they_have() {
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    step(&mut browser, &phone.shows(f.now())).await;
    browser.goto("/account/factors").await;
    let stale = ["factors-remove", "factors-renew"].map(|button| browser.form(button));
    f.clock.advance(600);
    browser.goto("/account/factors").await;
    assert!(!browser.sees("factors-remove") && !browser.sees("factors-renew"), "{}", browser.page());
    for (action, method, form) in stale {
        browser.goto("/account/factors").await;
        browser.submit(&action, method, &form).await;
        assert!(browser.sees("login-password"), "the form is old: {}", browser.page());
    }
    browser.goto("/account/factors").await.press("factors-again").await;
    browser.sign_in(&f.u1).await;
    step(&mut browser, &phone.shows(f.now())).await;
    assert_eq!(browser.page().path(), "/account/factors");
    browser.press("factors-remove").await;
    assert!(browser.sees("notice"), "{}", browser.page());
}

/// A fresh password alone does not remove a second factor.
#[tokio::test]
async fn sec_132_one_factor_does_not_remove_the_other() {
    let f = fixtures().await;
    let mut thief = f.signed_in(&f.u1).await;
    crate::harness::phone::phone(&f.app, &f.u1).await;
    thief.goto("/account/factors").await;
    assert!(thief.sees("factors-again") && !thief.sees("factors-remove"), "{}", thief.page());
    thief.press("factors-again").await;
    thief.sign_in(&f.u1).await;
    assert!(thief.sees("factor-code"), "{}", thief.page());
}

/// What was begun and not confirmed counts for nothing, and another who begins gets another key.
#[tokio::test]
async fn an_app_that_nobody_confirmed_is_none() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto("/account/factors").await.press("factors-begin").await;
    let first = browser.page().read("factor-secret");
    browser.goto("/account/factors").await;
    assert_eq!(browser.page().read("factor-secret"), first);
    let mut plain = f.browser();
    plain.goto(&f.c1.asks().url()).await.sign_in(&f.u1).await;
    assert!(is_inside(&plain), "{}", plain.page());
    f.clock.advance(3600);
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto("/account/factors").await.press("factors-begin").await;
    assert_ne!(browser.page().read("factor-secret"), first);
}

/// Whoever else is in the account, with a stolen password say, neither sees the key that somebody is reading nor has one of
/// their own confirmed by them.
#[tokio::test]
async fn sec_132_an_app_is_confirmed_only_where_it_was_begun() {
    let f = fixtures().await;
    let mut thief = f.signed_in(&f.u1).await;
    thief.goto("/account/factors").await.press("factors-begin").await;
    let stolen = Phone::reading(&thief.page().read("factor-secret"));
    let (action, method, form) = thief.fill("factor-code", &stolen.shows(f.now())).form("factors-confirm");
    let mut owner = f.signed_in(&f.u1).await;
    owner.goto("/account/factors").await;
    assert!(!owner.sees("factor-secret"), "{}", owner.page());
    owner.press("factors-begin").await;
    let own = Phone::reading(&owner.page().read("factor-secret"));
    assert_ne!(own.shows(f.now()), stolen.shows(f.now()));
    // What was begun first is over, at its own place, too.
    thief.submit(&action, method, &form).await;
    assert!(!thief.sees("recovery-codes") && !thief.sees("factor-secret"), "{}", thief.page());
    owner.fill("factor-code", &own.shows(f.now())).press("factors-confirm").await;
    assert!(owner.sees("recovery-codes"), "{}", owner.page());
}

/// A new password makes a key worthless that was begun under the old one.
#[tokio::test]
async fn sec_132_a_new_password_ends_what_was_begun() {
    let f = fixtures().await;
    let mut browser = f.signed_in(&f.u1).await;
    browser.goto("/account/factors").await.press("factors-begin").await;
    let phone = Phone::reading(&browser.page().read("factor-secret"));
    let stale = browser.fill("factor-code", &phone.shows(f.now())).form("factors-confirm");
    browser.goto("/account/password").await;
    browser.fill("password-current", &f.u1.password).fill("password-new", "eleven narrow bridges");
    browser.press("password-submit").await;
    assert!(browser.sees("notice"), "the session goes on: {}", browser.page());
    let (action, method, form) = browser.goto("/account/factors").await.form("factors-begin");
    let form = form.without("do").also("do", "confirm").also("code", stale.2.get("code").unwrap());
    browser.submit(&action, method, &form).await;
    assert!(!browser.sees("recovery-codes"), "{}", browser.page());
    assert!(!factors::of(&f.app, f.u1.id.parse().unwrap()).await.unwrap().any());
}

/// Requirement MF6: an operator helps whoever has lost everything.
#[tokio::test]
async fn an_operator_takes_all_factors_away() {
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    step(&mut browser, &phone.shows(f.now())).await;
    factors::reset(&f.app, f.u1.id.parse().unwrap(), false).await.unwrap();
    browser.goto("/account").await;
    assert!(browser.sees("login-submit"), "every session has ended: {}", browser.page());
    browser.sign_in(&f.u1).await;
    assert!(browser.sees("account-email"), "{}", browser.page());
    assert_eq!(subjects(&f).await[0], "Your second factors were removed");
    assert!(log(&f, &f.u1).await.contains(&"factors_reset".to_owned()));
    assert!(factors::reset(&f.app, uuid::Uuid::nil(), false).await.is_err());
}

/// The same by the API, for machines of the operator alone.
#[tokio::test]
async fn a_machine_of_the_operator_takes_all_factors_away() {
    let (f, _) = with_phone().await;
    let token = async |scope: &'static str| {
        let machine = f.client(ClientSpec { scope, ..ClientSpec::machine(scope.split(':').next().unwrap()) }).await;
        let form = Parameters::new(&[("grant_type", "client_credentials"), ("scope", scope)]);
        Tokens::of(&machine.token(form).await).access
    };
    let reset = |id: &str| Call::post(&format!("/api/users/{id}/reset-factors"));
    let (operator, other) = (token("signet:admin").await, token("reports.read").await);
    assert_eq!(f.site.send(reset(&f.u1.id)).await.status, 401);
    assert_eq!(f.site.send(reset(&f.u1.id).bearer(&other)).await.status, 401);
    for nobody in ["x", &uuid::Uuid::nil().to_string()] {
        assert_eq!(f.site.send(reset(nobody).bearer(&operator)).await.status, 404, "{nobody}");
    }
    assert!(factors::of(&f.app, f.u1.id.parse().unwrap()).await.unwrap().any());
    let done = f.site.send(reset(&f.u1.id).bearer(&operator)).await;
    assert_eq!((done.status, done.json()), (200, serde_json::json!({ "providers_removed": 0 })));
    assert!(!factors::of(&f.app, f.u1.id.parse().unwrap()).await.unwrap().any());
    assert_eq!(subjects(&f).await[0], "Your second factors were removed");
}

/// Requirement MF2: whoever has few left is told so while there is time.
#[tokio::test]
async fn who_has_few_recovery_codes_left_is_told_to_make_new_ones() {
    let (f, phone) = with_phone().await;
    for (n, code) in phone.codes[..7].iter().enumerate() {
        let mut browser = f.browser();
        half_way(&f, &mut browser, &f.c1).await;
        browser.press("factor-recovery").await;
        step(&mut browser, code).await;
        browser.goto("/account/factors").await;
        assert_eq!(browser.sees("factors-codes-few"), n == 6, "{}", browser.page());
    }
}

/// Of tokens without a session, too, none sees what another has begun.
#[tokio::test]
async fn sec_132_tokens_without_a_session_are_places_of_their_own() {
    let f = fixtures().await;
    let spec = ClientSpec {
        first_party: true,
        grant_types: vec!["authorization_code", "password"],
        scope: "openid signet:account",
        ..ClientSpec::web("own")
    };
    let client = f.client(spec).await;
    let begin = async || {
        let form = [("username", &*f.u1.username), ("password", &*f.u1.password), ("scope", "signet:account")];
        let form = Parameters::new(&form).also("grant_type", "password");
        let access = Tokens::of(&client.token(form).await).access;
        let call = Call::post("/api/v1/me/factors/totp").bearer(&access).body("application/json", "{}");
        (f.site.send(call.clone()).await.json()["secret"].clone(), f.site.send(call).await.json()["secret"].clone())
    };
    let (first, again) = begin().await;
    assert_eq!(first, again);
    assert!(first.is_string());
    assert_ne!(begin().await.0, first);
}
