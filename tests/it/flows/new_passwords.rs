//! What a new password must be, for each policy; what comes of one; and those that the server draws.
use signet::{
    flows::{
        Trouble, Why,
        admin::users,
        passwords::{self, About, Kind, Verdict},
    },
    protocol::password::Weak,
    store::{password, password_history},
};

use crate::harness::{TestServer, fixtures, seed::NewPerson};

/// The first thing that is wrong.
fn weakness(server: &TestServer, password: &str) -> Option<Weak> {
    passwords::weakness(&server.app, &About::default(), password)
}

async fn with(settings: &[(&str, &str)]) -> TestServer {
    TestServer::with(settings).await
}

#[tokio::test]
async fn a_password_is_judged_by_the_policy_in_force_when() {
    let nist = with(&[]).await;
    let classic = with(&[("passwords.policy", "classic")]).await;
    let lenient = with(&[("passwords.minimum_length", "8"), ("passwords.minimum_strength", "0")]).await;
    let open = with(&[
        ("passwords.policy", "classic"),
        ("passwords.minimum_length", "8"),
        ("passwords.character_kinds", "false"),
        ("passwords.blocklist", "false"),
    ])
    .await;
    let strict = with(&[("passwords.character_kinds", "true"), ("passwords.minimum_strength", "4")]).await;
    let short = |least, has| Some(Weak::TooShort { least, has });
    for (reason, server, password, weak) in [
        ("NIST wants 15", &nist, "kwq7!zxkwq7!zy", short(15, 14)),
        ("NIST wants no kinds", &nist, "sixteen wet umbrellas", None),
        ("NIST wants strength", &nist, "hello hello hello", Some(Weak::Guessable)),
        ("a name with a date is common", &nist, "jessica19870101", Some(Weak::Common)),
        ("letters of other scripts are letters", &nist, "пароль из пятнадцати знаков", None),
        ("classic wants 12", &classic, "Kwq7!zxkwq7", short(12, 11)),
        ("classic wants a capital", &classic, "kwq7!zxkwq7!zy", Some(Weak::NoUpper)),
        ("classic wants a small letter", &classic, "KWQ7!ZXKWQ7!ZY", Some(Weak::NoLower)),
        ("classic wants a digit", &classic, "Kwqq!zxkwqq!zy", Some(Weak::NoDigit)),
        ("classic wants a symbol", &classic, "Kwq7xzxkwq7xzy", Some(Weak::NoSymbol)),
        ("a space is a symbol", &classic, "Kwq7 zxkwq7xzy", None),
        ("classic has the list", &classic, "Password123!", Some(Weak::Common)),
        ("the list is for whole words", &classic, "Mypassw0rd-is-9-zebras", None),
        ("a listed word with digits around it", &lenient, "1987dragonfly!!", Some(Weak::Common)),
        ("a listed word over and over", &lenient, "JessicaJessica", Some(Weak::Common)),
        ("a listed word in wide letters", &lenient, "ｓｕｎｓｈｉｎｅ１", Some(Weak::Common)),
        ("a listed word behind a ligature", &lenient, "\u{fb01}refighter", Some(Weak::Common)),
        ("one character", &lenient, "aaaaaaaaaaaaaaaaaaaa", Some(Weak::Common)),
        ("two by turns", &lenient, "abababababababab", Some(Weak::Common)),
        ("a run", &lenient, "ihgfedcba", Some(Weak::Common)),
        ("strength is not asked for", &lenient, "tuesday mondays", None),
        ("nothing is asked for but length", &open, "password", None),
        ("length is always asked for", &open, "passwor", short(8, 7)),
        ("the product never makes a password", &open, "signet2026", Some(Weak::About("signet".into()))),
        ("parts are set one by one", &strict, "sixteen wet umbrellas", Some(Weak::NoUpper)),
        ("all parts together", &strict, "Sixteen wet umbrellas, 4 dry ones", None),
    ] {
        assert_eq!(weakness(server, password), weak, "{reason}: {password}");
    }
}

#[tokio::test]
async fn an_estimate_names_everything_that_is_wrong() {
    let classic = with(&[("passwords.policy", "classic")]).await;
    let about = About { words: &["persephone@underhill.example"], ..About::default() };
    let short = |has| Weak::TooShort { least: 12, has };
    let of = |word: &str| Weak::About(word.into());
    for (password, problems) in [
        ("", vec![short(0), Weak::NoUpper, Weak::NoLower, Weak::NoDigit, Weak::NoSymbol]),
        ("persephone", vec![short(10), Weak::NoUpper, Weak::NoDigit, Weak::NoSymbol, of("persephone")]),
        ("dragon", vec![short(6), Weak::NoUpper, Weak::NoDigit, Weak::NoSymbol, Weak::Common]),
        ("Zq7-lantern-cobble", vec![]),
    ] {
        let strength = passwords::estimate(&classic.app, &about, password);
        assert_eq!(strength.problems, problems, "{password}");
        let verdict = if problems.is_empty() { Verdict::Strong } else { Verdict::VeryWeak };
        assert_eq!(strength.verdict, verdict, "{password}: {}", strength.score);
    }
    let endless = passwords::estimate(&classic.app, &about, &"Zq7-lantern ".repeat(10_000));
    assert_eq!((endless.score, endless.problems), (0, vec![Weak::TooLong]), "nothing is computed for it");
}

