//! A server for one test: its own database, a clock that the test turns, chance from a seed, the real listener and routes.
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use signet::{app::App, config::Config};

use super::{browser::Browser, http::Site, relying_party::RelyingParty, seed};

/// 2026-01-01T00:00:00Z: late enough that no test meets a negative time, and the same in every run.
const START: i64 = 1_767_225_600;

/// The time of the server, and of every relying party in the test.
#[derive(Clone)]
pub struct Clock(pub Arc<AtomicI64>);

impl Clock {
    pub fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

pub struct TestServer {
    pub app: App,
    pub site: Site,
    pub clock: Clock,
    /// Whatever must live as long as the server: its data directory, its tasks.
    _kept: signet::testing::Kept,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The guessing limits are off in tests, for one address does everything; here they are on.
    pub async fn with_limits() -> Self {
        Self::with(|config| config.limits = true).await
    }

    /// Behind a proxy that ends TLS: the issuer is not where the server listens.
    pub async fn at(issuer: &str) -> Self {
        let issuer = issuer.to_string();
        Self::with(move |config| config.issuer = issuer.parse().unwrap()).await
    }

    /// A deployment of somebody else's: it draws other secrets.
    pub async fn another() -> Self {
        Self::build(2, |_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::build(1, change).await
    }

    async fn build(seed: u64, change: impl FnOnce(&mut Config)) -> Self {
        let clock = Clock(Arc::new(AtomicI64::new(START)));
        let (app, issuer, address, kept) = signet::testing::serve(seed, Arc::clone(&clock.0), change).await;
        let address: SocketAddr = address;
        TestServer { app, site: Site { issuer, address }, clock, _kept: kept }
    }

    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.site)
    }

    pub async fn user(&self, person: seed::NewPerson) -> seed::Person {
        seed::user(&self.app, person).await
    }

    pub async fn client(&self, spec: seed::ClientSpec) -> RelyingParty {
        seed::client(self, spec).await
    }
}
