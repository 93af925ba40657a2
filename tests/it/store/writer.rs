//! The one door for writes on SQLite: whoever is answered has been kept, whoever is refused has not, and nobody
//! suffers for another.
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseExecutor, DbErr, Statement};
use signet::{
    app::writer::{Work, Writer},
    store::is_away,
};
use tempfile::TempDir;
use tokio::{
    sync::{Notify, oneshot},
    time::sleep,
};

struct Door {
    writer: Arc<Writer>,
    /// Sees only what was committed.
    outside: DatabaseConnection,
    _folder: TempDir,
}

/// A child may be written before its parent, but not committed.
const NOTES: &str =
    "CREATE TABLE note (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED)";

/// How long a transaction waits for another process.
const BUSY: Duration = Duration::from_millis(200);

fn options(folder: &TempDir) -> ConnectOptions {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", folder.path().join("db").display()));
    options.max_connections(1).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(|sqlite| sqlite.pragma("journal_mode", "WAL").busy_timeout(BUSY));
    options
}

async fn door() -> Door {
    let folder = tempfile::tempdir().unwrap();
    let outside = Database::connect(options(&folder)).await.unwrap();
    outside.execute_unprepared(NOTES).await.unwrap();
    let writer = Arc::new(Writer::gathered(options(&folder)).await.unwrap());
    Door { writer, outside, _folder: folder }
}

fn work<T>(
    run: impl for<'t> FnOnce(&'t DatabaseExecutor<'t>) -> BoxFuture<'t, Result<T, DbErr>> + Send + 'static,
) -> Work<T> {
    Box::new(run)
}

/// These statements, one after the other.
fn sql(statements: &'static [&'static str]) -> Work<()> {
    work(move |db| {
        async move {
            for statement in statements {
                db.execute_unprepared(statement).await?;
            }
            Ok(())
        }
        .boxed()
    })
}

fn note(id: u32) -> Work<()> {
    work(move |db| {
        async move { db.execute_unprepared(&format!("INSERT INTO note (id) VALUES ({id})")).await.map(drop) }.boxed()
    })
}

impl Door {
    async fn kept(&self) -> Vec<i32> {
        let rows = Statement::from_string(sea_orm::DbBackend::Sqlite, "SELECT id FROM note ORDER BY id");
        let rows = self.outside.query_all_raw(rows).await.unwrap();
        rows.iter().map(|row| row.try_get("", "id").unwrap()).collect()
    }

    /// A write that holds the door until it is let go, so that everything sent meanwhile is one batch.
    async fn hold(&self) -> (Arc<Notify>, impl Future<Output = Result<(), DbErr>> + use<>) {
        let (entered, inside) = oneshot::channel();
        let gate = Arc::new(Notify::new());
        let waiting = gate.clone();
        let held = work(move |_| {
            async move {
                let _ = entered.send(());
                waiting.notified().await;
                Ok(())
            }
            .boxed()
        });
        let writer = self.writer.clone();
        let holding = tokio::spawn(async move { writer.write_one(held).await });
        inside.await.unwrap();
        (gate, async move { holding.await.unwrap() })
    }

    /// Sends these as one batch, several-statement writes all.
    async fn batch(&self, writes: Vec<Work<()>>) -> Vec<Result<(), DbErr>> {
        let (gate, held) = self.hold().await;
        let mut sent: Vec<_> = writes.into_iter().map(|write| Box::pin(self.writer.write(write))).collect();
        for write in &mut sent {
            assert!(futures_util::poll!(write).is_pending());
        }
        gate.notify_one();
        held.await.unwrap();
        futures_util::future::join_all(sent).await
    }
}

fn away(result: &Result<(), DbErr>) -> bool {
    result.as_ref().is_err_and(is_away)
}

#[tokio::test]
async fn whoever_is_answered_has_been_kept() {
    let door = door().await;
    for id in 1..=3 {
        door.writer.write_one(note(id)).await.unwrap();
        assert_eq!(door.kept().await.len(), id as usize, "another connection sees it at once");
    }
}

#[tokio::test]
async fn each_write_of_a_batch_stands_or_falls_alone() {
    let door = door().await;
    let twice = sql(&["INSERT INTO note (id) VALUES (2)", "INSERT INTO note (id) VALUES (1)"]);
    let answers = door.batch(vec![note(1), twice, note(3), sql(&["nonsense"])]).await;
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
    assert!(!answers.iter().any(away), "a refused statement is not a database that is away: {answers:?}");
    assert_eq!(door.kept().await, [1, 3], "the first statement of a refused write is undone");
    assert!(door.writer.is_healthy());
}

#[tokio::test]
async fn a_panic_is_the_matter_of_one_write() {
    let door = door().await;
    let before: Work<()> = work(|_| panic!("before the first statement"));
    let after: Work<()> = work(|db| {
        async move {
            db.execute_unprepared("INSERT INTO note (id) VALUES (2)").await?;
            panic!("after a statement")
        }
        .boxed()
    });
    let answers = door.batch(vec![note(1), before, after, note(3)]).await;
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(door.kept().await, [1, 3]);
    door.writer.write_one(note(4)).await.unwrap();
}

