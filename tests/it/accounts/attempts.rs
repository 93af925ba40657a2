//! AC7: every try to sign in is kept for the person, and nothing that was typed.
use sea_orm::{EntityTrait, QueryOrder};
use signet::{
    flows::account::log::{self, LoginAttempt},
    jobs,
    store::login_attempt,
};
use uuid::Uuid;

use super::signed_in::{self, FIREFOX, at, signed_in_with};
use crate::harness::{
    Fixtures, Parameters, fixtures,
    seed::{ClientSpec, NewPerson, Person, delete_user},
};

const DAY: i64 = 86_400;

async fn kept(f: &Fixtures) -> Vec<LoginAttempt> {
    f.app.attempts.flush().await;
    let all = login_attempt::Entity::find().order_by_asc(login_attempt::Column::At);
    all.order_by_asc(login_attempt::Column::Id).all(&f.app.db).await.unwrap()
}

async fn newest(f: &Fixtures) -> LoginAttempt {
    kept(f).await.pop().expect("a try was kept")
}

fn id(person: &Person) -> Option<Uuid> {
    Some(person.id.parse().unwrap())
}

#[tokio::test]
async fn a_try_is_kept_with_its_reason_when() {
    let f = fixtures().await;
    for (name, username, password, whose, ended) in [
        ("it succeeds", &f.u1.username, &f.u1.password, id(&f.u1), ("ok", "right_password")),
        ("the password is wrong", &f.u1.email, &"canary-wrong".into(), id(&f.u1), ("refused", "wrong_password")),
        ("nobody has the name", &"canary-who".into(), &"x".into(), None, ("refused", "unknown_name")),
        ("there is no such name", &"@@".into(), &"x".into(), None, ("refused", "unknown_name")),
        ("the account is disabled", &f.u5.username, &f.u5.password, id(&f.u5), ("refused", "disabled_account")),
    ] {
        f.clock.advance(1);
        let mut browser = f.browser();
        browser.user_agent = Some(FIREFOX.to_string());
        browser.goto(&f.c1.asks().url()).await;
        browser.fill("login-username", username).fill("login-password", password).press("login-submit").await;
        let row = newest(&f).await;
        assert_eq!((row.user_id, row.result.as_str(), row.reason.as_str()), (whose, ended.0, ended.1), "when {name}");
        assert_eq!((row.at, row.method.as_str()), (f.now(), "password"), "when {name}");
        assert_eq!((row.address.as_deref(), row.user_agent.as_deref()), (Some("127.0.0.1"), Some(FIREFOX)));
        assert_eq!(row.trace_id.len(), 16);
        assert!(!format!("{row:?}").contains("canary"), "when {name}: {row:?}");
    }
    assert_eq!(kept(&f).await.len(), 5);
}

#[tokio::test]
async fn the_password_grant_and_asking_again_are_tries_too() {
    let f = fixtures().await;
    let grant_types = vec!["authorization_code", "password"];
    let own = f.client(ClientSpec { first_party: true, grant_types, ..ClientSpec::web("own") }).await;
    let form = [("grant_type", "password"), ("username", f.u1.username.as_str()), ("password", "wrong")];
    own.token(Parameters::new(&form)).await;
    assert_eq!(newest(&f).await.reason, "wrong_password");
    let browser = signed_in_with(&f, &f.u1, FIREFOX).await;
    let (visitor, me) = at(&f, &browser).await;
    f.clock.advance(1);
    let mut trace = f.app.trace(signet::protocol::trace::Kind::Account);
    assert!(me.prove_password(&f.app, &visitor, "wrong", &mut trace).await.is_err());
    let row = newest(&f).await;
    assert_eq!((row.method.as_str(), row.result.as_str(), row.user_id), ("password_again", "refused", id(&f.u1)));
}

#[tokio::test]
async fn people_read_their_own_tries_page_by_page() {
    let f = fixtures().await;
    for _ in 0..5 {
        f.clock.advance(1);
        signed_in_with(&f, &f.u1, FIREFOX).await;
        signed_in_with(&f, &f.u2, FIREFOX).await;
    }
    let person = f.u1.id.parse().unwrap();
    let (mut read, mut before) = (Vec::new(), None);
    for (length, more) in [(2, true), (2, true), (1, false)] {
        let part = log::attempts(&f.app, person, before, 2).await.unwrap();
        assert_eq!((part.items.len(), part.next.is_some()), (length, more));
        before = part.next;
        read.extend(part.items);
    }
    assert!(read.iter().all(|row| row.user_id == Some(person)), "somebody else's: {read:?}");
    let times: Vec<i64> = read.iter().map(|row| row.at).collect();
    assert_eq!(times, [f.now(), f.now() - 1, f.now() - 2, f.now() - 3, f.now() - 4], "the newest first, at once");
}

#[tokio::test]
async fn tries_and_the_log_are_forgotten_in_time() {
    let f = fixtures().await;
    signed_in_with(&f, &f.u1, FIREFOX).await;
    assert_eq!((kept(&f).await.len(), signed_in::log(&f, &f.u1).await), (1, vec!["new_device".to_string()]));
    f.clock.advance(90 * DAY);
    jobs::run_all(&f.app).await;
    assert_eq!(kept(&f).await.len(), 1);
    f.clock.advance(1);
    jobs::run_all(&f.app).await;
    assert_eq!((kept(&f).await.len(), signed_in::log(&f, &f.u1).await.len()), (0, 1));
    f.clock.advance(275 * DAY);
    jobs::run_all(&f.app).await;
    assert_eq!(signed_in::log(&f, &f.u1).await.len(), 0);
}

/// Whoever tries names that nobody has does not fill the disk, nor push out what is somebody's.
#[tokio::test]
async fn only_the_newest_tries_of_nobody_stay() {
    let f = fixtures().await;
    signed_in_with(&f, &f.u1, FIREFOX).await;
    for number in 0..6 {
        f.clock.advance(1);
        let mut browser = f.browser();
        browser.goto(&f.c1.asks().url()).await;
        browser.fill("login-username", &format!("no{number}")).fill("login-password", "x").press("login-submit").await;
    }
    assert_eq!(kept(&f).await.len(), 7);
    while login_attempt::forget_nobodys_beyond(&f.app.db, 4).await.unwrap() {}
    let rows = kept(&f).await;
    assert_eq!((rows.len(), rows[0].user_id), (5, id(&f.u1)));
    assert_eq!(rows[1].at, f.now() - 3);
}

/// Tries are written behind the request: somebody may be gone meanwhile, and the others' stay.
#[tokio::test]
async fn a_try_of_somebody_who_is_gone_takes_no_other_with_it() {
    let f = fixtures().await;
    let gone = f.user(NewPerson::named("gone")).await;
    signed_in_with(&f, &gone, FIREFOX).await;
    signed_in_with(&f, &f.u1, FIREFOX).await;
    let rows = kept(&f).await;
    delete_user(&f.app, &gone).await;
    assert_eq!(kept(&f).await.len(), 1, "a deleted person's tries go with them");
    for row in rows {
        f.app.attempts.record(LoginAttempt { id: Uuid::new_v4(), ..row });
    }
    assert_eq!(kept(&f).await.len(), 2);
    assert_eq!(f.app.attempts.lost(), 0);
}
