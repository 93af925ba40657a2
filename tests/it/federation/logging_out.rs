//! Signing out together with a provider: only of what it has opened.

use sea_orm::EntityTrait;
use serde_json::{Value, json};
use signet::{
    flows::{admin::providers, logout_delivery},
    store::{
        session,
        upstream_session::{self, UpstreamSession},
    },
};

use super::{HOSTS, OPEN, World, grace, is_inside, like, world, world_with};
use crate::harness::{
    Answer, Browser, Call, Receiver, TestServer,
    http::Parameters,
    phone::phone,
    seed::ClientSpec,
    upstream::{Lies, Mood, Upstream},
};

const BYE: &str = "https://rp.example/bye";

/// Grace in one of her sessions there.
fn at(sid: &str) -> Value {
    let mut person = grace();
    person["sid"] = sid.into();
    person
}

async fn inside(w: &World, person: &Value) -> Browser {
    let mut browser = w.f.browser();
    w.come(&mut browser, person).await;
    assert!(is_inside(&browser), "{}", browser.page());
    browser
}

async fn sessions(w: &World) -> usize {
    session::Entity::find().all(&w.f.app.db).await.unwrap().len()
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.goto("/account").await.sees("account-sign-out")
}

async fn tell(w: &World, name: &str, token: &str) -> Answer {
    let call = Call::post(&format!("/federation/{name}/backchannel-logout"));
    let answer = w.f.site.send(call.form(&Parameters::new(&[("logout_token", token)]))).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer
}

#[tokio::test]
async fn a_session_ends_with_the_one_there() {
    let w = world(OPEN).await;
    let (mut one, mut two) = (inside(&w, &at("there-1")).await, inside(&w, &at("there-2")).await);
    assert!(is_signed_in(&mut one).await && is_signed_in(&mut two).await);
    let answer = tell(&w, "harbor", &w.up.logout_token(&json!({ "sid": "there-1" }))).await;
    assert_eq!((answer.status, answer.text()), (200, String::new()));
    assert!(!is_signed_in(&mut one).await && is_signed_in(&mut two).await);
    // §2.7: who is out already is out. And the session of somebody else there is not hers.
    assert_eq!(tell(&w, "harbor", &w.up.logout_token(&json!({ "sid": "there-1" }))).await.status, 200);
    let other = json!({ "sid": "there-2", "sub": "g-1907" });
    assert_eq!(tell(&w, "harbor", &w.up.logout_token(&other)).await.status, 200);
    assert!(is_signed_in(&mut two).await);
    let both = json!({ "sid": "there-2", "sub": "g-1906" });
    assert_eq!(tell(&w, "harbor", &w.up.logout_token(&both)).await.status, 200);
    assert!(!is_signed_in(&mut two).await);
    assert_eq!(upstream_session::Entity::find().all(&w.f.app.db).await.unwrap().len(), 0, "nothing is left of them");
}

/// Without a session it is meant of all that the person has by this provider, and of nothing else.
#[tokio::test]
async fn all_sessions_of_a_person_end_that_the_provider_has_opened() {
    let w = world("link = 'verified_email'").await;
    let person = like(&w.f.u1);
    let (mut one, mut two) = (inside(&w, &person).await, inside(&w, &person).await);
    let mut own = w.f.visit(&w.f.c1).await.browser;
    assert_eq!(sessions(&w).await, 3);
    let token = w.up.logout_token(&json!({ "sub": person["sub"] }));
    assert_eq!(tell(&w, "harbor", &token).await.status, 200);
    assert!(!is_signed_in(&mut one).await && !is_signed_in(&mut two).await);
    assert!(is_signed_in(&mut own).await, "the password opened this one");
}

#[tokio::test]
async fn our_apps_are_told_in_turn() {
    let (w, receiver) = (world(OPEN).await, Receiver::start(&[]).await);
    let spec = ClientSpec { backchannel_logout_uri: Some(receiver.url()), ..ClientSpec::web("told") };
    let client = w.f.client(spec).await;
    let mut browser = w.f.browser();
    w.leave(&mut browser, &client).await;
    let back = w.up.back(&browser.landed().url, &at("there-1"));
    browser.goto(&back).await;
    if browser.sees("consent-allow") {
        browser.press("consent-allow").await;
    }
    assert!(browser.has_left(), "{}", browser.page());
    assert_eq!(tell(&w, "harbor", &w.up.logout_token(&json!({ "sid": "there-1" }))).await.status, 200);
    logout_delivery::run_due(&w.f.app).await.unwrap();
    assert_eq!(receiver.only().token().claims["aud"], "told");
}

