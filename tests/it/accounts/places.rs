//! AC9: what people recognize a device by: its browser and system, and roughly where it is.
use std::{fs, net::IpAddr, path::Path};

use signet::{app::places::Places, protocol::user_agent::UserAgent};

use super::signed_in::{FIREFOX, SAFARI};

#[test]
fn a_user_agent_reads_as() {
    for (says, browser, system) in [
        (FIREFOX, "Firefox 145", "Windows"),
        (SAFARI, "Safari 18", "iOS 18"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
             Safari/537.36 Edg/142.0.0.0",
            "Edge 142",
            "Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 \
             Safari/605.1.15",
            "Safari 26",
            "macOS",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0.1 \
             Mobile/15E148 Safari/604.1",
            "Chrome 142",
            "iPadOS 17",
        ),
        (
            "Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 \
             Chrome/136.0.0.0 Mobile Safari/537.36",
            "SamsungBrowser 29",
            "Android 16",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox 145", "Linux"),
        ("curl/8.5.0", "curl 8", ""),
        ("python-requests/2.32.3", "python-requests 2", ""),
        ("PostmanRuntime/7.42.0", "PostmanRuntime 7", ""),
        ("Dart/3.5 (dart:io)", "Dart 3", ""),
        ("my-app", "my-app", ""),
        ("Mozilla/5.0 (something else)", "", ""),
        ("<script>/1", "", ""),
        ("", "", ""),
        ("/", "", ""),
        ("x/99999999999999", "x", ""),
    ] {
        let read = UserAgent::read(says);
        let found = (read.browser.as_deref().unwrap_or_default(), read.system.as_deref().unwrap_or_default());
        assert_eq!(found, (browser, system), "{says}");
    }
    let long = UserAgent::read(&"x".repeat(400));
    assert_eq!(long.name(), None);
    assert_eq!(UserAgent::read(FIREFOX).name().as_deref(), Some("Firefox 145, Windows"));
}

/// MaxMind's format, as its specification has it: a tree of one node, whose left half is one place.
pub fn file(city: &str) -> Vec<u8> {
    let text = |text: &str| [&[0x40 | u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let map = |pairs: &[(&str, Vec<u8>)]| {
        let mut map = vec![0xe0 | u8::try_from(pairs.len()).unwrap()];
        pairs.iter().for_each(|(name, value)| map.extend([text(name), value.clone()].concat()));
        map
    };
    let number = |kind: u8, number: u8| vec![kind << 5 | 1, number];
    let names = |en: &str, de: &str| map(&[("names", map(&[("en", text(en)), ("de", text(de))]))]);
    let place = map(&[("city", names(city, city)), ("country", names("Germany", "Deutschland"))]);
    let about = map(&[
        ("node_count", number(6, 1)),
        ("record_size", number(5, 24)),
        ("ip_version", number(5, 4)),
        ("database_type", text("Test-City")),
        ("languages", vec![0x02, 0x04, 0x42, b'e', b'n', 0x42, b'd', b'e']),
        ("binary_format_major_version", number(5, 2)),
        ("binary_format_minor_version", number(5, 0)),
        ("build_epoch", vec![0x01, 0x02, 1]),
        ("description", map(&[("en", text("A test"))])),
    ]);
    let tree = [0, 0, 1 + 16, 0, 0, 1];
    [&tree[..], &[0; 16], &place, b"\xab\xcd\xefMaxMind.com", &about].concat()
}

async fn place(places: &Places, address: &str, language: &str, now: i64) -> Option<String> {
    let address: IpAddr = address.parse().unwrap();
    places.of(address, language, now).await.map(|place| place.to_string())
}

#[tokio::test]
async fn a_place_is_told_in_the_language_of_the_person() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.mmdb");
    fs::write(&path, file("Berlin")).unwrap();
    let places = Places::open(Some(&path), 0).unwrap();
    assert_eq!(place(&places, "127.0.0.1", "de", 0).await.as_deref(), Some("Berlin, Deutschland"));
    for language in ["en", "fr", "zh-Hans", ""] {
        assert_eq!(place(&places, "10.1.2.3", language, 0).await.as_deref(), Some("Berlin, Germany"), "{language}");
    }
    for unknown in ["192.0.2.1", "2001:db8::1"] {
        assert_eq!(place(&places, unknown, "en", 0).await, None, "{unknown}");
    }
    assert_eq!(place(&Places::open(None, 0).unwrap(), "127.0.0.1", "en", 0).await, None, "without a file");
}

#[tokio::test]
async fn another_file_counts_a_minute_later_unless_it_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.mmdb");
    fs::write(&path, file("Berlin")).unwrap();
    let places = Places::open(Some(&path), 0).unwrap();
    let city = async |now| place(&places, "127.0.0.1", "en", now).await.unwrap();
    fs::write(&path, file("Hamburg")).unwrap();
    assert_eq!(city(59).await, "Berlin, Germany");
    assert_eq!(city(60).await, "Hamburg, Germany");
    fs::write(&path, "half a file").unwrap();
    assert_eq!(city(120).await, "Hamburg, Germany");
    fs::remove_file(&path).unwrap();
    assert_eq!(city(180).await, "Hamburg, Germany");
    fs::write(&path, file("Bremen")).unwrap();
    assert_eq!(city(240).await, "Bremen, Germany");
}

#[test]
fn a_file_that_tells_no_places_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.mmdb");
    assert!(Places::open(Some(&path), 0).is_err(), "there is none");
    assert!(Places::open(Some(Path::new("/")), 0).is_err(), "it is a folder");
    fs::write(&path, "Berlin").unwrap();
    assert!(Places::open(Some(&path), 0).is_err(), "it is something else");
}
