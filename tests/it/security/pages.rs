//! WB: the pages, as a browser and an attacker's page see them.
use reqwest::Method;
use signet::flows::{admin::clients, set_up};
use url::Url;

use super::logout::is_signed_in;
use crate::{
    config::refusal,
    harness::{
        Answer, Browser, Call, Fixtures, Parameters, TestServer, assert,
        browser::Page,
        fixtures,
        relying_party::random,
        seed::{NewPerson, lose_storage},
    },
};

const PASSWORD: &str = "sixteen wet umbrellas";

/// The set-up page, filled in.
pub async fn fill_set_up(f: &TestServer, browser: &mut Browser) {
    let link = set_up::link(&f.app, set_up::Older::AreVoid).await.unwrap();
    browser.goto(&link).await;
    browser.fill("setup-email", "root@example.com").fill("setup-name", "Root").fill("setup-password", PASSWORD);
}

/// Every kind of page, each with the client's origin where one may be named.
async fn every_page(f: &Fixtures) -> Vec<(&'static str, Page)> {
    let mut pages = Vec::new();
    let mut keep = |name, browser: &Browser| pages.push((name, browser.page().clone()));
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    keep("login", &browser);
    browser.fill("login-username", "ada").fill("login-password", "wrong").press("login-submit").await;
    keep("a wrong password", &browser);
    browser.sign_in(&f.u1).await;
    keep("consent", &browser);
    browser.goto(&f.c1.asks().with("prompt", "select_account").url()).await;
    keep("which account", &browser);
    for (name, address) in [
        ("account", "/account"),
        ("logout", "/logout"),
        ("logged out", "/logged-out"),
        ("try", "/try"),
        ("an error's id", "/errors/0123456789abcdef"),
        ("nothing there", "/nothing/here"),
        ("no such journey", "/authorize/00000000-0000-0000-0000-000000000000/login"),
        ("no id at all", "/authorize/x/login"),
        ("an unknown app", "/authorize?client_id=nobody"),
        ("no set-up link", "/setup?token=none"),
        ("the documents of the contract", "/docs"),
        ("the same for readers", "/redoc"),
    ] {
        browser.goto(address).await;
        keep(name, &browser);
    }
    browser.goto("/try").await.press("try-start").await.press("consent-allow").await;
    keep("a try that worked", &browser);
    let asked = f.c1.asks().with("response_mode", "form_post").with("prompt", "none").with("scope", "openid admin");
    browser.goto(&asked.url()).await;
    keep("an answer as a form", &browser);
    let mut browser = f.browser();
    fill_set_up(f, &mut browser).await;
    keep("set-up", &browser);
    browser.press("setup-submit").await;
    keep("set-up done", &browser);
    browser.goto("/account").await;
    keep("an administrator's account", &browser);
    pages
}

fn page(answer: Answer) -> Page {
    let document = crate::harness::html::Document::parse(&answer.text());
    Page { answer, document }
}

/// What is refused before any page is chosen.
async fn refusals(f: &Fixtures) -> Vec<(&'static str, Page)> {
    let long = "x".repeat(17 * 1024);
    let form = "application/x-www-form-urlencoded";
    let calls = [
        ("a method", Call::new(Method::PUT, "/account")),
        ("another method", Call::new(Method::DELETE, "/authorize")),
        ("a long address", Call::get(&format!("/account?{long}"))),
        ("long cookies", Call::get("/account").header("cookie", &format!("a={}", "x".repeat(9 * 1024)))),
        ("a long body", Call::post("/logout").body(form, "x".repeat(65 * 1024))),
        ("an encoded body", Call::post("/logout").header("content-encoding", "gzip").body(form, "x=y")),
        ("a forged form", Call::post("/account/sign-out").body(form, "csrf=x")),
    ];
    let mut pages = Vec::new();
    for (name, call) in calls {
        pages.push((name, page(f.site.send(call).await)));
    }
    pages
}

