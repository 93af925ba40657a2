//! The answers of the security cases by their names there, each with everything that the name promises.
use std::collections::HashMap;

use serde_json::{Map, Value};
use url::Url;

use super::{
    browser::{Browser, Landed, Mode, Page},
    http::Answer,
    relying_party::{Asked, RelyingParty},
};

/// Only what RFC 6749 §5.2 and RFC 6750 §3 allow in an error text.
#[track_caller]
fn plain(name: &str, text: &str) {
    let allowed = |c: char| (' '..='~').contains(&c) && c != '"' && c != '\\';
    assert!(!text.is_empty() && text.chars().all(allowed), "{name} is not plain: {text:?}");
}

#[track_caller]
pub fn not_stored(answer: &Answer) {
    let control = answer.tokens_of("cache-control");
    assert!(control.iter().any(|token| token == "no-store"), "{} may be stored: {control:?}", answer.url);
}

/// `JSON(st e)`.
#[track_caller]
pub fn json(answer: &Answer, status: u16, error: &str) {
    json_of(answer, &[(status, error)]);
}

/// Where two answers are named, both pass.
#[track_caller]
pub fn json_of(answer: &Answer, either: &[(u16, &str)]) {
    let body = answer.json();
    let error = body["error"].as_str().unwrap_or_default();
    assert!(either.contains(&(answer.status, error)), "{} {body}, wanted {either:?}", answer.status);
    assert_eq!(answer.media_type(), "application/json", "{}", answer.url);
    not_stored(answer);
    plain("error", error);
    if let Some(description) = body.get("error_description") {
        plain("error_description", description.as_str().expect("error_description is text"));
    }
    if let Some(address) = body.get("error_uri") {
        Url::parse(address.as_str().expect("error_uri is text")).expect("error_uri is a URL");
    }
    for secret in ["access_token", "refresh_token", "id_token", "code"] {
        assert!(body.get(secret).is_none(), "a refusal with a {secret}: {body}");
    }
    assert!(answer.location().is_none());
}

/// A refusal of RFC 6750 §3: the challenge carries the error, or none where no token was shown.
#[track_caller]
pub fn bearer_refusal(answer: &Answer, status: u16, error: Option<&str>) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    not_stored(answer);
    match error {
        Some(error) => assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}, wanted {error}"),
        None => assert!(!challenge.contains("error"), "{challenge}"),
    }
}

/// What every page of ours promises the browser (SEC-097 in short; its own test has the rest).
#[track_caller]
pub fn page_headers(page: &Page) {
    let answer = &page.answer;
    assert_eq!(answer.media_type(), "text/html", "{page}");
    assert!(answer.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("charset=utf-8")));
    not_stored(answer);
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{page}");
    assert_eq!(answer.header("x-frame-options").map(str::to_ascii_uppercase).as_deref(), Some("DENY"), "{page}");
    assert!(matches!(answer.header("referrer-policy"), Some("same-origin" | "no-referrer")), "{page}");
    let none = |directive: &str| page.policy(directive).is_some_and(|sources| sources == ["'none'"]);
    assert!(none("frame-ancestors") && none("base-uri"), "{:?}", answer.header("content-security-policy"));
    assert!(page.policy("default-src").is_some_and(|sources| sources == ["'none'"] || sources == ["'self'"]), "{page}");
    assert!(page.policy("form-action").is_some(), "{page}");
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "{policy}");
}

/// `PAGE(st)`: an error page of our own, reached without leaving the house.
#[track_caller]
pub fn page(browser: &Browser, status: u16) {
    assert!(!browser.has_left(), "sent to {}", browser.landed().raw);
    let page = browser.page();
    assert_eq!(page.status(), status, "{page}");
    assert!(page.answer.location().is_none(), "{page}");
    page_headers(page);
    assert!(!page.read("error-code").is_empty(), "{page}");
    assert!(!page.read("error-description").is_empty(), "{page}");
    let trace = page.read("error-trace-id");
    let base32 = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    assert!(trace.len() == 16 && trace.chars().all(base32), "trace id {trace:?} on {page}");
}

/// The page shows nothing of what was sent: neither as it was nor decoded.
#[track_caller]
pub fn does_not_echo(page: &Page, input: &str) {
    let html = page.answer.text();
    assert!(!html.contains(input) && !page.text().contains(input), "{input:?} is on {page}");
}

/// `REDIR(e)`: to the redirect URI that was asked for and proven, with exactly the state and the issuer.
#[track_caller]
pub fn redirect(browser: &Browser, client: &RelyingParty, asked: &Asked, error: &str) {
    redirect_of(browser, client, asked, &[error]);
}

