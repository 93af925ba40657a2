//! OpenID Connect Core §3.1.3.7: the ID token of a provider, once its signature is proven.

use serde_json::{Map, Value};

use crate::protocol::{Code, Result, numeric_date, rule, trace::Shown};

/// Signature algorithms that are taken: those that need a private key (case SEC-137).
pub const ALGORITHMS: [&str; 8] = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"];

/// Seconds by which clocks may differ.
const SKEW: i64 = 60;
/// Seconds since which it may have been issued: it comes straight from the provider.
const OLDEST: i64 = 300;
/// §2: a subject has at most 255 characters.
const LONGEST_SUBJECT: usize = 255;

/// What the token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: i64,
}

/// The subject, of a token that is for us, for this sign-in and for now.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check<'a>(claims: &'a Map<String, Value>, expected: Expected<'_>) -> Result<&'a str> {
    let refuse = |why: &'static str| Code::AccessDenied.because(why).under(&rule::UPSTREAM_TOKEN);
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    match text("iss") {
        Some(iss) if iss == expected.issuer => {}
        iss => {
            let error = refuse("iss is not the provider").expected(Shown::foreign_uri(expected.issuer));
            return Err(error.received(iss.map_or(Shown::word("nothing"), Shown::foreign_uri)));
        }
    }
    audience(claims, expected.client_id)?;
    let when = |name: &str| claims.get(name).and_then(numeric_date::read);
    let exp = when("exp").ok_or_else(|| refuse("exp is missing or no time"))?;
    if exp <= expected.now - SKEW {
        return Err(refuse("the ID token has expired")
            .expected(Shown::number(expected.now))
            .received(Shown::number(exp)));
    }
    let iat = when("iat").ok_or_else(|| refuse("iat is missing or no time"))?;
    if iat > expected.now + SKEW || iat < expected.now - OLDEST - SKEW {
        let error = refuse("the ID token was not issued just now").expected(Shown::number(expected.now));
        return Err(error.received(Shown::number(iat)));
    }
    if let Some(nbf) = claims.get("nbf")
        && numeric_date::read(nbf).is_none_or(|nbf| nbf > expected.now + SKEW)
    {
        return Err(refuse("the ID token is not valid yet"));
    }
    let nonce = text("nonce").ok_or_else(|| refuse("nonce is missing"))?;
    if !is_same(nonce, expected.nonce) {
        return Err(refuse("nonce is that of another sign-in").received(Shown::length(nonce)));
    }
    subject(claims)
}

/// §2, of an ID token or of userinfo.
///
/// # Errors
/// When there is none, or one that nobody can have.
pub fn subject(claims: &Map<String, Value>) -> Result<&str> {
    let refuse = |why: &'static str| Code::AccessDenied.because(why).under(&rule::UPSTREAM_TOKEN);
    match claims.get("sub").and_then(Value::as_str) {
        None | Some("") => Err(refuse("sub is missing or no text")),
        Some(sub) if sub.len() > LONGEST_SUBJECT => Err(refuse("sub is longer than 255 bytes")),
        Some(sub) if sub.chars().any(char::is_control) => Err(refuse("sub has control characters")),
        Some(sub) => Ok(sub),
    }
}

/// §2: a text that [`subject`] takes.
pub fn is_subject(text: &str) -> bool {
    subject(&Map::from_iter([("sub".to_owned(), text.into())])).is_ok()
}

/// §3.1.3.7 3–5: among those that it is for are we, and who else there is does not speak for us.
fn audience(claims: &Map<String, Value>, client_id: &str) -> Result<()> {
    let refuse = |why: &'static str| {
        Code::AccessDenied.because(why).under(&rule::UPSTREAM_TOKEN).expected(Shown::client_id(client_id))
    };
    let all: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(some)) if some.iter().all(Value::is_string) => {
            some.iter().filter_map(Value::as_str).collect()
        }
        _ => return Err(refuse("aud is missing or no text")),
    };
    if !all.contains(&client_id) {
        return Err(refuse("aud is another app").received(Shown::list(all)));
    }
    match claims.get("azp") {
        None if all.len() > 1 => Err(refuse("aud names several apps, and azp none").received(Shown::list(all))),
        Some(azp) if azp.as_str() != Some(client_id) => {
            Err(refuse("azp is another app").received(Shown::client_id(azp.as_str().unwrap_or("no text"))))
        }
        _ => Ok(()),
    }
}

/// In constant time: what differs is not told by how long it took to see it.
fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
