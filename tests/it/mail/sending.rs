//! A mail leaves, or waits, or is given up.
use std::time::{Duration, Instant};

use signet::{
    flows::{admin::mails, mail::Letter},
    jobs, store,
};

use super::{ADA, LINK, both, later, queue, report, send, server};
use crate::harness::{
    Receiver, seed,
    smtp::{Guard, Smtp, Stage, Turn, USERNAME},
};

/// RFC 5322 §3.6, RFC 2046 §5.1.4, RFC 3834 §5.
#[tokio::test]
async fn a_mail_has_both_forms_and_the_right_headers() {
    let smtp = Smtp::start(Guard::Starttls, &[]).await;
    let more = [("branding.name", "Häfen & Söhne"), ("mail.reply_to", "The Staff <staff@example.com>")];
    let server = server(&smtp, "starttls", &more).await;
    queue(&server).await;
    send(&server).await;
    let came = smtp.only();
    assert!(came.encrypted && came.by.as_deref() == Some(USERNAME));
    assert_eq!((came.from.as_str(), came.to.as_slice()), ("no-reply@localhost", &[ADA.to_string()][..]));
    let message = came.message();
    let from = message.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Häfen & Söhne"), Some("no-reply@localhost")));
    assert_eq!(message.reply_to().unwrap().first().unwrap().address(), Some("staff@example.com"));
    assert_eq!(came.header("to").unwrap(), ADA);
    assert_eq!(came.subject(), "Choose a new password");
    assert_eq!(message.date().unwrap().to_timestamp(), server.now());
    assert!(came.header("message-id").unwrap().ends_with("@localhost>"));
    assert_eq!(came.header("auto-submitted").as_deref(), Some("auto-generated"));
    assert!(came.header("content-type").unwrap().starts_with("multipart/alternative"));
    for unwanted in ["x-mailer", "user-agent", "list-unsubscribe", "bcc"] {
        assert_eq!(came.header(unwanted), None, "{unwanted}");
    }
    assert!(came.raw.is_ascii() && came.raw.lines().all(|line| line.len() <= 998));
    for body in [came.text(), came.html()] {
        assert!(body.contains(LINK) && body.contains("30 minutes"), "{body}");
    }
    assert!(came.text().contains("Häfen & Söhne") && came.html().contains("Häfen &#38; Söhne"));
    assert_eq!(report(&server.app).await, [("sent", 1, "250 2.0.0 taken".into(), None)]);
    assert_eq!(smtp.greetings(), ["localhost", "localhost"], "by the name of the issuer, not of the machine");
}

#[tokio::test]
async fn a_mail_leaves_by_tls_from_the_first_byte_and_in_clear_on_this_machine() {
    for (guard, tls, host) in
        [(Guard::Tls, "tls", "localhost"), (Guard::Nothing, "none", "localhost"), (Guard::Nothing, "none", "127.0.0.1")]
    {
        let smtp = Smtp::start(guard, &[]).await;
        let server = server(&smtp, tls, &[("mail.host", host)]).await;
        queue(&server).await;
        send(&server).await;
        let came = smtp.only();
        assert_eq!(came.encrypted, guard == Guard::Tls);
        assert_eq!(came.by.as_deref(), Some(USERNAME));
    }
}

/// RFC 5321 §4.2.1, 4yz: greylisting servers take a mail that comes again.
#[tokio::test]
async fn what_a_server_does_not_want_now_is_tried_again_ever_later() {
    let later_please = Turn::Says(Stage::Recipient, "451 4.7.1 greylisted, come again");
    let (smtp, server) = both(&[later_please; 3]).await;
    queue(&server).await;
    send(&server).await;
    let answer = "451 4.7.1 greylisted, come again".to_string();
    assert_eq!(report(&server.app).await, [("waiting", 1, answer.clone(), Some(5))]);
    later(&server, 4).await;
    assert_eq!(report(&server.app).await[0].1, 1, "not before its time");
    for (attempt, wait) in [(2, 15), (3, 60)] {
        later(&server, report(&server.app).await[0].3.unwrap()).await;
        assert_eq!(report(&server.app).await, [("waiting", attempt, answer.clone(), Some(wait))]);
    }
    later(&server, 60).await;
    assert_eq!(report(&server.app).await, [("sent", 4, "250 2.0.0 taken".into(), None)]);
    smtp.only();
    later(&server, 86_400).await;
    smtp.only();
}

