//! What a provider says, and how far it is believed: addresses, groups, and when somebody signed in.

use std::net::{IpAddr, Ipv4Addr};

use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};
use signet::{
    app::throttle::Key,
    store::{trusted_device, upstream_link, user},
};

use super::{HOSTS, OPEN, World, cookie, grace, is_inside, is_outside, like, world, world_with};
use crate::{
    harness::{
        Browser, Parameters, TestServer, assert,
        phone::{find, phone},
        seed,
        upstream::{Lies, Mood, Upstream},
    },
    pages::entry::link,
};

impl World {
    async fn only(&self) -> user::User {
        let links = self.links().await;
        assert_eq!(links.len(), 1);
        user::find(&self.f.app.db, links[0].user_id).await.unwrap().unwrap()
    }

    /// The newest request at the provider's page.
    fn request(browser: &Browser) -> Parameters {
        Parameters::parse(browser.landed().url.query().unwrap())
    }
}

/// Case SEC-138: where nobody can be written to, too, an address is not the person's because some provider says so.
#[tokio::test]
async fn sec_138_without_mail_an_address_is_not_believed_either() {
    for (link, email) in [("sign_in", None), ("verified_email", Some("grace@harbor.example"))] {
        let no_mail = [("issuer", "https://signet.example")];
        let w = world_with(&no_mail, &format!("sign_up = true\nlink = '{link}'")).await;
        let mut browser = w.f.browser();
        w.come(&mut browser, &grace()).await;
        assert!(is_inside(&browser), "{}", browser.page());
        let user = w.only().await;
        assert_eq!((user.email.as_deref(), user.email_verified), (email, email.is_some()), "{link}");
    }
}

/// OpenID Connect Core §5.7: "verified" is said of one address, and not of whichever comes from elsewhere.
#[tokio::test]
async fn sec_138_an_address_is_verified_by_the_document_that_names_it() {
    for (why, token, userinfo, verified) in [
        (
            "another address in userinfo",
            json!({ "email_verified": null, "name": null }),
            json!({ "email": "me@x.example" }),
            false,
        ),
        ("no address in userinfo", json!({ "email_verified": null, "name": null }), json!({ "email": null }), false),
        ("the same in both", json!({ "email_verified": null, "name": null }), json!({}), true),
        (
            "the flag without an address",
            json!({ "email": null, "email_verified": true }),
            json!({ "email_verified": null }),
            false,
        ),
        ("all in userinfo", json!({ "email": null, "email_verified": null }), json!({}), true),
    ] {
        let w = world("link = 'verified_email'").await;
        (w.up.lies().claims, w.up.lies().userinfo) = (token, userinfo);
        let mut browser = w.f.browser();
        w.come(&mut browser, &like(&w.f.u1)).await;
        assert_eq!(
            (is_inside(&browser), w.links().await.len()),
            (verified, verified.into()),
            "{why}: {}",
            browser.page()
        );
    }
}

/// Groups that stand in userinfo count; while it is away, nobody loses anything by it.
#[tokio::test]
async fn groups_may_stand_in_userinfo() {
    let w =
        world(&format!("{OPEN}\ngroups_claim = 'groups'\nallowed_groups = ['staff']\nadmin_groups = ['wheel']")).await;
    let u1 = find(&w.f.app, &w.f.u1).await.id;
    user::appoint(&w.f.app.db, u1, true, w.f.now()).await.unwrap();
    let mut person = grace();
    person["groups"] = json!(["staff", "wheel"]);
    w.up.lies().claims = json!({ "groups": null });
    let mut browser = w.f.browser();
    w.come(&mut browser, &person).await;
    assert!(is_inside(&browser), "{}", browser.page());
    assert!(w.only().await.admin);
    w.up.lies().moods.insert("/userinfo", Mood::Status(503));
    let mut browser = w.f.browser();
    w.come(&mut browser, &person).await;
    is_outside(&browser, "provider-away", 503);
    assert!(w.only().await.admin, "an outage takes nothing away");
    w.up.repent();
    // They are in the ID token now, and the document that is away is not needed.
    w.up.lies().moods.insert("/userinfo", Mood::Status(503));
    person["groups"] = json!({ "staff": { "7": "harbor.example" } });
    w.come(&mut browser, &person).await;
    assert!(is_inside(&browser), "{}", browser.page());
    assert!(!w.only().await.admin, "the group was taken away, and the other is named as a role");
}

