//! PW: what a password may be, how it is kept, and how the first administrator comes about.
use std::time::Duration;

use sea_orm::EntityTrait;
use signet::{
    crypto::password::{Cost, HashPool},
    flows::{Trouble, admin::users, set_up},
    store::{
        Phc,
        password::{self, Unlike},
        user,
    },
};
use unicode_normalization::UnicodeNormalization;

use super::pages::fill_set_up;
use crate::harness::{
    Browser, Call, Fixtures, TestServer, fixtures,
    seed::{NewPerson, Person, set_password},
};

/// Why a person with this password is not made; nothing if they are.
async fn refusal(server: &TestServer, person: NewPerson) -> Option<String> {
    let NewPerson { email, username, password, claims } = person;
    let claims = serde_json::from_value(claims).unwrap();
    let (email, username, password) = (Some(email), Some(username), Some(password));
    let new = users::NewUser { email, username, password, claims, ..users::NewUser::default() };
    match users::create(&server.app, new).await {
        Ok(_) => None,
        Err(Trouble::Invalid(fields)) => {
            assert!(fields.iter().all(|field| field.name == "password"), "{fields:?}");
            Some(fields[0].why.to_string())
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// SEC-112, SP 800-63B-4 §3.1.1.2, ASVS 6.2.1 to 6.2.12.
#[tokio::test]
async fn sec_112_a_password_is_refused_when() {
    let long = TestServer::with(&[("issuer", "https://sign-in.example.org")]).await;
    let short = TestServer::with(&[("passwords.minimum_length", "8"), ("branding.name", "Waterworks")]).await;
    let classic = TestServer::with(&[("passwords.policy", "classic")]).await;
    let person = |email: &str, password: &str| NewPerson {
        email: email.into(),
        password: password.into(),
        ..NewPerson::named("persephone").claims(serde_json::json!({ "name": "Persephone Underhill" }))
    };
    let ours = "p@example.com";
    for (reason, server, email, password, says) in [
        ("it has 7 characters", &short, ours, "kwq7!zx", "at least 8 characters; it has 7"),
        ("it has 14 where it is the only factor", &long, ours, "kwq7!zxkwq7!zy", "at least 15 characters; it has 14"),
        ("each code point counts once", &long, ours, "🦀🦀🦀🦀🦀🦀🦀é", "at least 15 characters; it has 8"),
        ("everybody has it", &short, ours, "password123", "many people use"),
        ("everybody has it in capitals", &short, ours, "PASSWORD123", "many people use"),
        ("it is one character", &short, ours, "aaaaaaaaaaaaaaaaaaaa", "many people use"),
        ("it is a run", &short, ours, "abcdefghijklmnop", "many people use"),
        ("it is the e-mail address", &short, ours, ours, "consist mostly of"),
        (
            "it is a long e-mail address",
            &long,
            "alexander.the.great@mail.macedonia.example",
            "alexander.the.great@mail.macedonia.example",
            "consist mostly of",
        ),
        ("it is the user name", &short, ours, "Persephone", "consist mostly of persephone"),
        ("it is the person's name", &long, ours, "persephone underhill 1", "consist mostly of"),
        ("it is the product", &short, ours, "signet2026", "consist mostly of signet"),
        ("it is the operator's name for it", &short, ours, "Waterworks!1", "consist mostly of waterworks"),
        ("it is the host", &long, ours, "sign-in.example.org", "consist mostly of"),
        ("a word of the list has digits around it", &short, ours, "1987dragonfly!!", "many people use"),
        ("it is easily guessed, however long", &long, ours, "hello hello hello", "too easy to guess"),
        ("it has no capital where kinds are asked for", &classic, ours, "kwq7!zxkwq7!", "upper-case"),
        ("it is longer than anybody types", &long, ours, &"🦀 ab".repeat(200), "at most 1024 bytes"),
        ("it has a NUL", &long, ours, "wet umbrellas \0 and more", "control"),
    ] {
        let why = refusal(server, person(email, password)).await;
        assert!(why.as_deref().is_some_and(|why| why.contains(says)), "{reason}: {why:?}");
    }
}

/// SEC-112: length is all that is asked; people may write as they write.
#[tokio::test]
async fn sec_112_long_passwords_of_any_characters_work() {
    let f = fixtures().await;
    let passwords = [
        "correct horse battery".to_string(),
        "alllowercaseletters".into(),
        "  leading and trailing  ".into(),
        "пароль из пятнадцати знаков".into(),
        "e\u{301}te\u{301} a\u{300} la plage en ao\u{fb}t".into(),
        "🦀 crabs & 🐙 squids dance".into(),
        format!("{:0<64}", "64 characters with spaces é 🦀 "),
        format!("{:-<128}", "128 characters, \"quotes\", <tags> & %41 "),
        "signet is the ring that my grandmother wore".into(),
    ];
    assert!(passwords.iter().any(|password| password.chars().count() == 128));
    for (number, password) in passwords.into_iter().enumerate() {
        let person = f.user(NewPerson { password: password.clone(), ..NewPerson::named(&format!("p{number}")) }).await;
        assert!(signs_in(&f, &person, &password).await, "{password:?}");
        // One form is hashed, whichever the keyboard composes.
        let (composed, decomposed): (String, String) = (password.nfc().collect(), password.nfd().collect());
        assert!(signs_in(&f, &person, &composed).await && signs_in(&f, &person, &decomposed).await, "{password:?}");
    }
}

pub async fn signs_in(f: &Fixtures, person: &Person, password: &str) -> bool {
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().with("prompt", "login").url()).await;
    browser.fill("login-username", &person.username).fill("login-password", password).press("login-submit").await;
    let inside = browser.has_left() || browser.sees("consent-allow");
    assert!(inside || browser.page().status() == 401, "{}", browser.page());
    inside
}

/// SEC-113, ASVS 6.2.8, CVE-2024 of a bcrypt that cut at 72 bytes.
#[tokio::test]
async fn sec_113_nothing_of_a_password_is_cut_or_changed() {
    let f = fixtures().await;
    let password = format!("{}Zebra{}", "wet umbrella ".repeat(6), "x".repeat(17));
    assert_eq!(password.len(), 100);
    let person = f.user(NewPerson { password: password.clone(), ..NewPerson::named("hundred") }).await;
    assert!(signs_in(&f, &person, &password).await);
    for (reason, given) in [
        ("its first 72 bytes", password[..72].to_string()),
        ("all but the last", password[..99].to_string()),
        ("another case", password.to_lowercase()),
        ("a space behind it", format!("{password} ")),
        ("a space before it", format!(" {password}")),
        ("more behind it", format!("{password}x")),
        ("a NUL behind it", format!("{password}\0")),
        ("itself in another alphabet", password.replace('a', "\u{430}")),
    ] {
        assert!(!signs_in_or_is_refused(&f, &person, &given).await, "{reason}");
    }
    // A password that ends in a line break or begins with a space is kept as it is (set by command, say).
    set_password(&f.app, &person, " one two three four ").await;
    assert!(signs_in(&f, &person, " one two three four ").await);
    assert!(!signs_in(&f, &person, "one two three four").await);
}

/// The form itself may be refused: 403 for characters that no form of ours sends.
async fn signs_in_or_is_refused(f: &Fixtures, person: &Person, password: &str) -> bool {
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    browser.fill("login-username", &person.username).fill("login-password", password).press("login-submit").await;
    assert!(browser.has_left() || browser.page().status() >= 400 || browser.sees("consent-allow"));
    browser.has_left() || browser.sees("consent-allow")
}

/// SEC-113: what is too long is refused before it costs anything, and the form says how long it may be.
#[tokio::test]
async fn sec_113_an_endless_password_is_not_hashed() {
    let f = fixtures().await;
    let mut browser = f.browser();
    browser.goto(&f.c1.asks().url()).await;
    let field = &browser.page().document.elements[browser.page().document.by_id("login-password").unwrap()];
    assert_eq!(field.attribute("maxlength"), Some("1024"));
    let before = f.app.hashing.blocks_filled();
    for (length, status) in [(1025, 401), (60_000, 401), (1 << 20, 413)] {
        for username in [&f.u1.username, "nobody"] {
            let (action, _, form) = browser.form("login-submit");
            let form = form.with("username", username).with("password", &"x".repeat(length));
            let answer = browser.request(Call::post(&action).form(&form)).await;
            assert_eq!(answer.status, status, "{length}: {}", answer.text());
        }
    }
    let mut root = f.browser();
    fill_set_up(&f, &mut root).await;
    for (length, status) in [(1025, 422), (1 << 20, 413)] {
        let (action, _, form) = root.form("setup-submit");
        let form = form.with("password", &"xyz ".repeat(length / 4 + 1));
        let answer = root.request(Call::post(&action).form(&form)).await;
        assert_eq!(answer.status, status, "{length}: {}", answer.text());
    }
    let id = f.u1.id.parse().unwrap();
    assert!(users::set_password(&f.app, id, &"xyz ".repeat(300)).await.is_err());
    assert_eq!(f.app.hashing.blocks_filled(), before, "nothing of it was hashed");
}

/// SEC-114, ASVS 11.4.2: Argon2id, a salt of 128 bits each, the parameters of the settings.
#[tokio::test]
async fn sec_114_a_password_is_kept_as_argon2id() {
    let f = fixtures().await;
    let twin = f.user(NewPerson { password: f.u1.password.clone(), ..NewPerson::named("twin") }).await;
    let [one, two] = [phc(&f, &f.u1).await, phc(&f, &twin).await];
    for phc in [&one, &two] {
        let parts: Vec<&str> = phc.split('$').collect();
        let [_, algorithm, version, cost, salt, hash] = parts[..] else { panic!("{phc}") };
        assert_eq!((algorithm, version, cost), ("argon2id", "v=19", "m=8,t=1,p=1"));
        assert_eq!((salt.len(), hash.len()), (22, 43), "128 bits of salt, 256 of hash in base64: {phc}");
        assert!(!phc.contains(&f.u1.password));
    }
    assert_ne!(one.split('$').nth(4), two.split('$').nth(4), "each has a salt of its own");
    let usual = crate::config::settings("");
    let cost = (usual.passwords.memory_kib, usual.passwords.iterations, usual.passwords.parallelism);
    assert_eq!(cost, (65_536, 3, 1), "decision D11");
    for (key, weak) in [("memory_kib", "19455"), ("iterations", "1")] {
        let error = crate::config::refusal(&format!("[passwords]\n{key} = {weak}"));
        assert!(error.contains(key), "{error}");
    }
}

async fn phc(f: &Fixtures, person: &Person) -> String {
    password::find(&f.app.db, person.id.parse().unwrap()).await.unwrap().unwrap().phc.0
}

/// SEC-114: a hash of other parameters is made anew at the next right login, and at no wrong one.
#[tokio::test]
async fn sec_114_an_old_hash_is_renewed_at_the_next_login() {
    let f = fixtures().await;
    let old = Cost { memory_kib: 32, iterations: 2, parallelism: 1 };
    let pool = HashPool::new(old, 1, 4, Duration::from_secs(5)).unwrap();
    let stored = pool.hash(&f.u1.password, [7; 16]).await.unwrap();
    let id = f.u1.id.parse().unwrap();
    password::set(&f.app.db, id, Phc(stored.clone()), 0).await.unwrap();
    assert!(!signs_in(&f, &f.u1, "not the password").await);
    assert_eq!(phc(&f, &f.u1).await, stored);
    assert!(signs_in(&f, &f.u1, &f.u1.password).await);
    let renewed = phc(&f, &f.u1).await;
    assert!(renewed.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{renewed}");
    assert!(signs_in(&f, &f.u1, &f.u1.password).await);
    assert_eq!(phc(&f, &f.u1).await, renewed, "once is enough");
}

/// bcrypt of "correct horse battery" by passlib: bcrypt.using(rounds=4).hash(…)
const FOREIGN: &str = "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS";

async fn bring(f: &Fixtures, person: &Person, hash: &str) {
    password::set(&f.app.db, person.id.parse().unwrap(), Phc(hash.into()), 0).await.unwrap();
}

/// SEC-114, SEC-113: a hash of another program is good for one login; then the password is kept as typed, in whole.
#[tokio::test]
async fn sec_114_a_foreign_hash_is_renewed_at_the_first_login() {
    let f = fixtures().await;
    bring(&f, &f.u1, FOREIGN).await;
    assert!(!signs_in(&f, &f.u1, "correct horse batterie").await);
    assert_eq!(phc(&f, &f.u1).await, FOREIGN);
    assert!(signs_in(&f, &f.u1, "correct horse battery").await);
    assert!(phc(&f, &f.u1).await.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    assert!(signs_in(&f, &f.u1, "correct horse battery").await);
    // passlib: bcrypt.using(rounds=4).hash("x" * 72). bcrypt knows no more of a password than its first 72 bytes.
    bring(&f, &f.u1, "$2b$04$fRia7l6Gr176GPA3DutYpu/Vb1gYZWfgXubCrdEeYyWzaOFutjgKy").await;
    let long = format!("{}, and more", "x".repeat(72));
    assert!(signs_in(&f, &f.u1, &long).await);
    assert!(!signs_in(&f, &f.u1, &long[..72]).await, "now all of it counts");
    assert!(signs_in(&f, &f.u1, &long).await);
}

/// SEC-117 after an import: names that nobody has take the time of the hashes that others have.
#[tokio::test]
async fn sec_117_an_unknown_name_works_like_an_imported_one() {
    let f = fixtures().await;
    for person in [&f.u1, &f.u2, &f.u5] {
        bring(&f, person, FOREIGN).await;
    }
    for name in ["ada", "xerxes", "nobody@example.com", "@@"] {
        let before = f.app.hashing.blocks_filled();
        let person = Person { username: name.into(), ..f.u1.clone() };
        assert!(!signs_in(&f, &person, "correct horse batterie").await);
        assert_eq!(f.app.hashing.blocks_filled() - before, 16, "{name}: bcrypt's 2⁴ rounds");
    }
    let person = Person { username: "xerxes".into(), ..f.u1.clone() };
    assert!(!signs_in(&f, &person, "correct horse battery").await, "nobody signs in by it");
    let sample = |unlike| Unlike { total: 1000, unlike, some: vec![Phc(FOREIGN.into())] };
    for (unlike, least, most) in [(0, 0, 0), (1, 0, 20), (500, 450, 550), (1000, 1000, 1000)] {
        let points = (0..1000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let decoys = points.filter(|point| sample(unlike).decoy(*point).is_some()).count();
        assert!((least..=most).contains(&decoys), "{unlike} in 1000 have one, and {decoys} who are not there");
    }
}

/// SEC-116, ASVS 6.3.2: nobody is there before somebody was made, and no name opens the door.
#[tokio::test]
async fn sec_116_there_are_no_default_accounts() {
    let server = TestServer::start().await;
    assert!(user::Entity::find().all(&server.app.db).await.unwrap().is_empty());
    assert!(password::Entity::find().all(&server.app.db).await.unwrap().is_empty());
    let f = server.fixtures().await;
    for name in ["admin", "administrator", "root", "signet", "user", "test", "guest", "demo"] {
        for password in [name, "admin", "password", "changeme", "signet", ""] {
            let person = Person { username: name.into(), ..f.u1.clone() };
            assert!(!signs_in(&f, &person, password).await, "{name} {password}");
        }
    }
}

/// SEC-116, Pocket ID ca28ddcb: the page needs the link of the terminal; one administrator comes of it, not two.
#[tokio::test]
async fn sec_116_a_set_up_link_makes_one_administrator() {
    let f = TestServer::start().await;
    let admins = async || user::Entity::find().all(&f.app.db).await.unwrap();
    let old = set_up::link(&f.app, set_up::Older::AreVoid).await.unwrap();
    let mut browsers = [f.browser(), f.browser()];
    for address in ["/setup", "/setup?token=", "/setup?token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        browsers[0].goto(address).await;
        assert_eq!(browsers[0].page().status(), 410, "{}", browsers[0].page());
        assert!(!browsers[0].sees("setup-submit"));
    }
    for browser in &mut browsers {
        browser.goto(&old).await;
    }
    let link = set_up::link(&f.app, set_up::Older::AreVoid).await.unwrap();
    assert!(link.split("token=").nth(1).is_some_and(|token| token.len() == 43), "256 bits: {link}");
    fill(&mut browsers[0], 0).press("setup-submit").await;
    assert_eq!((browsers[0].page().status(), admins().await.len()), (410, 0), "a newer link voids the older");
    for (number, browser) in browsers.iter_mut().enumerate() {
        browser.goto(&link).await;
        fill(browser, number);
    }
    let [one, two] = &mut browsers;
    tokio::join!(one.press("setup-submit"), two.press("setup-submit"));
    let made = admins().await;
    assert_eq!(made.len(), 1, "{made:?}");
    assert!(made[0].admin);
    let statuses: Vec<u16> = browsers.iter().map(|browser| browser.page().status()).collect();
    assert!(statuses == [200, 410] || statuses == [410, 200], "{statuses:?}");
    for browser in &mut browsers {
        browser.goto(&link).await;
        assert_eq!(browser.page().status(), 410, "the page is gone: {}", browser.page());
    }
    assert!(!set_up::is_needed(&f.app).await.unwrap());
}

fn fill(browser: &mut Browser, number: usize) -> &mut Browser {
    let email = format!("root{number}@example.com");
    browser.fill("setup-email", &email).fill("setup-name", "Root").fill("setup-password", "sixteen wet umbrellas")
}

/// SEC-116: a link is good for a day; and what is wrong with the form does not spend it.
#[tokio::test]
async fn sec_116_a_set_up_link_expires() {
    let f = TestServer::start().await;
    let mut browser = f.browser();
    fill_set_up(&f, &mut browser).await;
    browser.fill("setup-password", "short").press("setup-submit").await;
    assert_eq!(browser.page().status(), 422, "{}", browser.page());
    assert!(!browser.page().answer.text().contains("\"short\""), "a password never comes back in a page");
    let (action, method, form) = browser.form("setup-submit");
    let form = form.with("password", "sixteen wet umbrellas");
    f.clock.advance(24 * 3600 + 1);
    browser.submit(&action, method, &form).await;
    assert_eq!(browser.page().status(), 410, "{}", browser.page());
    assert!(set_up::is_needed(&f.app).await.unwrap());
}
