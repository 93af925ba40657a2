//! What the database must keep, and what becomes of everything else when it fails.

mod errors;
mod races;
mod retention;
mod rotation;
mod writer;

use std::time::Duration;

use crate::harness::TestServer;

/// A server that is dropped holds nothing any more: no connection to its database, no task, no key.
#[tokio::test]
async fn a_server_that_has_stopped_lets_go_of_everything() {
    let server = TestServer::start().await;
    assert_eq!(server.site.get("/health/ready").await.status, 200);
    let held = server.app.downgrade();
    drop(server);
    for _ in 0..200 {
        if held.strong_count() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} still hold the server", held.strong_count());
}
