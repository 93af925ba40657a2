//! RFC 7523 §3, OpenID Connect Core §9: what a client's assertion must say. The signature is proven elsewhere.

use serde_json::{Map, Value};

use super::{Code, Error, Result, numeric_date, rule, trace::Shown};

/// `client_assertion_type`.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Decision D15, in seconds.
const AHEAD: i64 = 10;
/// An assertion that lives longer than a day is a password.
const LONGEST_LIFE: i64 = 86_400;

/// The part of an assertion that makes it single-use.
#[derive(Debug, PartialEq, Eq)]
pub struct Once {
    pub jti: String,
    pub expires_at: i64,
}

/// Checks the claims of an assertion whose signature the client's key has proven.
/// `audiences`: the issuer, and what the client is allowed to say besides.
pub fn check(claims: &Map<String, Value>, client_id: &str, audiences: &[&str], now: i64) -> Result<Once> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // RFC 9101 §10.8: request objects travel through browsers, and must prove nobody.
    if ["client_id", "response_type", "redirect_uri"].into_iter().any(|name| claims.contains_key(name)) {
        return Err(refuse("the client assertion is a request object"));
    }
    for name in ["iss", "sub"] {
        match text(name) {
            Some(id) if id == client_id => {}
            Some(id) => {
                return Err(
                    refuse("iss and sub of the client assertion must be the client_id").received(Shown::client_id(id))
                );
            }
            None => return Err(refuse("the client assertion lacks iss or sub")),
        }
    }
    // Decision K9: a plain string; an array could name another server beside us.
    match text("aud") {
        Some(aud) if audiences.contains(&aud) => {}
        _ => {
            return Err(refuse("aud of the client assertion must be the issuer, as a string")
                .expected(Shown::list(audiences.iter().copied())));
        }
    }
    let expires_at = seconds(claims, "exp")?.ok_or_else(|| refuse("the client assertion lacks exp"))?;
    match () {
        () if expires_at <= now => return Err(refuse("the client assertion has expired")),
        () if expires_at - now > LONGEST_LIFE => return Err(refuse("the client assertion lives longer than a day")),
        () => {}
    }
    for name in ["iat", "nbf"] {
        if seconds(claims, name)?.is_some_and(|at| at > now + AHEAD) {
            return Err(refuse("iat or nbf of the client assertion lies in the future; compare the clocks"));
        }
    }
    match text("jti") {
        Some(jti) if !jti.is_empty() && jti.len() <= 256 => Ok(Once { jti: jti.to_owned(), expires_at }),
        _ => Err(refuse("the client assertion lacks a jti of at most 256 characters")),
    }
}

fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let at = numeric_date::read(value);
    at.map(Some).ok_or_else(|| refuse("exp, iat and nbf of the client assertion must be numbers of seconds"))
}

fn refuse(why: &'static str) -> Error {
    Code::InvalidClient.because(why).under(&rule::CLIENT_ASSERTION)
}