/// SEC-097, RFC 9700 §4.16, ASVS 3.4.1 to 3.4.8.
#[tokio::test]
async fn sec_097_every_page_tells_the_browser_what_it_may_do() {
    let f = TestServer::at("https://id.example").await.fixtures().await;
    let mut pages = every_page(&f).await;
    pages.extend(refusals(&f).await);
    lose_storage(&f.app).await;
    pages.push(("no database", page(f.site.get("/authorize?client_id=c7").await)));
    for (name, page) in &pages {
        eprintln!("{name}: {} {}", page.status(), page.path());
        assert::page_headers(page);
        let answer = &page.answer;
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{name}");
        let hsts = answer.header("strict-transport-security").expect("HSTS");
        let age = hsts.split(';').find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<u64>().ok());
        assert!(age.is_some_and(|age| age >= 365 * 86_400), "{name}: {hsts}");
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"), "{name}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{name}");
        let in_journey = ["login", "a wrong password", "consent", "which account"].contains(name);
        let as_form = *name == "an answer as a form";
        let rp = if in_journey || as_form { &["'self'", "https://rp.example"][..] } else { &["'self'"] };
        // Swagger UI's style sheet carries its pictures with it, and its forms go nowhere.
        let is_contract = ["/docs", "/redoc"].contains(&page.path());
        let images = if is_contract { &["'self'", "data:"][..] } else { &["'self'"] };
        let forms = if is_contract { &["'none'"] } else { rp };
        for (directive, sources) in [
            ("default-src", &["'none'"][..]),
            ("object-src", &["'none'"]),
            ("base-uri", &["'none'"]),
            ("frame-ancestors", &["'none'"]),
            ("img-src", images),
            ("form-action", forms),
        ] {
            assert_eq!(page.policy(directive).as_deref(), Some(&sources.map_owned()[..]), "{name}: {directive}");
        }
        for directive in ["script-src", "style-src"] {
            let sources = page.policy(directive).unwrap();
            let known = |source: &String| source == "'self'" || source.starts_with("'sha256-");
            assert!(sources.iter().all(known), "{name}: {directive} {sources:?}");
        }
    }
    assert!(pages.iter().any(|(_, page)| page.status() == 503));
}

trait MapOwned {
    fn map_owned(&self) -> Vec<String>;
}

impl MapOwned for [&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

/// K7: a popup may talk to the app that opened it; nothing else differs.
#[tokio::test]
async fn sec_097_a_popup_is_not_cut_off_from_its_app() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("display", "popup").url()).await;
    let policy = browser.page().answer.header("cross-origin-opener-policy");
    assert_eq!(policy, Some("same-origin-allow-popups"));
    assert::page_headers(browser.page());
}

/// A form as its page gives it, sent with something changed.
async fn send(browser: &mut Browser, button: &str, change: impl Fn(Call, Parameters) -> Call) -> Answer {
    let (action, method, parameters) = browser.form(button);
    assert_eq!(method, Method::POST);
    browser.request(change(Call::post(&action), parameters)).await
}

