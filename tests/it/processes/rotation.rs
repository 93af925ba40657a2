//! AD7 with the built program: two servers on one database, keys rotated by the command while they answer.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

use super::program::{Place, Server};
use crate::harness::{
    Parameters, Proof, RelyingParty, Tokens,
    jwt::Token,
    relying_party::{JWKS, TOKEN, encoded},
};

/// Gets tokens and checks them with keys that it keeps for as long as it is told to, fetched from either server.
struct Keeper {
    servers: [RelyingParty; 2],
    /// A connection that stays open, as an app has one.
    client: reqwest::Client,
    turn: usize,
    keys: Value,
    until: Instant,
    /// How many tokens it has checked, by the key that signed them.
    checked: BTreeMap<String, u64>,
}

impl Keeper {
    fn new(servers: [RelyingParty; 2], turn: usize) -> Self {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let until = Instant::now();
        Keeper { servers, client, turn, keys: Value::Null, until, checked: BTreeMap::new() }
    }

    /// The next server, the other than before.
    fn next(&mut self) -> RelyingParty {
        self.turn += 1;
        self.servers[self.turn % 2].clone()
    }

    async fn fetch(&mut self) {
        let server = self.next();
        let begun = Instant::now();
        let answer = server.site.get(JWKS).await;
        let control = answer.tokens_of("cache-control");
        let age = control.iter().find_map(|token| token.strip_prefix("max-age=")).expect("a max-age");
        self.until = begun + Duration::from_secs(age.parse().unwrap());
        self.keys = answer.json();
    }

    async fn token(&mut self) -> Token {
        let server = self.next();
        let Proof::Basic(secret) = &server.proof else { panic!("a machine has a secret") };
        let form = machine_grant().encoded();
        let request =
            self.client.post(format!("http://{}{TOKEN}", server.site.address)).header("host", "localhost:9999");
        let request = request.basic_auth(encoded(&server.client_id), Some(encoded(secret)));
        let answer =
            request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        Token::read(body["access_token"].as_str().unwrap())
    }

    /// One token, checked with what it has.
    async fn check(&mut self) {
        let token = self.token().await;
        if Instant::now() >= self.until {
            self.fetch().await;
        }
        let kid = token.kid().to_string();
        assert!(token.is_signed_by(&self.keys), "{kid} is none of the keys that may be kept: {}", self.keys);
        *self.checked.entry(kid).or_default() += 1;
    }
}

/// So many tokens are checked in all, before, while and after a key is announced and takes over.
const TOKENS: u64 = 10_000;

/// SEC-174, AD7: an app that keeps keys for as long as it is told to notices nothing of a rotation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_174_ten_thousand_tokens_are_good_while_a_key_takes_over() {
    let place = Place::with("announce = \"10s\"").await;
    let (first, second) = (place.server().await, place.server().await);
    let (id, secret) = place.machine().await;
    let servers = [first.machine(&id, &secret), second.machine(&id, &secret)];
    let (count, phase) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut keepers = JoinSet::new();
    for turn in 0..4 {
        let (mut keeper, count, phase) = (Keeper::new(servers.clone(), turn), count.clone(), phase.clone());
        keepers.spawn(async move {
            // At least so many, and until the new key has signed for a while.
            while phase.load(Ordering::Relaxed) < 2 || count.load(Ordering::Relaxed) < TOKENS {
                keeper.check().await;
                count.fetch_add(1, Ordering::Relaxed);
            }
            keeper.checked
        });
    }
    sleep(Duration::from_secs(2)).await;
    let rotated = Instant::now();
    let new = place.run(&["keys", "rotate"], "").await["kid"].as_str().unwrap().to_string();
    for server in &servers {
        while Token::read(&Tokens::of(&server.token(machine_grant()).await).access).kid() != new {
            assert!(rotated.elapsed() < Duration::from_secs(30), "nobody signs with the new key");
            sleep(Duration::from_millis(100)).await;
        }
    }
    assert!(rotated.elapsed() >= Duration::from_secs(9), "announced for {:?}", rotated.elapsed());
    phase.store(1, Ordering::Relaxed);
    sleep(Duration::from_secs(6)).await;
    phase.store(2, Ordering::Relaxed);
    let mut checked = BTreeMap::<String, u64>::new();
    while let Some(keeper) = keepers.join_next().await {
        for (kid, count) in keeper.unwrap() {
            *checked.entry(kid).or_default() += count;
        }
    }
    let total: u64 = checked.values().sum();
    assert!(total >= TOKENS && checked.len() == 2 && checked[&new] > 0, "{checked:?}");
}

