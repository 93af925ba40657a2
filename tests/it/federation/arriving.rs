//! Whose account it is: found by issuer and subject, connected by its person, and never by an address alone.

use serde_json::json;
use signet::flows::admin::users;

use super::{OPEN, World, cookie, grace, is_inside, is_outside, like, world, world_with};
use crate::harness::{
    TestServer, assert,
    phone::{find, phone},
    seed::{self, disable_user},
    upstream::Upstream,
};

#[tokio::test]
async fn whoever_has_come_before_is_known_again() {
    let w = world(OPEN).await;
    w.enrolled().await;
    let (mut browser, asked) = (w.f.browser(), w.f.c1.asks());
    // Names and addresses change there; the number does not.
    let renamed = json!({ "sub": "g-1906", "email": "g.hopper@harbor.example", "name": "Grace M. Hopper" });
    browser.goto(&asked.url()).await.press("login-provider-harbor").await;
    let back = w.up.back(&browser.landed().url, &renamed);
    browser.goto(&back).await.press("consent-allow").await;
    let claims = w.f.c1.tokens(&assert::granted(&browser, &w.f.c1, &asked), &asked).await.claims();
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["federated"]), &json!("aal1")));
    let links = w.links().await;
    assert_eq!((links.len(), links[0].label.as_deref()), (1, Some("g.hopper@harbor.example")));
    assert_eq!(claims["sub"], links[0].user_id.to_string());
    let user = signet::store::user::find(&w.f.app.db, links[0].user_id).await.unwrap().unwrap();
    assert_eq!((user.email.as_deref(), user.email_verified), (Some("grace@harbor.example"), true));
    assert_eq!(user.claims.name.as_deref(), Some("Grace Hopper"), "their own from now on");
}

/// What the operator maps by name is the provider's to say.
#[tokio::test]
async fn a_mapped_claim_is_taken_over_at_every_sign_in() {
    let w = world(&format!("{OPEN}\nclaims = {{ name = 'about.shown' }}")).await;
    for name in ["Grace", "Amazing Grace"] {
        let mut person = grace();
        person["about"] = json!({ "shown": name });
        let mut browser = w.f.browser();
        w.come(&mut browser, &person).await;
        assert!(is_inside(&browser), "{}", browser.page());
        let links = w.links().await;
        let user = signet::store::user::find(&w.f.app.db, links[0].user_id).await.unwrap().unwrap();
        assert_eq!((links.len(), user.claims.name.as_deref()), (1, Some(name)));
    }
}

/// Case SEC-139: two providers may know two people by one number.
#[tokio::test]
async fn sec_139_the_same_subject_of_another_provider_is_somebody_else() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let more = [one.declared("harbor", OPEN), two.declared("ferry", "sign_up = true\nlink = 'verified_email'")];
    let f = TestServer::declaring(&[super::HOSTS], &more.concat()).await.fixtures().await;
    one.live_by(&f.clock);
    two.live_by(&f.clock);
    let other = json!({ "sub": "g-1906", "email": "other@ferry.example", "email_verified": true });
    for (name, up, person) in [("harbor", &one, grace()), ("ferry", &two, other)] {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().url()).await.press(&format!("login-provider-{name}")).await;
        let back = up.back(&browser.landed().url, &person);
        browser.goto(&back).await;
        assert!(is_inside(&browser), "{}", browser.page());
    }
    let w = World { f, up: one };
    let links = w.links().await;
    assert_eq!(links.len(), 2);
    assert!(links[0].user_id != links[1].user_id && links[0].subject == links[1].subject);
}

/// Case SEC-138: whatever a provider says of an address, nobody is signed in to an account by it.
#[tokio::test]
async fn sec_138_an_address_alone_opens_no_account() {
    for (setting, sign_up) in [("", false), ("sign_up = true", true)] {
        for verified in [json!(true), json!(false), json!(null), json!("true"), json!(1)] {
            let w = world(setting).await;
            let mut person = like(&w.f.u1);
            person["email_verified"] = verified.clone();
            let mut browser = w.f.browser();
            w.come(&mut browser, &person).await;
            assert_eq!(cookie(&browser, "session"), None, "{verified}: {}", browser.page());
            let asks = if sign_up && verified != json!(true) && verified != json!("true") {
                "enrol-submit"
            } else {
                "connect-sign-in"
            };
            assert!(browser.sees(asks), "{verified}: {}", browser.page());
            assert!(w.links().await.is_empty());
        }
    }
}

