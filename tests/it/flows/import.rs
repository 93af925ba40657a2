//! People of another system, from their file to their first sign-in.
use serde_json::{Map, Value, json};
use signet::{
    flows::admin::{
        import::{Conflict, Count, Import, Refusal},
        users,
    },
    store::password,
};

use crate::{
    harness::{TestServer, fixtures, seed::Person},
    security::passwords::signs_in,
};

/// passlib: bcrypt.using(rounds=4).hash("correct horse battery")
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS";
const ID: &str = "0b8f6a7c-58c5-4f0e-9d52-0c6f7b1e2a3d";

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn import(server: &TestServer, lines: Vec<Value>) -> (Count, Vec<Refusal>) {
    let mut import = Import::new(&server.app, Conflict::Refuse, false);
    let lines = (1..).zip(lines).map(|(line, value)| (line, Ok(members(value)))).collect();
    let refusals = import.take(lines).await.unwrap();
    (import.finish(), refusals)
}

#[tokio::test]
async fn people_keep_their_passwords_and_get_better_hashes() {
    let f = fixtures().await;
    let line = json!({ "id": ID, "username": "grace", "email": "grace@example.com", "password_hash": HASH });
    let clear = json!({ "username": "clara", "password": "four wet umbrellas" });
    let (count, _) = import(&f, vec![line, clear]).await;
    assert_eq!(count.imported, 2);
    let phc = async || password::find(&f.app.db, ID.parse().unwrap()).await.unwrap().unwrap().phc.0;
    assert_eq!(phc().await, HASH);
    let grace = Person { username: "grace".into(), ..f.u1.clone() };
    assert!(!signs_in(&f, &grace, "correct horse batteries").await);
    assert!(signs_in(&f, &grace, "correct horse battery").await);
    assert!(phc().await.starts_with("$argon2id$v=19$"));
    assert!(signs_in(&f, &grace, "correct horse battery").await);
    let clara = Person { username: "clara".into(), ..f.u1.clone() };
    assert!(signs_in(&f, &clara, "four wet umbrellas").await);
}

/// SEC-170, OpenID Connect Core §2: a subject is never given again.
#[tokio::test]
async fn the_id_of_somebody_who_has_gone_does_not_come_back() {
    let server = TestServer::start().await;
    let line = json!({ "id": ID, "username": "first" });
    assert_eq!(import(&server, vec![line]).await.0.imported, 1);
    users::delete(&server.app, ID.parse().unwrap()).await.unwrap();
    let (count, refusals) = import(&server, vec![json!({ "id": ID, "username": "grace" })]).await;
    assert_eq!((count.imported, count.refused), (0, 1));
    assert_eq!(refusals[0].problem.member, "id");
}
