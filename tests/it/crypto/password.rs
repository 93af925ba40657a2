use std::time::Duration;

use futures_util::future::join_all;
use signet::crypto::password::{Busy, Cost, HashPool, Verdict};

const COST: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };
const RIGHT: Verdict = Verdict { right: true, outdated: false };
const WRONG: Verdict = Verdict { right: false, outdated: false };

fn pool(cost: Cost) -> HashPool {
    HashPool::new(cost, 1, 8, Duration::from_secs(60)).unwrap()
}

#[tokio::test]
async fn a_password_is_right_only_as_it_was_set() {
    let pool = pool(COST);
    let long = "x".repeat(100);
    let phc = pool.hash(&long, [1; 16]).await.unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{phc}");
    for (name, password, verdict) in [
        ("the same", long.clone(), RIGHT),
        ("SEC-113: its first 72 characters", long[..72].to_owned(), WRONG),
        ("SEC-113: a space more", format!("{long} "), WRONG),
        ("SEC-113: other case", long.to_uppercase(), WRONG),
        ("nothing", String::new(), WRONG),
    ] {
        assert_eq!(pool.verify(&password, Some(&phc)).await.unwrap(), verdict, "{name}");
    }
}

/// Argon2's own reference: `echo -n password | argon2 somesalt -t 2 -m 16 -p 1 -id`.
#[tokio::test]
async fn a_hash_of_the_reference_implementation_is_read() {
    let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let verdict = pool(COST).verify("password", Some(phc)).await.unwrap();
    assert_eq!(verdict, Verdict { right: true, outdated: true });
}

#[tokio::test]
async fn the_salt_makes_two_hashes_of_one_password_differ() {
    let pool = pool(COST);
    assert_ne!(pool.hash("same", [1; 16]).await.unwrap(), pool.hash("same", [2; 16]).await.unwrap());
}

#[tokio::test]
async fn a_hash_is_outdated_when_its_cost_is_not_of_today() {
    let phc = pool(COST).hash("right", [1; 16]).await.unwrap();
    for (name, cost) in [
        ("memory was raised", Cost { memory_kib: 128, ..COST }),
        ("iterations were raised", Cost { iterations: 2, ..COST }),
        ("parallelism was raised", Cost { parallelism: 2, ..COST }),
    ] {
        let verdict = pool(cost).verify("right", Some(&phc)).await.unwrap();
        assert_eq!(verdict, Verdict { right: true, outdated: true }, "{name}");
    }
}

/// SEC-117: measured as work, since a clock in a test is a coin.
#[tokio::test]
async fn an_unknown_name_costs_as_much_as_a_wrong_password() {
    let pool = pool(COST);
    let phc = pool.hash("right", [1; 16]).await.unwrap();
    let mut costs = Vec::new();
    for phc in
        [Some(phc.as_str()), None, Some("garbage"), Some("$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXP")]
    {
        let before = pool.blocks_filled();
        assert!(!pool.verify("guess", phc).await.unwrap().right, "{phc:?}");
        costs.push(pool.blocks_filled() - before);
    }
    assert_eq!(costs, [64; 4]);
}

/// SEC-158.
#[tokio::test]
async fn a_crowd_is_sent_away_and_not_queued_without_end() {
    let pool = HashPool::new(Cost { memory_kib: 4096, ..COST }, 1, 4, Duration::from_secs(60)).unwrap();
    let answers = join_all((0..40).map(|_| pool.hash("password", [1; 16]))).await;
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!((4..=20).contains(&done), "{done} of 40 were hashed");
    assert!(answers.iter().all(|answer| answer.is_ok() || *answer == Err(Busy)));
    assert!(pool.hash("password", [1; 16]).await.is_ok(), "and then there is room again");
}

#[tokio::test]
async fn who_waits_too_long_is_sent_away_and_costs_nothing() {
    let pool = HashPool::new(Cost { memory_kib: 32 * 1024, ..COST }, 1, 8, Duration::ZERO).unwrap();
    let (one, two, three) = tokio::join!(pool.hash("a", [1; 16]), pool.hash("b", [1; 16]), pool.hash("c", [1; 16]));
    let refused = [&one, &two, &three].into_iter().filter(|answer| answer.is_err()).count();
    assert!(refused >= 2, "with no time to wait at most one is served");
    assert!(pool.blocks_filled() <= 32 * 1024, "an abandoned job is skipped");
}

#[test]
fn a_cost_out_of_range_makes_no_pool() {
    for (name, cost) in [
        ("no memory", Cost { memory_kib: 0, ..COST }),
        ("no iterations", Cost { iterations: 0, ..COST }),
        ("too little memory for the lanes", Cost { parallelism: 60, ..COST }),
        ("more memory than is bearable", Cost { memory_kib: u32::MAX, ..COST }),
    ] {
        assert!(HashPool::new(cost, 1, 1, Duration::ZERO).is_err(), "{name}");
    }
}
