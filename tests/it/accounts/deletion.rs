//! AC11, SEC-170: the end of an account, the time to think it over, and what stays of it.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use signet::{
    flows::{
        Trouble, Why,
        account::{
            deletion::{self, Planned},
            log::Happened,
            me::Me,
            removal,
        },
        admin::{
            invitations::{self, NewInvitation},
            users::{self, NewUser},
        },
        mail::Letter,
    },
    jobs,
    protocol::assurance::Methods,
    store::{
        consent, grant, invitation, logout_delivery, mail, mail_link, password, security_event, session, trace_event,
        user,
    },
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{device, gets_in, letters, me, token_of, visitor};
use crate::harness::{
    Fixtures, TestServer, fixtures,
    seed::{ClientSpec, NewPerson, Person},
};

const DAY: i64 = 86_400;

async fn give_up(server: &TestServer, person: &Person) -> Result<Planned, Trouble> {
    let app = &server.app;
    deletion::plan(app, &visitor(app), &me(app, person).await, &person.password).await
}

/// The link of the newest letter of that kind.
async fn way_back(server: &TestServer) -> String {
    let letters = letters(&server.app).await;
    let link = letters.into_iter().rev().find_map(|(_, letter)| match letter {
        Letter::DeletionPlanned { undo, .. } => Some(undo),
        _ => None,
    });
    token_of(&link.expect("a letter with the way back"))
}

async fn events(server: &TestServer) -> Vec<security_event::SecurityEvent> {
    security_event::Entity::find().all(&server.app.db).await.unwrap()
}

async fn is_there(server: &TestServer, person: &Person) -> bool {
    users::find(&server.app, &person.id).await.is_ok()
}

/// U1 with sessions, tokens of three kinds, and an app that wants to be told.
struct Lived {
    f: Fixtures,
    access: String,
    offline: String,
    opaque: String,
}

async fn lived(settings: &[(&str, &str)]) -> Lived {
    let f = TestServer::with(settings).await.fixtures().await;
    let told = Some("https://rp.example/told".to_owned());
    let told = f.client(ClientSpec { backchannel_logout_uri: told, ..ClientSpec::web("told") }).await;
    let opaque = f.client(ClientSpec { opaque_access_tokens: true, ..ClientSpec::web("opaque") }).await;
    let access = f.visit(&told).await.tokens.access;
    let offline = f.visit_with(&f.c1, f.c1.asks_to_stay()).await.tokens.refresh_token().to_owned();
    let opaque = f.visit(&opaque).await.tokens.access;
    Lived { f, access, offline, opaque }
}

/// Nothing of the person opens anything.
async fn all_is_over(Lived { f, access, offline, opaque }: &Lived) {
    assert!(!f.c1.may_read_userinfo(access).await && !f.c1.may_read_userinfo(opaque).await);
    assert!(!f.rs1.finds_active(access).await);
    assert_eq!(f.c1.refresh(offline).await.status, 400);
    assert!(!gets_in(f, &f.c4, &f.u1.username, &f.u1.password).await);
    let of_u1 = session::Column::UserId.eq(f.u1.id.parse::<Uuid>().unwrap());
    assert_eq!(session::Entity::find().filter(of_u1).count(&f.app.db).await.unwrap(), 0);
    let deliveries = logout_delivery::Entity::find().all(&f.app.db).await.unwrap();
    assert_eq!(deliveries.len(), 1, "the app is told");
}

#[tokio::test]
async fn sec_170_giving_up_an_account_ends_everything_at_once() {
    let lived = lived(&[]).await;
    let f = &lived.f;
    let other = f.visit(&f.c1).await;
    let planned = give_up(f, &f.u1).await.unwrap();
    assert_eq!(planned, Planned::At(f.now() + 7 * DAY));
    all_is_over(&lived).await;
    assert!(!f.c1.may_read_userinfo(&other.tokens.access).await);
    let mut all = letters(&f.app).await;
    all.retain(|(_, letter)| !matches!(letter, Letter::NewDevice { .. }));
    let (to, letter) = all.pop().unwrap();
    assert_eq!(to, f.u1.email);
    assert!(matches!(letter, Letter::DeletionPlanned { until, .. } if until == f.now() + 7 * DAY), "{letter:?}");
    let last =
        events(f).await.into_iter().filter(|event| event.kind != "new_device").max_by_key(|event| event.id).unwrap();
    assert_eq!((last.kind.as_str(), last.subject.to_string()), ("deletion_planned", f.u1.id.clone()));
    assert!(is_there(f, &f.u1).await, "for now");
}

