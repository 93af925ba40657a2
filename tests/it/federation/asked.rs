//! What the provider is asked, and by which pages.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use openssl::sha::sha256;
use sea_orm::EntityTrait;
use signet::store::upstream_login;

use super::{HOSTS, OPEN, World, grace, is_inside, world, world_with};
use crate::harness::{Browser, Call, Parameters, TestServer, assert};

fn request(browser: &Browser) -> Parameters {
    Parameters::parse(browser.landed().url.query().unwrap())
}

/// One pixel.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

/// RFC 9700 §2.1.1, OpenID Connect Core §3.1.2.1; and nothing of it is in the database.
#[tokio::test]
async fn a_request_is_bound_by_state_nonce_and_pkce() {
    let World { f, up } = world(OPEN).await;
    let mut browser = f.browser();
    let mut seen = Vec::new();
    for _ in 0..2 {
        browser.goto(&f.c1.asks().with("login_hint", "grace@harbor.example").url()).await;
        browser.press("login-provider-harbor").await;
        let request = request(&browser);
        let value = |name: &str| request.get(name).unwrap_or_else(|| panic!("no {name}")).to_string();
        assert_eq!(value("redirect_uri"), format!("{}/federation/harbor/callback", f.site.issuer));
        assert_eq!(
            (value("scope"), value("login_hint")),
            ("openid profile email".into(), "grace@harbor.example".into())
        );
        assert_eq!(value("code_challenge_method"), "S256");
        for name in ["state", "nonce", "code_challenge"] {
            assert::random_enough(name, &value(name));
            seen.push(value(name));
        }
        assert!(request.get("prompt").is_none());
    }
    assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), 6);
    let rows = format!("{:?}", upstream_login::Entity::find().all(&f.app.db).await.unwrap());
    assert!(!seen.iter().any(|secret| rows.contains(secret)), "{rows}");

    let back = up.back(&browser.landed().url, &grace());
    browser.goto(&back).await;
    assert!(is_inside(&browser), "{}", browser.page());
    let redeemed = up.asked("/token").pop().unwrap();
    let verifier = redeemed.form.get("code_verifier").unwrap();
    assert_eq!(BASE64.encode(sha256(verifier.as_bytes())), seen[5]);
    assert!(redeemed.authorization.unwrap().starts_with("Basic ") && redeemed.form.get("client_secret").is_none());
}

#[tokio::test]
async fn what_the_app_wants_of_the_person_is_passed_on() {
    let World { f, up: _up } = world("").await;
    for (prompt, passed) in [("login", "login"), ("select_account", "select_account"), ("consent", "")] {
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().with("prompt", prompt).url()).await.press("login-provider-harbor").await;
        assert_eq!(request(&browser).get("prompt").unwrap_or_default(), passed, "{prompt}");
    }
}

/// What the operator adds stands beside what the app wants, and never instead of what binds the request to us.
#[tokio::test]
async fn the_operator_adds_to_the_request() {
    let more = "authorization_params = { access_type = 'offline', prompt = 'consent', response_mode = 'form_post' }";
    let World { f, up: _up } = world(more).await;
    for (prompt, passed) in [(None, "consent"), (Some("login"), "login consent")] {
        let asked = match prompt {
            Some(prompt) => f.c1.asks().with("prompt", prompt),
            None => f.c1.asks(),
        };
        let mut browser = f.browser();
        browser.goto(&asked.url()).await.press("login-provider-harbor").await;
        let request = request(&browser);
        let said = ["access_type", "prompt", "response_mode"].map(|name| request.get(name).unwrap_or_default());
        assert_eq!(said, ["offline", passed, "form_post"]);
        assert_eq!(request.names().iter().filter(|name| **name == "prompt").count(), 1);
    }
}

/// RFC 7636: a public client proves itself by the verifier alone.
#[tokio::test]
async fn a_provider_may_have_given_no_secret() {
    let up = crate::harness::upstream::Upstream::start().await;
    let secret = format!("client_secret = '{}'\n", crate::harness::upstream::SECRET);
    let declared = up.declared("harbor", &format!("{OPEN}\ntoken_endpoint_auth_method = 'none'")).replace(&secret, "");
    let f = TestServer::declaring(&[HOSTS], &declared).await.fixtures().await;
    up.live_by(&f.clock);
    up.lies().is_public = true;
    let w = World { f, up };
    w.enrolled().await;
    let redeemed = w.up.asked("/token").pop().unwrap();
    assert!(redeemed.authorization.is_none() && redeemed.form.get("code_verifier").is_some());
}

/// The form works without scripts, and needs its token.
#[tokio::test]
async fn a_button_is_a_form_of_ours() {
    let World { f, up: _up } = world("").await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    assert!(browser.page().text().contains("Continue with Harbor"), "{}", browser.page());
    let (action, method, form) = browser.form("login-provider-harbor");
    browser.submit(&action, method, &form.without("csrf")).await;
    assert!(!browser.has_left() && browser.sees("login-submit"), "{}", browser.page());
    assert_eq!(browser.request(Call::get(&action)).await.status, 405);
}

