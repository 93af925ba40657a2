//! Signing in by a mailed link (requirement MF7), where the operator allows it.

use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use signet::{
    crypto::secret::Secret,
    store::{mail_link, user},
};

use super::{cookie, is_inside, mailed::sessions_of, step};
use crate::harness::{
    Answer, Asked, Browser, Call, Fixtures, TestServer, assert,
    phone::phone,
    seed::{self, Person},
};

async fn with(settings: &[(&str, &str)]) -> Fixtures {
    let settings = [&[("second_factor.magic_links", "true")], settings].concat();
    TestServer::with(&settings).await.fixtures().await
}

/// The links that were mailed there, the newest first.
async fn links(f: &Fixtures, to: &str) -> Vec<String> {
    let mails = seed::mailbox(&f.app, to).await;
    let links = mails.iter().flat_map(|mail| &mail.links).map(|link| link.address.clone());
    links.filter(|address| address.contains("/account/link?")).collect()
}

/// Asks for a link in a journey, and reads the mail.
async fn ask(f: &Fixtures, browser: &mut Browser, asked: &Asked, person: &Person) -> String {
    // The newest of two is the later one.
    f.clock.advance(1);
    let before = links(f, &person.email).await.len();
    browser.goto(&asked.url()).await;
    if !browser.page().is_fixed("login-username") {
        browser.fill("login-username", &person.username);
    }
    browser.press("login-link").await;
    assert!(browser.sees("link-asked"), "{}", browser.page());
    f.until(async || Some(links(f, &person.email).await).filter(|now| now.len() > before)?.into_iter().next()).await
}

async fn open(browser: &mut Browser, link: &str) {
    browser.goto(link).await;
    assert!(browser.sees("question-submit"), "{}", browser.page());
    browser.press("question-submit").await;
}

