//! Before an account can be used: registering, confirming an address, a forgotten password; and back to the app.
use crate::harness::{
    Browser, Call, Fixtures, TestServer, assert, fixtures,
    http::Answer,
    seed::{self, NewPerson, Person},
};

/// A server where everybody may register.
pub async fn open(more: &[(&str, &str)]) -> Fixtures {
    let settings = [&[("accounts.registration", "open")], more].concat();
    TestServer::with(&settings).await.fixtures().await
}

/// The links of this kind that were mailed there, the newest first.
async fn links(f: &Fixtures, to: &str, path: &str) -> Vec<String> {
    let mails = seed::mailbox(&f.app, to).await;
    let links = mails.iter().flat_map(|mail| &mail.links).map(|link| link.address.clone());
    links.filter(|address| address.contains(path)).collect()
}

/// The newest of them; letters are written behind the answer that a page shows.
pub async fn link(f: &Fixtures, to: &str, path: &str) -> String {
    f.until(async || links(f, to, path).await.into_iter().next()).await
}

fn newcomer() -> Person {
    let NewPerson { email, username, password, .. } = NewPerson::named("nora");
    Person { id: String::new(), email, username, password }
}

fn fill_registration(browser: &mut Browser, person: &Person) {
    browser.fill("register-email", &person.email).fill("register-name", "Nora Nadel");
    browser.fill("register-username", &person.username).fill("register-password", &person.password);
}

/// The page without what is fresh in each.
fn seen(answer: &Answer) -> (u16, String) {
    let fresh = regex::Regex::new(r"[\w-]{43}|[\w-]{22}\b").unwrap();
    (answer.status, fresh.replace_all(&answer.text(), "~").into_owned())
}

#[tokio::test]
async fn a_person_registers_on_the_way_to_an_app_and_ends_up_there() {
    let (f, nora) = (open(&[]).await, newcomer());
    let mut browser = f.browser();
    let asked = f.c1.asks();
    browser.goto(&asked.url()).await;
    browser.press("login-register").await;
    assert!(browser.page().text().contains("to continue to The c1 application"), "{}", browser.page());
    fill_registration(&mut browser, &nora);
    browser.press("register-submit").await;
    assert!(browser.sees("registered"), "{}", browser.page());
    browser.goto(&link(&f, &nora.email, "/account/verify").await).await;
    assert!(browser.page().text().contains(&nora.email), "{}", browser.page());
    browser.fill("verify-password", "not what was chosen");
    browser.press("verify-submit").await;
    assert_eq!(browser.page().status(), 422, "{}", browser.page());
    assert!(browser.sees("verify-password-problem"), "{}", browser.page());
    browser.fill("verify-password", &nora.password);
    browser.press("verify-submit").await;
    browser.press("consent-allow").await;
    assert::granted(&browser, &f.c1, &asked);
    // The way back is taken once.
    assert!(!browser.cookies().iter().any(|cookie| cookie.name.ends_with("journey")));
}

#[tokio::test]
async fn whoever_need_not_confirm_an_address_is_in_the_app_at_once() {
    let (f, nora) = (open(&[("accounts.verification", "optional")]).await, newcomer());
    let mut browser = f.browser();
    let asked = f.c1.asks();
    browser.goto(&asked.url()).await;
    browser.press("login-register").await;
    fill_registration(&mut browser, &nora);
    browser.press("register-submit").await;
    browser.press("consent-allow").await;
    assert::granted(&browser, &f.c1, &asked);
    browser.goto("/account").await;
    assert!(browser.sees("account-unconfirmed"), "{}", browser.page());
    f.clock.advance(1);
    browser.goto("/account/email").await.press("email-resend").await;
    assert!(browser.sees("notice"), "{}", browser.page());
    browser.goto(&link(&f, &nora.email, "/account/verify").await).await;
    // Signed in here, nobody asks for the password again.
    assert!(!browser.sees("verify-password"), "{}", browser.page());
    browser.press("verify-submit").await;
    assert!(browser.page().text().contains("Confirmed"), "{}", browser.page());
}

#[tokio::test]
async fn a_registration_that_will_not_do_says_why_beside_its_fields() {
    let f = open(&[("accounts.usernames", "required")]).await;
    let mut browser = f.browser();
    browser.goto("/account/register").await;
    let weak = "password123";
    browser.fill("register-email", "nora@@example").fill("register-username", &f.u1.username);
    browser.fill("register-name", "Nora").fill("register-password", weak);
    browser.press("register-submit").await;
    let page = browser.page();
    assert_eq!(page.status(), 422, "{page}");
    assert::page_headers(page);
    assert!(page.has("register-email-problem") && page.has("register-password-problem"), "{page}");
    assert_eq!((page.read("register-name"), page.read("register-password")), ("Nora".into(), String::new()));
    assert!(!page.answer.text().contains(weak), "the password came back");
    browser.fill("register-email", "nora@example.com").fill("register-password", "seven violet lanterns");
    browser.press("register-submit").await;
    assert!(browser.sees("register-username-problem"), "{}", browser.page());
    browser.fill("register-username", "").fill("register-password", "seven violet lanterns");
    browser.press("register-submit").await;
    assert_eq!((browser.page().status(), browser.sees("register-username-problem")), (422, true));
}

