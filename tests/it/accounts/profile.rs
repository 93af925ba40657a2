//! AC8: what people say of themselves, member by member (RFC 7396) or as a whole.

use serde_json::{Map, Value, json};
use signet::{
    flows::{
        Field, Trouble, Why,
        account::{
            log,
            profile::{self, Profile, Public},
        },
        admin::users::{self, NewUser, User},
    },
    protocol::{assurance::Methods, claims::StandardClaims, text::Unfit},
};
use tokio::task::JoinSet;

use super::me;
use crate::harness::{
    TestServer, fixtures,
    seed::{NewPerson, Person},
};

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn patch(server: &TestServer, person: &Person, changes: Value) -> Result<User, Trouble> {
    profile::patch(&server.app, &me(&server.app, person).await, members(changes)).await
}

fn problems(result: Result<User, Trouble>) -> Vec<Field> {
    match result {
        Err(Trouble::Invalid(fields)) => fields,
        other => panic!("not refused by its fields: {other:?}"),
    }
}

#[tokio::test]
async fn null_removes_and_what_is_absent_stays() {
    let f = fixtures().await;
    f.wait(5).await;
    let changed = patch(
        &f,
        &f.u1,
        json!({
            "nickname": null, "name": "Ada L.", "bio": "Counts.\nAnd counts.", "zoneinfo": "Europe/Paris", "gender": "",
            "address": { "postal_code": null, "country": "United Kingdom" },
        }),
    );
    let changed = changed.await.unwrap();
    f.was_at(changed.updated_at, f.now());
    let known = users::find(&f.app, &f.u1.id).await.unwrap();
    assert_eq!(known, changed, "what is answered is what is kept");
    assert_eq!(known.bio.as_deref(), Some("Counts.\nAnd counts."));
    let claims = json!(known.claims);
    assert_eq!((&claims["name"], &claims["zoneinfo"]), (&json!("Ada L."), &json!("Europe/Paris")));
    assert_eq!((&claims["nickname"], &claims["gender"]), (&Value::Null, &Value::Null));
    assert_eq!((&claims["given_name"], &claims["birthdate"]), (&json!("Ada"), &json!("1815-12-10")));
    let address = &claims["address"];
    assert_eq!((&address["postal_code"], &address["country"]), (&Value::Null, &json!("United Kingdom")));
    assert_eq!(address["locality"], "London", "a patch goes into the address, too");
    assert_eq!((known.email.as_deref(), known.email_verified), (Some(&*f.u1.email), true));
    let lines = log::events(&f.app, known.id, None, 10).await.unwrap().items;
    assert_eq!((lines[0].kind.as_str(), lines[0].address.as_deref()), ("profile_changed", Some("192.0.2.7")));
}

#[tokio::test]
async fn a_profile_is_replaced_as_a_whole() {
    let f = fixtures().await;
    let whole = json!({ "username": "ada", "name": "Ada", "preferred_username": "Ada" });
    let user = profile::replace_members(&f.app, &me(&f.app, &f.u1).await, members(whole)).await.unwrap();
    let only = StandardClaims {
        name: Some("Ada".into()),
        preferred_username: Some("Ada".into()),
        ..StandardClaims::default()
    };
    assert_eq!((&user.claims, &user.phone_number, &user.phone_key), (&only, &None, &None));
    assert!(!user.phone_number_verified);
    let form = Profile { username: Some("ada".into()), bio: Some(" ".into()), ..Profile::default() };
    let user = profile::replace(&f.app, &me(&f.app, &f.u1).await, form).await.unwrap();
    assert_eq!((user.claims, user.bio), (StandardClaims::default(), None), "a form sends empty fields");
}

/// What changes nothing is no change: no line in the log, no new date.
#[tokio::test]
async fn the_same_again_is_no_change() {
    let f = fixtures().await;
    let before = users::find(&f.app, &f.u1.id).await.unwrap();
    f.wait(60).await;
    for same in [
        json!({}),
        json!({ "name": "Ada King Lovelace" }),
        json!({ "username": "ADA" }),
        json!({ "phone_number": "+44 20 7946 0000" }),
        json!({ "email": before.email, "email_verified": true, "sub": before.id, "updated_at": before.updated_at }),
    ] {
        assert_eq!(patch(&f, &f.u1, same.clone()).await.unwrap(), before, "{same}");
    }
    assert!(log::events(&f.app, before.id, None, 10).await.unwrap().items.is_empty());
}