/// Case SEC-158's rule for what is not hashed either: the longest password that is judged, of the worst kinds.
#[tokio::test]
async fn a_judgement_takes_no_time_whatever_is_judged() {
    let server = with(&[]).await;
    let words = ["alexander.the.great@mail.macedonia.example", "Alexander", "of Macedon"];
    let about = About { words: &words, ..About::default() };
    let started = std::time::Instant::now();
    for unit in ["a", "4@", "p4$$w0rd", "1", "19", "qwerty", "ab1!", "äß", "🦀", "alexander", "\u{301}"] {
        passwords::estimate(&server.app, &about, &unit.repeat(1024 / unit.len()));
    }
    // Some two milliseconds each, a hundred in a program that was not optimized.
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_is_drawn_fulfils_every_policy() {
    for settings in [
        &[][..],
        &[("passwords.policy", "classic")],
        &[("passwords.minimum_length", "64"), ("passwords.minimum_strength", "4")],
        &[("passwords.character_kinds", "true")],
    ] {
        let server = with(settings).await;
        let mut drawn = std::collections::BTreeSet::new();
        for kind in [Kind::Passphrase, Kind::Characters] {
            for _ in 0..20 {
                let password = passwords::generate(&server.app, kind);
                assert_eq!(weakness(&server, &password), None, "{settings:?}: {password}");
                assert!(password.is_ascii() && password.len() >= 20, "{password}");
                assert_eq!(kind == Kind::Passphrase, password.split('-').filter(|word| word.len() > 1).count() > 4);
                drawn.insert(password);
            }
        }
        assert_eq!(drawn.len(), 40, "no two are the same");
    }
}

async fn set(server: &TestServer, id: uuid::Uuid, password: &str) -> Result<(), Weak> {
    server.clock.advance(1);
    match users::set_password(&server.app, id, password).await {
        Ok(()) => Ok(()),
        Err(Trouble::Invalid(fields)) => match &fields[..] {
            [field] if field.name == "password" => match &field.why {
                Why::Weak(weak) => Err(weak.clone()),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        },
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_last_passwords_do_not_come_back() {
    for (history, kept) in [("0", 0), ("1", 0), ("5", 4), ("2", 1)] {
        let server = with(&[("passwords.history", history)]).await;
        let f = server.fixtures().await;
        let id: uuid::Uuid = f.u1.id.parse().unwrap();
        let password = |number: usize| format!("{number} wet umbrellas on a tandem");
        for number in 0..6 {
            assert_eq!(set(&f, id, &password(number)).await, Ok(()), "{history}");
        }
        let last: usize = history.parse().unwrap();
        for back in 0..6 {
            let expected = if back < last { Err(Weak::Used) } else { Ok(()) };
            let about = users::find(&f.app, &f.u1.username).await.unwrap();
            let judged = passwords::judge(&f.app, &About::person(&about), &password(5 - back)).await;
            assert_eq!(judged.is_err(), expected.is_err(), "history {history}, {back} back");
        }
        assert_eq!(password_history::newest(&f.app.db, id, 100).await.unwrap().len(), kept, "{history}");
        if last > 0 {
            assert_eq!(set(&f, id, &password(5)).await, Err(Weak::Used), "the one in use is one of them");
        }
    }
}

#[tokio::test]
async fn former_passwords_are_hashes_and_go_with_the_person() {
    let f = fixtures().await;
    let person = f.user(NewPerson::named("former")).await;
    let id = person.id.parse().unwrap();
    let first = password::find(&f.app.db, id).await.unwrap().unwrap().phc;
    assert_eq!(set(&f, id, "nine wet umbrellas on a tandem").await, Ok(()));
    assert_eq!(password_history::newest(&f.app.db, id, 9).await.unwrap(), vec![first]);
    users::delete(&f.app, id).await.unwrap();
    assert!(password_history::newest(&f.app.db, id, 9).await.unwrap().is_empty());
}

/// A password that the person typed in another Unicode form is the same password.
#[tokio::test]
async fn a_former_password_is_known_in_every_form() {
    let f = fixtures().await;
    let id = f.u1.id.parse().unwrap();
    assert_eq!(set(&f, id, "e\u{301}te\u{301} a\u{300} la plage en aout").await, Ok(()));
    assert_eq!(set(&f, id, "nine wet umbrellas on a tandem").await, Ok(()));
    assert_eq!(set(&f, id, "\u{e9}t\u{e9} \u{e0} la plage en aout").await, Err(Weak::Used));
}
