//! RFC 9110 §10.1.5: what a browser or program says of itself. People recognize their devices by it; it proves nothing.

use woothee::parser::{Parser, WootheeResult};

/// The longest name of a program that is shown.
const LONGEST: usize = 40;

/// What a `User-Agent` says, in words that people know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserAgent {
    /// A browser or a program, with its major version: `Firefox 145`.
    pub browser: Option<String>,
    /// What it runs on: `Windows`, `Android 16`.
    pub system: Option<String>,
}

impl UserAgent {
    pub fn read(text: &str) -> Self {
        let parsed = Parser::new().parse(text);
        let read = parsed.map(|parsed| UserAgent { browser: browser(&parsed), system: system(&parsed) });
        let read = read.unwrap_or_default();
        UserAgent { browser: read.browser.or_else(|| program(text)), ..read }
    }

    /// Both in one: `Firefox 145, Windows`.
    pub fn name(&self) -> Option<String> {
        match (&self.browser, &self.system) {
            (Some(browser), Some(system)) => Some(format!("{browser}, {system}")),
            (one, other) => one.clone().or_else(|| other.clone()),
        }
    }
}

fn browser(parsed: &WootheeResult<'_>) -> Option<String> {
    let known = !matches!(parsed.name, "UNKNOWN" | "HTTP Library");
    known.then(|| versioned(parsed.name, parsed.version))
}

fn system(parsed: &WootheeResult<'_>) -> Option<String> {
    match parsed.os {
        "UNKNOWN" => None,
        // Browsers say 10 of every newer one too, and of every macOS 10.15.7.
        "Windows 10" => Some("Windows".to_owned()),
        "Mac OSX" => Some("macOS".to_owned()),
        "iPhone" | "iPod" => Some(versioned("iOS", &parsed.os_version)),
        "iPad" => Some(versioned("iPadOS", &parsed.os_version)),
        name @ ("Android" | "iOS") => Some(versioned(name, &parsed.os_version)),
        name => Some(name.to_owned()),
    }
}

/// The first product (§10.1.5), which is how programs name themselves. Browsers all begin with the same word.
fn program(text: &str) -> Option<String> {
    let product = text.split([' ', '(']).next()?;
    let (name, version) = product.split_once('/').unwrap_or((product, ""));
    let sound =
        (1..=LONGEST).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b));
    (sound && name != "Mozilla").then(|| versioned(name, version))
}

fn versioned(name: &str, version: &str) -> String {
    let major = version.split('.').next().unwrap_or_default();
    let sound = (1..=6).contains(&major.len()) && major.bytes().all(|b| b.is_ascii_digit());
    if sound { format!("{name} {major}") } else { name.to_owned() }
}