/// SEC-145: what is not theirs is refused by its name, and nothing of the request is kept.
#[tokio::test]
async fn sec_145_nobody_sets_what_is_not_theirs() {
    let f = fixtures().await;
    let before = users::find(&f.app, &f.u1.id).await.unwrap();
    for (member, value) in [
        ("role", json!("admin")),
        ("roles", json!(["admin"])),
        ("groups", json!(["wheel"])),
        ("admin", json!(true)),
        ("email", json!("other@example.com")),
        ("email_verified", json!(false)),
        ("phone_number_verified", json!(false)),
        ("id", json!(f.u2.id)),
        ("sub", json!(f.u2.id)),
        ("disabled", json!(false)),
        ("password", json!("correct horse battery staple")),
        ("password_hash", json!("$argon2id$")),
        ("mfa_enabled", json!(false)),
        ("token_version", json!(7)),
        ("created_at", json!(0)),
        ("updated_at", json!(0)),
        ("delete_at", json!(null)),
    ] {
        let with = json!({ "name": "Mallory", member: value });
        let refused = problems(patch(&f, &f.u1, with.clone()).await);
        assert_eq!(refused, [Field { name: member, why: Why::NotYours }], "{member}");
        let whole = profile::replace_members(&f.app, &me(&f.app, &f.u1).await, members(with)).await;
        assert_eq!(problems(whole)[0].name, member);
    }
    let unknown = problems(patch(&f, &f.u1, json!({ "__proto__\u{1b}": {} })).await);
    assert_eq!(unknown[0].name, "profile");
    assert!(!unknown[0].why.to_string().contains('\u{1b}'), "{}", unknown[0].why);
    assert_eq!(users::find(&f.app, &f.u1.id).await.unwrap(), before);
}

#[tokio::test]
async fn each_problem_is_named() {
    let f = fixtures().await;
    for (reason, change, field, why) in [
        ("no text", json!({ "name": 7 }), "name", "must be text or null"),
        ("no object", json!({ "address": "here" }), "address", "must be an object or null"),
        ("an unknown part of an address", json!({ "address": { "planet": "Mars" } }), "address", "has members"),
        ("a number in an address", json!({ "address": { "country": 44 } }), "address", "has members that are text"),
        ("too long", json!({ "name": "x".repeat(256) }), "name", "is longer than 255"),
        ("a bio too long", json!({ "bio": "x".repeat(2001) }), "bio", "is longer than 2000"),
        ("what nobody sees", json!({ "bio": "a\u{202e}b" }), "bio", "invisible"),
        ("no link", json!({ "website": "javascript:alert(1)" }), "website", "must be a web address"),
        ("no picture", json!({ "picture": "data:image/png,x" }), "picture", "must be a web address"),
        ("no date", json!({ "birthdate": "10.12.1815" }), "birthdate", "must be YYYY"),
        ("no zone", json!({ "zoneinfo": "at home" }), "zoneinfo", "must be a time zone"),
        ("no language", json!({ "locale": "<b>" }), "locale", "must be a language"),
        ("no number", json!({ "phone_number": "+44 1" }), "phone_number", "is not a telephone number"),
        ("a number without a country", json!({ "phone_number": "020 7946 0000" }), "phone_number", "is not"),
        ("a name with a space", json!({ "username": "ada l" }), "username", "contains white space"),
        ("a name like an address", json!({ "username": "ada@x" }), "username", "must not contain @"),
        ("a name like a number", json!({ "username": "+442079460001" }), "username", "looks like a telephone"),
        ("a disguised name", json!({ "username": "\u{430}da" }), "username", "can be mistaken"),
        ("an official name", json!({ "username": "Support" }), "username", "is reserved"),
        ("somebody's name", json!({ "username": "BELA" }), "username", "is taken"),
        ("somebody's name as one's own", json!({ "preferred_username": "bela" }), "preferred_username", "must be"),
    ] {
        let refused = problems(patch(&f, &f.u1, change).await);
        assert_eq!((refused.len(), refused[0].name), (1, field), "{reason}: {refused:?}");
        assert!(refused[0].why.to_string().contains(why), "{reason}: {}", refused[0].why);
    }
    let all = problems(patch(&f, &f.u1, json!({ "birthdate": "x", "website": "x", "username": "root" })).await);
    let mut names: Vec<_> = all.iter().map(|field| field.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["birthdate", "username", "website"], "all at once");
}

