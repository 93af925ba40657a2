//! Without a mail server, on one's own machine: mails are shown instead of being sent.
use signet::{
    flows::{
        mail::{self, Letter},
        set_up,
    },
    jobs,
};

use super::{ADA, LINK, beside, queue, report, send};
use crate::{
    commands::Place,
    harness::{Browser, Fixtures, TestServer, fixtures, seed},
    security::pages::fill_set_up,
};

/// The browser of an administrator.
async fn administrator(f: &Fixtures) -> Browser {
    let mut browser = f.browser();
    set_up::link(&f.app, set_up::Older::AreVoid).await.unwrap();
    fill_set_up(f, &mut browser).await;
    browser.press("setup-submit").await;
    browser
}

#[tokio::test]
async fn an_administrator_reads_every_mail_in_the_outbox() {
    let f = fixtures().await;
    let mut browser = administrator(&f).await;
    browser.goto("/account").await;
    let open = browser.page().document.by_id("account-outbox-link").unwrap();
    assert_eq!(browser.page().document.elements[open].attribute("href"), Some("/outbox"));
    assert!(browser.goto("/outbox").await.sees("outbox-empty"));
    queue(&f).await;
    f.clock.advance(60);
    seed::letter(&f.app, "bob@example.com", Some("de"), Letter::Test).await;
    assert_eq!(seed::mailbox(&f.app, ADA).await.len(), 1);
    assert_eq!(report(&f.app).await[0].0, "in the outbox");
    browser.goto("/outbox").await;
    let text = &browser.page().document.text;
    for said in ["Choose a new password", ADA, "E-Mails kommen an", "bob@example.com"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let list = browser.page().document.clone();
    let mails: Vec<_> = list.named("a").filter(|a| a.attribute("class") == Some("choice")).collect();
    assert_eq!(mails.len(), 2, "the newest first");
    let address = mails[1].attribute("href").unwrap();
    browser.goto(address).await;
    let page = browser.page().document.clone();
    assert!(page.named("a").any(|a| a.attribute("href") == Some(LINK)), "a link to press");
    assert!(browser.page().read("outbox-text").contains(LINK));
    let policy = browser.page().answer.header("content-security-policy").unwrap().to_string();
    assert!(policy.contains(&format!("frame-src {}", f.site.issuer)), "{policy}");
    let frame = page.named("iframe").next().unwrap();
    assert_eq!(frame.attribute("sandbox"), Some(""));
    browser.goto(frame.attribute("src").unwrap()).await;
    let mail = &browser.page().answer;
    assert!(mail.text().contains(LINK));
    let policy = mail.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "sandbox", "frame-ancestors 'self'", "form-action 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(mail.header("x-frame-options"), Some("SAMEORIGIN"));
}

#[tokio::test]
async fn nobody_else_reads_them() {
    let f = fixtures().await;
    queue(&f).await;
    send(&f).await;
    let id = mail::outbox::list(&f.app).await.unwrap()[0].mail.id;
    for path in ["/outbox".to_string(), format!("/outbox/{id}"), format!("/outbox/{id}/html")] {
        let stranger = f.site.get(&path).await;
        assert_eq!((stranger.status, stranger.header("location")), (303, Some("/account/login")), "{path}");
        let mut browser = f.signed_in(&f.u1).await;
        browser.goto(&path).await;
        assert_eq!(browser.page().status(), 403, "{path}");
        assert!(!browser.page().answer.text().contains("canary"), "{path}");
    }
    let mut browser = administrator(&f).await;
    for path in ["/outbox/x", "/outbox/00000000-0000-0000-0000-000000000000", "/outbox/x/html"] {
        assert_eq!(browser.goto(path).await.page().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_mail_lies_in_the_outbox_for_a_day() {
    let f = TestServer::start().await;
    queue(&f).await;
    send(&f).await;
    for (hours, left) in [(23, 1), (2, 0)] {
        f.clock.advance(hours * 3600);
        jobs::run_all(&f.app).await;
        assert_eq!(mail::outbox::list(&f.app).await.unwrap().len(), left);
    }
}

/// In production without a mail server: no page shows what people would get, and the report says why they got nothing.
#[tokio::test]
async fn a_server_for_the_world_has_no_outbox() {
    let f = TestServer::at("https://id.example.com").await;
    assert!(!mail::is_possible(&f.app) && !mail::has_outbox(&f.app));
    queue(&f).await;
    send(&f).await;
    assert_eq!(report(&f.app).await, [("given up", 0, "no mail server is set (mail.host)".into(), None)]);
    for path in ["/outbox", "/outbox/x", "/outbox/x/html"] {
        assert_eq!(f.site.get(path).await.status, 404, "{path}");
    }
    let rows = signet::store::mail::sealed(&f.app.db).await.unwrap();
    assert_eq!(rows.len(), 0, "what cannot be sent is not kept");
}

/// SEC-167: links are shown to the person before the terminal, which is no log; a log that machines gather has none.
#[tokio::test(flavor = "multi_thread")]
async fn sec_167_the_terminal_shows_links_and_a_log_for_machines_does_not() {
    for (format, shown) in [("text", true), ("json", false), ("auto", false)] {
        let place = Place::new();
        let mut server = place.serve(&[("SIGNET_LOG_FORMAT", format)]);
        let app = beside(&place, &[]).await;
        seed::letter(&app, ADA, None, Letter::ResetPassword { link: LINK.into(), minutes: 30 }).await;
        server.logs("mail kept");
        if shown {
            server.logs(&format!("Mail to {ADA}: Choose a new password\n  Choose a new password: {LINK}\n"));
        }
        let (_, log) = server.stop();
        assert_eq!(log.contains(LINK), shown, "{format}: {log}");
        assert_eq!(log.contains(ADA), shown, "{format}: {log}");
    }
}