/// Cases SEC-121, SEC-131: looking spends nothing, the form signs in, and the tokens say how.
#[tokio::test]
async fn sec_121_only_the_form_behind_a_link_signs_in() {
    let f = with(&[]).await;
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    let link = ask(&f, &mut browser, &asked, &f.u1).await;
    let token = link.split_once("token=").unwrap().1.split('&').next().unwrap();
    assert::random_enough("the link", token);
    let kept = mail_link::Entity::find().all(&f.app.db).await.unwrap();
    assert!(kept[0].hash != Secret::presented(token).hash() && kept[0].expires_at == f.now() + 600);
    for method in [Method::HEAD, Method::GET, Method::HEAD] {
        let answer = browser.request(Call::new(method, &link)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(cookie(&browser, "session"), None);
    }
    browser.goto(&link).await;
    assert!(browser.page().text().contains(&f.u1.email), "{}", browser.page());
    let (action, _, form) = browser.form("question-submit");
    let forged = browser.request(Call::post(&action).form(&form.without("csrf"))).await;
    assert_eq!((forged.status, cookie(&browser, "session")), (403, None), "case SEC-092");
    open(&mut browser, &link).await;
    browser.walk(&f.u1).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal1"), &json!(["email"])));
    assert_eq!((&claims["sub"], claims["auth_time"].as_i64()), (&json!(f.u1.id), Some(f.now())));
    browser.goto("/account/security/sign-ins").await;
    assert!(browser.page().text().contains("Link from a mail"), "{}", browser.page());
}

/// Decision D16: where the operator has not switched it on, nothing is there.
#[tokio::test]
async fn there_are_no_links_unless_the_operator_says_so() {
    let f = crate::harness::fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    assert!(!browser.sees("login-link"), "{}", browser.page());
    browser.fill("login-username", &f.u1.username);
    let (action, method, form) = browser.form("login-submit");
    browser.submit(&action, method, &form.with("answer", "link")).await;
    assert_eq!(browser.page().status(), 401, "{}", browser.page());
    for call in [Call::get("/account/link?token=x"), Call::post("/account/link"), Call::get("/account/done/link-asked")]
    {
        assert_eq!(browser.request(call).await.status, 404);
    }
    assert!(links(&f, &f.u1.email).await.is_empty());
}

/// Login CSRF (RFC 9700 §4.7): a link that is sent on signs nobody else's browser in.
#[tokio::test]
async fn sec_119_a_link_in_another_browser_is_refused_and_unspent() {
    let f = with(&[]).await;
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    let link = ask(&f, &mut browser, &asked, &f.u1).await;
    let mut victim = f.browser();
    victim.goto(&f.c1.asks().url()).await;
    let theirs = victim.page().path().split('/').nth(2).unwrap().to_owned();
    let csrf = victim.form("login-submit").2.get("csrf").unwrap().to_owned();
    let form = crate::harness::Parameters::new(&[("csrf", &csrf)]);
    let no_journey = link.split("&journey=").next().unwrap().to_owned();
    for link in [&link, &no_journey] {
        victim.goto(link).await;
        assert_eq!((victim.page().status(), victim.sees("link-elsewhere")), (403, true), "{}", victim.page());
        let posted = victim.request(Call::post(link).form(&form)).await;
        assert_eq!((posted.status, cookie(&victim, "session")), (403, None), "{}", posted.text());
    }
    // Nor does it with the journey of that browser in it.
    let bent = format!("{no_journey}&journey={theirs}");
    let posted = victim.request(Call::post(&bent).form(&form)).await;
    assert_eq!((posted.status, cookie(&victim, "session")), (410, None), "{}", posted.text());
    open(&mut browser, &link).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

/// Case SEC-119, decision D8.
#[tokio::test]
async fn sec_119_a_link_is_worth_nothing_when() {
    for when in [
        "it was used",
        "it has expired",
        "there is a newer one",
        "there is a new password",
        "the address is another",
        "the account is disabled",
        "it is another by one character",
        "its journey is over",
    ] {
        let f = with(&[]).await;
        let (mut browser, asked) = (f.browser(), f.c1.asks());
        let mut link = ask(&f, &mut browser, &asked, &f.u1).await;
        browser.goto(&link).await;
        let (action, _, form) = browser.form("question-submit");
        let id = f.u1.id.parse().unwrap();
        match when {
            "it was used" => {
                open(&mut browser, &link).await;
                let session = cookie(&browser, "session");
                let again = browser.request(Call::post(&action).form(&form)).await;
                assert!(matches!(again.status, 403 | 410), "{}", again.text());
                assert_eq!(cookie(&browser, "session"), session);
            }
            "it has expired" => f.clock.advance(600),
            "there is a newer one" => {
                ask(&f, &mut browser, &asked, &f.u1).await;
            }
            "there is a new password" => seed::set_password(&f.app, &f.u1, "eleven narrow bridges").await,
            "the address is another" => user::set_email(&f.app.db, id, "other@example.com", f.now()).await.unwrap(),
            "the account is disabled" => seed::disable_user(&f.app, &f.u1, true).await,
            "it is another by one character" => link = link.replace("token=", "token=x"),
            _ => {
                browser.goto(&asked.url()).await.fill("login-username", &f.u1.username);
                f.clock.advance(599);
                let over = signet::store::authorization::Entity::delete_many().exec(&f.app.db);
                over.await.unwrap();
            }
        }
        browser.goto(&link).await;
        assert_eq!((browser.page().status(), browser.sees("dead-link")), (410, true), "{when}: {}", browser.page());
        if when != "it was used" {
            browser.request(Call::post(&link).form(&form)).await;
            assert_eq!(cookie(&browser, "session"), None, "{when}");
        }
    }
}

/// Case SEC-118: the same page whoever is asked for; nobody is mailed who has no account that can sign in.
#[tokio::test]
async fn sec_118_whether_there_is_an_account_is_told_by_mail_alone() {
    let f = with(&[]).await;
    let unconfirmed = f.user(seed::NewPerson::named("una")).await;
    let id: uuid::Uuid = unconfirmed.id.parse().unwrap();
    let change = user::ActiveModel { email_verified: sea_orm::Set(false), ..Default::default() };
    let una = user::Entity::update_many().set(change).filter(user::Column::Id.eq(id));
    una.exec(&f.app.db).await.unwrap();
    let mut told = Vec::new();
    for login in [&f.u1.username, &"nobody-at-all".to_owned(), &f.u5.email, &unconfirmed.email] {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().url()).await.fill("login-username", login);
        let (action, _, form) = browser.form("login-link");
        let Answer { status, headers, .. } = browser.request(Call::post(&action).form(&form)).await;
        let location = headers["location"].to_str().unwrap().split("journey=").next().unwrap().to_owned();
        browser.press("login-link").await;
        told.push((status, location, browser.page().text().to_owned()));
    }
    assert!(told.iter().all(|answer| *answer == told[0]), "{told:?}");
    f.until(async || (links(&f, &f.u1.email).await.len() == 2).then_some(())).await;
    for email in ["nobody-at-all", &f.u5.email, &unconfirmed.email] {
        assert!(links(&f, email).await.is_empty(), "{email}");
    }
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.press("login-link").await;
    assert_eq!((browser.page().status(), browser.sees("login-problem")), (422, true), "{}", browser.page());
}

/// Case SEC-131: whoever has a second factor is asked for it, and two mails are one factor.
#[tokio::test]
async fn sec_131_a_link_does_not_go_round_the_second_step() {
    let f = with(&[("second_factor.mail_codes", "true")]).await;
    let phone = phone(&f.app, &f.u1).await;
    f.clock.advance(30);
    let (mut browser, asked) = (f.browser(), f.c1.asks());
    let link = ask(&f, &mut browser, &asked, &f.u1).await;
    open(&mut browser, &link).await;
    assert!(browser.sees("factor-code") && !browser.sees("factor-mail"), "{}", browser.page());
    assert_eq!(cookie(&browser, "session"), None, "case SEC-130");
    let (action, method, form) = browser.form("factor-another");
    browser.submit(&action, method, &form.with("answer", "mail")).await;
    assert!(browser.sees("factor-recovery") && !browser.sees("factor-mail"), "{}", browser.page());
    let mails = seed::mailbox(&f.app, &f.u1.email).await;
    assert!(!mails.iter().any(|mail| mail.subject == "Your code to sign in"));
    step(&mut browser, &phone.shows(f.now())).await;
    browser.walk(&f.u1).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal1"), &json!(["otp", "email"])));

    // Whom the operator asks for one sets it up.
    let f = with(&[("second_factor.required", "everybody"), ("second_factor.mail_codes", "true")]).await;
    let mut browser = f.browser();
    let link = ask(&f, &mut browser, &f.c1.asks(), &f.u1).await;
    open(&mut browser, &link).await;
    assert!(browser.sees("factor-secret") && !browser.sees("factor-mail"), "{}", browser.page());
}

/// Case SEC-084: mail never makes two factors, so whom they are essential to has the password asked for.
#[tokio::test]
async fn sec_084_a_link_never_satisfies_whoever_wants_two_factors() {
    let f = with(&[]).await;
    let essential = json!({ "id_token": { "acr": { "essential": true, "values": ["aal2"] } } }).to_string();
    let strong = f.c1.asks().with("claims", &essential);
    let mut browser = f.browser();
    browser.goto(&strong.url()).await;
    assert!(browser.sees("login-submit") && !browser.sees("login-link"), "{}", browser.page());
    browser.fill("login-username", &f.u1.username);
    let (action, method, form) = browser.form("login-submit");
    browser.submit(&action, method, &form.with("answer", "link")).await;
    assert!(browser.sees("login-submit") && !browser.sees("link-asked"), "{}", browser.page());

    let of_phone = phone(&f.app, &f.u1).await;
    f.clock.advance(30);
    let link = ask(&f, &mut browser, &f.c1.asks(), &f.u1).await;
    open(&mut browser, &link).await;
    step(&mut browser, &of_phone.shows(f.now())).await;
    assert!(is_inside(&browser), "{}", browser.page());
    let silent = strong.clone().with("prompt", "none");
    browser.goto(&silent.url()).await;
    assert::redirect(&browser, &f.c1, &silent, "login_required");
    browser.goto(&strong.url()).await;
    assert!(browser.sees("login-password") && !browser.sees("login-link"), "{}", browser.page());
    browser.sign_in(&f.u1).await;
    f.clock.advance(30);
    step(&mut browser, &of_phone.shows(f.now())).await;
    browser.walk(&f.u1).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &strong), &strong).await.claims();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal2"), &json!(["pwd", "otp", "mfa"])));
}