/// OpenID Connect Back-Channel Logout §2.6.
#[tokio::test]
async fn a_logout_token_is_refused_when() {
    let w = world(OPEN).await;
    let mut browser = inside(&w, &at("there-1")).await;
    let sid = |more: Value| {
        let mut claims = json!({ "sid": "there-1" });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    };
    let now = w.f.now();
    let logout = "http://schemas.openid.net/event/backchannel-logout";
    for (reason, claims, lies) in [
        ("another says it", sid(json!({ "iss": "https://evil.example" })), Lies::default()),
        ("nobody says it", sid(json!({ "iss": null })), Lies::default()),
        ("it is for another app", sid(json!({ "aud": "other" })), Lies::default()),
        ("it is for nobody", sid(json!({ "aud": null })), Lies::default()),
        ("it is for other apps", sid(json!({ "aud": ["other", 1] })), Lies::default()),
        ("it has expired", sid(json!({ "exp": now - 61 })), Lies::default()),
        ("it never expires", sid(json!({ "exp": null })), Lies::default()),
        ("it is old", sid(json!({ "iat": now - 601, "exp": now + 999 })), Lies::default()),
        ("it is of tomorrow", sid(json!({ "iat": now + 3600, "exp": now + 3700 })), Lies::default()),
        ("it has no time", sid(json!({ "iat": "now" })), Lies::default()),
        ("it has no jti", sid(json!({ "jti": null })), Lies::default()),
        ("its jti is no text", sid(json!({ "jti": 7 })), Lies::default()),
        ("it says of no event", sid(json!({ "events": null })), Lies::default()),
        ("it says of another event", sid(json!({ "events": { "https://x.example": {} } })), Lies::default()),
        ("its event is no object", sid(json!({ "events": { logout: true } })), Lies::default()),
        ("it could be an ID token", sid(json!({ "nonce": "n" })), Lies::default()),
        ("it names nobody", json!({}), Lies::default()),
        ("it names what is no session", json!({ "sid": 1, "sub": "g-1906" }), Lies::default()),
        ("it names what is nobody", json!({ "sid": "there-1", "sub": "" }), Lies::default()),
        ("nobody signed it", sid(json!({})), (Lies { alg: Some("none"), ..Lies::default() })),
        ("a public key signed it", sid(json!({})), (Lies { alg: Some("HS256"), ..Lies::default() })),
        (
            "a stranger signed it",
            sid(json!({})),
            (Lies { key: 1, header: json!({ "kid": "key-0" }), ..Lies::default() }),
        ),
        ("it is of another type", sid(json!({})), (Lies { header: json!({ "typ": "at+jwt" }), ..Lies::default() })),
    ] {
        *w.up.lies() = lies;
        let answer = tell(&w, "harbor", &w.up.logout_token(&claims)).await;
        assert_eq!(answer.status, 400, "{reason}: {}", answer.text());
        assert_eq!(answer.json()["error"], "invalid_request", "{reason}");
        w.up.repent();
        assert_eq!(sessions(&w).await, 1, "{reason}");
    }
    for token in ["", "x", "a.b.c"] {
        assert_eq!(tell(&w, "harbor", token).await.status, 400, "{token}");
    }
    let path = "/federation/harbor/backchannel-logout";
    assert_eq!(w.f.site.send(Call::post(path).form(&Parameters::new(&[]))).await.status, 400);
    assert_eq!(w.f.site.send(Call::get(path)).await.status, 405);
    assert_eq!(tell(&w, "nobody", &w.up.logout_token(&sid(json!({})))).await.status, 400);
    assert!(is_signed_in(&mut browser).await);
}

#[tokio::test]
async fn a_logout_token_counts_once() {
    let w = world(OPEN).await;
    let token = w.up.logout_token(&json!({ "sub": "g-1906" }));
    assert_eq!(tell(&w, "harbor", &token).await.status, 200);
    let mut browser = inside(&w, &at("there-1")).await;
    assert_eq!(tell(&w, "harbor", &token).await.status, 400);
    let (rule, noted) = w.refusal().await;
    assert_eq!(rule, "upstream_logout", "{noted}");
    w.f.clock.advance(300);
    assert_eq!(tell(&w, "harbor", &token).await.status, 400);
    assert!(is_signed_in(&mut browser).await);
}

