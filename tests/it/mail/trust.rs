//! SEC-154: nothing is said to a server that is not the one of the settings, and nothing in clear.
use super::{queue, report, send, server};
use crate::harness::smtp::{Guard, PASSWORD, Smtp};

/// ASVS 12.3.1, 12.3.2; RFC 3207 §6, RFC 8314 §4.
#[tokio::test]
async fn sec_154_no_mail_and_no_password_goes_to_a_server_that_is_not_trusted_when() {
    for (reason, guard, tls, more, answer) in [
        (
            "it offers no STARTTLS, or somebody has taken the offer out",
            Guard::Nothing,
            "starttls",
            ("mail.timeout", "5s"),
            "the server does not offer STARTTLS, and nothing is sent in clear",
        ),
        ("nobody vouches for it", Guard::Starttls, "starttls", ("outbound.root_certificates", ""), "STARTTLS: "),
        ("its certificate is another's", Guard::Starttls, "starttls", ("mail.host", "127.0.0.1"), "STARTTLS: "),
        ("nobody vouches for it, by TLS", Guard::Tls, "tls", ("outbound.root_certificates", ""), "connection: "),
        ("its certificate is another's, by TLS", Guard::Tls, "tls", ("mail.host", "127.0.0.1"), "connection: "),
        ("it speaks no TLS", Guard::Nothing, "tls", ("mail.timeout", "5s"), "connection: "),
        ("it speaks before its turn", Guard::Injecting, "starttls", ("mail.timeout", "5s"), "STARTTLS: "),
    ] {
        let smtp = Smtp::start(guard, &[]).await;
        let server = server(&smtp, tls, &[more]).await;
        queue(&server).await;
        send(&server).await;
        assert_eq!(smtp.came().len(), 0, "{reason}");
        let clear = smtp.in_clear();
        let harmless = |line: &String| line.starts_with("EHLO ") || line == "STARTTLS" || line == "QUIT";
        assert!(tls == "tls" || clear.iter().all(harmless), "{reason}: {clear:?}");
        assert!(!clear.join(" ").contains(PASSWORD), "{reason}");
        let report = report(&server.app).await;
        let [("waiting", 1, said, Some(5))] = &report[..] else { panic!("{reason}: {report:?}") };
        assert!(said.starts_with(answer), "{reason}: {said}");
    }
}

/// The password is wrong, or the server has another: no mail's fault, and what it says back is not kept.
#[tokio::test]
async fn who_may_not_sign_in_tries_again_without_repeating_the_password() {
    let smtp = Smtp::start(Guard::Starttls, &[]).await;
    let server = server(&smtp, "starttls", &[("mail.username", "somebody-else")]).await;
    queue(&server).await;
    send(&server).await;
    let answer = "signing in: 535; check mail.username and mail.password".to_string();
    assert_eq!(report(&server.app).await, [("waiting", 1, answer, Some(5))]);
    assert_eq!(smtp.came().len(), 0);
}