fn machine_grant() -> Parameters {
    Parameters::new(&[("grant_type", "client_credentials")])
}

async fn kids(server: &Server) -> BTreeSet<String> {
    let keys = server.shop().jwks().await;
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_string()).collect()
}

/// Decision D9: a key that others may have is gone from every server within five seconds.
#[tokio::test]
async fn an_emergency_reaches_every_server_in_seconds() {
    let place = Place::new().await;
    let (first, second) = (place.server().await, place.server().await);
    let (id, secret) = place.machine().await;
    let access = Tokens::of(&second.machine(&id, &secret).token(machine_grant()).await).access;
    assert!(first.shop().finds_active(&access).await);
    let leaked = Token::read(&access).kid().to_string();
    let report = place.run(&["keys", "rotate", "--emergency"], "").await;
    let begun = Instant::now();
    assert_eq!(report["dropped"][0], *leaked);
    let new = report["key"]["kid"].as_str().unwrap();
    for server in [&first, &second] {
        while kids(server).await != BTreeSet::from([new.to_string()]) || server.shop().finds_active(&access).await {
            assert!(begun.elapsed() < Duration::from_secs(5), "{} still knows {leaked}", server.site.address);
            sleep(Duration::from_millis(50)).await;
        }
        let fresh = Tokens::of(&server.machine(&id, &secret).token(machine_grant()).await).access;
        assert_eq!(Token::read(&fresh).kid(), new);
        assert!(second.shop().finds_active(&fresh).await || begun.elapsed() < Duration::from_secs(5));
    }
}

/// A server that was killed says nothing any more; the others wait for it for half a minute, and no longer.
#[tokio::test]
async fn a_server_that_was_killed_holds_nobody_up() {
    let place = Place::new().await;
    let (first, second) = (place.server().await, place.server().await);
    let servers = async || {
        let status = place.run(&["keys", "status"], "").await;
        status["servers"].as_array().unwrap().len()
    };
    assert_eq!(servers().await, 2);
    second.kill();
    let killed = Instant::now();
    let new = place.run(&["keys", "rotate", "--announce", "0"], "").await["kid"].as_str().unwrap().to_string();
    let (id, secret) = place.machine().await;
    let machine = first.machine(&id, &secret);
    while Token::read(&Tokens::of(&machine.token(machine_grant()).await).access).kid() != new {
        assert!(killed.elapsed() < Duration::from_secs(45), "the dead are waited for");
        sleep(Duration::from_millis(200)).await;
    }
    assert!(killed.elapsed() > Duration::from_secs(20), "the key signed after {:?}", killed.elapsed());
    assert_eq!(servers().await, 1);
    let seen = async || {
        let newest = place.run(&["keys", "status"], "").await["keys"][0].clone();
        assert_eq!((&newest["kid"], &newest["apps"][0]["client_id"]), (&Value::from(&*new), &Value::from(&*id)));
        newest["apps"][0]["seen"].as_str().unwrap().to_string()
    };
    assert_eq!(seen().await, "unknown", "it has got tokens and never fetched keys");
    machine.jwks().await;
    first.terminate();
    let mut first = first;
    first.end().await;
    assert_eq!(servers().await, 0, "who stops in good order takes its leave");
    assert_eq!(seen().await, "seen", "what was noted last is written at the end");
}