/// Only whoever has both signs in by it: once by the password, then by either.
#[tokio::test]
async fn who_signs_in_once_connects_their_account() {
    let w = world("").await;
    let mut browser = w.f.browser();
    w.come(&mut browser, &like(&w.f.u1)).await;
    assert!(browser.page().text().contains(&w.f.u1.email), "{}", browser.page());
    browser.press("connect-sign-in").await.sign_in(&w.f.u1).await;
    assert!(browser.sees("connect-yes") && w.links().await.is_empty(), "{}", browser.page());
    let (action, method, form) = browser.form("connect-yes");
    browser.submit(&action, method, &form.clone().without("csrf")).await;
    assert_eq!((browser.page().status(), w.links().await.len()), (403, 0), "case SEC-140");
    browser.goto(&action).await.press("connect-yes").await;
    assert!(browser.sees("consent-allow"), "{}", browser.page());
    assert_eq!(w.links().await[0].user_id.to_string(), w.f.u1.id);
    let mails = seed::mailbox(&w.f.app, &w.f.u1.email).await;
    assert!(mails.iter().any(|mail| mail.subject == "A new way into your account"), "{mails:?}");

    let mut another = w.f.browser();
    w.come(&mut another, &like(&w.f.u1)).await;
    assert!(is_inside(&another), "{}", another.page());
}

#[tokio::test]
async fn who_says_no_is_not_connected() {
    let w = world("").await;
    let mut browser = w.f.browser();
    w.come(&mut browser, &like(&w.f.u1)).await;
    // Somebody else than the address says: they see which two it is, and decide.
    browser.press("connect-sign-in").await.sign_in(&w.f.u2).await.press("connect-no").await;
    assert!(browser.sees("consent-allow") && w.links().await.is_empty(), "{}", browser.page());
    let mut again = w.f.browser();
    w.come(&mut again, &like(&w.f.u1)).await;
    is_outside(&again, "connect-sign-in", 200);
}

/// A session that was open before proves nothing of whoever has come.
#[tokio::test]
async fn a_session_of_before_connects_nothing() {
    let w = world("").await;
    let mut browser = w.f.signed_in(&w.f.u1).await;
    w.f.clock.advance(5);
    let asked = w.f.c1.asks().with("prompt", "login");
    browser.goto(&asked.url()).await.press("login-provider-harbor").await;
    let back = w.up.back(&browser.landed().url, &grace());
    browser.goto(&back).await;
    assert!(browser.sees("connect-sign-in") && !browser.sees("connect-yes"), "{}", browser.page());
    let url = browser.page().answer.url.to_string();
    browser.goto(url.trim_end_matches("/connect")).await;
    assert!(browser.sees("login-submit") && w.links().await.is_empty(), "{}", browser.page());
}

#[tokio::test]
async fn a_verified_address_connects_where_the_operator_says_so() {
    let w = world("link = 'verified_email'").await;
    let mut browser = w.f.browser();
    w.come(&mut browser, &like(&w.f.u1)).await;
    assert!(is_inside(&browser), "{}", browser.page());
    assert_eq!(w.links().await[0].user_id.to_string(), w.f.u1.id);

    for (why, verified, disabled) in
        [("the provider does not say so", json!(false), false), ("closed", json!(true), true)]
    {
        let w = world("link = 'verified_email'").await;
        disable_user(&w.f.app, &w.f.u1, disabled).await;
        let mut person = like(&w.f.u1);
        person["email_verified"] = verified;
        let mut browser = w.f.browser();
        w.come(&mut browser, &person).await;
        is_outside(&browser, "connect-sign-in", 200);
        assert!(w.links().await.is_empty(), "{why}");
    }
}

/// Case SEC-131: a provider is one factor, whatever it says, unless the operator believes it.
#[tokio::test]
async fn sec_131_the_second_factor_is_asked_for() {
    for (trust, amr, acr, asked_for) in [
        ("", json!(["mfa", "pwd", "otp"]), "", true),
        ("trust_second_factor = true", json!(["pwd"]), "", true),
        ("trust_second_factor = true", json!(["pwd", "otp"]), "", false),
        ("trust_second_factor = true", json!(["mfa"]), "", false),
        ("trust_second_factor = true\nsecond_factor_acr = ['gold']", json!(null), "gold", false),
        ("trust_second_factor = true\nsecond_factor_acr = ['gold']", json!(null), "silver", true),
    ] {
        let w = world(&format!("link = 'verified_email'\n{trust}")).await;
        let phone = phone(&w.f.app, &w.f.u1).await;
        w.f.clock.advance(30);
        let mut person = like(&w.f.u1);
        (person["amr"], person["acr"]) = (amr.clone(), json!(acr));
        let (mut browser, asked) = (w.f.browser(), w.f.c1.asks());
        browser.goto(&asked.url()).await.press("login-provider-harbor").await;
        let back = w.up.back(&browser.landed().url, &person);
        browser.goto(&back).await;
        assert_eq!(browser.sees("factor-code"), asked_for, "{trust} {amr} {acr}: {}", browser.page());
        if asked_for {
            assert_eq!(cookie(&browser, "session"), None, "case SEC-130");
            browser.fill("factor-code", &phone.shows(w.f.now())).press("factor-submit").await;
        }
        browser.press("consent-allow").await;
        let claims = w.f.c1.tokens(&assert::granted(&browser, &w.f.c1, &asked), &asked).await.claims();
        let amr = if asked_for { json!(["otp", "federated", "mfa"]) } else { json!(["federated", "mfa"]) };
        assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal2"), &amr));
    }
}

