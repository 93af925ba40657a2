//! What the page structs decide: which addresses become links, how times and waits are said, how a page is answered.

use poem::{IntoResponse, http::header};
use signet::{
    app::text::{self, Texts},
    http::pages::{
        view::{Person, View, initial},
        views::*,
    },
    protocol::password::Policy,
};

use super::samples::HOSTILE_LINKS;

fn english() -> &'static Texts {
    text::find("en").expect("English")
}

#[test]
fn only_an_address_that_is_safe_to_follow_becomes_a_link() {
    for address in HOSTILE_LINKS {
        assert_eq!(Link::web(address), None, "{address}");
    }
    for address in
        ["", "x", "https://", "ftp://rp.example/", "blob:https://rp.example/1", "http://localhost.evil.test/"]
    {
        assert_eq!(Link::web(address), None, "{address}");
    }
    for address in
        ["https://rp.example/logo.png?x=1", "http://localhost:3000/", "http://127.0.0.1/x", "http://[::1]:80/x"]
    {
        assert!(Link::web(address).is_some(), "{address}");
    }
}

#[test]
fn sec_100_a_way_back_stays_on_this_server() {
    for path in ["/", "/account?x=1", "/authorize/0b8c/login"] {
        assert_eq!(local_path(path), Some(path));
    }
    for path in [
        "",
        "account",
        "//evil.test",
        "/\\evil.test",
        "/a\\b",
        "https://evil.test",
        "javascript:alert(1)",
        "/a\r\nb",
        "/\t/evil.test",
        "/é",
    ] {
        assert_eq!(local_path(path), None, "{path}");
    }
}

#[test]
fn a_destination_is_said_in_words_of_the_person() {
    for (redirect_uri, destination) in [
        ("https://rp.example/cb", Destination::Site("rp.example".to_owned())),
        ("https://rp.example:8443/cb", Destination::Site("rp.example:8443".to_owned())),
        ("https://rp.example@evil.test/cb", Destination::Site("evil.test".to_owned())),
        ("https://b\u{fc}cher.example/cb", Destination::Site("xn--bcher-kva.example".to_owned())),
        ("http://127.0.0.1:5000/cb", Destination::ThisDevice),
        ("http://[::1]/cb", Destination::ThisDevice),
        ("http://localhost/cb", Destination::ThisDevice),
        ("com.example.app:/cb", Destination::App("com.example.app".to_owned())),
    ] {
        assert_eq!(Destination::of(redirect_uri), destination, "{redirect_uri}");
    }
}

#[test]
fn an_answer_by_form_says_where_it_goes() {
    for (action, host) in [
        ("https://rp.example/cb", "rp.example"),
        ("https://rp.example:8443/cb", "rp.example:8443"),
        ("https://rp.example@evil.test/cb", "evil.test"),
        ("http://[::1]:5000/cb", "[::1]:5000"),
    ] {
        assert_eq!(FormPost::host(action), host, "{action}");
    }
}

#[test]
fn a_time_is_said_in_the_language_of_the_page() {
    let said = |tag, seconds| Moment::of(text::find(tag).expect("a language"), seconds);
    let english = said("en", 1_795_167_840).expect("a date");
    assert_eq!(
        (english.machine.as_str(), english.words.as_str()),
        ("2026-11-20T09:44:00Z", "20 November 2026, 09:44 UTC")
    );
    assert_eq!(said("de", 1_795_167_840).expect("a date").words, "20. November 2026, 09:44 Uhr (UTC)");
    assert_eq!(said("de", 1_793_525_640).expect("a date").words, "1. November 2026, 09:34 Uhr (UTC)");
    assert_eq!(said("fr", 1_795_167_840).expect("a date").words, "20 novembre 2026 à 09:44 (UTC)");
    assert_eq!(said("fr", 1_793_525_640).expect("a date").words, "1er novembre 2026 à 09:34 (UTC)");
    assert_eq!(said("es", 1_793_525_640).expect("a date").words, "1 de noviembre de 2026, 09:34 (UTC)");
    assert_eq!(said("zh-Hans", 1_795_167_840).expect("a date").words, "2026年11月20日 09:44（UTC）");
    assert_eq!((said("en", i64::MAX), said("en", i64::MIN)), (None, None));
}

#[test]
fn a_wait_is_said_in_the_unit_that_fits() {
    for (seconds, words) in [
        (0, "2 seconds"),
        (90, "90 seconds"),
        (121, "3 minutes"),
        (7200, "2 hours"),
        (u64::MAX, "5124095576030432 hours"),
    ] {
        let said = LoginProblem::TooMany { seconds }.sentence(english());
        assert_eq!(said, format!("Too many attempts. Please wait {words}, then try again."));
    }
}

