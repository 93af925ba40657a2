use signet::{flows::admin::keys, jobs, store::signing_key::State};

use super::{key, published, signer};
use crate::harness::{Fixtures, TestServer, fixtures, seed::run_jobs};

const DAY: i64 = 86_400;

/// Time goes on, and the servers do what they do by themselves.
async fn pass(f: &Fixtures, seconds: i64) {
    f.clock.advance(seconds);
    jobs::run_due(&f.app).await;
    run_jobs(&f.app).await;
}

#[tokio::test]
async fn a_key_is_replaced_when_it_has_signed_for_long_enough() {
    let f = fixtures().await;
    let first = signer(&f).await;
    pass(&f, 89 * DAY - 1).await;
    assert_eq!(published(&f).await.len(), 1, "nothing to do yet");
    pass(&f, 600).await;
    assert_eq!(published(&f).await.len(), 2, "the next one is announced a day before");
    for _ in 0..5 {
        pass(&f, 3600).await;
    }
    assert_eq!((published(&f).await.len(), signer(&f).await), (2, first.clone()), "and only once");
    pass(&f, 20 * 3600).await;
    let second = signer(&f).await;
    assert_ne!(second, first);
    let row = key(&f.app, &second).await;
    assert!(row.signs_from - row.created_at >= DAY, "decision D14");
    pass(&f, DAY).await;
    assert_eq!(published(&f).await, [second].into());
}

#[tokio::test]
async fn every_algorithm_that_has_a_key_gets_a_new_one() {
    let f = fixtures().await;
    let others = ["ES256", "EdDSA", "ECDH-ES"];
    for algorithm in others {
        keys::ensure_of(&f.app, algorithm).await.unwrap();
    }
    let of = async |algorithm: &str| {
        let rows = keys::all(&f.app).await.unwrap().into_iter();
        rows.filter(|key| key.algorithm == algorithm).collect::<Vec<_>>()
    };
    pass(&f, 89 * DAY).await;
    for algorithm in ["ES256", "EdDSA", keys::FIRST] {
        let rows = of(algorithm).await;
        assert_eq!(rows.len(), 2, "{algorithm}");
        assert_eq!((rows[0].state(f.now()), rows[1].state(f.now())), (State::Announced, State::Signing));
    }
    assert_eq!(of("ECDH-ES").await.len(), 1, "a key that others encrypt for is not announced, so it is not due yet");
    pass(&f, DAY).await;
    let rows = of("ECDH-ES").await;
    assert_eq!((rows[0].state(f.now()), rows[1].state(f.now())), (State::Signing, State::Retired));
}

#[tokio::test]
async fn keys_stay_where_rotation_is_off() {
    let f = TestServer::with(&[("keys.rotate_after", "off")]).await.fixtures().await;
    pass(&f, 4000 * DAY).await;
    assert_eq!(published(&f).await.len(), 1);
}

/// Two servers find the key too old at the same time; the lease lets one of them act.
#[tokio::test]
async fn one_server_rotates_for_all() {
    let f = fixtures().await;
    f.clock.advance(89 * DAY);
    tokio::join!(jobs::run_due(&f.app), jobs::run_due(&f.app), jobs::run_due(&f.app));
    run_jobs(&f.app).await;
    assert_eq!(published(&f).await.len(), 2);
}