#[tokio::test]
async fn the_way_back_works_once_and_signs_nobody_in() {
    let f = fixtures().await;
    give_up(&f, &f.u1).await.unwrap();
    let token = way_back(&f).await;
    let visitor = visitor(&f.app);
    assert_eq!(deletion::look(&f.app, &visitor, &token).await.unwrap(), f.now() + 7 * DAY);
    assert_eq!(deletion::look(&f.app, &visitor, &token).await.unwrap(), f.now() + 7 * DAY, "looking spends nothing");
    f.clock.advance(7 * DAY - 1);
    deletion::take_back(&f.app, &visitor, &token).await.unwrap();
    assert_eq!(session::Entity::find().count(&f.app.db).await.unwrap(), 0);
    f.clock.advance(DAY);
    jobs::run_all(&f.app).await;
    assert!(gets_in(&f, &f.c4, &f.u1.username, &f.u1.password).await, "the account is as it was");
    for again in [token.as_str(), "x", ""] {
        assert!(matches!(deletion::take_back(&f.app, &visitor, again).await, Err(Trouble::Broken(_))), "{again}");
    }
    let kinds: Vec<_> = events(&f).await.into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&Happened::DeletionTakenBack.as_str().to_owned()), "{kinds:?}");
}

#[tokio::test]
async fn an_account_stays_when() {
    let f = fixtures().await;
    let app = &f.app;
    let me = me(app, &f.u1).await;
    for (reason, given, why) in [("no password is given", "", Why::Missing), ("it is wrong", "wrong", Why::Wrong)] {
        let refused = deletion::plan(app, &visitor(app), &me, given).await;
        let named = matches!(&refused, Err(Trouble::Invalid(fields)) if fields[0].name == "current_password" && fields[0].why == why);
        assert!(named, "{reason}: {refused:?}");
    }
    assert!(gets_in(&f, &f.c4, &f.u1.username, &f.u1.password).await);
    assert!(letters(app).await.is_empty());
}

/// SEC-147: somebody must be left to administer, whoever removes whom, and however many leave at once.
#[tokio::test]
async fn sec_147_the_last_administrator_stays() {
    let server = TestServer::start().await;
    let app = &server.app;
    let mut admins = Vec::new();
    for name in ["anna", "bert", "carl", "dora"] {
        let person = NewPerson::named(name);
        let new = NewUser {
            username: Some(name.into()),
            email: Some(person.email.clone()),
            password: Some(person.password.clone()),
            admin: true,
            ..NewUser::default()
        };
        let user = users::create(app, new).await.unwrap();
        admins.push((
            Me { user, session: None, grant: None, auth_time: 0, proved: Methods::password(), device: device() },
            person.password,
        ));
    }
    users::set_disabled(app, admins[3].0.user.id, true).await.unwrap();
    let mut leaving = JoinSet::new();
    for (me, password) in &admins[..3] {
        let (app, me, password) = (app.clone(), me.clone(), password.clone());
        leaving.spawn(async move { deletion::plan(&app, &visitor(&app), &me, &password).await });
    }
    let (left, stayed): (Vec<_>, Vec<_>) = leaving.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((left.len(), stayed.len()), (2, 1), "{stayed:?}");
    assert!(matches!(&stayed[0], Err(Trouble::Conflict(_))));
    let rows = user::Entity::find().all(&app.db).await.unwrap();
    let last = rows.into_iter().find(user::User::is_enabled).unwrap();
    assert!(matches!(users::delete(app, last.id).await, Err(Trouble::Conflict(_))), "not even by an operator");
    users::delete(app, admins[3].0.user.id).await.expect("one who is disabled may go");
}

