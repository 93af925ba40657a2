//! SEC-171 where no token is at stake: what can be done once is done once, on every database, and whoever loses is told
//! so in words.
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use signet::{
    flows::{
        Trouble,
        account::recovery,
        admin::{clients, users},
        lease, set_up,
    },
    store::{mail, user},
};
use tokio::task::JoinSet;

use crate::accounts::visitor;
use crate::harness::{
    Answer, Browser, Call, Fixtures, Parameters, TestServer, assert, fixtures,
    seed::{ClientSpec, NewPerson, try_client},
};

const MANY: usize = 50;

/// The same thing by many at once; how each ended.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(one: impl Fn(usize) -> F) -> Vec<T> {
    let mut tries = JoinSet::new();
    for i in 0..MANY {
        tries.spawn(one(i));
    }
    tries.join_all().await
}

/// Opens the link and fills the form, ready to be sent.
async fn about_to_set_up(server: &TestServer, link: &str, name: &str) -> (Browser, Call) {
    let mut browser = server.browser();
    browser.goto(link).await;
    browser.fill("setup-email", &format!("{name}@example.com")).fill("setup-name", name);
    browser.fill("setup-username", name).fill("setup-password", "many wet umbrellas");
    let (action, _, form) = browser.form("setup-submit");
    let call = Call::post(&action).header("origin", &server.site.issuer).header("sec-fetch-site", "same-origin");
    (browser, call.form(&form))
}

/// One link in many browsers, or a link of each of two nodes: in the end there is one administrator.
#[tokio::test]
async fn sec_171_a_set_up_makes_one_administrator() {
    let server = TestServer::start().await;
    let mut links = Vec::new();
    for _ in 0..2 {
        links.push(set_up::link(&server.app, set_up::Older::Stay).await.unwrap());
    }
    let mut ready = Vec::new();
    for i in 0..20 {
        ready.push(about_to_set_up(&server, &links[i % 2], &format!("admin{i}")).await);
    }
    let mut tries = JoinSet::new();
    for (mut browser, call) in ready {
        tries.spawn(async move { browser.request(call).await });
    }
    let answers = tries.join_all().await;
    let (made, refused): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((made.len(), refused.len()), (1, 19));
    for answer in refused {
        // Where passwords of so many cannot be hashed at once, some are told to come back; then the link is spent.
        let is_busy = answer.status == 503 && answer.text().contains("busy");
        assert!(answer.status == 410 || is_busy, "{} {}", answer.status, answer.text());
    }
    let admins = user::Entity::find().filter(user::Column::Admin.eq(true)).count(&server.app.db).await.unwrap();
    assert_eq!(admins, 1);
    for link in &links {
        assert_eq!(server.site.get(link).await.status, 410, "a link that is good for another");
    }
}

async fn allow(mut twin: Browser, call: Call) -> Answer {
    let answer = twin.request(call).await;
    match answer.location() {
        Some(location) if !location.starts_with("https://rp.example/") => twin.request(Call::get(location)).await,
        _ => answer,
    }
}

/// SEC-171: fifty times "Allow" on one page, and one code.
#[tokio::test]
async fn sec_171_a_journey_gives_one_code_however_often_it_is_answered() {
    let f = fixtures().await;
    let asked = f.c1.asks();
    let mut browser = f.browser();
    browser.goto(&asked.url()).await.sign_in(&f.u1).await;
    let (action, _, form) = browser.form("consent-allow");
    let call = Call::post(&action).header("origin", &f.site.issuer).header("sec-fetch-site", "same-origin").form(&form);
    let answers = at_once(|_| allow(browser.stolen(), call.clone())).await;
    let won = |answer: &&Answer| answer.location().is_some_and(|location| location.contains("code="));
    assert_eq!(answers.iter().filter(won).count(), 1);
    for answer in answers.iter().filter(|answer| !won(answer)) {
        assert_eq!(answer.status, 410, "the journey is over: {:?} {}", answer.location(), answer.text());
    }
}

/// K4: a journey that was posted across sites belongs to the first browser that comes for it.
#[tokio::test]
async fn a_journey_of_nobody_becomes_one_browsers() {
    let f = fixtures().await;
    let form = Parameters(f.c1.asks().parameters.0);
    let posted = f.site.send(Call::post("/authorize").header("origin", "https://rp.example").form(&form)).await;
    let journey = posted.location().expect("a journey").to_string();
    let answers = at_once(|_| {
        let (mut browser, journey) = (f.browser(), journey.clone());
        async move { browser.request(Call::get(&journey)).await }
    });
    let won = answers.await.iter().filter(|answer| answer.is_redirect()).count();
    assert_eq!(won, 1);
}

