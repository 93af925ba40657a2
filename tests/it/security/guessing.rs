//! BF: guessing takes so long that it is hopeless, and keeps nobody out of their own account.
use sea_orm::{EntityTrait, QueryOrder};
use signet::store::{
    login_attempt::{self, LoginAttempt},
    mail, security_event,
};

use crate::{
    harness::{
        Answer, Browser, Call, Fixtures, Parameters, RelyingParty, TestServer,
        relying_party::TOKEN,
        seed::{ClientSpec, Person},
    },
    pages::entry::forgotten,
};

const WRONG: &str = "a quite wrong password";
const QUARTER: i64 = 900;

async fn limited() -> (Fixtures, RelyingParty) {
    let f = TestServer::with_limits().await.fixtures().await;
    let grant_types = vec!["authorization_code", "password"];
    let own = f.client(ClientSpec { first_party: true, grant_types, ..ClientSpec::web("own") }).await;
    (f, own)
}

/// The `number`th of many addresses.
fn place(number: usize) -> [u8; 4] {
    [127, 0, 1 + u8::try_from(number / 250).unwrap(), 1 + u8::try_from(number % 250).unwrap()]
}

fn guess(own: &RelyingParty, username: &str, password: &str, from: [u8; 4]) -> Call {
    let form = [("grant_type", "password"), ("username", username), ("password", password), ("scope", "openid")];
    own.call(TOKEN, Parameters::new(&form)).from(from)
}

fn wait(answer: &Answer) -> i64 {
    answer.header("retry-after").unwrap_or_else(|| panic!("no Retry-After: {}", answer.text())).parse().unwrap()
}

/// The login page's answer, in this browser.
async fn at_the_page(f: &Fixtures, browser: &mut Browser, person: &Person, password: &str, from: [u8; 4]) -> Answer {
    browser.goto(&f.c1.asks().with("prompt", "login").url()).await;
    if !browser.page().is_fixed("login-username") {
        browser.fill("login-username", &person.username);
    }
    browser.fill("login-password", password);
    let (action, _, form) = browser.form("login-submit");
    browser.request(Call::post(&action).form(&form).from(from)).await
}

async fn attempts(f: &Fixtures) -> Vec<LoginAttempt> {
    f.app.attempts.flush().await;
    login_attempt::Entity::find().order_by_asc(login_attempt::Column::At).all(&f.app.db).await.unwrap()
}

/// SEC-124, NIST SP 800-63B-4 §3.2.2, ASVS 6.1.1 and 6.3.1, decisions D6 and K11.
#[tokio::test]
async fn sec_124_a_thousand_guesses_from_two_hundred_addresses_are_few() {
    let (f, own) = limited().await;
    let mut at_home = f.browser();
    assert_eq!(at_the_page(&f, &mut at_home, &f.u1, &f.u1.password, [127, 0, 0, 1]).await.status, 303);
    let (mut evaluated, mut waits) = (0, Vec::new());
    for number in 0..1000 {
        let answer = f.site.send(guess(&own, &f.u1.username, WRONG, place(number % 200))).await;
        match answer.status {
            400 => evaluated += 1,
            429 => waits.push(wait(&answer)),
            status => panic!("{status}: {}", answer.text()),
        }
        f.clock.advance(60);
    }
    assert!(evaluated < 100, "{evaluated} guesses were evaluated");
    let longest = waits.iter().copied().max().unwrap();
    assert!((QUARTER - 60..=QUARTER).contains(&longest), "the longest wait is {longest} s");
    assert!(waits[0] < 120, "it began with {} s", waits[0]);

    let answer = f.site.send(guess(&own, &f.u1.username, &f.u1.password, [127, 0, 3, 1])).await;
    assert_eq!(answer.status, 429, "who guesses right while the account waits learns nothing: {}", answer.text());
    let known = at_the_page(&f, &mut at_home, &f.u1, &f.u1.password, [127, 0, 0, 1]).await;
    assert_eq!(known.status, 303, "strangers do not keep a known device out");
    let mut elsewhere = f.browser();
    let stranger = at_the_page(&f, &mut elsewhere, &f.u1, &f.u1.password, [127, 0, 0, 1]).await;
    assert_eq!((stranger.status, stranger.media_type()), (429, "text/html"));
    f.clock.advance(wait(&stranger));
    assert_eq!(at_the_page(&f, &mut elsewhere, &f.u1, &f.u1.password, [127, 0, 0, 1]).await.status, 303, "it passes");
}

/// SEC-124: the waits double from the fifth failure, for the account, and later for the address.
#[tokio::test]
async fn sec_124_the_waits_double() {
    let (f, own) = limited().await;
    let mut waits = Vec::new();
    for _ in 0..16 {
        let refused = f.site.send(guess(&own, &f.u1.username, WRONG, place(0))).await;
        assert_eq!(refused.status, 400);
        let next = f.site.send(guess(&own, &f.u1.username, WRONG, place(1))).await;
        if next.status == 429 {
            waits.push(wait(&next));
            f.clock.advance(wait(&next));
        }
    }
    // The four that are free include the second of each pair.
    assert_eq!(waits[..9], [2, 4, 8, 16, 32, 64, 128, 256, 512]);
    assert_eq!(waits.last(), Some(&QUARTER));
}