/// Who has no address in the ID token does not get an account without one by an outage.
#[tokio::test]
async fn an_outage_makes_no_account_without_an_address() {
    let w = world(OPEN).await;
    *w.up.lies() = Lies { claims: json!({ "email": null }), ..Lies::default() };
    w.up.lies().moods.insert("/userinfo", Mood::Status(500));
    let mut browser = w.f.browser();
    w.come(&mut browser, &grace()).await;
    is_outside(&browser, "provider-away", 503);
    assert!(w.links().await.is_empty());
}

/// OpenID Connect Core §3.1.2.1, §2: `max_age` is the provider's to keep, and `auth_time` is when the person was there.
#[tokio::test]
async fn how_old_a_sign_in_may_be_is_the_apps_to_say() {
    for (why, max_age, ago, inside) in [
        ("young enough", "60", Some(30), true),
        ("as clocks differ", "60", Some(110), true),
        ("too old", "60", Some(130), false),
        ("it does not tell", "60", None, true),
        ("nobody asked", "", Some(7200), true),
    ] {
        let w = world("link = 'verified_email'").await;
        let asked = match max_age {
            "" => w.f.c1.asks(),
            age => w.f.c1.asks().with("max_age", age),
        };
        let mut browser = w.f.browser();
        browser.goto(&asked.url()).await.press("login-provider-harbor").await;
        assert_eq!(World::request(&browser).get("max_age").unwrap_or_default(), max_age, "{why}");
        let mut person = like(&w.f.u1);
        person["auth_time"] = ago.map_or(Value::Null, |ago| json!(w.f.now() - ago));
        let back = w.up.back(&browser.landed().url, &person);
        browser.goto(&back).await;
        if !inside {
            is_outside(&browser, "provider-failed", 400);
            let (rule, noted) = w.refusal().await;
            assert!(rule == "upstream_token" && noted.contains("did not ask the person to sign in again"), "{noted}");
            continue;
        }
        browser.press("consent-allow").await;
        let claims = w.f.c1.tokens(&assert::granted(&browser, &w.f.c1, &asked), &asked).await.claims();
        assert_eq!(claims["auth_time"], w.f.now() - ago.unwrap_or_default(), "{why}");
    }
}

/// Two windows at once: who was not signed in when they set out was not asked to sign in again.
#[tokio::test]
async fn who_signs_in_in_another_window_meanwhile_is_not_refused() {
    let w = world("link = 'verified_email'").await;
    let mut person = like(&w.f.u1);
    person["auth_time"] = json!(w.f.now() - 7200);
    let mut browser = w.f.browser();
    let mut backs = Vec::new();
    for _ in 0..2 {
        w.leave(&mut browser, &w.f.c1).await;
        backs.push(w.up.back(&browser.landed().url, &person));
    }
    w.f.clock.advance(5);
    for back in backs {
        browser.goto(&back).await;
        assert!(is_inside(&browser), "{}", browser.page());
    }
}

/// Whose account it is, is shown by another provider as well, however long ago the person signed in there.
#[tokio::test]
async fn who_signs_in_by_another_provider_is_asked_whether_to_connect() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let more = [one.declared("harbor", ""), two.declared("ferry", "link = 'verified_email'")].concat();
    let f = TestServer::declaring(&[HOSTS], &more).await.fixtures().await;
    one.live_by(&f.clock);
    two.live_by(&f.clock);
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await.press("login-provider-harbor").await;
    let back = one.back(&browser.landed().url, &like(&f.u1));
    browser.goto(&back).await.press("connect-sign-in").await.press("login-provider-ferry").await;
    let mut person = like(&f.u1);
    person["auth_time"] = json!(f.now() - 7200);
    let back = two.back(&browser.landed().url, &person);
    browser.goto(&back).await;
    assert!(browser.sees("connect-yes"), "{}", browser.page());
}

