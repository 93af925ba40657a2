use signet::{
    config::{self, LoadArgs},
    flows::admin::{
        key_life::{changes, overlap},
        keys::SigningKey,
    },
    store::{Sealed, signing_key::State},
};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
/// An hour for the longest token, a minute for clocks, half a minute for a server that stopped.
const OVERLAP: i64 = 3690;

fn settings() -> config::Keys {
    config::load(&LoadArgs::default(), [("SIGNET_ISSUER", "https://id.example")]).unwrap().keys
}

/// Made `made` seconds from now, to sign `from` seconds from now.
fn key(kid: &str, made: i64, from: i64) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        algorithm: "RS256".into(),
        private_key: Sealed(Vec::new()),
        public_jwk: serde_json::Value::Null,
        created_at: NOW + made,
        signs_from: NOW + from,
        agreed_at: None,
        retired_at: None,
        removed_at: None,
    }
}

fn agreed(key: SigningKey) -> SigningKey {
    SigningKey { agreed_at: Some(key.created_at), ..key }
}

fn retired(key: SigningKey, at: i64) -> SigningKey {
    SigningKey { retired_at: Some(NOW + at), removed_at: Some(NOW + at + OVERLAP), ..agreed(key) }
}

#[test]
fn a_key_is_in_the_state_that_its_times_say() {
    let removed = SigningKey { removed_at: Some(NOW), ..retired(key("", -9, -8), -7) };
    for (name, key, state) in [
        ("made a moment ago", key("", 0, DAY), State::Announced),
        ("not read everywhere", key("", -2 * DAY, -DAY), State::Announced),
        ("a second too early", agreed(key("", -DAY, 1)), State::Announced),
        ("at its time", agreed(key("", -DAY, 0)), State::Signing),
        ("for a second more", retired(key("", -DAY, -9), 1), State::Signing),
        ("after the next one took over", retired(key("", -DAY, -9), 0), State::Retired),
        ("until its last token has expired", retired(key("", -DAY, -9), 1 - OVERLAP), State::Retired),
        ("after its last token", retired(key("", -DAY, -9), -OVERLAP), State::Removed),
        ("dropped", removed, State::Removed),
        ("retired before it was read", SigningKey { retired_at: Some(NOW), ..key("", -9, DAY) }, State::Retired),
    ] {
        assert_eq!(key.state(NOW), state, "{name}");
    }
}

/// What becomes of keys, the newest first, given which of them every server has read.
#[test]
fn keys_change_as_servers_read_them() {
    let everywhere = |_: &SigningKey| true;
    let nowhere = |_: &SigningKey| false;
    let old = || agreed(key("old", -90 * DAY, -89 * DAY));
    let next = || key("next", 0, DAY);
    let keys = settings();
    let after = |rows: Vec<SigningKey>, read: &dyn Fn(&SigningKey) -> bool| {
        let mut rows = rows;
        let changed: Vec<_> = changes(&rows, &keys, read, NOW).into_iter().map(|(_, new)| new).collect();
        for new in changed {
            let row = rows.iter_mut().find(|row| row.kid == new.kid).unwrap();
            *row = new;
        }
        rows.into_iter().map(|key| (key.agreed_at, key.signs_from - NOW, key.retired_at.map(|at| at - NOW))).collect()
    };
    let (then, now) = (Some(NOW - 90 * DAY), Some(NOW));
    type Row = (Option<i64>, i64, Option<i64>);
    let cases: Vec<(&str, Vec<Row>, Vec<Row>)> = vec![
        ("alone", after(vec![old()], &everywhere), vec![(then, -89 * DAY, None)]),
        (
            "one that nobody has read retires nobody",
            after(vec![next(), old()], &nowhere),
            vec![(None, DAY, None), (then, -89 * DAY, None)],
        ),
        (
            "one that all have read retires the one before",
            after(vec![next(), old()], &everywhere),
            vec![(now, DAY, None), (then, -89 * DAY, Some(DAY))],
        ),
        (
            "one that was read late has been published everywhere for as long as answers may be kept",
            after(vec![key("late", -DAY, 0), old()], &everywhere),
            vec![(now, 300, None), (then, -89 * DAY, Some(300))],
        ),
        (
            "unless it was to be announced for less",
            after(vec![key("soon", -9, -3), old()], &everywhere),
            vec![(now, 6, None), (then, -89 * DAY, Some(6))],
        ),
        (
            "each is retired by the one that signs next, whichever that is",
            after(vec![key("third", 0, 60), key("second", -9, DAY), old()], &everywhere),
            vec![(now, 60, None), (now, DAY, Some(60)), (then, -89 * DAY, Some(60))],
        ),
        (
            "one that is gone retires nobody any more",
            after(vec![retired(key("old", -9, -9), DAY)], &everywhere),
            vec![(Some(NOW - 9), -9, None)],
        ),
        (
            "what has ended stays ended",
            after(vec![retired(key("old", -9, -9), -1)], &everywhere),
            vec![(Some(NOW - 9), -9, Some(-1))],
        ),
        (
            "one that was superseded unread never signs",
            after(
                vec![agreed(key("new", -5, -5)), SigningKey { agreed_at: None, ..retired(key("mid", -9, DAY), -5) }],
                &everywhere,
            ),
            vec![(Some(NOW - 5), -5, None), (None, DAY, Some(-5))],
        ),
    ];
    for (name, became, expected) in cases {
        assert_eq!(became, expected, "{name}");
    }
}

/// Another algorithm is another line of keys, and what others encrypt with works as soon as all can open it.
#[test]
fn each_algorithm_has_keys_of_its_own() {
    let of = |key: SigningKey, algorithm: &str| SigningKey { algorithm: algorithm.into(), ..key };
    let old = |algorithm| of(agreed(key(algorithm, -9, -9)), algorithm);
    let keys = settings();
    let rows = [of(key("new", 0, DAY), "ECDH-ES"), old("ECDH-ES"), old("ES256"), old("RS256")];
    let changed = changes(&rows, &keys, |_| true, NOW);
    let changed: Vec<_> = changed.iter().map(|(old, new)| (&*old.kid, new.signs_from, new.retired_at)).collect();
    assert_eq!(changed, [("new", NOW, None), ("ECDH-ES", NOW - 9, Some(NOW))]);
    assert_eq!(overlap("RS256", &keys), OVERLAP);
    assert_eq!(overlap("ECDH-ES", &keys), DAY + OVERLAP, "apps keep the key that they encrypt with");
}

/// SEC-061: whatever is announced and for however long, apps ask again in between.
#[test]
fn the_key_set_may_be_kept_for_less_than_a_key_is_announced() {
    for (announce, kept) in [("10s", 5), ("1m", 30), ("10m", 300), ("24h", 300), ("30d", 300)] {
        let variables = [("SIGNET_ISSUER", "https://id.example"), ("SIGNET_KEYS_ANNOUNCE", announce)];
        let keys = config::load(&LoadArgs::default(), variables).unwrap().keys;
        assert_eq!(keys.kept().get(), kept, "{announce}");
        assert!(kept < keys.announce.get() && kept < overlap("RS256", &keys), "{announce}");
    }
}