#[tokio::test]
async fn when_the_commit_fails_nobody_is_told_otherwise() {
    let door = door().await;
    let orphan = sql(&["INSERT INTO note (id, parent) VALUES (2, 99)"]);
    let answers = door.batch(vec![note(1), orphan, note(3)]).await;
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert_eq!(door.kept().await, [0; 0]);
    assert!(!door.writer.is_healthy());
    door.writer.write(note(4)).await.unwrap();
    assert!(door.writer.is_healthy(), "a commit that goes well says so");
    assert_eq!(door.kept().await, [4]);
}

/// A full disk makes SQLite undo the whole transaction; what would be written after that must not be kept alone.
#[tokio::test]
async fn when_the_disk_is_full_the_whole_batch_is_refused() {
    let door = door().await;
    let fill = "INSERT INTO note WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i, NULL FROM n";
    door.writer.write_one(sql(&["PRAGMA max_page_count = 8"])).await.unwrap();
    let answers = door.batch(vec![note(1), Box::new(move |db| sql(Box::leak(Box::new([fill])))(db)), note(3)]).await;
    assert!(answers.iter().all(away), "{answers:?}");
    assert_eq!(door.kept().await, [0; 0]);
    assert!(!door.writer.is_healthy());
    // The limit was one of the connection, and that has been replaced: the disk has room again.
    assert!(door.batch(vec![note(4), sql(&["nonsense"]), note(5)]).await[0].is_ok());
    assert_eq!(door.kept().await, [4, 5]);
    assert!(door.writer.is_healthy());
}

/// A write that ends the transaction under the others' feet: its savepoint cannot be released.
#[tokio::test]
async fn when_a_savepoint_fails_the_whole_batch_is_refused() {
    let door = door().await;
    let answers = door.batch(vec![note(1), sql(&["ROLLBACK"]), note(3)]).await;
    assert!(answers.iter().all(away), "{answers:?}");
    assert_eq!(door.kept().await, [0; 0]);
    assert!(door.batch(vec![note(4), note(5)]).await.iter().all(Result::is_ok));
    assert_eq!(door.kept().await, [4, 5]);
}

#[tokio::test]
async fn while_another_process_writes_everybody_is_told_to_come_back() {
    let door = door().await;
    door.outside.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    assert!(away(&door.writer.write_one(note(1)).await));
    // Those who come while another waits are refused with it: the busy time is waited once.
    let (begun, mut writes) = (Instant::now(), Vec::new());
    for id in 2..200 {
        let write = door.writer.write(note(id));
        writes.push(tokio::spawn(async { sleep(Duration::from_millis(1)).await }).then(|_| write));
    }
    assert!(futures_util::future::join_all(writes).await.iter().all(away));
    assert!(begun.elapsed() < 3 * BUSY, "{:?}", begun.elapsed());
    assert!(!door.writer.is_healthy());
    door.outside.execute_unprepared("ROLLBACK").await.unwrap();
    door.writer.write(note(300)).await.unwrap();
    assert_eq!(door.kept().await, [300]);
}

#[tokio::test]
async fn a_caller_who_leaves_disturbs_nobody() {
    let door = door().await;
    let (gate, held) = door.hold().await;
    let mut left = Box::pin(door.writer.write(note(1)));
    assert!(futures_util::poll!(&mut left).is_pending());
    drop(left);
    let stays = door.writer.write(note(2));
    gate.notify_one();
    held.await.unwrap();
    stays.await.unwrap();
    assert_eq!(door.kept().await, [1, 2], "what was sent is done, whoever still listens");
}

#[tokio::test]
async fn when_too_many_wait_the_next_is_refused_at_once() {
    let door = door().await;
    let (gate, held) = door.hold().await;
    let mut waiting: Vec<_> = (1..=4096).map(|id| Box::pin(door.writer.write_one(note(id)))).collect();
    for write in &mut waiting {
        assert!(futures_util::poll!(write).is_pending());
    }
    let refused = door.writer.write_one(note(5000)).now_or_never().expect("an answer at once");
    assert!(away(&refused), "{refused:?}");
    gate.notify_one();
    held.await.unwrap();
    assert!(futures_util::future::join_all(waiting).await.iter().all(Result::is_ok));
    assert_eq!(door.kept().await.len(), 4096);
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_it_has_accepted() {
    let Door { writer, outside, _folder } = door().await;
    let tasks: Vec<_> = (1..=200)
        .map(|id| {
            let writer = writer.clone();
            tokio::spawn(async move { writer.write_one(note(id)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(writer);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let door = Door { writer: Arc::new(Writer::gathered(options(&_folder)).await.unwrap()), outside, _folder };
    assert_eq!(door.kept().await.len(), 200);
}

/// Whatever ended the task behind the door, nobody waits at it for ever.
#[test]
fn a_door_with_nobody_behind_it_is_not_healthy() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let behind = runtime();
    let door = behind.block_on(door());
    assert!(door.writer.is_healthy());
    drop(behind);
    assert!(!door.writer.is_healthy());
    assert!(away(&runtime().block_on(door.writer.write_one(note(1)))));
}