/// Case SEC-141.
#[tokio::test]
async fn sec_141_a_closed_account_stays_closed() {
    let w = world(OPEN).await;
    w.enrolled().await;
    let user = w.links().await[0].user_id;
    users::set_disabled(&w.f.app, user, true).await.unwrap();
    let mut browser = w.f.browser();
    w.come(&mut browser, &grace()).await;
    is_outside(&browser, "provider-closed", 403);
    assert_eq!(w.refusal().await.0, "account");
    users::set_disabled(&w.f.app, user, false).await.unwrap();
    w.come(&mut browser, &grace()).await;
    assert!(is_inside(&browser), "{}", browser.page());
}

/// Case SEC-141: what a provider calls people is nothing here, unless the operator has said what it means.
#[tokio::test]
async fn sec_141_roles_count_only_by_the_operators_mapping() {
    let mut person = grace();
    person["role"] = json!("admin");
    person["admin"] = json!(true);
    person["groups"] = json!(["admins", "staff"]);
    for (setting, admin) in [
        ("", false),
        ("groups_claim = 'groups'", false),
        ("groups_claim = 'groups'\nadmin_groups = ['wheel']", false),
        ("groups_claim = 'groups'\nadmin_groups = ['admins']", true),
    ] {
        let w = world(&format!("{OPEN}\n{setting}")).await;
        let mut browser = w.f.browser();
        w.come(&mut browser, &person).await;
        assert!(is_inside(&browser), "{}", browser.page());
        let user = w.links().await[0].user_id;
        let is_admin = async || signet::store::user::find(&w.f.app.db, user).await.unwrap().unwrap().admin;
        assert_eq!(is_admin().await, admin, "{setting}");
        if admin {
            // The last who administers stays; of two, one goes.
            let mut other = w.f.browser();
            w.come(&mut other, &grace()).await;
            assert!(is_admin().await, "nobody would be left");
            let u1 = find(&w.f.app, &w.f.u1).await.id;
            signet::store::user::appoint(&w.f.app.db, u1, true, w.f.now()).await.unwrap();
            w.come(&mut w.f.browser(), &grace()).await;
            assert!(!is_admin().await, "taken with the group");
        }
    }
}

#[tokio::test]
async fn only_those_come_whom_the_operator_lets_in() {
    for (why, setting, person, inside) in [
        ("the domain", "email_domains = ['harbor.example']", grace(), true),
        ("another domain", "email_domains = ['ferry.example']", grace(), false),
        ("a domain within", "email_domains = ['example']\n", grace(), false),
        (
            "not verified",
            "email_domains = ['harbor.example']",
            json!({ "sub": "1", "email": "a@harbor.example" }),
            false,
        ),
        ("no address", "email_domains = ['harbor.example']", json!({ "sub": "1" }), false),
        ("the group", "groups_claim = 'g'\nallowed_groups = ['x']", json!({ "sub": "1", "g": ["x"] }), true),
        ("no group", "groups_claim = 'g'\nallowed_groups = ['x']", json!({ "sub": "1", "g": ["y"] }), false),
        ("no hosted domain", "hosted_domain = 'harbor.example'", grace(), false),
    ] {
        // A domain has a dot, so that one is refused at the start already.
        if setting.contains("['example']") {
            continue;
        }
        let w = world_with(&[("mail.host", "")][..0], &format!("{OPEN}\n{setting}")).await;
        let mut browser = w.f.browser();
        w.come(&mut browser, &person).await;
        if inside {
            assert!(is_inside(&browser) || browser.sees("enrol-submit"), "{why}: {}", browser.page());
        } else {
            is_outside(&browser, "provider-unwelcome", 403);
            assert_eq!(w.refusal().await.0, "upstream_account", "{why}");
            assert!(w.links().await.is_empty(), "{why}");
        }
    }
}