/// Who is signed in and asked again has to sign in there again, too (cases SEC-016, SEC-132).
#[tokio::test]
async fn sec_132_who_is_asked_again_is_asked_there_as_well() {
    let w = world("link = 'verified_email'").await;
    let mut person = like(&w.f.u1);
    let mut browser = w.f.browser();
    person["auth_time"] = json!(w.f.now() - 7200);
    w.come(&mut browser, &person).await;
    assert!(is_inside(&browser), "{}", browser.page());
    browser.goto("/account/providers").await;
    assert!(browser.sees("providers-again"), "two hours ago is not just now: {}", browser.page());
    browser.press("providers-again").await.press("login-provider-harbor").await;
    assert_eq!(World::request(&browser).get("prompt"), Some("login"));
    let there = browser.landed().url.clone();
    browser.goto(&w.up.back(&there, &person)).await;
    assert!(browser.sees("provider-failed"), "the old sign-in is not enough: {}", browser.page());
    browser.goto("/account/providers").await.press("providers-again").await.press("login-provider-harbor").await;
    person["auth_time"] = json!(w.f.now());
    let there = browser.landed().url.clone();
    browser.goto(&w.up.back(&there, &person)).await;
    browser.goto("/account/providers").await;
    assert!(browser.sees("connect-harbor"), "{}", browser.page());
}

/// Case SEC-140: trust in a browser stands in for no factor where somebody's ways in are changed.
#[tokio::test]
async fn sec_140_connecting_takes_all_that_the_person_has() {
    let w = world("").await;
    let phone = phone(&w.f.app, &w.f.u1).await;
    w.f.clock.advance(30);
    let mut browser = w.f.browser();
    browser.goto(&w.f.c1.asks().url()).await.sign_in(&w.f.u1).await;
    let (action, method, form) = browser.fill("factor-code", &phone.shows(w.f.now())).form("factor-submit");
    browser.submit(&action, method, &form.with("trust", "yes")).await;
    assert!(is_inside(&browser) && cookie(&browser, "trusted").is_some(), "{}", browser.page());
    assert_eq!(trusted_device::Entity::find().all(&w.f.app.db).await.unwrap().len(), 1);
    browser.goto("/account").await.press("account-sign-out").await;
    w.f.clock.advance(60);
    // Somebody at that browser, who knows the password, comes by an account of their own.
    w.come(&mut browser, &like(&w.f.u1)).await;
    browser.press("connect-sign-in").await.sign_in(&w.f.u1).await;
    assert!(browser.sees("factor-code"), "{}", browser.page());
    browser.fill("factor-code", &phone.shows(w.f.now())).press("factor-submit").await;
    browser.press("connect-yes").await;
    assert!(is_inside(&browser) && w.links().await.len() == 1, "{}", browser.page());
}

/// A page that waited for too long: the person signs in once more, and says so again.
#[tokio::test]
async fn sec_140_who_waits_too_long_signs_in_again_to_connect() {
    let w = world_with(&[("second_factor.fresh", "60")], "").await;
    let mut browser = w.f.browser();
    w.come(&mut browser, &like(&w.f.u1)).await;
    browser.press("connect-sign-in").await.sign_in(&w.f.u1).await;
    w.f.clock.advance(90);
    browser.press("connect-yes").await;
    assert!(browser.sees("login-password") && w.links().await.is_empty(), "{}", browser.page());
    browser.sign_in(&w.f.u1).await.press("connect-yes").await;
    assert!(is_inside(&browser) && w.links().await.len() == 1, "{}", browser.page());
}

/// What others typed in at the same address keeps nobody from coming by a provider.
#[tokio::test]
async fn wrong_passwords_of_others_do_not_lock_a_provider() {
    let w = world_with(&[("limits", "on")], OPEN).await;
    let here = [Key::Address(IpAddr::V4(Ipv4Addr::LOCALHOST))];
    for _ in 0..60 {
        w.f.app.throttle.failed(&here, w.f.now());
    }
    let mut browser = w.f.browser();
    browser.goto(&w.f.c1.asks().url()).await.sign_in(&w.f.u1).await;
    assert_eq!(browser.page().status(), 429, "the address waits: {}", browser.page());
    w.enrolled().await;
}

