//! What operators see of mails, by the command and by the API.
use std::fs;

use serde_json::json;
use signet::flows::mail::Letter;

use super::{ADA, both, later, queue, send};
use crate::{
    commands::Place,
    harness::{
        Answer, Call, Parameters, TestServer, Tokens,
        authority::AUTHORITY,
        seed::{self, ClientSpec},
        smtp::{Guard, PASSWORD, Smtp, Stage, Turn, USERNAME},
    },
};

async fn token(server: &TestServer, scope: &'static str) -> String {
    let machine = server.client(ClientSpec { scope, ..ClientSpec::machine(scope.split(':').next().unwrap()) }).await;
    let form = Parameters::new(&[("grant_type", "client_credentials"), ("scope", scope)]);
    Tokens::of(&machine.token(form).await).access
}

async fn get(server: &TestServer, token: &str, query: &str) -> Answer {
    server.site.send(Call::get(&format!("/api/mails{query}")).bearer(token)).await
}

#[tokio::test]
async fn a_machine_of_the_operator_sees_what_was_given_up_and_tries_it_again() {
    let (smtp, server) = both(&[Turn::Says(Stage::End, "554 5.7.1 spam"); 2]).await;
    let token = token(&server, "signet:admin").await;
    queue(&server).await;
    send(&server).await;
    later(&server, 5).await;
    seed::letter(&server.app, "bob@example.com", None, Letter::Test).await;
    send(&server).await;
    let listed = get(&server, &token, "").await.json();
    let [bob, ada] = &listed["mails"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!(
        (&bob["state"], &bob["letter"], &bob["to"]),
        (&json!("sent"), &json!("test"), &json!("bob@example.com"))
    );
    assert_eq!((&ada["state"], &ada["attempts"]), (&json!("given up"), &json!(2)));
    assert_eq!((&ada["last_answer"], &ada["letter"]), (&json!("554 5.7.1 spam"), &json!("reset_password")));
    assert!(!listed.to_string().contains("canary"), "what it says is not shown");
    let failed = get(&server, &token, "?failed=true").await.json();
    assert_eq!(failed["mails"], json!([ada]));
    let first = get(&server, &token, "?limit=1").await.json();
    assert_eq!((&first["mails"], &first["next"]), (&json!([bob]), &bob["id"]));
    let second = get(&server, &token, &format!("?limit=1&after={}", first["next"].as_str().unwrap())).await.json();
    assert_eq!(second["mails"], json!([ada]));
    let retry = |id: &str| Call::post(&format!("/api/mails/{id}/retry")).bearer(&token);
    let again = server.site.send(retry(ada["id"].as_str().unwrap())).await;
    assert_eq!((again.status, &again.json()["state"]), (202, &json!("waiting")));
    send(&server).await;
    assert_eq!(smtp.came().len(), 2);
    for (id, status) in [(ada["id"].as_str().unwrap(), 409), ("x", 404)] {
        assert_eq!(server.site.send(retry(id)).await.status, status, "{id}");
    }
    for query in ["?limit=0", "?limit=1001", "?after=x", "?failed=maybe"] {
        assert_eq!(get(&server, &token, query).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn nobody_else_does() {
    let f = TestServer::start().await;
    let other = token(&f, "reports.read").await;
    for call in [Call::get("/api/mails"), Call::post("/api/mails/x/retry")] {
        assert_eq!(f.site.send(call.clone()).await.status, 401);
        assert_eq!(f.site.send(call.bearer(&other)).await.status, 401);
    }
}

#[test]
fn the_commands_show_an_empty_report_and_where_mails_go() {
    let place = Place::with_anna();
    assert_eq!(place.json(&["mails", "list"]), json!([]));
    let table = place.run(&["mails", "list", "--failed", "--most", "5"]).succeeded();
    assert!(table.starts_with("QUEUED") && table.lines().count() == 1, "{table}");
    let status = place.json(&["mails", "show-status"]);
    assert_eq!((&status["way"], &status["waiting"]), (&json!("http://localhost:8080/outbox"), &json!(0)));
    assert!(place.run(&["mails", "show-status"]).succeeded().starts_with("mails go to"));
    let unknown = place.run(&["mails", "retry", "00000000-0000-0000-0000-000000000000"]).refused(1);
    assert!(unknown.contains("`signet mails list` shows all"), "{unknown}");
    assert!(place.run(&["mails", "test", ADA]).refused(1).contains("set mail.host"));
    for usage in [&["mails"][..], &["mails", "list", "--most", "0"], &["mails", "retry", "x"], &["mails", "test"]] {
        assert_eq!(place.run(usage).code, 2, "{usage:?}");
    }
}

/// `signet mails test` says what the server says, good or bad.
#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_the_mail_server_is_tried_by_hand() {
    let smtp =
        Smtp::start(Guard::Starttls, &[Turn::Takes, Turn::Says(Stage::Recipient, "550 5.7.1 no relaying")]).await;
    let place = Place::with(&format!(
        "[outbound]\nroot_certificates = [\"authority.pem\"]\n[mail]\nhost = \"localhost\"\nport = {}\nusername = \"{USERNAME}\"\npassword_file = \"password\"\n",
        smtp.port
    ));
    fs::write(place.path("authority.pem"), &AUTHORITY.certificate).unwrap();
    place.write("password", PASSWORD);
    place.run(&["users", "create", "--username", "anna"]);
    assert_eq!(place.json(&["mails", "test", ADA]), json!({ "to": ADA, "answer": "250 2.0.0 taken" }));
    assert_eq!(smtp.only().subject(), "Mails arrive");
    let refused = place.run(&["mails", "test", ADA]).refused(1);
    assert_eq!(refused, "error: the mail server did not take the mail: 550 5.7.1 no relaying");
    let way = format!("localhost:{} (starttls)", smtp.port);
    assert_eq!(place.json(&["mails", "show-status"])["way"], json!(way));
    let unfit = place.run(&["mails", "test", "nobody"]).refused(2);
    assert!(unfit.contains("ADDRESS: is not an e-mail address"), "{unfit}");
}
