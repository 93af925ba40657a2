//! Whatever the file, the environment and the flags say, there is an answer and never a panic.
use proptest::{collection::vec, prelude::*};
use signet::config::{catalog, load};

use super::Place;

fn key() -> impl Strategy<Value = String> {
    let known: Vec<String> = catalog::keys().map(|key| key.replace("[]", "")).collect();
    prop_oneof![4 => proptest::sample::select(known), 1 => "[a-z_.]{0,12}", 1 => "\\PC{0,6}".prop_map(|name| format!("{name:?}"))]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}")),
        any::<bool>().prop_map(|value| value.to_string()),
        "\\PC{0,20}".prop_map(|text| serde_json::Value::from(text).to_string()),
        "[0-9]{0,25}[smhdé]?".prop_map(|text| format!("'{text}'")),
        "(https?|sqlite|postgres|mysql):/{0,3}[a-z:@#?/.0-9\\[\\]%-]{0,20}".prop_map(|text| format!("'{text}'")),
        "#[0-9a-fA-F+]{5,7}".prop_map(|text| format!("'{text}'")),
        Just("1979-05-27T07:32:00Z".to_owned()),
        Just("[{name = 'a'}, {}, 5]".to_owned()),
        Just("{keys = [{a = 1}]}".to_owned()),
        Just("['10.0.0.0/8', 'a', 1, []]".to_owned()),
    ]
}

proptest! {
    #[test]
    fn random_text_never_panics(text in "[\\PC\n\r\t]{0,200}") {
        let _ = Place::with(&text).load(&[]);
    }

    #[test]
    fn random_settings_never_panic_and_every_error_is_one_line(pairs in vec((key(), value()), 0..8)) {
        let text: String = pairs.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        if let Err(error) = Place::with(&text).load(&[]) {
            prop_assert!(!error.problems().is_empty());
            prop_assert_eq!(error.to_string().lines().count(), error.problems().len());
        }
    }

    #[test]
    fn random_entries_never_panic(pairs in vec((key(), value()), 0..6)) {
        let inside = |pairs: &[(String, String)], list: &str| -> String {
            let line = |(key, value): &(String, String)| format!("{} = {value}\n", key.rsplit('.').next().unwrap_or("x"));
            format!("[[{list}]]\n{}", pairs.iter().map(line).collect::<String>())
        };
        let _ = Place::with(&inside(&pairs, "clients")).load(&[]);
        let _ = Place::with(&inside(&pairs, "resources")).load(&[]);
    }

    #[test]
    fn random_variables_and_flags_never_panic(pairs in vec(("SIGNET_[A-Z_]{0,12}", "\\PC{0,30}"), 0..4), known in vec((key(), "\\PC{0,30}"), 0..4)) {
        let place = Place::empty();
        let named = known.iter().map(|(key, value)| (format!("SIGNET_{}", key.replace('.', "_").to_uppercase()), value.clone()));
        let mut args = place.args();
        args.flags = known.clone();
        let _ = load(&args, pairs.clone().into_iter().chain(named));
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..100)) {
        let place = Place::empty();
        place.write("signet.toml", bytes);
        let _ = place.load(&[]);
    }
}