/// Whoever made the account, and a way into it, may not be whom the address belongs to.
#[tokio::test]
async fn sec_120_the_owner_of_an_address_who_resets_the_password_has_the_account_alone() {
    for (verification, verified, links) in [("optional", false, 0), ("optional", true, 1), ("required", false, 1)] {
        let settings = [("accounts.registration", "open"), ("accounts.verification", verification)];
        let w = world_with(&settings, "").await;
        let (id, email) = (find(&w.f.app, &w.f.u1).await.id, w.f.u1.email.clone());
        let change = user::ActiveModel { id: Set(id), email_verified: Set(verified), ..Default::default() };
        user::Entity::update(change).exec(&w.f.app.db).await.unwrap();
        let identity = upstream_link::identity(&w.up.issuer, "g-1906");
        let stranger = upstream_link::UpstreamLink {
            id: w.f.app.id(),
            user_id: id,
            identity,
            upstream: "harbor".into(),
            issuer: w.up.issuer.clone(),
            subject: "g-1906".into(),
            label: None,
            sealed_tokens: None,
            created_at: w.f.now(),
            last_used_at: w.f.now(),
        };
        upstream_link::insert(&w.f.app.db, stranger).await.unwrap();
        let mut browser = w.f.browser();
        browser.goto("/account/forgot").await.fill("forgot-login", &email).press("forgot-submit").await;
        browser.goto(&link(&w.f, &email, "/account/reset").await).await;
        browser.fill("reset-password", "a quiet walk by the shore").press("reset-submit").await;
        assert_eq!(w.links().await.len(), links, "{verification} {verified}: {}", browser.page());
        let told = seed::mailbox(&w.f.app, &email).await;
        let told = told.iter().filter(|mail| mail.subject == "A way into your account was closed").count();
        assert_eq!(told, 1 - links, "{verification} {verified}");
    }
}

/// Somebody registered with the address and could not confirm it: its owner comes, and gets the account that is hers.
#[tokio::test]
async fn an_unconfirmed_registration_makes_way_for_the_owner_of_the_address() {
    for (setting, inside) in [(OPEN, true), ("sign_up = true", false)] {
        let w = world_with(&[("accounts.registration", "open")], setting).await;
        let mut squatter = w.f.browser();
        squatter.goto(&w.f.c1.asks().url()).await.press("login-register").await;
        squatter.fill("register-email", "grace@harbor.example").fill("register-name", "Not Grace");
        squatter.fill("register-username", "squatter").fill("register-password", "a quiet walk by the shore");
        squatter.press("register-submit").await;
        let squatting = user::find_by_login(&w.f.app.db, "grace@harbor.example").await.unwrap().expect("a row");
        assert!(squatting.unconfirmed_since.is_some());
        let mut browser = w.f.browser();
        w.come(&mut browser, &grace()).await;
        let left = user::find(&w.f.app.db, squatting.id).await.unwrap();
        assert_eq!((is_inside(&browser), left.is_none()), (inside, inside), "{setting}: {}", browser.page());
        if inside {
            assert_eq!(w.only().await.email.as_deref(), Some("grace@harbor.example"));
        }
    }
}

/// Decision K1: the answer to the last form before the app may lead to it.
#[tokio::test]
async fn the_page_that_asks_for_more_may_lead_to_the_app() {
    let w = world_with(&[("accounts.usernames", "required")], OPEN).await;
    let mut person = grace();
    person["preferred_username"] = json!("ada");
    let mut browser = w.f.browser();
    w.come(&mut browser, &person).await;
    assert!(browser.sees("enrol-submit"), "{}", browser.page());
    let policy = browser.page().answer.header("content-security-policy").unwrap().to_owned();
    let forms = policy.split("form-action ").nth(1).unwrap().split(';').next().unwrap();
    assert!(forms.split(' ').any(|source| source == "https:"), "{policy}");
}
