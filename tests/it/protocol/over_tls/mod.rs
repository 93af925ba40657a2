//! The same plans against the built program: a process of its own, https with a certificate of an authority that the
//! tests made, and the system's clock. They are about the protocol and use SQLite; `make test` leaves them out when it
//! runs the suite on another database.
#![expect(clippy::duplicate_mod, reason = "the same tests against another server are what this is for")]

mod certification;

#[path = "../backchannel_logout.rs"]
mod backchannel_logout;
#[path = "../basic.rs"]
mod basic;
#[path = "../basic_prompt.rs"]
mod basic_prompt;
#[path = "../basic_requests.rs"]
mod basic_requests;
#[path = "../common.rs"]
mod common;
#[path = "../config.rs"]
mod config;
#[path = "../dynamic.rs"]
mod dynamic;
#[path = "../form_post.rs"]
mod form_post;
#[path = "../frontchannel_logout.rs"]
mod frontchannel_logout;
#[path = "../hybrid.rs"]
mod hybrid;
#[path = "../implicit.rs"]
mod implicit;
#[path = "../rp_initiated_logout.rs"]
mod rp_initiated_logout;
#[path = "../session_management.rs"]
mod session_management;
#[path = "../third_party_login.rs"]
mod third_party_login;

use super::registering;
use crate::harness::{Fixtures, TestServer};

async fn fixtures() -> Fixtures {
    TestServer::built().await.fixtures().await
}

/// A server with an https issuer.
async fn secure() -> TestServer {
    TestServer::built().await
}

/// With these settings.
async fn fixtures_with(settings: &[(&str, &str)]) -> Fixtures {
    TestServer::built_with(settings).await.fixtures().await
}
