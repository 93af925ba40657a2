//! SEC-125, SEC-128: guesses and races.

use tokio::task::JoinSet;

use super::{half_way, is_inside, step, with_phone};
use crate::harness::{
    Call, TestServer,
    phone::{find, phone},
    seed,
};
use signet::store::recovery_code;

/// Five tries for each sign-in; then the password is asked for again.
#[tokio::test]
async fn sec_125_a_sign_in_has_five_tries() {
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    for _ in 0..4 {
        step(&mut browser, "000000").await;
        assert!(browser.sees("factor-problem"), "{}", browser.page());
    }
    browser.fill("factor-code", &phone.shows(f.now()));
    let (action, _, form) = browser.form("factor-submit");
    step(&mut browser, "000000").await;
    assert!(browser.sees("login-submit"), "{}", browser.page());
    let late = browser.request(Call::post(&action).form(&form)).await;
    assert_eq!(late.status, 303, "{}", late.text());
    assert!(!browser.cookies().iter().any(|cookie| cookie.name.ends_with("session")), "the sixth try is none");
}

/// Tries that come at once are counted before they are judged.
#[tokio::test]
async fn sec_125_tries_at_once_are_counted_too() {
    let (f, _) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    browser.fill("factor-code", "000000");
    let (action, _, form) = browser.form("factor-submit");
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let (mut browser, call) = (browser.stolen(), Call::post(&action).form(&form));
        tries.spawn(async move { browser.request(call).await.status });
    }
    let wrong = tries.join_all().await.into_iter().filter(|status| *status == 401).count();
    assert!(wrong <= 5, "{wrong} tries were judged");
}

/// A right password does not reset what wrong codes have counted; whoever knows the browser is not locked out by others.
#[tokio::test]
async fn sec_125_beginning_again_does_not_help() {
    let f = TestServer::with_limits().await.fixtures().await;
    let phone = phone(&f.app, &f.u1).await;
    f.clock.advance(30);
    let mut at_home = f.browser();
    half_way(&f, &mut at_home, &f.c1).await;
    step(&mut at_home, &phone.shows(f.now())).await;
    assert!(is_inside(&at_home), "{}", at_home.page());
    let (mut judged, mut waits) = (0, 0);
    for _ in 0..12 {
        let mut browser = f.browser();
        half_way(&f, &mut browser, &f.c1).await;
        step(&mut browser, "000000").await;
        match browser.page().status() {
            401 => judged += 1,
            429 => waits += 1,
            status => panic!("{status}: {}", browser.page()),
        }
    }
    assert!(judged <= 6 && waits >= 6, "{judged} judged, {waits} waited");
    for _ in 0..100 {
        if seed::mailbox(&f.app, &f.u1.email).await.iter().any(|mail| mail.subject == "Somebody knows your password") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mails = seed::mailbox(&f.app, &f.u1.email).await;
    assert_eq!(mails.iter().filter(|mail| mail.subject == "Somebody knows your password").count(), 1);
    f.clock.advance(30);
    at_home.goto(&f.c1.asks().with("prompt", "login").url()).await.sign_in(&f.u1).await;
    step(&mut at_home, &phone.shows(f.now())).await;
    assert!(is_inside(&at_home), "{}", at_home.page());
}

/// Of many sign-ins that use one code at once, one wins.
#[tokio::test]
async fn sec_128_a_code_has_one_winner() {
    let (f, phone) = with_phone().await;
    for (button, code) in [("factor-totp", phone.shows(f.now())), ("factor-recovery", phone.codes[0].clone())] {
        let mut browsers = Vec::new();
        for _ in 0..10 {
            let mut browser = f.browser();
            half_way(&f, &mut browser, &f.c1).await;
            if button == "factor-recovery" {
                browser.press(button).await;
            }
            browsers.push(browser);
        }
        let mut tries = JoinSet::new();
        for mut browser in browsers {
            let code = code.clone();
            tries.spawn(async move {
                step(&mut browser, &code).await;
                is_inside(&browser)
            });
        }
        assert_eq!(tries.join_all().await.into_iter().filter(|won| *won).count(), 1, "{button}");
    }
}

/// Two codes that are right for one sign-in at once: one opens it, and the other is as good as before.
#[tokio::test]
async fn sec_129_a_code_that_came_too_late_is_not_used_up() {
    let (f, phone) = with_phone().await;
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    browser.press("factor-recovery").await;
    let mut tries = JoinSet::new();
    for code in &phone.codes[..5] {
        browser.fill("factor-code", code);
        let (action, _, form) = browser.form("factor-submit");
        let (mut browser, call) = (browser.stolen(), Call::post(&action).form(&form));
        tries.spawn(async move { browser.request(call).await });
    }
    tries.join_all().await;
    let user = find(&f.app, &f.u1).await;
    assert_eq!(recovery_code::left(&f.app.db, user.id).await.unwrap(), 9);
}

/// The server that is strict takes a code in its own half minute only (OWASP ASVS 6.5.5).
#[tokio::test]
async fn a_strict_server_takes_no_late_code() {
    let f = TestServer::with(&[("second_factor.strict_totp", "true")]).await.fixtures().await;
    let phone = phone(&f.app, &f.u1).await;
    f.clock.advance(90);
    let mut browser = f.browser();
    half_way(&f, &mut browser, &f.c1).await;
    step(&mut browser, &phone.shows(f.now() - 30)).await;
    assert!(browser.sees("factor-problem"), "{}", browser.page());
    step(&mut browser, &phone.shows(f.now())).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

/// SEC-125, SEC-124: many sign-ins at once are no way to more guesses.
#[tokio::test]
async fn sec_125_guesses_of_many_sign_ins_at_once_are_judged_in_turn() {
    let f = TestServer::with_limits().await.fixtures().await;
    phone(&f.app, &f.u1).await;
    let mut ready = Vec::new();
    for n in 0..12 {
        let mut browser = f.browser();
        half_way(&f, &mut browser, &f.c1).await;
        let (action, _, form) = browser.fill("factor-code", &format!("00000{}", n % 10)).form("factor-submit");
        let call =
            Call::post(&action).header("origin", &f.site.issuer).header("sec-fetch-site", "same-origin").form(&form);
        ready.push((browser, call));
    }
    let mut tries = JoinSet::new();
    for (mut browser, call) in ready {
        tries.spawn(async move { browser.request(call).await.status });
    }
    let answers = tries.join_all().await;
    let judged = answers.iter().filter(|status| **status == 401).count();
    // Four are free; those that came before any had failed may be as many again.
    assert!(judged <= 8, "{answers:?}");
    assert!(answers.iter().all(|status| [401, 429, 503].contains(status)), "{answers:?}");
}