#[test]
fn a_person_is_called_by_what_is_known() {
    let person = |name: Option<&str>, email: Option<&str>| Person {
        name: name.map(str::to_owned),
        email: email.map(str::to_owned),
        username: Some("ada".to_owned()),
    };
    let ada = person(Some("Ada Lovelace"), Some("ada@example.org"));
    assert_eq!((ada.title(), ada.detail(), ada.initial().as_str()), ("Ada Lovelace", Some("ada@example.org"), "A"));
    let nameless = person(Some("  "), Some("ada@example.org"));
    assert_eq!((nameless.title(), nameless.detail()), ("ada@example.org", Some("ada")));
    assert_eq!((person(None, None).title(), person(None, None).detail()), ("ada", None));
    assert_eq!((initial("\u{201e}\u{e4}tna\u{201c}").as_str(), initial("<>").as_str()), ("\u{c4}", "•"));
}

#[test]
fn a_scope_without_a_meaning_is_shown_by_its_description_or_its_name() {
    assert_eq!(ScopeLine::of(english(), "orders", Some("See your orders")).title, "See your orders");
    assert!(ScopeLine::of(english(), "orders", Some(" ")).title.contains("“orders”"));
    assert!(ScopeLine::of(english(), "orders", None).detail.is_some());
    assert_eq!(ScopeLine::of(english(), "openid", Some("ignored")).topic, Topic::Identity);
}

#[test]
fn every_reason_has_its_status_and_words() {
    for (reason, status) in [
        (Reason::Code("invalid_request"), 400),
        (Reason::Code("never heard of"), 400),
        (Reason::Code("server_error"), 500),
        (Reason::Code("temporarily_unavailable"), 503),
        (Reason::RedirectUri, 400),
        (Reason::UnknownClient, 400),
        (Reason::JourneyGone, 410),
        (Reason::NoCookies, 400),
        (Reason::Forged, 403),
        (Reason::SetUpLink, 410),
        (Reason::BadRequest, 400),
        (Reason::Forbidden, 403),
        (Reason::NotFound, 404),
        (Reason::MethodNotAllowed, 405),
        (Reason::TooLarge, 413),
        (Reason::TooMany { seconds: 5 }, 429),
        (Reason::Busy { seconds: 5 }, 503),
        (Reason::Failed, 500),
        (Reason::Told { trace: "aaaabbbbccccdddd" }, 200),
    ] {
        let frame = super::samples::frame(english());
        let page = ErrorPage::new(frame, reason, "code", "description");
        assert_eq!(page.status.as_u16(), status, "{reason:?}");
        assert!(page.title.contains(' ') && page.sentence.ends_with('.'), "{reason:?}: {}", page.sentence);
        assert_eq!(page.into_view().into_response().status().as_u16(), status, "{reason:?}");
    }
}

#[test]
fn sec_103_a_page_is_html_that_no_cache_keeps() {
    let page = TryIt { frame: super::samples::frame(english()), action: "/try".to_owned() };
    let response = View::ok(page).into_response();
    assert_eq!(response.header(header::CONTENT_TYPE.as_str()), Some("text/html; charset=utf-8"));
    assert_eq!(response.header(header::CACHE_CONTROL.as_str()), Some("no-store"));
}

#[test]
fn a_message_is_taken_apart_for_reading() {
    let request = Message::request("GET", "https://op.example/authorize?state=a%20b&scope=x+y");
    assert_eq!(request.line, "GET https://op.example/authorize");
    let expected = [("state", "a b"), ("scope", "x y")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(request.parameters, expected);
    let body = |text: &str| Message::response(200, "OK").body(text).body.expect("a body");
    assert_eq!((body(r#"{"a":1}"#).as_str(), body("plain").as_str()), ("{\n  \"a\": 1\n}", "plain"));
}

/// What is typed stays in the page until the form is sent.
#[test]
fn the_meter_of_a_new_password_talks_to_nobody_and_keeps_nothing() {
    let script = include_str!("../../../static/new_password.js");
    for way_out in
        ["fetch", "XMLHttpRequest", "sendBeacon", "WebSocket", "Image(", "Storage", ".cookie", "console", "src"]
    {
        let uses = script.lines().filter(|line| !line.trim_start().starts_with("//") && line.contains(way_out));
        assert_eq!(uses.count(), 0, "{way_out}");
    }
}

#[test]
fn the_rules_of_a_new_password_are_those_of_the_policy() {
    let names = |kinds, blocklist, strength| {
        let policy = Policy { least: 12, strength, kinds, blocklist };
        let field = NewPassword::new("setup-password", "Password", policy);
        field.rules(english()).into_iter().map(|rule| rule.name).collect::<Vec<_>>()
    };
    assert_eq!(names(false, true, 3), ["length", "about", "common", "strength"]);
    assert_eq!(names(true, true, 0), ["length", "upper", "lower", "digit", "symbol", "about", "common"]);
    assert_eq!(names(false, false, 0), ["length", "about"]);
}