type Change = (&'static str, fn(Call, Parameters) -> Call);

/// What a page of somebody else's could send.
const FORGED: [Change; 7] = [
    ("has no token", |call, form| call.header("origin", "ISSUER").form(&form.without("csrf"))),
    ("has an empty token", |call, form| call.header("origin", "ISSUER").form(&form.with("csrf", ""))),
    ("has an invented token", |call, form| call.header("origin", "ISSUER").form(&form.with("csrf", &random(43)))),
    ("has its token in the address", |mut call, form| {
        call.url += &format!("{}csrf={}", if call.url.contains('?') { '&' } else { '?' }, form.get("csrf").unwrap());
        call.header("origin", "ISSUER").form(&form.without("csrf"))
    }),
    ("comes from another origin", |call, form| call.header("origin", "https://evil.test").form(&form)),
    ("comes from no origin", |call, form| call.header("origin", "null").form(&form)),
    ("comes from another site", |call, form| call.header("sec-fetch-site", "cross-site").form(&form)),
];

/// Shows the page of a form; the names are of its buttons.
async fn show(f: &Fixtures, button: &str) -> Browser {
    let mut browser = f.browser();
    match button {
        "login-submit" => drop(browser.goto(&f.c1.asks().url()).await),
        "login-cancel" => drop(browser.goto(&f.c1.asks().url()).await),
        "consent-allow" | "consent-deny" => {
            browser.goto(&f.c1.asks().with("prompt", "consent").url()).await.sign_in(&f.u2).await;
        }
        "account-current" => {
            f.sign_in(&mut browser, &f.u2).await;
            browser.goto(&f.c1.asks().with("prompt", "select_account").url()).await;
        }
        "setup-submit" => fill_set_up(f, &mut browser).await,
        "try-start" => drop(browser.goto("/try").await),
        "logout-confirm" => {
            f.sign_in(&mut browser, &f.u2).await;
            browser.goto("/logout").await;
        }
        "account-sign-out" => {
            f.sign_in(&mut browser, &f.u2).await;
            browser.goto("/account").await;
        }
        other => panic!("no page has {other}"),
    }
    assert!(browser.sees(button), "{}", browser.page());
    browser
}

const FORMS: [&str; 9] = [
    "login-submit",
    "login-cancel",
    "consent-allow",
    "consent-deny",
    "account-current",
    "setup-submit",
    "try-start",
    "logout-confirm",
    "account-sign-out",
];

/// SEC-098, ASVS 3.5.1, CWE-352: 403, no cookie, nothing done; the genuine form still works afterwards.
#[tokio::test]
async fn sec_098_a_forged_form_does_nothing() {
    let f = fixtures().await;
    for button in FORMS {
        let mut browser = show(&f, button).await;
        if button == "login-submit" {
            browser.fill("login-username", &f.u2.username).fill("login-password", &f.u2.password);
        }
        let cookies = browser.cookies().to_vec();
        for (name, change) in FORGED {
            let own = f.site.url("/").origin().ascii_serialization();
            let answer = send(&mut browser, button, |call, form| {
                let mut call = change(call, form);
                for (_, value) in &mut call.headers {
                    *value = value.replace("ISSUER", &own);
                }
                call
            })
            .await;
            assert_eq!((answer.status, answer.location()), (403, None), "{button} {name}: {}", answer.text());
            assert::page_headers(&page(answer));
            assert_eq!(browser.cookies(), cookies, "{button} {name}");
        }
        if ["logout-confirm", "account-sign-out"].contains(&button) {
            assert!(is_signed_in(&f, &mut browser.stolen()).await, "{button} was obeyed");
        }
        let (action, method, form) = browser.form(button);
        browser.submit(&action, method, &form).await;
        let refused = !browser.has_left() && browser.page().status() >= 400;
        assert!(!refused, "{button}: the genuine form: {}", browser.page());
    }
}

/// SEC-098: a token is worth something in its own browser and session only.
#[tokio::test]
async fn sec_098_a_token_of_another_session_is_none() {
    let f = fixtures().await;
    for button in FORMS {
        let mut browser = show(&f, button).await;
        let mut foreign = f.browser();
        foreign.goto("/try").await;
        let foreign = foreign.form("try-start").2.get("csrf").unwrap().to_string();
        let answer = send(&mut browser, button, |call, form| call.form(&form.with("csrf", &foreign))).await;
        assert_eq!((answer.status, answer.location()), (403, None), "{button}: {}", answer.text());
    }
    // The same browser before and after a login: the token of then is not the token of now.
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    let before = browser.form("login-submit").2.get("csrf").unwrap().to_string();
    browser.sign_in(&f.u2).await;
    let answer = send(&mut browser, "consent-allow", |call, form| call.form(&form.with("csrf", &before))).await;
    assert_eq!((answer.status, answer.location()), (403, None), "{}", answer.text());
}

/// SEC-098, login CSRF: an attacker cannot sign a victim's browser in with a form of the attacker's own.
#[tokio::test]
async fn sec_098_nobody_is_signed_in_by_a_form_from_elsewhere() {
    let f = fixtures().await;
    let mut attacker = f.browser();
    attacker.goto(&f.c1.asks().url()).await;
    attacker.fill("login-username", &f.u2.username).fill("login-password", &f.u2.password);
    let (action, _, form) = attacker.form("login-submit");
    let mut victim = f.browser();
    victim.goto("/try").await;
    victim.post_from_elsewhere(&action, &form).await;
    assert_eq!(victim.page().status(), 403, "{}", victim.page());
    assert!(!victim.cookies().iter().any(|cookie| cookie.name.ends_with("session")));
}

const MARKUP: &str = "\"><svg onload=alert(1)>";

/// Markup that nobody of ours wrote, and addresses that run.
#[track_caller]
fn is_inert(page: &Page) {
    let html = page.answer.text();
    assert!(!html.contains("<svg onload"), "{page}");
    for element in &page.document.elements {
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on"), "<{} {name}={value:?}> on {page}", element.name);
            if ["href", "src", "action", "formaction"].contains(&name.as_str()) {
                let safe = ["/", "#", "https://"].iter().any(|start| value.starts_with(start));
                assert!(safe && !value.starts_with("//"), "<{} {name}={value:?}> on {page}", element.name);
            }
        }
    }
}