#[tokio::test]
async fn an_app_can_ask_for_a_provider() {
    let World { f, up } = world(&format!("{OPEN}\nhidden = true")).await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    assert!(!browser.sees("login-provider-harbor"), "it is hidden");
    let asked = f.c1.asks().with("idp_hint", "harbor");
    browser.goto(&asked.url()).await;
    assert!(browser.landed().raw.starts_with(&up.issuer), "at once");
    let back = up.back(&browser.landed().url, &grace());
    browser.goto(&back).await;
    assert!(is_inside(&browser), "{}", browser.page());

    for (asked, why) in [
        (f.c1.asks().with("idp_hint", "nobody"), "nobody has that name"),
        (f.c1.asks().with("idp_hint", "../harbor"), "it is no name"),
    ] {
        let mut browser = f.browser();
        browser.goto(&asked.url()).await;
        assert!(browser.sees("login-submit"), "{why}: {}", browser.page());
    }
    let mut browser = f.browser();
    let silent = asked.with("prompt", "none");
    browser.goto(&silent.url()).await;
    assert::redirect(&browser, &f.c1, &silent, "login_required");
    let mut browser = f.browser();
    browser.post_from_elsewhere("/authorize", &f.c1.asks().with("idp_hint", "harbor").parameters).await;
    assert!(browser.has_left(), "also of a request that was posted: {}", browser.page());
    assert!(browser.landed().raw.starts_with(&up.issuer), "{}", browser.landed().raw);
}

/// OpenID Connect Core §3.1.2.1: an app that knows whom it sends.
#[tokio::test]
async fn a_hidden_provider_is_shown_to_its_people() {
    for (setting, login, shown) in [
        ("hint_domains = ['harbor.example']", "Grace@Harbor.Example ", true),
        ("hint_domains = ['harbor.example']", "grace@ferry.example", false),
        ("hint_domains = ['harbor.example']", "grace@not.harbor.example", false),
        ("hint_domains = ['harbor.example']", "harbor.example", false),
        ("email_domains = ['harbor.example']", "grace@harbor.example", true),
        ("email_domains = ['harbor.example']\nhint_domains = ['ferry.example']", "grace@harbor.example", false),
        ("", "grace@harbor.example", false),
    ] {
        let World { f, up: _up } = world(&format!("{OPEN}\nhidden = true\n{setting}")).await;
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().with("login_hint", login).url()).await;
        assert_eq!(browser.sees("login-provider-harbor"), shown, "{setting} {login}: {}", browser.page());
        if shown {
            browser.press("login-provider-harbor").await;
            assert!(browser.has_left(), "{}", browser.page());
        }
    }
}

#[tokio::test]
async fn a_button_has_the_operators_picture() {
    let up = crate::harness::upstream::Upstream::start().await;
    let picture = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(picture.path(), PICTURE).unwrap();
    let settings = [
        up.declared("harbor", &format!("icon = '{}'", picture.path().display())),
        up.declared("plain", ""),
        up.declared("google", "").replace("'oidc'", "'google'"),
    ];
    let f = TestServer::declaring(&[HOSTS], &settings.concat()).await.fixtures().await;
    let mut browser = f.browser();
    let page = browser.goto(&f.c1.asks().url()).await.page().answer.text();
    let [harbor, plain, google] = ["harbor", "plain", "google"].map(|name| {
        let from = page.find(&format!("id=\"login-provider-{name}\"")).unwrap();
        page[from..][..page[from..].find("</button>").unwrap()].to_owned()
    });
    assert!(google.contains("#ea4335") && plain.contains(">H</span>"), "{google} {plain}");
    let address = harbor.split_once("src=\"").unwrap().1.split_once('"').unwrap().0;
    let icon = f.site.send(Call::get(address)).await;
    assert_eq!((icon.status, icon.header("content-type")), (200, Some("image/png")));
    assert_eq!(icon.body, PICTURE);
    assert!(icon.header("content-security-policy").unwrap().contains("sandbox"));
    let etag = icon.header("etag").unwrap().to_owned();
    assert_eq!(f.site.send(Call::get(address).header("if-none-match", &etag)).await.status, 304);
    for nothing in ["/federation/plain/icon", "/federation/nobody/icon"] {
        assert_eq!(f.site.send(Call::get(nothing)).await.status, 404, "{nothing}");
    }
}

#[tokio::test]
async fn buttons_have_an_order() {
    let up = crate::harness::upstream::Upstream::start().await;
    let settings = [
        up.declared("b", "button = 'Bee'").replace("button = 'Harbor'\n", ""),
        up.declared("c", "order = 1"),
        up.declared("a", ""),
    ];
    let f = TestServer::declaring(&[HOSTS], &settings.concat()).await.fixtures().await;
    let mut browser = f.browser();
    let html = browser.goto(&f.c1.asks().url()).await.page().answer.text();
    let places = ["c", "a", "b"].map(|name| html.find(&format!("id=\"login-provider-{name}\"")).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

/// A browser has a few ways open at once, and not as many as it likes.
#[tokio::test]
async fn open_ways_are_few() {
    let w = world_with(&[], "").await;
    let mut browser = w.f.browser();
    for _ in 0..14 {
        w.leave(&mut browser, &w.f.c1).await;
        w.f.clock.advance(1);
    }
    assert_eq!(upstream_login::Entity::find().all(&w.f.app.db).await.unwrap().len(), 10);
}
