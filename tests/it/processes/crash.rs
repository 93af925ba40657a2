//! SEC-172: the server is killed in a storm of redemptions and refreshes, again and again. What a client was told
//! before is true afterwards, and what was spent stays spent.
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::{task::JoinSet, time::sleep};

use super::program::{Place, Server, Unspent};
use crate::harness::{Browser, Parameters, RelyingParty, Tokens, assert, relying_party::TOKEN};

const KILLS: usize = 3;
/// Answers that the storm has given when the server dies.
const ANSWERS: usize = 50;
const CODES: usize = 40;
const FAMILIES: usize = 4;

/// What the clients know when the server is dead.
#[derive(Default)]
struct Known {
    redeemed: Vec<(Unspent, Tokens)>,
    /// Codes that were sent, and nobody knows what came of it.
    unanswered: Vec<Unspent>,
    /// The refresh tokens of each family, oldest first; each was answered with the next.
    families: Vec<Vec<String>>,
}

struct Storm {
    codes: Mutex<Vec<Unspent>>,
    known: Mutex<Known>,
    answers: AtomicUsize,
}

/// The answer, if the server lived to give one.
async fn ask(client: &RelyingParty, form: &Parameters) -> Option<Tokens> {
    let answer = client.site.try_send(client.call(TOKEN, form.clone())).await.ok()?;
    Some(Tokens::of(&answer))
}

impl Storm {
    async fn redeem(self: Arc<Self>, client: RelyingParty) {
        loop {
            let Some(unspent) = self.codes.lock().unwrap().pop() else { return };
            let tokens = ask(&client, &client.redemption(&unspent.code, &unspent.asked)).await;
            let mut known = self.known.lock().unwrap();
            match tokens {
                Some(tokens) => known.redeemed.push((unspent, tokens)),
                None => return known.unanswered.push(unspent),
            }
            self.answers.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn refresh(self: Arc<Self>, client: RelyingParty, first: String) {
        let mut family = vec![first];
        while let Some(tokens) = ask(&client, &client.refreshing(family.last().unwrap())).await {
            family.push(tokens.refresh.unwrap());
            self.answers.fetch_add(1, Ordering::SeqCst);
        }
        self.known.lock().unwrap().families.push(family);
    }
}

async fn codes(server: &Server, browser: &Browser, number: usize) -> Vec<Unspent> {
    let mut codes = Vec::new();
    for _ in 0..number {
        codes.push(Unspent::get(&server.shop(), browser).await);
    }
    codes
}

/// The storm, and in its middle the end.
async fn storm(server: Server, browser: &Browser) -> Known {
    let mut families = Vec::new();
    for unspent in codes(&server, browser, FAMILIES).await {
        families.push(unspent.tokens(&server.shop()).await.refresh.unwrap());
    }
    let storm = Arc::new(Storm {
        codes: Mutex::new(codes(&server, browser, CODES).await),
        known: Mutex::default(),
        answers: AtomicUsize::new(0),
    });
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        clients.spawn(storm.clone().redeem(server.shop()));
    }
    for first in families {
        clients.spawn(storm.clone().refresh(server.shop(), first));
    }
    // Of both kinds: whoever waits for a connection to the database, while others go on with theirs, has its turn.
    while storm.answers.load(Ordering::SeqCst) < ANSWERS || storm.known.lock().unwrap().redeemed.is_empty() {
        sleep(Duration::from_millis(1)).await;
    }
    server.kill();
    clients.join_all().await;
    std::mem::take(&mut *storm.known.lock().unwrap())
}

/// Nothing that was answered is lost, nothing that was spent is good again.
async fn is_kept(client: &RelyingParty, known: Known) {
    assert!(!known.redeemed.is_empty() && known.families.len() == FAMILIES);
    for (i, (unspent, tokens)) in known.redeemed.iter().enumerate() {
        assert!(client.may_read_userinfo(&tokens.access).await, "an access token was lost");
        if i % 2 == 0 {
            client.refreshed(tokens.refresh_token()).await;
        }
        assert::json(&client.redeem(&unspent.code, &unspent.asked).await, 400, "invalid_grant");
    }
    for family in &known.families {
        client.refreshed(family.last().unwrap()).await;
        if family.len() > 2 {
            assert::json(&client.refresh(&family[family.len() - 3]).await, 400, "invalid_grant");
            assert::json(&client.refresh(family.last().unwrap()).await, 400, "invalid_grant");
        }
    }
    for unspent in &known.unanswered {
        let mut worth = 0;
        for _ in 0..2 {
            let answer = client.redeem(&unspent.code, &unspent.asked).await;
            worth += u32::from(answer.status == 200);
        }
        assert!(worth <= 1, "a code was worth tokens twice");
    }
}

async fn is_sound(db: &DatabaseConnection) {
    for (check, sound) in [("PRAGMA integrity_check", "ok"), ("PRAGMA foreign_key_check", "")] {
        let statement = sea_orm::Statement::from_string(db.get_database_backend(), check);
        let rows = db.query_all_raw(statement).await.unwrap();
        let found: String = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect();
        assert_eq!(found, sound, "{check}");
    }
}

#[tokio::test]
async fn sec_172_what_was_answered_outlives_a_kill() {
    let place = Place::new().await;
    let mut server = place.server().await;
    let browser = server.signed_in(&place.person().await).await;
    for _ in 0..KILLS {
        let known = storm(server, &browser).await;
        let begun = Instant::now();
        server = place.server().await;
        assert!(begun.elapsed() < Duration::from_secs(10), "ready after {:?}", begun.elapsed());
        if place.is_on_sqlite() {
            is_sound(&place.database().await).await;
        }
        is_kept(&server.shop(), known).await;
    }
}
