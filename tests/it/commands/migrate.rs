use std::time::Duration;

use sea_orm::Database;
use sea_orm_migration::MigratorTrait;
use signet::migrations::Migrator;

use super::Place;

#[test]
fn a_database_is_brought_up_to_date_once() {
    let place = Place::new();
    let before = place.json(&["migrate", "status"]);
    let names = before["pending"].as_array().unwrap().clone();
    assert!(!names.is_empty() && before["applied"].as_array().unwrap().is_empty(), "{before}");

    assert_eq!(place.json(&["migrate", "up"])["applied"], serde_json::json!(names));
    let after = place.json(&["migrate", "status"]);
    assert_eq!(after["applied"], serde_json::json!(names), "in their order");
    assert!(after["pending"].as_array().unwrap().is_empty(), "{after}");

    assert!(place.run(&["migrate", "up"]).succeeded().ends_with("signet.db is up to date\n"));
    assert!(place.run(&["migrate", "status"]).succeeded().lines().all(|line| line.starts_with("applied  m2026")));
}

#[test]
fn a_server_that_must_not_migrate_does_not_start_on_an_empty_database() {
    let place = Place::new();
    let ended = place.run(&["serve", "--no-migrate", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:8080"]);
    let line = ended.err.lines().last().unwrap();
    assert_eq!((ended.code, &*ended.out), (1, ""));
    assert!(line.starts_with("error: the database sqlite:") && line.contains("run `signet migrate up`"), "{line}");
    assert!(!place.json(&["migrate", "status"])["pending"].as_array().unwrap().is_empty());
}

#[test]
fn two_commands_at_once_on_an_empty_database_both_succeed() {
    let place = Place::new();
    let both: Vec<_> = (0..2).map(|_| place.command(&["keys", "list", "--json"]).spawn().unwrap()).collect();
    let answers: Vec<_> = both.into_iter().map(|child| super::end(child).json()).collect();
    assert_eq!(answers[0], answers[1], "one made the key that both list");
    assert_eq!(answers[0].as_array().unwrap().len(), 1);
}

/// The same, with the moment held in which the other has made half of the tables.
#[tokio::test]
async fn a_command_waits_for_whoever_is_migrating() {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    let lock = std::fs::File::create(place.path("data/signet.migrating")).unwrap();
    lock.lock().unwrap();
    let url = format!("sqlite://{}?mode=rwc", place.path("data/signet.db").display());
    let db = Database::connect(url).await.unwrap();
    Migrator::up(&db, Some(2)).await.unwrap();

    let mut child = place.command(&["keys", "list", "--json"]).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(child.try_wait().unwrap().is_none(), "it waits: {:?}", super::end(child).err);
    Migrator::up(&db, None).await.unwrap();
    lock.unlock().unwrap();
    assert_eq!(super::end(child).json().as_array().unwrap().len(), 1);
}
