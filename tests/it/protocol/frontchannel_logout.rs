//! Front-channel logout. Plan: oidcc-frontchannel-rp-initiated-logout-certification-test-plan. What a real browser makes of
//! it is in tests/relying_parties (suite `logout`).
use super::{fixtures, secure};
use crate::harness::{
    Fixtures, Parameters, RelyingParty, assert,
    browser::Page,
    relying_party::{DISCOVERY, random},
    seed::ClientSpec,
};

const BYE: &str = "https://rp.example/bye";
const OUT: &str = "https://rp.example/out?tenant=a%20b";

pub async fn framed(f: &Fixtures, name: &str, uri: &str) -> RelyingParty {
    f.client(ClientSpec { frontchannel_logout_uri: Some(uri.into()), ..ClientSpec::web(name) }).await
}

/// The addresses of the frames, in the order of the page.
pub fn frames(page: &Page) -> Vec<String> {
    let frames = page.document.named("iframe");
    frames.map(|frame| frame.attribute("src").expect("a frame has an address").to_string()).collect()
}

#[tokio::test]
async fn oidcc_frontchannel_discovery_endpoint_verification() {
    let server = secure().await;
    let metadata = server.site.get(DISCOVERY).await.json();
    assert_eq!(metadata["frontchannel_logout_supported"], true);
    assert_eq!(metadata["frontchannel_logout_session_supported"], true);
}

#[tokio::test]
async fn oidcc_frontchannel_rp_initiated_logout() {
    let f = fixtures().await;
    let client = framed(&f, "framed", OUT).await;
    let mut visit = f.visit(&client).await;
    let (hint, state) = (visit.tokens.id.clone().unwrap(), random(128));
    let url = client.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", &state)]);
    let page = visit.browser.goto(&url).await.page().clone();
    assert_eq!(page.status(), 200, "{page}");
    assert::page_headers(&page);
    let [frame] = &frames(&page)[..] else { panic!("one frame: {:?}", frames(&page)) };
    let added = frame.strip_prefix(OUT).unwrap_or_else(|| panic!("{frame} is not the registered address"));
    let added = Parameters::parse(added.strip_prefix('&').expect("its query stays"));
    assert_eq!(added.names(), ["iss", "sid"], "exactly these");
    assert_eq!(added.get("iss"), Some(f.site.issuer.as_str()));
    assert_eq!(added.get("sid"), visit.tokens.claims()["sid"].as_str());
    assert_eq!(page.policy("frame-src").unwrap(), ["https://rp.example"], "no other origin");
    let on = format!("{BYE}?state={state}");
    let refresh = page.document.named("meta").find(|meta| meta.attribute("http-equiv") == Some("refresh")).unwrap();
    assert_eq!(refresh.attribute("content"), Some(format!("5; url={on}").as_str()), "without scripts, after a while");
    let link = &page.document.elements[page.document.by_id("signing-out-continue").unwrap()];
    assert_eq!(link.attribute("href"), Some(on.as_str()));
    let asked = client.asks().with("prompt", "none");
    visit.browser.goto(&asked.url()).await;
    assert::redirect(&visit.browser, &client, &asked, "login_required");
}

/// §3: every app of the session gets a frame; then there is the page that says so.
#[tokio::test]
async fn a_logout_of_the_persons_own_frames_all_apps_and_ends_here() {
    let f = fixtures().await;
    let (one, two) = (framed(&f, "one", OUT).await, framed(&f, "two", "https://rp.example/two").await);
    framed(&f, "stranger", "https://rp.example/stranger").await;
    let visit = f.visit(&one).await;
    let mut browser = f.continue_in(visit.browser, &two, two.asks()).await.browser;
    browser.goto("/account").await.press("account-sign-out").await;
    let mut seen = frames(browser.page());
    seen.sort();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[0].starts_with("https://rp.example/out?") && seen[1].starts_with("https://rp.example/two?iss="));
    assert_eq!(browser.page().policy("frame-src").unwrap(), ["https://rp.example"]);
    browser.press("signing-out-continue").await;
    assert!(browser.sees("logged-out"), "{}", browser.page());
    assert!(frames(browser.page()).is_empty());
}

/// An address that is nobody's keeps the browser here; the apps of the session are told all the same.
#[tokio::test]
async fn a_wrong_way_back_does_not_spare_the_apps() {
    let f = fixtures().await;
    let client = framed(&f, "framed", OUT).await;
    let mut visit = f.visit(&client).await;
    let hint = visit.tokens.id.clone().unwrap();
    let url = client.logout_url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", "https://evil.test/")]);
    visit.browser.goto(&url).await;
    assert::page(&visit.browser, 400);
    assert_eq!(frames(visit.browser.page()).len(), 1);
    assert_eq!(visit.browser.page().policy("frame-src").unwrap(), ["https://rp.example"]);
}
