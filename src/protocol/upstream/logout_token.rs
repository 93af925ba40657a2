//! OpenID Connect Back-Channel Logout §2.6: the logout token of a provider, once its signature is proven.

use serde_json::{Map, Value};

use super::id_token;
use crate::protocol::{Code, Error, Result, numeric_date, rule, trace::Shown};

/// Seconds by which clocks may differ.
const SKEW: i64 = 60;
/// Seconds since which it may have been issued, however long it says that it is good: so long its `jti` is remembered.
const OLDEST: i64 = 600;
/// A `jti` or a `sid` is at most so long.
const LONGEST: usize = 255;

/// `events` must have this member.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Whose sessions end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logout {
    pub jti: String,
    /// Until when the `jti` must be known as used.
    pub until: i64,
    /// All of this person, if there is no `sid`.
    pub sub: Option<String>,
    pub sid: Option<String>,
}

/// # Errors
/// The first thing that is wrong with it.
pub fn check(claims: &Map<String, Value>, issuer: &str, client_id: &str, now: i64) -> Result<Logout> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    match text("iss") {
        Some(iss) if iss == issuer => {}
        iss => {
            let error = refuse("iss is not the provider").expected(Shown::foreign_uri(issuer));
            return Err(error.received(iss.map_or(Shown::word("nothing"), Shown::foreign_uri)));
        }
    }
    let is_for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == client_id,
        Some(Value::Array(some)) => some.iter().any(|one| one.as_str() == Some(client_id)),
        _ => false,
    };
    if !is_for_us {
        return Err(refuse("aud is another app").expected(Shown::client_id(client_id)));
    }
    let when = |name: &str| claims.get(name).and_then(numeric_date::read);
    let iat = when("iat").ok_or_else(|| refuse("iat is missing or no time"))?;
    if iat > now + SKEW || iat < now - OLDEST {
        let error = refuse("the logout token was not issued just now").expected(Shown::number(now));
        return Err(error.received(Shown::number(iat)));
    }
    let exp = when("exp").ok_or_else(|| refuse("exp is missing or no time"))?;
    if exp <= now - SKEW {
        let error = refuse("the logout token has expired").expected(Shown::number(now));
        return Err(error.received(Shown::number(exp)));
    }
    let event = claims.get("events").and_then(|events| events.get(EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err(refuse("events does not say that this is a logout"));
    }
    // §2.4: so that no ID token passes for one.
    if claims.contains_key("nonce") {
        return Err(refuse("a logout token has no nonce"));
    }
    let jti = named(claims, "jti")?.ok_or_else(|| refuse("jti is missing"))?;
    let sub = claims.contains_key("sub").then(|| id_token::subject(claims)).transpose();
    let sub = sub.map_err(|error| Error { code: Code::InvalidRequest, ..error })?.map(str::to_owned);
    let sid = named(claims, "sid")?;
    if sub.is_none() && sid.is_none() {
        return Err(refuse("it names neither a session nor a person"));
    }
    Ok(Logout { jti, until: iat + OLDEST + SKEW, sub, sid })
}

fn named(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= LONGEST => Ok(Some(text.clone())),
        Some(_) => Err(refuse("jti or sid is no text, or too long").expected(Shown::word(name))),
    }
}

fn refuse(why: &'static str) -> Error {
    Code::InvalidRequest.because(why).under(&rule::UPSTREAM_LOGOUT)
}