#[tokio::test]
async fn another_number_is_not_verified() {
    let f = fixtures().await;
    let same = patch(&f, &f.u1, json!({ "phone_number": "+44 (0)20 7946 0000", "nickname": "A" })).await.unwrap();
    assert!(same.phone_number_verified, "the same number, written otherwise");
    let other = patch(&f, &f.u1, json!({ "phone_number": "+44 20 7946 0123" })).await.unwrap();
    assert_eq!(other.phone_number.as_deref(), Some("+442079460123"));
    assert!(!other.phone_number_verified);
    assert_eq!(users::find(&f.app, "+44 20 7946 0123").await.unwrap().id.to_string(), f.u1.id);
    assert!(users::find(&f.app, "+44 20 7946 0000").await.is_err(), "the old one signs nobody in");
    let none = patch(&f, &f.u1, json!({ "phone_number": null })).await.unwrap();
    assert_eq!((none.phone_number, none.phone_key), (None, None));
}

#[tokio::test]
async fn a_name_is_chosen_as_the_settings_say() {
    for (policy, changes, problem) in [
        ("optional", json!({ "username": null }), None),
        ("optional", json!({ "username": "countess" }), None),
        ("required", json!({ "username": null }), Some(Why::Missing)),
        ("required", json!({ "username": "countess" }), None),
        ("off", json!({ "username": "countess" }), Some(Why::NotYours)),
        ("off", json!({ "username": "ada" }), None),
    ] {
        let server = TestServer::with(&[("accounts.usernames", policy)]).await;
        let ada = server.user(NewPerson::named("ada")).await;
        let result = patch(&server, &ada, changes.clone()).await;
        match problem {
            None => assert_eq!(json!(result.unwrap().username), changes["username"], "{policy}"),
            Some(why) => assert_eq!(problems(result), [Field { name: "username", why }], "{policy}: {changes}"),
        }
    }
    let server = TestServer::start().await;
    let new = NewUser { username: Some("nameless".into()), ..NewUser::default() };
    let nameless = users::create(&server.app, new).await.unwrap();
    let me = signet::flows::account::me::Me {
        user: nameless,
        session: None,
        grant: None,
        auth_time: 0,
        proved: Methods::password(),
        device: super::device(),
    };
    let refused = problems(profile::patch(&server.app, &me, members(json!({ "username": null }))).await);
    assert_eq!(refused, [Field { name: "username", why: Why::Missing }], "nobody gives up their last name");
}

/// A spelling goes with its name; what an operator has said stays.
#[tokio::test]
async fn the_preferred_name_is_a_spelling_of_the_name() {
    let server = TestServer::start().await;
    let ada = server.user(NewPerson::named("ada")).await;
    let spelled = patch(&server, &ada, json!({ "preferred_username": "ADa" })).await.unwrap();
    assert_eq!(spelled.claims.preferred_username.as_deref(), Some("ADa"));
    let renamed = patch(&server, &ada, json!({ "username": "countess" })).await.unwrap();
    assert_eq!((renamed.username.as_deref(), renamed.claims.preferred_username), (Some("countess"), None));
    let bela = server.user(NewPerson::named("bela").claims(json!({ "preferred_username": "B. B." }))).await;
    let renamed = patch(&server, &bela, json!({ "username": "bartok" })).await.unwrap();
    assert_eq!(renamed.claims.preferred_username.as_deref(), Some("B. B."));
    let refused = problems(patch(&server, &bela, json!({ "preferred_username": "countess" })).await);
    assert_eq!(refused, [Field { name: "preferred_username", why: Why::Unfit(Unfit::NotTheName) }]);
}

