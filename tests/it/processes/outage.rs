//! SEC-173, reliability promise 5: the database goes away and comes back. Nothing hangs, nothing fails open, what needs
//! no database is served, and nobody restarts anything.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};
use url::Url;

use super::{
    program::{Place, Server, Unspent},
    proxy::Proxy,
};
use crate::harness::{
    Answer, Browser, Call, Parameters, Userinfo, assert,
    browser::Page,
    relying_party::{DISCOVERY, INTROSPECT, JWKS, METADATA, REVOKE, TOKEN, USERINFO},
};

/// How long a request waits for a connection or a lock, and what a busy machine adds.
const LONGEST: Duration = Duration::from_secs(8);

/// What takes the database away.
enum Outage {
    Wire(Arc<Proxy>),
    /// SQLite is a file: what can happen to it while the server runs is another process that writes and does not end.
    Lock(DatabaseConnection),
}

impl Outage {
    async fn prepare(place: &mut Place) -> Self {
        if place.is_on_sqlite() {
            return Outage::Lock(place.database().await);
        }
        let mut url = Url::parse(&place.database_url()).unwrap();
        let target = url.socket_addrs(|| None).unwrap()[0];
        let proxy = Proxy::to(target).await;
        url.set_port(Some(proxy.address.port())).unwrap();
        place.detour = Some(url.to_string());
        Outage::Wire(proxy)
    }

    async fn begin(&self) {
        match self {
            Outage::Wire(proxy) => proxy.cut().await,
            Outage::Lock(db) => drop(db.execute_unprepared("BEGIN IMMEDIATE").await.unwrap()),
        }
    }

    async fn end(&self) {
        match self {
            Outage::Wire(proxy) => proxy.mend().await,
            Outage::Lock(db) => drop(db.execute_unprepared("ROLLBACK").await.unwrap()),
        }
    }
}

/// What must be told to come back later; `reading`: even if it could be read.
struct Tried {
    what: &'static str,
    call: Call,
    reading: bool,
}

/// Everything that needs the database, as machines and browsers ask for it.
fn tries(server: &Server, browser: &Browser, unspent: &Unspent, access: &str, refresh: &str) -> Vec<Tried> {
    let shop = server.shop();
    let token = |token: &str| Parameters::new(&[("token", token)]);
    let refreshing = shop.call(TOKEN, shop.refreshing(refresh));
    let cookies = browser.cookies().iter().map(|cookie| format!("{}={}", cookie.name, cookie.value));
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let page = |path: &str| Call::get(path).header("cookie", &cookies).header("accept", "text/html");
    let writes = [
        ("a code", shop.call(TOKEN, shop.redemption(&unspent.code, &unspent.asked))),
        ("a refresh token", refreshing.clone()),
        ("a refresh token from a script", refreshing.header("origin", "https://spa.example")),
        ("the end of a refresh token", shop.call(REVOKE, token(refresh))),
        ("the end of an access token", shop.call(REVOKE, token(access))),
        ("an authorization", page(&shop.asks().url())),
    ];
    let reads = [
        ("userinfo", Call::get(USERINFO).bearer(access)),
        ("an access token", shop.call(INTROSPECT, token(access))),
        ("a refresh token", shop.call(INTROSPECT, token(refresh))),
        ("an account", page("/account")),
    ];
    let tried = |reading| move |(what, call)| Tried { what, call, reading };
    writes.into_iter().map(tried(false)).chain(reads.into_iter().map(tried(true))).collect()
}

fn says_come_back(what: &str, answer: &Answer) {
    if let Some(location) = answer.location() {
        // RFC 6749 §4.1.2.1: the client is told in its own words, where its address could still be proven.
        return assert!(location.contains("error=temporarily_unavailable"), "{what}: {location}");
    }
    assert_eq!(answer.status, 503, "{what}: {}", answer.text());
    let seconds: u32 = answer.header("retry-after").expect("when to come back").parse().unwrap();
    assert!((1..=10).contains(&seconds), "{what}: {seconds}");
    if answer.url.path().starts_with("/oauth2/") {
        assert::json(answer, 503, "temporarily_unavailable");
    } else {
        let page = Page::of(answer.clone());
        assert::page_headers(&page);
        assert_eq!(page.read("error-code"), "temporarily_unavailable", "{page}");
    }
}