/// A provider ends what it has opened, whatever it knows of another's.
#[tokio::test]
async fn no_provider_ends_what_another_has_opened() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let more = [one.declared("harbor", OPEN), two.declared("ferry", "sign_up = true\nlink = 'verified_email'")];
    let f = TestServer::declaring(&[HOSTS], &more.concat()).await.fixtures().await;
    one.live_by(&f.clock);
    two.live_by(&f.clock);
    let w = World { f, up: one };
    let mut browser = inside(&w, &at("there-1")).await;
    for claims in
        [json!({ "sid": "there-1" }), json!({ "sub": "g-1906" }), json!({ "sid": "there-1", "sub": "g-1906" })]
    {
        assert_eq!(tell(&w, "ferry", &two.logout_token(&claims)).await.status, 200);
        assert_eq!(tell(&w, "harbor", &two.logout_token(&claims)).await.status, 400);
    }
    assert!(is_signed_in(&mut browser).await);
}

const TOGETHER: &str = "sign_up = true\nlink = 'verified_email'\nlogout = true";

async fn together() -> World {
    let w = world_with(&[], TOGETHER).await;
    let end = format!("{}/end", w.up.issuer);
    w.up.lies().discovery = json!({ "end_session_endpoint": end });
    w
}

/// Signs out at our own page; whether the browser goes on to the provider, and with what.
async fn leave(w: &World, browser: &mut Browser, path: &str) -> Option<Parameters> {
    browser.goto(path).await.press("logout-confirm").await;
    browser.sees("signing-out-continue").then(|| onward(w, browser))
}

/// What the page that goes on to the provider asks there.
fn onward(w: &World, browser: &Browser) -> Parameters {
    let page = browser.page();
    let href = page.document.elements[page.button("signing-out-continue")].attribute("href").unwrap();
    let query = href.strip_prefix(&format!("{}/end?", w.up.issuer));
    Parameters::parse(query.unwrap_or_else(|| panic!("{href}")))
}

#[tokio::test]
async fn signing_out_goes_on_to_the_provider_and_back() {
    let w = together().await;
    let mut browser = inside(&w, &at("there-1")).await;
    let row = upstream_session::Entity::find().one(&w.f.app.db).await.unwrap().unwrap();
    let path =
        w.f.c1.logout_url(&[("client_id", &w.f.c1.client_id), ("post_logout_redirect_uri", BYE), ("state", "s")]);
    let asked = leave(&w, &mut browser, &path).await.expect("on to the provider");
    let back = format!("{}/federation/harbor/logged-out", w.f.app.issuer());
    assert_eq!(asked.get("post_logout_redirect_uri"), Some(&*back));
    assert_eq!(asked.get("client_id"), Some(crate::harness::upstream::CLIENT));
    let hint = asked.get("id_token_hint").unwrap();
    assert!(hint.split('.').count() == 3 && !format!("{row:?}").contains(hint));
    let sealed = row.hint.unwrap().0;
    let payload = hint.split('.').nth(1).unwrap().as_bytes();
    assert!(!sealed.windows(payload.len()).any(|window| window == payload), "sealed");
    assert_eq!(sessions(&w).await, 0);

    let state = asked.get("state").unwrap();
    let back = format!("{back}?state={state}");
    let mut stranger = w.f.browser();
    assert!(stranger.goto(&back).await.sees("logged-out"), "another browser is sent nowhere");
    browser.goto(&back).await;
    assert_eq!(browser.landed().raw, format!("{BYE}?state=s"));
    browser.goto(&back).await;
    assert!(browser.sees("logged-out"), "and once");
    for nonsense in ["", "?state=", "?state=x", "?state=%00"] {
        let path = format!("/federation/harbor/logged-out{nonsense}");
        assert!(browser.goto(&path).await.sees("logged-out"), "{nonsense}: {}", browser.page());
    }
}

#[tokio::test]
async fn who_signs_out_of_their_account_signs_out_there_too() {
    let w = together().await;
    let mut browser = inside(&w, &at("there-1")).await;
    browser.goto("/account").await.press("account-sign-out").await;
    let asked = onward(&w, &browser);
    let back = format!("/federation/harbor/logged-out?state={}", asked.get("state").unwrap());
    assert!(browser.goto(&back).await.sees("logged-out"), "{}", browser.page());
}

#[tokio::test]
async fn signing_out_stays_here_when() {
    // The password opened the session.
    let w = together().await;
    let mut browser = w.f.visit(&w.f.c1).await.browser;
    assert!(leave(&w, &mut browser, "/logout").await.is_none(), "by password");
    // It has no place for it.
    w.up.repent();
    let w = world(TOGETHER).await;
    let mut browser = inside(&w, &at("there-1")).await;
    assert!(leave(&w, &mut browser, "/logout").await.is_none(), "no endpoint");
    assert!(browser.sees("logged-out"), "{}", browser.page());
    // Nobody has asked for it.
    let w = world(OPEN).await;
    w.up.lies().discovery = json!({ "end_session_endpoint": format!("{}/end", w.up.issuer) });
    let mut browser = inside(&w, &at("there-1")).await;
    let rows = upstream_session::Entity::find().all(&w.f.app.db).await.unwrap();
    assert!(rows.len() == 1 && rows[0].hint.is_none(), "no token is kept for nothing");
    assert!(leave(&w, &mut browser, "/logout").await.is_none(), "not set");
    assert!(browser.sees("logged-out"), "{}", browser.page());
}

