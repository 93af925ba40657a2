//! The OpenID Foundation's conformance plans in our own words, each test named by the plan's module. Every file is here
//! twice: against a server in this process, whose clock the tests turn, on every database; and in `over_tls` against the
//! built program, as a relying party meets it.
pub mod backchannel_logout;
mod basic;
mod basic_prompt;
mod basic_requests;
mod capabilities;
mod common;
mod config;
mod dynamic;
mod family;
mod form_post;
pub mod frontchannel_logout;
mod hybrid;
mod implicit;
mod in_time;
mod not_listed;
mod over_tls;
mod plan;
mod registering;
mod rp_initiated_logout;
mod session_management;
mod third_party_login;

use crate::harness::{Fixtures, TestServer, fixtures};

/// A server with an https issuer.
async fn secure() -> TestServer {
    TestServer::at("https://id.example").await
}

/// With these settings.
async fn fixtures_with(settings: &[(&str, &str)]) -> Fixtures {
    TestServer::with(settings).await.fixtures().await
}
