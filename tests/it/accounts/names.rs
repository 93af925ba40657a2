//! SEC-161: names that people can tell from others.

use signet::{
    flows::{
        Trouble, Why,
        account::registration::{self, NewAccount, Registered},
        admin::users::{self, NewUser, User},
    },
    protocol::{
        claims::StandardClaims,
        text::{Unfit, is_reserved, new_username, twin},
    },
};

use crate::harness::TestServer;

async fn named(server: &TestServer, name: &str) -> Result<User, Trouble> {
    users::create(&server.app, NewUser { username: Some(name.into()), ..NewUser::default() }).await
}

#[test]
fn sec_161_a_name_is_written_in_one_alphabet() {
    for name in [
        "anna",
        "ada.l-2_x",
        "zoë",
        "kjær",
        "ışık",
        "łukasz",
        "dvořák",
        "мария",
        "саша",
        "σωκράτης",
        "田中",
        "田中taro",
        "まりこ",
        "한글",
        "한글abc",
        "مريم",
        "רות",
        "कमल",
        "հայկ",
        "გია",
        "ᏌᎴᎹ",
        "anna♥",
    ] {
        assert!(new_username(name, None).is_ok(), "{name}: {:?}", new_username(name, None));
    }
    for (reason, name) in [
        ("a Cyrillic letter among Latin ones", "p\u{430}ul"),
        ("a Latin letter among Cyrillic ones", "мaрия"),
        ("a Greek letter among Latin ones", "\u{3bf}mega"),
        ("two alphabets side by side", "maria-мария"),
        ("a phonetic letter", "\u{251}dmin"),
        ("a small capital", "\u{1d00}da"),
        ("a letter of Armenian among Latin ones", "\u{585}scar"),
    ] {
        assert_eq!(new_username(name, None), Err(Unfit::LookAlike), "{reason}: {name}");
    }
}

/// Whoever has the plain name is not to be mistaken for whoever has its double.
#[tokio::test]
async fn sec_161_a_name_that_looks_like_another_is_taken() {
    let server = TestServer::start().await;
    for (name, double) in [("capa", "сара"), ("cawa", "саша")] {
        assert_eq!(twin(double).as_deref(), Some(name));
        named(&server, name).await.unwrap();
        let refused = named(&server, double).await;
        assert!(matches!(refused, Err(Trouble::Conflict(_))), "{double} beside {name}: {refused:?}");
    }
    named(&server, "роса").await.expect("a name that looks like one that nobody has");
    for alone in ["anna", "мария", "zoë", "田中"] {
        assert_eq!(twin(alone), None, "{alone}");
    }
}

/// Operators may call somebody what they like; people may not call themselves what looks official.
#[test]
fn an_official_name_is_reserved_however_it_is_written() {
    let own = ["acme".to_owned(), "coca-cop".to_owned()];
    for name in ["admin", "root", "no-reply", "no.reply", "noreply", "web_master", "signet", "null", "acme", "ac.me"] {
        assert!(is_reserved(name, &own), "{name}");
    }
    for disguised in ["соса.сор", "coca_cop"] {
        let name = new_username(disguised, None).unwrap();
        assert!(is_reserved(&name, &own), "{disguised}");
    }
    for name in ["anna", "administratrix", "rooty", "acme2"] {
        assert!(!is_reserved(name, &own), "{name}");
    }
}

#[tokio::test]
async fn an_operator_may_give_an_official_name() {
    let server = TestServer::start().await;
    named(&server, "support").await.unwrap();
    let refused = named(&server, "supp\u{43e}rt").await;
    let named = matches!(&refused, Err(Trouble::Invalid(fields)) if fields[0].why == Why::Unfit(Unfit::LookAlike));
    assert!(named, "{refused:?}");
}

/// The same rules where people make their accounts themselves; and nobody learns there who has a number.
#[tokio::test]
async fn who_registers_takes_no_name_that_is_not_theirs() {
    let settings = [("accounts.registration", "open"), ("accounts.verification", "optional")];
    let server = TestServer::with(&settings).await;
    let app = &server.app;
    let number = Some("+44 20 7946 0000".to_owned());
    let first = NewUser { username: Some("capa".into()), phone_number: number.clone(), ..NewUser::default() };
    users::create(app, first).await.unwrap();
    let new = |username: &str, preferred: Option<&str>| NewAccount {
        email: "eva@example.com".into(),
        username: Some(username.into()),
        password: super::PASSWORD.into(),
        phone_number: number.clone(),
        claims: StandardClaims { preferred_username: preferred.map(str::to_owned), ..StandardClaims::default() },
        ..NewAccount::default()
    };
    for (reason, account, field) in [
        ("the name looks official", new("web.master", None), "username"),
        ("the name is somebody's double", new("сара", None), "username"),
        ("the name mixes alphabets", new("ev\u{430}", None), "username"),
        ("the preferred name is somebody's", new("eva", Some("capa")), "preferred_username"),
    ] {
        let refused = registration::register(app, &super::visitor(app), account).await;
        let named = matches!(&refused, Err(Trouble::Invalid(fields)) if fields[0].name == field);
        assert!(named, "{reason}: {refused:?}");
    }
    let made = registration::register(app, &super::visitor(app), new("eva", Some("Eva"))).await.unwrap();
    let Registered::Ready(eva) = made else { panic!("{made:?}") };
    assert_eq!((eva.phone_number.as_deref(), eva.phone_key), (Some("+442079460000"), None));
    assert_eq!(users::find(app, "+44 20 7946 0000").await.unwrap().username.as_deref(), Some("capa"));
}