/// What is due goes, with everything that was theirs; what happened stays, and stands for nobody.
#[tokio::test]
async fn sec_170_an_account_goes_when_its_time_has_come() {
    let lived = lived(&[("accounts.registration", "invitation")]).await;
    let f = &lived.f;
    let (app, id) = (&f.app, f.u1.id.parse::<Uuid>().unwrap());
    let invited = NewInvitation { email: Some("eva@example.com".into()), expires_in: 90 * DAY, send: false };
    invitations::create(app, invited.clone()).await.unwrap();
    give_up(f, &f.u1).await.unwrap();
    let before = events(f).await;
    f.clock.advance(7 * DAY - 1);
    jobs::run_all(app).await;
    assert!(is_there(f, &f.u1).await, "not a second too early");
    f.clock.advance(1);
    let token = way_back(f).await;
    app.recorder.flush().await;
    jobs::run_all(app).await;
    jobs::run_all(app).await;
    assert!(!is_there(f, &f.u1).await);
    assert!(deletion::take_back(app, &visitor(app), &token).await.is_err());
    let db = &app.db;
    assert_eq!(password::Entity::find_by_id(id).count(db).await.unwrap(), 0);
    assert_eq!(grant::Entity::find().filter(grant::Column::UserId.eq(id)).count(db).await.unwrap(), 0);
    assert_eq!(consent::Entity::find().filter(consent::Column::UserId.eq(id)).count(db).await.unwrap(), 0);
    assert_eq!(mail_link::Entity::find().filter(mail_link::Column::UserId.eq(id)).count(db).await.unwrap(), 0);
    assert_eq!(mail::Entity::find().filter(mail::Column::UserId.eq(id)).count(db).await.unwrap(), 0);
    assert_eq!(letters(app).await, [(f.u1.email.clone(), Letter::AccountDeleted)], "once");
    let after = events(f).await;
    assert_eq!(after.len(), before.len() + 1, "the end is a line, too");
    let subjects: BTreeSet<_> = after.iter().map(|event| event.subject).collect();
    assert!(subjects.len() == 1 && !subjects.contains(&id), "one pseudonym: {subjects:?}");
    assert!(after.iter().all(|event| event.address.is_none() && event.user_agent.is_none()));
    let traces = trace_event::Entity::find().all(db).await.unwrap();
    assert!(
        !traces.is_empty() && traces.iter().all(|trace| trace.user_id != Some(id)),
        "what was checked, not for whom"
    );
    assert!(after.iter().all(|event| event.trace_id.is_empty()), "no trace leads back");
    assert_eq!(removal::former(db, &[app.id(), id]).await.unwrap(), [id], "nobody gets the subject again");
    assert_eq!(invitation::Entity::find().count(db).await.unwrap(), 1, "an invitation of somebody else");
    all_is_over(&lived).await;
    let again = f.user(NewPerson::named("ada").claims(json!({ "phone_number": "+442079460000" }))).await;
    assert_ne!(again.id, f.u1.id, "the names are free, and another person has them");
}

#[tokio::test]
async fn without_time_to_think_it_over_an_account_goes_at_once() {
    let lived = lived(&[("accounts.deletion_grace", "0s")]).await;
    let f = &lived.f;
    assert_eq!(give_up(f, &f.u1).await.unwrap(), Planned::Gone);
    assert!(!is_there(f, &f.u1).await);
    all_is_over(&lived).await;
    assert_eq!(letters(&f.app).await, [(f.u1.email.clone(), Letter::AccountDeleted)]);
    assert!(events(f).await.iter().all(|event| event.subject.to_string() != f.u1.id));
}

/// Two nodes that do the same work at once do it once, and the way back and the end exclude one another.
#[tokio::test]
async fn of_many_who_remove_an_account_one_does() {
    let f = fixtures().await;
    for person in [&f.u1, &f.u2] {
        give_up(&f, person).await.unwrap();
    }
    let tokens: Vec<_> = letters(&f.app).await.into_iter().map(|(_, letter)| letter).collect();
    f.clock.advance(7 * DAY);
    let mut work = JoinSet::new();
    for _ in 0..10 {
        let app = f.app.clone();
        work.spawn(async move { removal::run_due(&app).await.is_ok() });
        let (app, letters) = (f.app.clone(), tokens.clone());
        work.spawn(async move {
            for letter in letters {
                let Letter::DeletionPlanned { undo, .. } = letter else { panic!("{letter:?}") };
                let back = deletion::take_back(&app, &visitor(&app), &token_of(&undo)).await;
                assert!(back.is_err(), "too late");
            }
            true
        });
    }
    assert!(work.join_all().await.into_iter().all(|went_well| went_well));
    let goodbyes = letters(&f.app).await;
    assert_eq!(goodbyes.len(), 2, "{goodbyes:?}");
    assert!(!is_there(&f, &f.u1).await && !is_there(&f, &f.u2).await);
}

/// What an operator removes is removed the same way, and what an operator lets in again stays.
#[tokio::test]
async fn an_operator_removes_and_keeps() {
    let f = fixtures().await;
    let (app, u1, u2) = (&f.app, f.u1.id.parse::<Uuid>().unwrap(), f.u2.id.parse::<Uuid>().unwrap());
    users::delete(app, u1).await.unwrap();
    assert_eq!(letters(app).await, [(f.u1.email.clone(), Letter::AccountDeleted)]);
    assert_eq!(removal::former(&app.db, &[u1]).await.unwrap(), [u1]);
    assert!(matches!(users::delete(app, u1).await, Err(Trouble::NotFound("user"))));
    give_up(&f, &f.u2).await.unwrap();
    users::set_disabled(app, u2, false).await.unwrap();
    f.clock.advance(30 * DAY);
    jobs::run_all(app).await;
    assert!(gets_in(&f, &f.c4, &f.u2.username, &f.u2.password).await);
}
