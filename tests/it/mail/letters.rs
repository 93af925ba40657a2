//! What letters say, in every language, and what nobody can make them say.
use std::{fs, path::Path};

use signet::{
    app::text::{self, Texts},
    flows::mail::{
        FactorChange, Letter,
        words::{self, Rendered},
    },
};

use super::{ADA, LINK, both, send};
use crate::{
    harness::{TestServer, html::Document, seed},
    pages::samples::HOSTILE,
};

/// One of each.
pub fn letters(word: &str) -> Vec<Letter> {
    let (link, when, word) = (LINK.to_string(), 1_795_167_840, word.to_string());
    let device = Some(word.clone());
    let changed = |change| Letter::FactorChanged {
        change,
        when,
        device: device.clone(),
        factors: link.clone(),
        forgot: link.clone(),
    };
    vec![
        Letter::VerifyEmail { link: link.clone(), hours: 24 },
        Letter::AddressTaken { sign_in: link.clone(), forgot: link.clone() },
        Letter::ResetPassword { link: link.clone(), minutes: 30 },
        Letter::MailCode { code: "042917".into(), minutes: 10, device: device.clone(), forgot: link.clone() },
        Letter::SignInLink { link: link.clone(), minutes: 10 },
        Letter::PasswordChanged { when, device: device.clone(), forgot: link.clone() },
        Letter::ConfirmNewAddress { link: link.clone(), hours: 24 },
        Letter::AddressChanging { new_address_hint: word.clone(), undo: link.clone() },
        Letter::AddressChanged { when, new_address_hint: word.clone(), undo: Some(link.clone()) },
        Letter::AddressChanged { when, new_address_hint: word.clone(), undo: None },
        Letter::NewDevice { device: device.clone(), place: device.clone(), when, sessions: link.clone() },
        Letter::AccountLocked { when, forgot: link.clone() },
        changed(FactorChange::TotpAdded),
        changed(FactorChange::TotpRemoved),
        changed(FactorChange::RecoveryCodesMade),
        changed(FactorChange::RecoveryCodeUsed { left: 9 }),
        changed(FactorChange::Reset),
        changed(FactorChange::Guessed),
        changed(FactorChange::ProviderLinked),
        changed(FactorChange::ProviderUnlinked),
        changed(FactorChange::PasswordSet),
        Letter::Invitation { link: link.clone(), inviter: device.clone(), days: 7 },
        Letter::Invitation { link: link.clone(), inviter: None, days: 7 },
        Letter::DeletionPlanned { until: when, undo: link.clone() },
        Letter::AccountDeleted,
        Letter::Test,
    ]
}

fn rendered(server: &TestServer, letter: &Letter, texts: &'static Texts) -> Rendered {
    words::render(&server.app, letter, texts).unwrap()
}

#[tokio::test]
async fn every_letter_says_the_same_in_both_forms_and_in_every_language() {
    let server = TestServer::with(&[("branding.name", "Harbor Books")]).await;
    for texts in text::languages() {
        for letter in letters("Firefox on Linux") {
            let Rendered { subject, text, html, lang, links } = rendered(&server, &letter, texts);
            let name = format!("{} {letter:?}", texts.tag());
            assert_eq!(lang, texts.tag());
            let is_key = |word: &str| word.starts_with("mail.") || word.contains('{');
            assert!(!text.split_whitespace().any(is_key), "{name}: {text}");
            assert!(text.starts_with(&format!("{subject}\n\n")), "{name}: {text}");
            assert!(text.lines().all(|line| line == line.trim_end() || line == "-- "), "{name}: {text}");
            assert!(!text.contains("\n\n\n"), "{name}: {text}");
            let document = Document::parse(&html);
            let shown = document.text;
            for line in text.lines().filter(|line| !line.is_empty() && *line != "-- ") {
                let block = line.split_whitespace().collect::<Vec<_>>().join(" ");
                let block = block.trim_end_matches([' ', ':']);
                assert!(shown.contains(block), "{name}: {block:?} is not in {shown}");
            }
            for link in links {
                assert!(text.contains(&link.address) && html.contains(&format!("href=\"{}\"", link.address)), "{name}");
            }
            assert!(html.contains(&format!("<html lang=\"{lang}\">")), "{name}");
        }
    }
}

/// A mail loads nothing and tells nobody that it was opened.
#[tokio::test]
async fn a_letter_loads_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    for letter in letters("Firefox on Linux") {
        let html = rendered(&server, &letter, &text::languages()[0]).html;
        for loading in ["<img", "<script", "<link", "src=", "url(", "@import", "<table", "<form"] {
            assert!(!html.contains(loading), "{loading} in {letter:?}");
        }
        let addresses = html.matches("http").count();
        assert_eq!(addresses, html.matches(LINK).count(), "{letter:?} leads elsewhere");
    }
}