/// Nobody stays signed in because a provider is down.
#[tokio::test]
async fn a_provider_that_is_away_keeps_nobody_signed_in() {
    let w = together().await;
    let mut browser = inside(&w, &at("there-1")).await;
    w.f.app.cache.upstream_metadata.invalidate_all();
    w.up.lies().moods.insert("/.well-known/openid-configuration", Mood::Status(503));
    assert!(leave(&w, &mut browser, "/logout").await.is_none());
    assert!(browser.sees("logged-out") && sessions(&w).await == 0, "{}", browser.page());
}

/// Who owes a second factor when the provider signs them out, does not come by what it said before.
#[tokio::test]
async fn who_is_half_way_goes_no_further() {
    let w = world("link = 'verified_email'").await;
    let phone = phone(&w.f.app, &w.f.u1).await;
    let mut person = like(&w.f.u1);
    person["sid"] = json!("there-1");
    for (sid, inside) in [("there-2", true), ("there-1", false)] {
        w.f.clock.advance(60);
        let mut browser = w.f.browser();
        w.come(&mut browser, &person).await;
        assert!(browser.sees("factor-code"), "{}", browser.page());
        assert_eq!(tell(&w, "harbor", &w.up.logout_token(&json!({ "sid": sid }))).await.status, 200);
        browser.fill("factor-code", &phone.shows(w.f.now())).press("factor-submit").await;
        assert_eq!(is_inside(&browser), inside, "{sid}: {}", browser.page());
    }
    // The other token has ended the one of the first time, too, and nothing is left of the second.
    assert_eq!(sessions(&w).await, 0);
}

/// A session that lives longer is the provider's to end for as long.
#[tokio::test]
async fn a_session_that_goes_on_ends_with_the_one_there() {
    let w = world_with(&[("lifetimes.session_idle", "24h")], OPEN).await;
    let mut browser = inside(&w, &at("there-1")).await;
    w.f.clock.advance(80_000);
    browser.goto("/account/password").await.press("password-again").await.press("login-provider-harbor").await;
    let back = w.up.back(&browser.landed().url, &grace());
    browser.goto(&back).await.fill("password-new", "a quiet walk by the shore").press("password-submit").await;
    assert!(is_signed_in(&mut browser).await, "{}", browser.page());
    w.f.clock.advance(20_000);
    signet::flows::forget::expired(&w.f.app).await.unwrap();
    let hers = json!({ "sub": "g-1906" });
    assert_eq!(tell(&w, "harbor", &w.up.logout_token(&hers)).await.status, 200);
    assert!(!is_signed_in(&mut browser).await, "{}", browser.page());
}

/// Nobody comes by it any more, and yet those who have come go with it.
#[tokio::test]
async fn a_provider_that_is_switched_off_still_signs_people_out() {
    let o = World::made_by_operators().await;
    let mut browser = inside(&o, &at("there-1")).await;
    providers::set_disabled(&o.f.app, "harbor", true).await.unwrap();
    assert_eq!(tell(&o, "harbor", &o.up.logout_token(&json!({ "sid": "there-1" }))).await.status, 200);
    assert!(!is_signed_in(&mut browser).await);
}

/// More sessions than one statement can name.
#[tokio::test]
async fn however_many_sessions_there_are_they_end() {
    let w = world(OPEN).await;
    let mut browser = inside(&w, &at("there-1")).await;
    let db = &w.f.app.db;
    let (known, of) = (
        session::Entity::find().one(db).await.unwrap().unwrap(),
        upstream_session::Entity::find().one(db).await.unwrap().unwrap(),
    );
    for n in 0..450_u32 {
        let id = w.f.app.id();
        let hash = signet::crypto::secret::Secret::presented(&n.to_string()).hash();
        session::start(db, session::Session { id, hash, ..known.clone() }).await.unwrap();
        let row = UpstreamSession { id: w.f.app.id(), session_id: Some(id), ..of.clone() };
        let row = upstream_session::ActiveModel::from(row);
        upstream_session::Entity::insert(row).exec_without_returning(db).await.unwrap();
    }
    assert_eq!(sessions(&w).await, 451);
    assert_eq!(tell(&w, "harbor", &w.up.logout_token(&json!({ "sub": "g-1906" }))).await.status, 200);
    assert!(!is_signed_in(&mut browser).await && sessions(&w).await == 0);
}
