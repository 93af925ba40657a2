//! SEC-061, SEC-174: signing keys change under applications that keep the key set for as long as they are told to.
use serde_json::Value;
use signet::{flows::admin::keys, store::signing_key::State};

use crate::harness::{
    Call, Fixtures, Parameters, Tokens, fixtures,
    jwt::Token,
    relying_party::JWKS,
    seed::{rotate_keys, run_jobs},
};

/// An application that fetches the key set when what it has is too old, and never otherwise.
struct Keeper {
    keys: Value,
    until: i64,
}

impl Keeper {
    async fn keys(&mut self, f: &Fixtures) -> &Value {
        if f.now() >= self.until {
            let answer = f.site.send(Call::get(JWKS)).await;
            let control = answer.tokens_of("cache-control");
            let age = control.iter().find_map(|token| token.strip_prefix("max-age=")).expect("a max-age");
            (self.keys, self.until) = (answer.json(), f.now() + age.parse::<i64>().unwrap());
        }
        &self.keys
    }
}

/// Seconds between one look and the next; the key set may be kept for about seven of them.
const STEP: i64 = 47;

#[tokio::test]
async fn sec_174_keys_change_and_no_cache_notices() {
    let f = fixtures().await;
    let announce = f.app.config.keys.announce.get();
    let grant = Parameters::new(&[("grant_type", "client_credentials")]);
    let (mut live, mut kids) = (Vec::<(Token, String)>::new(), Vec::<String>::new());
    // A second rotation while the first key is still announced. All that happens, happens around these moments.
    let rotations = [f.now() + 1000, f.now() + 1000 + announce / 2];
    let moments = [rotations[0], rotations[1], rotations[0] + announce, rotations[1] + announce];
    let times = moments.iter().flat_map(|moment| (moment - 400..moment + 900).step_by(STEP as usize));
    // Out of step with one another, so that one of them is always at its worst.
    let keeper = |i: i64| Keeper { keys: Value::Null, until: rotations[0] - 400 + STEP * i };
    let mut keepers: Vec<Keeper> = (0..7).map(keeper).collect();
    let mut rotated = 0;
    for at in times {
        f.clock.advance(at - f.now());
        if rotations.get(rotated).is_some_and(|rotation| *rotation <= at) {
            rotate_keys(&f.app).await;
            rotated += 1;
        }
        run_jobs(&f.app).await;
        let token = Tokens::of(&f.c5.token(grant.clone()).await).access;
        live.push((Token::read(&token), token));
        live.retain(|(token, _)| token.claims["exp"].as_i64().unwrap() > at);
        kids.push(live.last().unwrap().0.kid().to_string());
        for keeper in keepers.iter_mut().filter(|keeper| keeper.until <= at || keeper.keys != Value::Null) {
            let keys = keeper.keys(&f).await;
            assert!(live.iter().all(|(token, _)| token.is_signed_by(keys)), "{at}, around {moments:?}: {keys}");
        }
        assert!(f.rs1.finds_active(&live[0].1).await, "the server itself knows its oldest token");
    }
    kids.dedup();
    assert_eq!((rotated, kids.len()), (2, 3), "three keys signed, one after the other: {kids:?}");
    f.clock.advance(3600);
    run_jobs(&f.app).await;
    let keys = f.site.send(Call::get(JWKS)).await.json();
    let left: Vec<&Value> = keys["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(left, [kids[2].as_str()], "a key goes when its last token has");
}

/// A key that may be known to somebody else is replaced at once, also while its successor is announced.
#[tokio::test]
async fn a_key_that_leaked_stops_at_once() {
    let f = fixtures().await;
    let grant = Parameters::new(&[("grant_type", "client_credentials")]);
    let leaked = Token::read(&Tokens::of(&f.c5.token(grant.clone()).await).access).kid().to_string();
    rotate_keys(&f.app).await;
    f.clock.advance(60);
    let chosen = keys::rotate(&f.app, keys::FIRST, 0).await.unwrap().kid;
    let rows = keys::all(&f.app).await.unwrap();
    for key in &rows {
        let state = if key.kid == chosen { State::Signing } else { State::Retired };
        assert_eq!(key.state(f.now()), state, "{}", key.kid);
    }
    let announce = f.app.config.keys.announce.get();
    for seconds in [0, 3690, announce] {
        f.clock.advance(seconds);
        run_jobs(&f.app).await;
        let token = Token::read(&Tokens::of(&f.c5.token(grant.clone()).await).access);
        assert_eq!(token.kid(), chosen, "after {seconds} seconds");
        let published = f.site.send(Call::get(JWKS)).await.text();
        assert_eq!(published.contains(&leaked), seconds < 3690, "what it signed has expired");
    }
}
