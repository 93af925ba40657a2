//! The sentences and the choice of the language.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proptest::prelude::*;
use regex::Regex;
use signet::app::text::{self, Piece, Texts};

fn keys(texts: &Texts) -> BTreeSet<&str> {
    texts.keys().collect()
}

fn placeholders(sentence: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\{([^}]*)\}").expect("a pattern");
    name.captures_iter(sentence).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_language_has_the_same_keys_with_the_same_values_to_fill_in() {
    let first = &text::languages()[0];
    for other in text::languages() {
        assert_eq!(keys(first), keys(other), "{}", other.tag());
        for key in first.keys() {
            assert_eq!(placeholders(first.get(key)), placeholders(other.get(key)), "{} {key}", other.tag());
            assert_eq!(other.get(key).trim(), other.get(key), "{} {key}", other.tag());
            assert!(!other.get(key).is_empty(), "{} {key}", other.tag());
        }
    }
}

/// What no eye sees in the file: U+202F before `;`, `!` and `?`, U+00A0 before `:` and inside of guillemets.
#[test]
fn french_punctuation_stays_on_its_line() {
    let texts = text::find("fr").expect("French");
    let loose = Regex::new(r"[^\u202f][;!?]|[^\u00a0}]:|\{scheme\}\s:|«[^\u00a0]|[^\u00a0]»").expect("a pattern");
    for key in texts.keys() {
        let sentence = texts.get(key).replace("https://", "");
        assert!(!loose.is_match(&sentence), "{key}: {sentence}");
    }
}

/// The style sets words of other scripts off, not a space.
#[test]
fn chinese_is_written_with_its_own_punctuation_and_without_spaces() {
    let texts = text::find("zh-Hans").expect("Chinese");
    let foreign =
        Regex::new(r"\p{Han}[,.;:!?()]|[,;!?()]\p{Han}|\p{Han}\s+[\p{Han}A-Za-z]|[a-z}]\s+\p{Han}").expect("a pattern");
    for key in texts.keys() {
        assert!(!foreign.is_match(texts.get(key)), "{key}: {}", texts.get(key));
    }
}

#[test]
fn every_key_that_is_used_exists_and_every_key_that_exists_is_used() {
    let known = keys(&text::languages()[0]);
    let sections: BTreeSet<&str> = known.iter().filter_map(|key| key.split('.').next()).collect();
    let literal = Regex::new(r#""([a-z_]+)(\.[a-z_0-9]+)+""#).expect("a pattern");
    let mut used = BTreeMap::new();
    for root in ["templates", "src/app", "src/flows", "src/http"] {
        read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join(root), &mut |path, content| {
            let words = |found: &regex::Captures| sections.contains(&found[1]) && !found[0].ends_with(".html\"");
            for found in literal.captures_iter(content).filter(words) {
                used.insert(found[0].trim_matches('"').to_owned(), path.to_owned());
            }
        });
    }
    for (key, path) in &used {
        assert!(known.contains(key.as_str()), "{path} says {key}, which is in no text file");
    }
    for key in known {
        assert!(used.contains_key(key), "nothing says {key}");
    }
}

fn read_all(folder: &Path, each: &mut dyn FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, each);
        } else if path.extension().is_some_and(|kind| kind == "html" || kind == "rs") {
            each(&path.display().to_string(), &fs::read_to_string(&path).expect("text"));
        }
    }
}

#[test]
fn a_value_is_filled_in_and_not_read_again() {
    let texts = text::find("en").expect("English");
    assert_eq!(texts.with("login.for", &[("client", "{client} & {site}")]), "to continue to {client} & {site}");
    assert_eq!(texts.with("login.for", &[("other", "x")]), "to continue to {client}");
    let pieces = texts.pieces("login.for", &[("client", "Shop")]);
    let expected = [("to continue to ", false), ("Shop", true), ("", false)];
    assert_eq!(pieces, expected.map(|(text, filled)| Piece { text, filled }));
}

#[test]
fn words_are_listed_one_after_the_other() {
    let texts = text::find("en").expect("English");
    assert_eq!(texts.list([]), "");
    assert_eq!(texts.list(["Name"]), "Name");
    assert_eq!(texts.list(["{next}", "Language", "Birthday"]), "{next}, Language, Birthday");
}

#[test]
fn the_language_is_chosen_by_app_then_person_then_browser_when() {
    for (reason, ui_locales, chosen, accept_language, tag) in [
        ("nobody says anything", None, None, None, "en"),
        ("the app says", Some("de"), Some("en"), Some("en"), "de"),
        ("the app lists several", Some("se fi de-AT en"), None, None, "de"),
        ("the app asks for what is not there", Some("se"), Some("de"), None, "de"),
        ("the person chose", None, Some("de"), Some("en"), "de"),
        ("the person's cookie is nonsense", None, Some("../../etc"), Some("de"), "de"),
        ("the browser prefers", None, None, Some("fi, de;q=0.9, en;q=0.8"), "de"),
        ("weights decide, not order", None, None, Some("en;q=0.1, de-CH;q=0.7"), "de"),
        ("a weight of zero refuses", None, None, Some("de;q=0, *"), "en"),
        ("case does not matter", Some("DE-at"), None, None, "de"),
        ("anything will do", None, None, Some("*"), "en"),
        ("a script subtag is cut off", Some("de-Latn-DE-1996"), None, None, "de"),
        ("a prefix is not a language", Some("den"), None, None, "en"),
        ("a region says nothing about the language", Some("fr-CA"), None, None, "fr"),
        ("a region may be a number", None, None, Some("es-419, en;q=0.9"), "es"),
        ("weights are nonsense", None, None, Some("de;q=NaN, de;q=inf, de;q=-1, de;q=2, de;q=, de;w=1"), "en"),
    ] {
        assert_eq!(text::choose(ui_locales, chosen, accept_language).tag(), tag, "{reason}");
    }
    let long = "xx-".repeat(100_000);
    assert_eq!(text::choose(Some(&long), Some(&long), Some(&long)).tag(), "en");
    let late = format!("{}de", "xx,".repeat(100));
    assert_eq!(text::choose(None, None, Some(&late)).tag(), "en", "a list is read only so far");
}

/// CLDR's likely subtags: who writes Traditional is not offered Simplified for it, except where they take any Chinese.
#[test]
fn chinese_is_found_by_its_script_or_by_the_region_that_tells_it() {
    for range in ["zh-Hans", "zh-hans-cn", "zh-Hans-HK", "zh", "ZH", "zh-CN", "zh-cn", "zh-SG", " zh-CN "] {
        assert_eq!(text::choose(None, Some(range), None).tag(), "zh-Hans", "{range}");
    }
    for range in ["zh-Hant", "zh-Hant-CN", "zh-TW", "zh-HK", "zh-MO", "zh-Latn", "zh-TW-x-zh-CN", "zhx"] {
        assert_eq!(text::choose(Some(range), None, Some("de")).tag(), "de", "{range}");
    }
    for (accept_language, tag) in [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh-TW,en;q=0.8,zh-CN;q=0.1", "en"),
        ("zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", "zh-Hans"),
    ] {
        assert_eq!(text::choose(None, None, Some(accept_language)).tag(), tag, "{accept_language}");
    }
}

proptest! {
    #[test]
    fn no_input_breaks_the_choice(asked in ".*", chosen in ".*", accepted in r"[\PC,;=*-]*") {
        text::choose(Some(&asked), Some(&chosen), Some(&accepted));
    }
}