/// CWE-93, CWE-79: what people choose is a value, in the headers, in the text and in the HTML.
#[tokio::test]
async fn nobody_can_inject_headers_markup_or_links() {
    let (smtp, server) = both(&[]).await;
    for word in ["x\r\nBcc: eve@evil.test\r\n\r\nhello", "x\nSubject: y", "\u{2028}\u{85}Bcc: z", HOSTILE] {
        for letter in letters(word) {
            seed::letter(&server.app, ADA, None, letter).await;
        }
    }
    let count = 4 * letters("").len();
    for _ in 0..count {
        send(&server).await;
    }
    let came = smtp.came();
    assert_eq!(came.len(), count);
    for came in came {
        let names: Vec<_> = came.headers().iter().map(|line| line.split(':').next().unwrap().to_lowercase()).collect();
        let known = ["from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"];
        assert!(names.iter().all(|name| known.contains(&name.as_str())), "{names:?}");
        assert_eq!(came.to, [ADA]);
        let html = came.html();
        assert!(!html.contains("<svg") && !html.contains("onload=alert(1)>'"), "{html}");
    }
}

/// However long somebody's name is, it keeps no mail from being queued.
#[tokio::test]
async fn a_letter_fits_its_row() {
    let (smtp, server) = both(&[]).await;
    let letters = letters(&"家".repeat(9999));
    for letter in &letters {
        seed::letter(&server.app, ADA, None, letter.clone()).await;
    }
    for _ in &letters {
        send(&server).await;
    }
    assert_eq!(smtp.came().len(), letters.len());
}

/// An invitation must not be a way to send advertisements in our name.
#[tokio::test]
async fn names_in_a_letter_are_no_links() {
    let server = TestServer::start().await;
    for (given, said) in [
        ("Ada Lovelace", "Ada Lovelace invites you"),
        ("J. R. Smith", "J. R. Smith invites you"),
        ("Win at https://evil.test/now", "Win at … invites you"),
        ("evil.test", "… invites you"),
        ("mail me@evil.test today", "mail … today invites you"),
        ("a\r\nb\tc", "a b c invites you"),
        (" ", "You are invited to have an account"),
    ] {
        let letter = Letter::Invitation { link: LINK.into(), inviter: Some(given.into()), days: 7 };
        let text = rendered(&server, &letter, &text::languages()[0]).text;
        assert!(text.contains(&format!("\n{said}")), "{given}: {text}");
    }
    let long = Letter::NewDevice { device: Some("x ".repeat(9999)), place: None, when: 0, sessions: LINK.into() };
    assert!(rendered(&server, &long, &text::languages()[0]).text.len() < 1200);
}

#[tokio::test]
async fn a_letter_is_in_the_language_of_whoever_gets_it() {
    let (smtp, server) = both(&[]).await;
    let ada = server.user(seed::NewPerson::named("ada")).await;
    signet::flows::account::set_locale(&server.app, ada.id.parse().unwrap(), "fr").await.unwrap();
    for (locale, user, subject) in [
        (Some("de-AT"), None, "Wählen Sie ein neues Passwort"),
        (Some("zh-Hans"), None, "请设置新密码"),
        (Some("tlh"), None, "Choose a new password"),
        (None, None, "Choose a new password"),
        (None, Some(&ada), "Choisissez un nouveau mot de passe"),
        (Some("es"), Some(&ada), "Elige una contraseña nueva"),
    ] {
        let letter = Letter::ResetPassword { link: LINK.into(), minutes: 30 };
        seed::letter_about(&server.app, ADA, locale, user, letter).await;
        send(&server).await;
        let came = smtp.came().pop().unwrap();
        assert_eq!(came.subject(), subject);
        assert!(came.text().starts_with(subject));
    }
}

/// A person who goes takes along what waits for them.
#[tokio::test]
async fn a_letter_about_an_account_goes_with_it() {
    let (smtp, server) = both(&[]).await;
    let ada = server.user(seed::NewPerson::named("ada")).await;
    seed::letter_about(&server.app, ADA, None, Some(&ada), Letter::Test).await;
    seed::letter_about(&server.app, "bob@example.com", None, None, Letter::Test).await;
    seed::delete_user(&server.app, &ada).await;
    send(&server).await;
    let came = smtp.came();
    let about_ada: Vec<_> = came.iter().filter(|mail| mail.to == [ADA]).collect();
    assert_eq!((came.len(), about_ada.len()), (2, 1), "{came:?}");
    assert!(about_ada[0].raw.contains("Subject: Your account was deleted"), "{came:?}");
}

/// Beside the pages: `SIGNET_TEST_GALLERY=1 cargo test --test it gallery`.
#[tokio::test]
async fn the_gallery_shows_every_letter() {
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever looks at the letters, not a setting")]
    if std::env::var_os("SIGNET_TEST_GALLERY").is_none() {
        return;
    }
    let server = TestServer::start().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    fs::create_dir_all(&folder).unwrap();
    for texts in text::languages() {
        for (number, letter) in letters("Firefox on Linux").iter().enumerate() {
            let name = format!("mail-{number:02}-{}-{}", letter.name(), texts.tag());
            let Rendered { text, html, .. } = rendered(&server, letter, texts);
            fs::write(folder.join(format!("{name}.html")), html).unwrap();
            fs::write(folder.join(format!("{name}.txt")), text).unwrap();
        }
    }
}