#[track_caller]
pub fn redirect_of(browser: &Browser, client: &RelyingParty, asked: &Asked, either: &[&str]) {
    let landed = browser.landed();
    answers(landed, client, asked);
    let error = landed.get("error").unwrap_or_else(|| panic!("no error in {}", landed.raw));
    assert!(either.contains(&error), "{}, wanted {either:?}", landed.raw);
    let known = ["error", "error_description", "error_uri", "state", "iss"];
    let registered = registered_query(&client.redirect_uri);
    for (name, value) in &landed.parameters.0 {
        let ours = known.contains(&name.as_str());
        assert!(ours || registered.get(name) == Some(value), "{name} in {}", landed.raw);
    }
    if let Some(description) = landed.get("error_description") {
        plain("error_description", description);
    }
    if let Some(address) = landed.get("error_uri") {
        Url::parse(address).expect("error_uri is a URL");
    }
}

/// A success: a code, and nothing but a code, in the right place.
#[track_caller]
pub fn granted(browser: &Browser, client: &RelyingParty, asked: &Asked) -> String {
    let landed = browser.landed();
    answers(landed, client, asked);
    let registered = registered_query(&client.redirect_uri);
    for (name, value) in &landed.parameters.0 {
        let ours = ["code", "state", "iss", "session_state"].contains(&name.as_str());
        assert!(ours || registered.get(name) == Some(value), "{name} in {}", landed.raw);
    }
    let code = landed.code();
    random_enough("code", &code);
    code
}

pub fn registered_query(redirect_uri: &str) -> HashMap<String, String> {
    Url::parse(redirect_uri).map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

/// What both kinds of authorization response share.
#[track_caller]
pub fn answers(landed: &Landed, client: &RelyingParty, asked: &Asked) {
    let target = asked.get("redirect_uri").unwrap_or(&client.redirect_uri);
    let joint = if target.contains('?') { '&' } else { '?' };
    let (mode, expected) = match asked.get("response_mode") {
        Some("form_post") => (Mode::FormPost, target.to_string()),
        Some("fragment") => (Mode::Fragment, format!("{target}#")),
        // The error about a query that must not be is where tokens would be.
        _ if asked.get("response_type").is_some_and(through_the_browser) => (Mode::Fragment, format!("{target}#")),
        _ => (Mode::Query, format!("{target}{joint}")),
    };
    assert_eq!(landed.mode, mode, "{}", landed.raw);
    assert!(landed.raw.starts_with(&expected), "{} is not at {expected}", landed.raw);
    let state = asked.get("state").filter(|state| !state.is_empty());
    assert_eq!(landed.get("state"), state, "{}", landed.raw);
    assert_eq!(landed.get("iss"), Some(client.site.issuer.as_str()), "{}", landed.raw);
    let names = landed.parameters.names();
    for name in &names {
        assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name} twice in {}", landed.raw);
    }
}

/// Response types whose answers have tokens in them, and so a fragment (OAuth 2.0 Multiple Response Types §3, §5).
fn through_the_browser(response_type: &str) -> bool {
    let mut words: Vec<&str> = response_type.split(' ').collect();
    words.sort_unstable();
    matches!(
        words[..],
        ["id_token"] | ["id_token", "token"] | ["code", "id_token"] | ["code", "token"] | ["code", "id_token", "token"]
    )
}

/// More than 96 bits of measured entropy, as the conformance suite counts it.
#[track_caller]
pub fn random_enough(name: &str, value: &str) {
    let mut seen: HashMap<char, f64> = HashMap::new();
    value.chars().for_each(|c| *seen.entry(c).or_default() += 1.0);
    let length = value.chars().count() as f64;
    let bits: f64 = seen.values().map(|count| -count * (count / length).log2()).sum();
    assert!(length >= 22.0 && bits > 96.0, "{name} of {bits:.0} bits: {value}");
    assert!(value.bytes().all(|byte| byte.is_ascii_graphic()), "{name}: {value:?}");
}

/// Types of the standard claims (OpenID Connect Core §5.1): unknown claims are left out, never null or empty.
#[track_caller]
pub fn well_typed(claims: &Map<String, Value>) {
    for (name, value) in claims {
        match (name.as_str(), value) {
            ("email_verified" | "phone_number_verified", value) => assert!(value.is_boolean(), "{name}: {value}"),
            ("updated_at" | "iat" | "exp" | "auth_time", value) => assert!(value.is_i64(), "{name}: {value}"),
            ("address", Value::Object(members)) => assert!(!members.is_empty() && members.values().all(is_text)),
            ("aud" | "amr", Value::Array(members)) => assert!(members.iter().all(is_text), "{name}: {value}"),
            (_, value) => assert!(is_text(value), "{name}: {value}"),
        }
    }
    if let Some(birthdate) = claims.get("birthdate").and_then(Value::as_str) {
        let shape: String = birthdate.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert!(shape == "9999-99-99" || shape == "9999", "{birthdate}");
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty() && text != "null")
}
