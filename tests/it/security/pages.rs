//! WB: the pages, as a browser and an attacker's page see them.
use reqwest::Method;
use signet::{flows::set_up, protocol::redirect_uri};

use super::logout::is_signed_in;
use crate::harness::{
    Answer, Browser, Call, Fixtures, Parameters, TestServer, assert, browser::Page, fixtures, relying_party::random,
    seed::lose_storage,
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
        let rp = if in_journey || as_form { &["'self'", "https:"][..] } else { &["'self'"] };
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
            // Swagger UI has its icons in itself, and no forms.
            let sources: &[&str] = match (*name, directive) {
                ("the documents of the contract", "img-src") => &["'self'", "data:"],
                ("the documents of the contract", "form-action") => &["'none'"],
                _ => sources,
            };
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

/// SEC-097 for the pages about the contract, which are poem-openapi's: nothing runs or loads but what stands in them.
#[tokio::test]
async fn sec_097_the_contract_is_shown_under_a_policy_too() {
    let server = TestServer::at("https://id.example").await;
    for path in ["/docs", "/redoc"] {
        let page = page(server.site.get(path).await);
        assert::page_headers(&page);
        for directive in ["default-src", "object-src", "base-uri", "form-action", "frame-ancestors"] {
            assert_eq!(page.policy(directive).as_deref(), Some(&["'none'".to_string()][..]), "{path}: {directive}");
        }
        for directive in ["script-src", "style-src"] {
            let sources = page.policy(directive).unwrap();
            assert!(sources.iter().all(|source| source.starts_with("'sha256-")), "{path}: {directive} {sources:?}");
        }
        let policy = page.answer.header("content-security-policy").unwrap();
        assert!(!policy.contains("http"), "{path}: {policy}");
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

/// Decision K1: a form's answer leads to the app, and on to wherever the app sends the browser from there.
#[test]
fn sec_097_a_form_leads_on_from_where_an_app_is_when() {
    for (where_it_is, uri, sources) in [
        ("on a server", "https://rp.example/cb?a=1", &["https:"][..]),
        ("on this machine", "http://localhost:3000/cb", &["http://localhost:*", "https:"]),
        ("on this machine by its number", "http://127.0.0.1/cb", &["http://127.0.0.1:*", "https:"]),
        ("at an address that no policy can name", "http://[::1]:9/cb", &["http:", "https:"]),
        ("a program on the device", "com.example.app:/cb", &["com.example.app:", "https:"]),
    ] {
        assert_eq!(redirect_uri::ways_on(uri), sources, "{where_it_is}");
    }
}