/// 5yz: the server means it when it says so twice.
#[tokio::test]
async fn what_a_server_never_wants_is_given_up_and_can_be_tried_by_hand() {
    let never = Turn::Says(Stage::Recipient, "550 5.1.1 <ada@example.com> no such user, see https://mail.example/?x=1");
    let (smtp, server) = both(&[never; 2]).await;
    queue(&server).await;
    send(&server).await;
    assert_eq!(report(&server.app).await, [("waiting", 1, "550 5.1.1 … no such user, see …".into(), Some(5))]);
    later(&server, 5).await;
    assert_eq!(report(&server.app).await, [("given up", 2, "550 5.1.1 … no such user, see …".into(), None)]);
    later(&server, 86_400).await;
    assert_eq!(smtp.came().len(), 0);
    let id = store::mail::counts(&server.app.db).await.unwrap();
    assert_eq!((id.dead, id.waiting), (1, 0));
    let mail = mails::list(&server.app, mails::Wanted { failed: true, after: None, most: 9 }).await.unwrap().remove(0);
    mails::retry(&server.app, mail.id).await.unwrap();
    send(&server).await;
    assert!(smtp.only().text().contains(LINK));
    assert_eq!(report(&server.app).await[0].0, "sent");
    let twice = mails::retry(&server.app, mail.id).await.unwrap_err();
    assert_eq!(twice.to_string(), "the mail is sent, and there is nothing left to send");
}

#[tokio::test]
async fn a_server_that_is_away_for_a_minute_gets_every_mail_once() {
    let port = Receiver::nowhere();
    let smtp = Smtp::at(port, Guard::Starttls, &[]).await;
    let server = server(&smtp, "starttls", &[]).await;
    drop(smtp);
    for n in 0..3 {
        seed::letter(&server.app, &format!("n{n}@example.com"), None, Letter::Test).await;
    }
    send(&server).await;
    let waiting = report(&server.app).await;
    assert!(waiting.iter().all(|(state, attempts, ..)| (*state, *attempts) == ("waiting", 1)), "{waiting:?}");
    assert!(waiting[0].2.starts_with("connection: Connection refused"), "{waiting:?}");
    let mut passed = 0;
    while passed < 60 {
        later(&server, 5).await;
        passed += 5;
    }
    let smtp = Smtp::at(port, Guard::Starttls, &[]).await;
    later(&server, 60).await;
    let mut to: Vec<_> = smtp.came().into_iter().flat_map(|came| came.to).collect();
    to.sort();
    assert_eq!(to, ["n0@example.com", "n1@example.com", "n2@example.com"]);
}

#[tokio::test]
async fn what_nobody_takes_for_a_day_is_given_up_and_forgotten_after_a_week() {
    let port = Receiver::nowhere();
    let smtp = Smtp::at(port, Guard::Starttls, &[]).await;
    let server = server(&smtp, "starttls", &[]).await;
    drop(smtp);
    queue(&server).await;
    send(&server).await;
    let begun = server.now();
    while let [("waiting", _, _, Some(pause))] = report(&server.app).await[..] {
        later(&server, pause).await;
        assert!(server.now() - begun <= 86_400, "{:?}", report(&server.app).await);
    }
    assert!(server.now() - begun > 75_000, "{}", server.now() - begun);
    assert_eq!(report(&server.app).await[0].0, "given up");
    for (days, left) in [(5, 1), (2, 0)] {
        server.clock.advance(days * 86_400);
        jobs::run_all(&server.app).await;
        assert_eq!(report(&server.app).await.len(), left);
    }
}

/// A server that says nothing holds up nobody for longer than the settings allow, nor does one that hangs up.
#[tokio::test]
async fn a_server_that_hangs_or_hangs_up_is_left() {
    for stage in [Stage::Recipient, Stage::Data, Stage::End] {
        for (turn, answer) in [
            (Turn::Hangs(stage), "no whole answer within 1 seconds"),
            (Turn::Drops(stage), "the server's answer makes no sense: incomplete response"),
        ] {
            let smtp = Smtp::start(Guard::Starttls, &[turn]).await;
            let server = server(&smtp, "starttls", &[("mail.timeout", "1s")]).await;
            queue(&server).await;
            let begun = Instant::now();
            send(&server).await;
            assert!(begun.elapsed() < Duration::from_secs(4), "{turn:?} took {:?}", begun.elapsed());
            assert_eq!(report(&server.app).await, [("waiting", 1, answer.into(), Some(5))], "{turn:?}");
            later(&server, 5).await;
            smtp.only();
        }
    }
}

/// At least once: who took a mail and could not say so gets it again, under the same name.
#[tokio::test]
async fn a_mail_whose_receipt_was_lost_comes_again_as_itself() {
    let (smtp, server) = both(&[Turn::Forgets]).await;
    queue(&server).await;
    send(&server).await;
    later(&server, 5).await;
    let came = smtp.came();
    assert_eq!(came.len(), 2);
    assert_eq!(came[0].raw, came[1].raw);
}

/// An address that the server cannot write to is nobody else's problem.
#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_knows_such() {
    let (smtp, server) = both(&[]).await;
    seed::letter(&server.app, "jürgen@example.com", None, Letter::Test).await;
    seed::letter(&server.app, "not an address", None, Letter::Test).await;
    seed::letter(&server.app, ADA, None, Letter::Test).await;
    send(&server).await;
    later(&server, 5).await;
    assert_eq!(smtp.only().to, [ADA]);
    let mut states: Vec<_> = report(&server.app).await.into_iter().map(|(state, ..)| state).collect();
    states.sort();
    assert_eq!(states, ["given up", "given up", "sent"]);
}
