use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use signet::commands::logging::{self, machines, people};
use tracing_subscriber::{EnvFilter, Registry, layer::SubscriberExt};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn sink(&self) -> impl Fn() -> Page + Send + Sync + 'static {
        let page = self.clone();
        move || page.clone()
    }
}

const HOSTILE: &str = "a\r\nERROR forged\u{1b}[31m \"}\u{9b}2J\u{7f}\u{85}\u{2028}\u{202e}\0";

fn log_everywhere() {
    let span = tracing::info_span!("request", agent = HOSTILE);
    let _entered = span.enter();
    tracing::warn!(shown = %HOSTILE, debugged = ?HOSTILE, text = HOSTILE, error = %io::Error::other(HOSTILE), "{HOSTILE}");
}

/// SEC-168.
#[test]
fn an_event_is_one_line_for_people_whatever_is_in_it() {
    let page = Page::default();
    tracing::subscriber::with_default(Registry::default().with(people(page.sink(), false)), log_everywhere);
    let text = page.text();
    assert_eq!(text.lines().count(), 1, "{text:?}");
    assert!(text.trim_end_matches('\n').chars().all(harmless), "{text:?}");
}

/// SEC-168.
#[test]
fn an_event_is_one_object_for_machines_whatever_is_in_it() {
    let page = Page::default();
    tracing::subscriber::with_default(Registry::default().with(machines(page.sink())), log_everywhere);
    let text = page.text();
    assert_eq!(text.lines().count(), 1, "{text:?}");
    assert!(text.trim_end_matches('\n').chars().all(harmless), "{text:?}");
    let event: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(event["message"], HOSTILE, "nothing is lost");
    assert_eq!((&event["text"], &event["span"]["agent"]), (&HOSTILE.into(), &HOSTILE.into()));
    assert_eq!(event["level"], "WARN");
}

fn harmless(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{202e}')
}

/// SEC-167: what others log below a warning may hold what we never would.
#[test]
fn a_level_is_about_our_own_events() {
    for (level, ours, theirs) in [
        ("info", "info", "warn"),
        ("trace", "trace", "warn"),
        ("error", "error", "error"),
        ("off", "off", "off"),
        ("info,hyper=debug", "info", "debug"),
        ("warn,signet=debug", "debug", "warn"),
    ] {
        let page = Page::default();
        let filter = EnvFilter::new(logging::filter(level));
        tracing::subscriber::with_default(Registry::default().with(filter).with(people(page.sink(), false)), || {
            tracing::error!(target: "signet::flows", "ours error");
            tracing::warn!(target: "signet::flows", "ours warn");
            tracing::info!(target: "signet::flows", "ours info");
            tracing::debug!(target: "signet::flows", "ours debug");
            tracing::trace!(target: "signet::flows", "ours trace");
            tracing::error!(target: "hyper::proto", "theirs error");
            tracing::warn!(target: "hyper::proto", "theirs warn");
            tracing::info!(target: "hyper::proto", "theirs info");
            tracing::debug!(target: "hyper::proto", "theirs debug");
            tracing::trace!(target: "hyper::proto", "theirs trace");
        });
        let text = page.text();
        let least = |whose: &str| {
            let of = text.lines().filter_map(|line| line.split_once(whose)).map(|(_, level)| level.trim().to_owned());
            of.fold("off".to_owned(), |_, level| level)
        };
        assert_eq!((&*least("ours"), &*least("theirs")), (ours, theirs), "{level}:\n{text}");
    }
}