/// Of many who use one link at once, one wins.
#[tokio::test]
async fn sec_119_a_link_has_one_winner() {
    let f = with(&[]).await;
    let mut browser = f.browser();
    let link = ask(&f, &mut browser, &f.c1.asks(), &f.u1).await;
    browser.goto(&link).await;
    let (action, _, form) = browser.form("question-submit");
    assert_eq!(sessions_of(&browser, &action, &form).await, 1);
}

/// Case SEC-122: to one mailbox, from wherever; the page is the same.
#[tokio::test]
async fn sec_122_a_mailbox_is_not_filled_with_links() {
    let f = with(&[]).await;
    let mut browser = f.browser();
    for _ in 0..8 {
        browser.goto(&f.c1.asks().url()).await.fill("login-username", &f.u1.email).press("login-link").await;
        assert!(browser.sees("link-asked"), "{}", browser.page());
    }
    let last = std::cell::Cell::new(0);
    let came = f.until(async || {
        let now = links(&f, &f.u1.email).await.len();
        (now > 0 && last.replace(now) == now).then_some(now)
    });
    assert_eq!(came.await, 5);
    browser.press("announced-on").await;
    assert!(browser.sees("login-submit"), "the way back: {}", browser.page());
}

/// A link works where it was asked for; a newer one for another place, which a stranger may have asked for, leaves it.
#[tokio::test]
async fn sec_119_a_newer_link_ends_the_older_ones_of_its_place_alone() {
    let f = with(&[]).await;
    let (mut owner, mut stranger) = (f.browser(), f.browser());
    let asked = f.c1.asks();
    let first = ask(&f, &mut owner, &asked, &f.u1).await;
    ask(&f, &mut stranger, &f.c1.asks(), &f.u1).await;
    owner.goto(&first).await;
    assert!(owner.sees("question-submit"), "{}", owner.page());
    let second = ask(&f, &mut owner, &asked, &f.u1).await;
    owner.goto(&first).await;
    assert!(!owner.sees("question-submit"), "the older of one place: {}", owner.page());
    open(&mut owner, &second).await;
    assert!(is_inside(&owner), "{}", owner.page());
}