async fn while_it_is_away(server: &Server, reads: bool, tries: Vec<Tried>, metadata: &Value) {
    let mut asked = JoinSet::new();
    for Tried { what, call, reading } in tries {
        let site = server.site.clone();
        asked.spawn(async move {
            let begun = Instant::now();
            let answer = site.send(call).await;
            assert!(begun.elapsed() < LONGEST, "{what} took {:?}", begun.elapsed());
            match reads && reading {
                true => assert!(answer.status < 400, "{what} can be read: {}", answer.text()),
                false => says_come_back(what, &answer),
            }
        });
    }
    let fresh = async {
        // Longer than anything is cached.
        sleep(Duration::from_millis(4500)).await;
        for path in [DISCOVERY, METADATA, JWKS, "/health/live"] {
            let (begun, answer) = (Instant::now(), server.site.get(path).await);
            assert_eq!(answer.status, 200, "{path} needs no database");
            assert!(begun.elapsed() < Duration::from_secs(3), "{path} took {:?}", begun.elapsed());
            if path == DISCOVERY {
                assert_eq!(&answer.json(), metadata, "the same as ever");
            }
        }
    };
    tokio::join!(fresh, async {
        while let Some(done) = asked.join_next().await {
            done.unwrap()
        }
    });
    let ready = server.site.get("/health/ready").await;
    assert_eq!(ready.status, 503);
    let checks = ready.json()["checks"].clone();
    assert_eq!(checks[0]["name"], "database");
    assert_eq!((&checks[0]["status"], &checks[1]["status"]), (&"down".into(), &"up".into()), "{checks}");
}

#[tokio::test]
async fn sec_173_057_the_database_goes_away_and_comes_back() {
    let mut place = Place::new().await;
    let outage = Outage::prepare(&mut place).await;
    let server = place.server().await;
    let browser = server.signed_in(&place.person().await).await;
    let shop = server.shop();
    let tokens = Unspent::get(&shop, &browser).await.tokens(&shop).await;
    let spare = Unspent::get(&shop, &browser).await.tokens(&shop).await;
    let unspent = Unspent::get(&shop, &browser).await;
    let metadata = shop.discovery().await;
    assert!(metadata["scopes_supported"].to_string().contains("reports.read"), "{metadata}");

    outage.begin().await;
    let tries = tries(&server, &browser, &unspent, &tokens.access, tokens.refresh_token());
    while_it_is_away(&server, place.is_on_sqlite(), tries, &metadata).await;

    outage.end().await;
    server.await_status("/health/ready", 200, Duration::from_secs(10)).await;
    assert!(shop.may_read_userinfo(&tokens.access).await, "nothing that was refused has happened all the same");
    unspent.tokens(&shop).await;
    let next = shop.refreshed(tokens.refresh_token()).await;
    assert_eq!(shop.revoke(next.refresh_token()).await.status, 200);
    assert!(!shop.may_read_userinfo(&next.access).await);

    if let Outage::Wire(proxy) = &outage {
        a_silence_delays_and_no_more(&server, proxy, spare.refresh_token()).await;
        let spare = shop.refreshed(spare.refresh_token()).await;
        lost_connections_are_given_up(&server, proxy, &spare.access).await;
    }
}

/// The network swallows everything for a while: readiness says so, requests wait and then go on.
async fn a_silence_delays_and_no_more(server: &Server, proxy: &Proxy, refresh: &str) {
    let shop = server.shop();
    proxy.silence();
    let (waiting, ready) = tokio::join!(shop.refresh(refresh), async {
        let ready = server.site.get("/health/ready").await;
        assert_eq!(server.site.get(JWKS).await.status, 200);
        proxy.speak();
        ready
    });
    assert_eq!(ready.status, 503);
    assert_eq!(waiting.status, 200, "{}", waiting.text());
    server.await_status("/health/ready", 200, Duration::from_secs(10)).await;
}

/// More at once than there are connections to the database.
async fn crowd(server: &Server, access: &str) -> Vec<(u16, Duration)> {
    let mut asked = JoinSet::new();
    for _ in 0..24 {
        let (shop, access) = (server.shop(), access.to_string());
        asked.spawn(async move {
            let begun = Instant::now();
            (shop.userinfo(&access, Userinfo::Get).await.status, begun.elapsed())
        });
    }
    asked.join_all().await
}

/// The machine of the database is gone and another has its name: what was connected to the first is never told.
async fn lost_connections_are_given_up(server: &Server, proxy: &Proxy, access: &str) {
    assert!(crowd(server, access).await.iter().all(|(status, _)| *status == 200));
    proxy.lose();
    let answers = crowd(server, access).await;
    assert!(answers.iter().all(|(status, took)| [200, 503].contains(status) && *took < LONGEST), "{answers:?}");
    server.await_status("/health/ready", 200, Duration::from_secs(4)).await;
    let answers = crowd(server, access).await;
    assert!(answers.iter().all(|(status, took)| *status == 200 && took.as_secs() < 4), "{answers:?}");
}
