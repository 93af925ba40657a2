//! FD: signing in with a provider.

mod arriving;
mod asked;
mod believed;
mod doubles;
mod github;
mod google;
mod guides;
mod helped;
mod hostile;
mod kept_tokens;
mod kinds;
mod linking;
mod logging_out;
mod moved;
mod operators;
mod outages;
mod programs;
mod rules;
mod signing_up;
mod without_password;

use sea_orm::EntityTrait;
use serde_json::{Value, json};
use signet::{
    flows::admin::providers,
    store::{trace_event, upstream_link},
};

use crate::harness::{
    Browser, Fixtures, RelyingParty, TestServer,
    seed::Person,
    upstream::{CLIENT, SECRET, Upstream},
};

/// A provider, and a server that has it among its ways in.
struct World {
    f: Fixtures,
    up: Upstream,
}

const HOSTS: (&str, &str) = ("outbound.allow_hosts", "127.0.0.1");

async fn world(more: &str) -> World {
    world_with(&[], more).await
}

async fn world_with(settings: &[(&str, &str)], more: &str) -> World {
    let up = Upstream::start().await;
    let settings = [&[HOSTS], settings].concat();
    let f = TestServer::declaring(&settings, &up.declared("harbor", more)).await.fixtures().await;
    up.live_by(&f.clock);
    World { f, up }
}

/// Somebody whom only the provider knows.
fn grace() -> Value {
    json!({
        "sub": "g-1906", "email": "grace@harbor.example", "email_verified": true, "name": "Grace Hopper",
        "preferred_username": "grace",
    })
}

/// Somebody there who has the same address as a person here.
fn like(person: &Person) -> Value {
    json!({ "sub": format!("at-{}", person.username), "email": person.email, "email_verified": true, "name": "Like" })
}

impl World {
    /// The provider is none of the settings.
    async fn made_by_operators() -> Self {
        let up = Upstream::start().await;
        let f = TestServer::with(&[HOSTS]).await.fixtures().await;
        up.live_by(&f.clock);
        let w = World { f, up };
        let harbor = json!({
            "name": "harbor", "kind": "oidc", "issuer": w.up.issuer, "client_id": CLIENT, "client_secret": SECRET,
            "sign_up": true, "link": "verified_email", "keep_tokens": true,
        });
        providers::create(&w.f.app, harbor.as_object().unwrap().clone()).await.unwrap();
        w
    }

    /// To the provider, as far as its own page.
    async fn leave(&self, browser: &mut Browser, app: &RelyingParty) {
        browser.goto(&app.asks().url()).await.press("login-provider-harbor").await;
        assert!(browser.has_left(), "{}", browser.page());
    }

    /// There and back again.
    async fn come(&self, browser: &mut Browser, person: &Value) {
        self.leave(browser, &self.f.c1).await;
        let back = self.up.back(&browser.landed().url, person);
        browser.goto(&back).await;
    }

    async fn links(&self) -> Vec<upstream_link::UpstreamLink> {
        upstream_link::Entity::find().all(&self.f.app.db).await.unwrap()
    }

    /// The newest refusal: its rule, and all that was noted of it.
    async fn refusal(&self) -> (String, String) {
        self.f.app.recorder.flush().await;
        let refusals = trace_event::refusals(&self.f.app.db, 1).await.unwrap();
        let check = refusals.first().expect("a refusal").checks().pop().unwrap();
        let noted = [&check.said, &check.expected, &check.received];
        let noted: Vec<&str> = noted.into_iter().flatten().map(|shown| shown.as_str()).collect();
        (check.rule.to_string(), noted.join(" | "))
    }

    /// Grace has an account that the provider opens.
    async fn enrolled(&self) -> Browser {
        let mut browser = self.f.browser();
        self.come(&mut browser, &grace()).await;
        assert!(is_inside(&browser), "{}", browser.page());
        browser
    }
}

fn cookie(browser: &Browser, name: &str) -> Option<String> {
    browser.cookies().iter().find(|cookie| cookie.name.ends_with(name)).map(|cookie| cookie.value.clone())
}

fn is_inside(browser: &Browser) -> bool {
    browser.has_left() || browser.sees("consent-allow")
}

/// A page, and nobody is signed in.
#[track_caller]
fn is_outside(browser: &Browser, id: &str, status: u16) {
    assert!(browser.sees(id), "{}", browser.page());
    assert_eq!(browser.page().status(), status, "{}", browser.page());
    assert_eq!(cookie(browser, "session"), None, "{}", browser.page());
}

/// Lets in whom the provider knows, and believes its addresses.
const OPEN: &str = "sign_up = true\nlink = 'verified_email'";