/// SEC-099, CVE-2019-8400, CVE-2026-29191, CVE-2023-6134: what others say of themselves is shown as text.
#[tokio::test]
async fn sec_099_what_others_say_is_shown_as_text() {
    let f = fixtures().await;
    let person = NewPerson::named("mallory").claims(serde_json::json!({ "name": MARKUP }));
    let mallory = f.user(person).await;
    let mut client = clients::find(&f.app, "c1").await.unwrap();
    client.metadata.client_name = Some(MARKUP.to_string());
    let script = || Some("javascript:alert(1)//https://".to_string());
    client.metadata.client_uri = script();
    client.metadata.logo_uri = Some("data:image/svg+xml,<svg onload=alert(1)>".to_string());
    (client.metadata.policy_uri, client.metadata.tos_uri) = (script(), Some(MARKUP.to_string()));
    // As if it had been written before there were checks: the pages must not rely on them.
    clients::put(&f.app, client.clone()).await.unwrap();
    let hostile = f.c1.asks().with("login_hint", MARKUP).with("ui_locales", MARKUP);
    let mut browser = f.browser();
    browser.goto(&hostile.url()).await;
    is_inert(browser.page());
    assert_eq!(browser.page().read("login-username"), MARKUP);
    assert!(browser.page().text().contains(MARKUP), "{}", browser.page());
    let password = &mallory.password;
    browser.fill("login-username", MARKUP).fill("login-password", password).press("login-submit").await;
    is_inert(browser.page());
    browser.fill("login-username", "mallory").fill("login-password", password).press("login-submit").await;
    assert!(browser.sees("consent-allow"), "{}", browser.page());
    is_inert(browser.page());
    assert!(browser.page().text().matches(MARKUP).count() >= 2, "app and person: {}", browser.page());
    for address in ["/account", "/logout?client_id=c1", &format!("/errors/{MARKUP}"), "/try"] {
        browser.goto(&address.replace('<', "%3C").replace('>', "%3E").replace('"', "%22").replace(' ', "%20")).await;
        is_inert(browser.page());
    }
    let select = f.c1.asks().with("prompt", "select_account").with("login_hint", MARKUP);
    browser.goto(&select.url()).await;
    is_inert(browser.page());
    let posted = f.c4.asks().with("response_mode", "form_post").with("state", MARKUP).with("prompt", "none");
    browser.goto(&posted.url()).await;
    assert_eq!(browser.landed().get("state"), Some(MARKUP));
    assert!(!browser.hops.last().unwrap().text().contains("<svg onload"));
    let unregistered = client.metadata.clone();
    let refused = clients::update(&f.app, "c1", unregistered, client.policy).await.unwrap_err().to_string();
    for field in ["client_uri", "logo_uri", "policy_uri", "tos_uri"] {
        assert!(refused.contains(field), "{field} may be registered: {refused}");
    }
}

/// SEC-099: the error that comes back to the page of a try is somebody else's text too.
#[tokio::test]
async fn sec_099_an_error_that_comes_back_is_shown_as_text() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto("/try").await.press("try-start").await;
    let started = browser.hops.iter().find_map(|hop| hop.location().filter(|to| to.contains("state="))).unwrap();
    let state = Parameters::parse(Url::parse(started).unwrap().query().unwrap()).get("state").unwrap().to_string();
    let answer = Parameters::new(&[("error", MARKUP), ("error_description", MARKUP), ("state", &state)]);
    browser.goto(&format!("/try/callback?{}", answer.encoded())).await;
    assert!(browser.page().has("try-result") && browser.page().text().contains(MARKUP), "{}", browser.page());
    is_inert(browser.page());
}

/// SEC-106, RAUTHY-007, CVE-2024-29891: a logo is what its bytes say, and cannot carry script.
#[tokio::test]
async fn sec_106_a_logo_is_a_picture_or_nothing() {
    let place = crate::config::Place::with("branding.logo = 'logo.png'");
    let png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, bytes, says) in [
        ("an SVG", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>".to_vec(), "neither PNG"),
        ("HTML", b"<!doctype html><script>1</script>".to_vec(), "neither PNG"),
        ("20 MB", [png.clone(), vec![0; 20 << 20]].concat(), "larger than 512 KiB"),
        ("empty", vec![], "neither PNG"),
    ] {
        place.write("logo.png", bytes);
        let error = place.refusal(&[]);
        assert!(error.contains(says) && error.lines().count() == 1, "{name}: {error}");
    }
    assert!(refusal("branding.logo = 'https://evil.test/logo.png'").contains("cannot be read"));
    place.write("logo.html", [png.clone(), b"<script>alert(1)</script>".to_vec()].concat());
    let server = TestServer::with(&[("branding.logo", &place.path("logo.html").display().to_string())]).await;
    let answer = server.site.get("/static/brand-logo").await;
    assert_eq!((answer.status, answer.media_type()), (200, "image/png"), "by its bytes, not by its name");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
}