/// Decision D16: what is not offered is not there.
#[tokio::test]
async fn nobody_registers_where_it_is_not_offered() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    assert!(!browser.sees("login-register") && browser.sees("login-forgot"), "{}", browser.page());
    browser.goto("/account/register").await;
    assert_eq!(browser.page().status(), 404);
    let f = TestServer::with(&[("accounts.registration", "invitation")]).await.fixtures().await;
    let mut browser = f.browser();
    browser.goto("/account/register").await;
    assert_eq!((browser.page().status(), browser.sees("by-invitation")), (403, true));
    browser.goto("/account/register?invitation=invented").await;
    fill_registration(&mut browser, &newcomer());
    browser.press("register-submit").await;
    assert_eq!((browser.page().status(), browser.sees("by-invitation")), (403, true));
}

/// SEC-118: the same page for an address that is known and for one that is not; the owner learns it by mail.
#[tokio::test]
async fn sec_118_the_pages_do_not_tell_who_has_an_account() {
    let f = open(&[("accounts.usernames", "off")]).await;
    let mut pages = Vec::new();
    for email in [&f.u1.email, "nora@example.com", &f.u5.email] {
        let mut browser = f.browser();
        browser.goto("/account/register").await;
        browser.fill("register-email", email).fill("register-name", "Nora");
        browser.fill("register-password", "seven violet lanterns");
        browser.press("register-submit").await;
        pages.push((browser.hops.iter().map(|hop| hop.status).collect::<Vec<_>>(), seen(&browser.page().answer)));
        assert!(!browser.page().text().contains(email));
    }
    assert_eq!(pages[0], pages[1]);
    assert_eq!(pages[0], pages[2]);
    assert_eq!(link(&f, &f.u1.email, "/account/forgot").await, format!("{}/account/forgot", f.site.issuer));
    let mut pages = Vec::new();
    for login in [f.u1.email.as_str(), "nobody@example.com", &f.u5.username, "@@", "x y"] {
        let mut browser = f.browser();
        browser.goto("/account/forgot").await.fill("forgot-login", login);
        browser.press("forgot-submit").await;
        pages.push((browser.hops.iter().map(|hop| hop.status).collect::<Vec<_>>(), seen(&browser.page().answer)));
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
}

/// Asks for a link, and waits until it is mailed: that happens after the answer.
pub async fn forgotten(f: &Fixtures, browser: &mut Browser) -> String {
    // The newest of two is the later one.
    f.clock.advance(1);
    let before = links(f, &f.u1.email, "/account/reset").await.len();
    browser.goto("/account/forgot").await.fill("forgot-login", &f.u1.username);
    browser.press("forgot-submit").await;
    assert!(browser.sees("reset-asked"), "{}", browser.page());
    // Other letters, as of a new device, may come at the same moment.
    let fresh = async || {
        let links = links(f, &f.u1.email, "/account/reset").await;
        if links.len() > before { links.into_iter().next() } else { None }
    };
    f.until(fresh).await
}

/// SEC-120: the link alone signs nobody in, and everybody else is out.
#[tokio::test]
async fn sec_120_whoever_forgot_the_password_goes_on_to_the_app_with_a_new_one() {
    let f = fixtures().await;
    let offline = f.visit_with(&f.c1, f.c1.asks_to_stay().with("prompt", "consent")).await.tokens;
    let mut elsewhere = f.signed_in(&f.u1).await;
    let mut browser = f.browser();
    let asked = f.c1.asks().with("prompt", "consent");
    browser.goto(&asked.url()).await.press("login-forgot").await;
    browser.fill("forgot-login", &f.u1.username);
    browser.press("forgot-submit").await;
    browser.goto(&link(&f, &f.u1.email, "/account/reset").await).await;
    assert_eq!(browser.page().read("reset-login"), f.u1.email);
    browser.fill("reset-password", &f.u1.email);
    browser.press("reset-submit").await;
    assert_eq!((browser.page().status(), browser.sees("reset-password-problem")), (422, true));
    browser.fill("reset-password", "seven violet lanterns");
    browser.press("reset-submit").await;
    assert!(browser.sees("reset-done"), "{}", browser.page());
    assert!(!browser.cookies().iter().any(|cookie| cookie.name.ends_with("session")));
    elsewhere.goto("/account").await;
    assert!(elsewhere.sees("login-submit"), "{}", elsewhere.page());
    assert_eq!(f.c1.refresh(offline.refresh_token()).await.status, 400, "apps, too");
    browser.press("announced-on").await;
    browser.sign_in(&Person { password: "seven violet lanterns".into(), ..f.u1.clone() }).await;
    browser.press("consent-allow").await;
    assert::granted(&browser, &f.c1, &asked);
}

/// SEC-119: one page for every link that does not work.
#[tokio::test]
async fn sec_119_a_dead_link_is_a_dead_link() {
    let f = fixtures().await;
    let mut browser = f.browser();
    let (first, second) = (forgotten(&f, &mut browser).await, forgotten(&f, &mut browser).await);
    let changed = |link: &str| format!("{}{}", &link[..link.len() - 1], if link.ends_with('A') { 'B' } else { 'A' });
    let mut dead = vec![("there is a newer one", first), ("a character is another", changed(&second))];
    browser.goto(&second).await.fill("reset-password", "seven violet lanterns");
    browser.press("reset-submit").await;
    dead.push(("it was used", second));
    let late = forgotten(&f, &mut browser).await;
    f.clock.advance(31 * 60);
    dead.push(("it is too old", late));
    for path in ["/account/reset", "/account/verify", "/account/email/confirm", "/account/email/keep"] {
        dead.push(("there is no token", format!("{}{path}", f.site.issuer)));
        dead.push(("the token is invented", format!("{}{path}?token=x", f.site.issuer)));
    }
    let mut first = None;
    for (reason, link) in dead {
        browser.goto(&link).await;
        let (status, text) = (browser.page().status(), browser.page().text().to_owned());
        assert_eq!((status, browser.sees("dead-link")), (410, true), "{reason}: {}", browser.page());
        assert::page_headers(browser.page());
        assert_eq!(*first.get_or_insert(text.clone()), text, "{reason}");
    }
}

/// SEC-121: what looks at a link does not use it, and the page tells nobody of it.
#[tokio::test]
async fn sec_121_a_scanner_spends_no_link() {
    let f = fixtures().await;
    let link = forgotten(&f, &mut f.browser()).await;
    let loaded = regex::Regex::new(r#"(?:src|<link[^>]*href)="([^"]*)""#).unwrap();
    for method in [reqwest::Method::HEAD, reqwest::Method::GET, reqwest::Method::GET] {
        let answer = f.site.send(Call::new(method, &link)).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("referrer-policy").is_some_and(|policy| policy == "same-origin"));
        let html = answer.text();
        assert!(loaded.captures_iter(&html).all(|found| found[1].starts_with("/static/")), "{html}");
    }
    let mut browser = f.browser();
    browser.goto(&link).await.fill("reset-password", "seven violet lanterns");
    browser.press("reset-submit").await;
    assert!(browser.sees("reset-done"), "{}", browser.page());
}

/// SEC-100: nothing in an address leads away from here, or to another journey than one of this browser.
#[tokio::test]
async fn sec_100_the_way_back_is_a_journey_of_this_browser() {
    let f = open(&[("accounts.verification", "optional")]).await;
    let mut victim = f.browser();
    victim.goto(&f.c1.asks().url()).await;
    let foreign = victim.page().answer.url.path().split('/').nth(2).unwrap().to_owned();
    let ways = ["https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)", foreign.as_str()];
    for (number, way) in ways.into_iter().enumerate() {
        let mut browser = f.browser();
        let way = crate::harness::relying_party::encoded(way);
        browser.goto(&format!("/account/register?journey={way}&next={way}&return_to={way}")).await;
        let nora = newcomer();
        let nora = Person { email: format!("n{number}@example.com"), username: format!("nora.{number}"), ..nora };
        fill_registration(&mut browser, &nora);
        browser.press("register-submit").await;
        assert_eq!((browser.has_left(), browser.page().path()), (false, "/account"), "{way}: {}", browser.page());
        browser.goto(&format!("/account/login?to={way}")).await;
        assert_eq!((browser.has_left(), browser.page().path()), (false, "/account"), "{way}: {}", browser.page());
        browser.goto(&format!("/account/profile?done={way}")).await;
        assert!(!browser.sees("notice"), "{way}: {}", browser.page());
    }
}

/// Mails lead to a part of the account, and the sign-in between does not lose it.
#[tokio::test]
async fn a_link_to_a_part_of_the_account_survives_the_sign_in() {
    let f = fixtures().await;
    for path in ["/account/security", "/account/sessions", "/account/profile", "/account"] {
        let mut browser = f.browser();
        browser.goto(path).await.sign_in(&f.u1).await;
        assert_eq!(browser.page().path(), path);
    }
}