/// Two devices at once: neither takes back what the other has said.
#[tokio::test]
async fn parallel_changes_do_not_undo_one_another() {
    let server = TestServer::start().await;
    let ada = server.user(NewPerson::named("ada")).await;
    let mut changes = JoinSet::new();
    for member in ["name", "given_name", "family_name", "middle_name", "nickname", "gender", "bio"] {
        let (app, me) = (server.app.clone(), me(&server.app, &ada).await);
        changes.spawn(async move { profile::patch(&app, &me, members(json!({ member: member }))).await.unwrap() });
    }
    changes.join_all().await;
    let user = users::find(&server.app, &ada.id).await.unwrap();
    assert_eq!(json!(user.claims).as_object().unwrap().len(), 6, "{:?}", user.claims);
    assert_eq!(user.bio.as_deref(), Some("bio"));
}

/// Of two who want one name, one gets it.
#[tokio::test]
async fn a_name_that_two_want_at_once_is_one_persons() {
    let server = TestServer::start().await;
    let mut tries = JoinSet::new();
    for number in 0..8 {
        let person = server.user(NewPerson::named(&format!("person{number}"))).await;
        let (app, me) = (server.app.clone(), me(&server.app, &person).await);
        let wish = json!({ "username": "wanted", "phone_number": "+44 20 7946 0999" });
        tries.spawn(async move { profile::patch(&app, &me, members(wish)).await });
    }
    let (won, lost): (Vec<_>, Vec<_>) = tries.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for refused in lost {
        assert!(problems(refused).iter().all(|field| field.why == Why::Taken));
    }
}

/// Whoever asks for one number after another learns little of who has one.
#[tokio::test]
async fn who_asks_for_taken_names_waits() {
    let server = TestServer::with_limits().await;
    let ada = server.user(NewPerson::named("ada")).await;
    let bela = server.user(NewPerson::named("bela")).await;
    patch(&server, &bela, json!({ "phone_number": "+44 20 7946 0001" })).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(patch(&server, &ada, json!({ "phone_number": "+44 20 7946 0001" })).await);
    }
    assert!(matches!(&answers[0], Err(Trouble::Invalid(_))));
    assert!(matches!(&answers[7], Err(Trouble::Broken(error)) if error.retry_after.is_some()), "{:?}", answers[7]);
    patch(&server, &ada, json!({ "nickname": "A" })).await.expect("what asks for no name is not held up");
}

#[tokio::test]
async fn others_see_the_public_part_where_they_may() {
    for (policy, others) in [("admins", false), ("everybody", true)] {
        let server = TestServer::with(&[("accounts.public_profiles", policy)]).await;
        let app = &server.app;
        let claims = json!({ "name": "Ada", "picture": "https://ada.example/a.png", "birthdate": "1815-12-10" });
        let ada = server.user(NewPerson::named("ada").claims(claims)).await;
        let bela = server.user(NewPerson::named("bela")).await;
        let root = NewUser { username: Some("root".into()), admin: true, ..NewUser::default() };
        let root = users::create(app, root).await.unwrap();
        let root = signet::flows::account::me::Me { user: root, ..me(app, &bela).await };
        let id = ada.id.parse().unwrap();
        let shown = Public {
            id,
            name: Some("Ada".into()),
            username: Some("ada".into()),
            picture: Some("https://ada.example/a.png".into()),
            bio: None,
        };
        for (who, may) in [(me(app, &ada).await, true), (root.clone(), true), (me(app, &bela).await, others)] {
            let seen = profile::public(app, &who, id).await;
            match may {
                true => assert_eq!(seen.unwrap(), shown, "{policy}"),
                false => assert!(matches!(seen, Err(Trouble::NotFound("user"))), "{policy}"),
            }
        }
        let nobody = profile::public(app, &me(app, &bela).await, app.id()).await;
        assert!(matches!(nobody, Err(Trouble::NotFound("user"))));
        users::set_disabled(app, id, true).await.unwrap();
        assert!(profile::public(app, &me(app, &bela).await, id).await.is_err(), "who is kept out is not shown");
        profile::public(app, &root, id).await.unwrap();
    }
}