/// Decision K11: strangers who ask for links do not keep out whoever has signed in at a browser before.
#[tokio::test]
async fn sec_122_strangers_leave_links_for_who_is_known() {
    let f = with(&[]).await;
    let mut owner = f.signed_in(&f.u1).await;
    owner.goto("/account").await.press("account-sign-out").await;
    let mut stranger = f.browser();
    for _ in 0..5 {
        ask(&f, &mut stranger, &f.c1.asks(), &f.u1).await;
    }
    let link = ask(&f, &mut owner, &f.c1.asks(), &f.u1).await;
    open(&mut owner, &link).await;
    assert!(is_inside(&owner), "{}", owner.page());
}

/// Whoever must sign in again does so by a link, too, at a browser where somebody else was signed in before.
#[tokio::test]
async fn a_link_signs_in_again_and_as_somebody_else() {
    let f = with(&[]).await;
    let mut browser = f.signed_in(&f.u1).await;
    let before = cookie(&browser, "session");
    let asked = f.c1.asks().with("prompt", "login");
    let link = ask(&f, &mut browser, &asked, &f.u1).await;
    open(&mut browser, &link).await;
    assert!(is_inside(&browser) && cookie(&browser, "session") != before, "case SEC-107: {}", browser.page());

    browser.goto(&asked.url()).await.press("login-another").await;
    browser.fill("login-username", &f.u2.username).press("login-link").await;
    let link = f.until(async || links(&f, &f.u2.email).await.into_iter().next()).await;
    open(&mut browser, &link).await;
    browser.walk(&f.u2).await;
    let claims = f.c1.tokens(&assert::granted(&browser, &f.c1, &asked), &asked).await.claims();
    assert_eq!(claims["sub"], f.u2.id.as_str());
}