/// SEC-124, K11: whoever resets the password because it was guessed at, or forgotten, signs in with the new one at once.
#[tokio::test]
async fn sec_124_a_new_password_ends_the_wait() {
    const NEW: &str = "seven violet lanterns";
    let (f, own) = limited().await;
    for number in 0..20 {
        f.site.send(guess(&own, &f.u1.username, WRONG, place(number))).await;
        f.site.send(guess(&own, &f.u1.email, WRONG, place(number))).await;
    }
    for name in [&f.u1.username, &f.u1.email] {
        assert_eq!(f.site.send(guess(&own, name, &f.u1.password, place(50))).await.status, 429);
    }
    let mut browser = f.browser();
    let link = forgotten(&f, &mut browser).await;
    browser.goto(&link).await;
    browser.fill("reset-password", NEW).press("reset-submit").await;
    assert!(browser.sees("reset-done"), "{}", browser.page());
    for name in [&f.u1.username, &f.u1.email] {
        assert_eq!(f.site.send(guess(&own, name, NEW, place(51))).await.status, 200, "{name}");
    }
}

/// SEC-126: one guess for each of many accounts.
#[tokio::test]
async fn sec_126_an_address_that_tries_many_names_waits() {
    let (f, own) = limited().await;
    let mut refused = 0;
    for number in 0..500 {
        let answer = f.site.send(guess(&own, &format!("person{number}"), WRONG, place(0))).await;
        refused += usize::from(answer.status == 400);
    }
    assert!((40..50).contains(&refused), "{refused} guesses were evaluated");
    let answer = f.site.send(guess(&own, &f.u1.username, &f.u1.password, place(0))).await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    let answer = f.site.send(guess(&own, &f.u1.username, &f.u1.password, place(1))).await;
    assert_eq!(answer.status, 200, "others are not held up: {}", answer.text());
    let kept = attempts(&f).await;
    let of = |result: &str| kept.iter().filter(|row| row.result == result).count();
    assert_eq!((of("refused"), of("ok")), (refused, 1));
    assert_eq!(of("throttled"), 60, "a storm leaves so many lines a minute, and no more");
    let throttled = kept.iter().filter(|row| row.result == "throttled");
    assert!(throttled.into_iter().all(|row| row.reason == "locked_address"));
}

/// SEC-127, CVE-2023-36456: who may name an address, names it.
#[tokio::test]
async fn sec_127_a_forged_address_neither_evades_nor_frames() {
    let frames = "192.0.2.9";
    for (proxied, hop, seen) in [("", "192.0.2.1", "127.0.1.1"), ("127.0.0.0/8", "6.6.6.6, 192.0.2.1", "192.0.2.1")] {
        let server = TestServer::with(&[("limits", "on"), ("trusted_proxies", proxied)]).await;
        let f = server.fixtures().await;
        let grant_types = vec!["authorization_code", "password"];
        let own = f.client(ClientSpec { first_party: true, grant_types, ..ClientSpec::web("own") }).await;
        let mut last = 0;
        for number in 0..60 {
            let forged = hop.replace("6.6.6.6", &format!("198.51.100.{number}"));
            let call = guess(&own, &format!("person{number}"), WRONG, place(0));
            last = f.site.send(call.header("x-forwarded-for", &forged)).await.status;
        }
        assert_eq!(last, 429, "a name of one's own choice does not help");
        let innocent = guess(&own, &f.u1.username, &f.u1.password, place(1)).header("x-forwarded-for", frames);
        assert_eq!(f.site.send(innocent).await.status, 200);
        let kept = attempts(&f).await;
        assert!(kept.iter().filter(|row| row.user_id.is_none()).all(|row| row.address.as_deref() == Some(seen)));
    }
}

/// AC7: the person hears of a lock once, and finds it in their log; nobody else gets mail.
#[tokio::test]
async fn a_lock_is_told_once() {
    let (f, own) = limited().await;
    for round in 0..3 {
        for number in 0..20 {
            f.site.send(guess(&own, &f.u1.email, WRONG, place(number))).await;
            f.site.send(guess(&own, "nobody@example.com", WRONG, place(number))).await;
            f.clock.advance(1);
        }
        f.clock.advance(if round == 1 { 24 * 3600 } else { QUARTER });
    }
    let (lines, mails) = f
        .until(async || {
            let lines = security_event::Entity::find().all(&f.app.db).await.unwrap();
            let mails = mail::Entity::find().all(&f.app.db).await.unwrap();
            (lines.len() >= 2).then_some((lines, mails))
        })
        .await;
    assert_eq!(lines.len(), 2, "one for the first two rounds, one a day later: {lines:?}");
    assert!(lines.iter().all(|line| line.kind == "locked" && line.subject.to_string() == f.u1.id));
    let told: Vec<_> = mails.iter().map(|mail| (mail.recipient.as_str(), mail.letter.as_str())).collect();
    assert_eq!(told, [(f.u1.email.as_str(), "account_locked"); 2]);
}