/// Letters that are written at the same moment do not lock each other out: everybody who asks for a link gets one.
#[tokio::test]
async fn everybody_who_has_forgotten_gets_a_link() {
    const PEOPLE: u64 = 18;
    let f = fixtures().await;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(f.user(NewPerson::named(&format!("person{n}"))).await);
    }
    for round in 1..=2 {
        for person in &people {
            recovery::ask(&f.app, &visitor(&f.app), &person.email).unwrap();
        }
        let all = async || (mail::Entity::find().count(&f.app.db).await.unwrap() == round * PEOPLE).then_some(());
        f.until(all).await;
    }
}

/// A name is taken once; everybody else is told so, and nothing of theirs stays.
#[tokio::test]
async fn a_name_is_taken_once() {
    let f = fixtures().await;
    let app = f.app.clone();
    let people = at_once(|i| {
        let app = app.clone();
        async move {
            let email = Some("clara@example.com".to_string());
            let username = Some(format!("clara{i}"));
            users::create(&app, users::NewUser { email, username, ..users::NewUser::default() }).await
        }
    });
    let people = people.await;
    assert_eq!(people.iter().filter(|made| made.is_ok()).count(), 1);
    assert!(people.iter().flat_map(|made| made.as_ref().err()).all(|trouble| matches!(trouble, Trouble::Conflict(_))));

    let refused = try_client(&f, ClientSpec::web("c1")).await.err().expect("the id is taken");
    assert!(refused.contains("already"), "{refused}");
    let shouting = f.client(ClientSpec { auth_method: "client_secret_post", ..ClientSpec::web("C1") }).await;
    assert_eq!(clients::find(&f.app, "c1").await.unwrap().client_id, "c1", "names are compared byte by byte");
    assert::json(&shouting.refresh("x").await, 400, "invalid_grant");
    let as_c1 = crate::harness::RelyingParty { client_id: "c1".into(), ..shouting };
    assert::json(&as_c1.refresh("x").await, 401, "invalid_client");
}

#[tokio::test]
async fn a_job_is_given_to_one_server() {
    let f = fixtures().await;
    for round in 0..3 {
        let taken = at_once(|_| {
            let app = f.app.clone();
            async move { lease::take(&app, "a job", 60).await.unwrap() }
        });
        assert_eq!(taken.await.iter().filter(|taken| **taken).count(), 1, "round {round}");
        f.clock.advance(59);
        assert!(!lease::take(&f.app, "a job", 60).await.unwrap(), "it is still the first one's");
        f.clock.advance(1);
    }
}

/// The client, the person or the grant is removed on another node, and this one has the client in its cache: whoever
/// asks now is told to come back, and then learns what is gone.
#[tokio::test]
async fn what_another_server_removed_is_no_failure_of_this_one() {
    let f = fixtures().await;
    let browser = f.signed_in(&f.u1).await;
    let ask = async |f: &Fixtures| {
        let mut browser = browser.stolen();
        browser.goto(&f.c1.asks().url()).await;
        browser
    };
    assert!(ask(&f).await.sees("consent-allow"));
    signet::store::client::delete(&f.app.db, "c1").await.unwrap();
    assert::page(&ask(&f).await, 503);
    f.app.cache.forget_client("c1").await;
    assert::page(&ask(&f).await, 400);
}

/// Reliability promise 3: a client that was disabled or removed is not brought back by a change that began before.
#[tokio::test]
async fn a_change_does_not_undo_another() {
    let f = fixtures().await;
    let known = clients::find(&f.app, "c1").await.unwrap();
    let changed = at_once(|i| {
        let (app, known) = (f.app.clone(), known.clone());
        async move {
            match i {
                25 => clients::set_disabled(&app, "c1", true).await.map(drop),
                even if even % 2 == 0 => clients::update(&app, "c1", known.metadata, known.policy).await.map(drop),
                _ => clients::rotate_secret(&app, "c1", 0).await.map(drop),
            }
        }
    });
    let changed = changed.await;
    assert!(changed.iter().all(|done| matches!(done, Ok(()) | Err(Trouble::Conflict(_)))), "{changed:?}");
    assert!(!clients::find(&f.app, "c1").await.unwrap().is_enabled(), "a disabled client came back");
    assert::json(&f.c1.refresh("x").await, 401, "invalid_client");

    let changed = at_once(|i| {
        let (app, known) = (f.app.clone(), known.clone());
        async move {
            match i {
                25 => clients::delete(&app, "c1").await,
                _ => clients::update(&app, "c1", known.metadata, known.policy).await.map(drop),
            }
        }
    });
    let changed = changed.await;
    assert!(changed.iter().all(|done| matches!(done, Ok(()) | Err(Trouble::NotFound(_)))), "{changed:?}");
    assert!(clients::find(&f.app, "c1").await.is_err(), "a removed client came back");
}
