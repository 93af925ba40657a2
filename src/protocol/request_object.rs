//! RFC 9101, OpenID Connect Core §6: an authorization request inside a signed token.

use serde_json::{Map, Value};

use super::{Code, Error, Params, Result, numeric_date, rule, trace::Shown};

/// What a request brings besides plain parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given<'a> {
    Nothing,
    /// `request`.
    Value(&'a str),
    /// `request_uri`.
    Reference(&'a str),
}

/// Decision D15: seconds that two clocks may be apart.
const SKEW: i64 = 10;
/// Members that speak of the token and not of the request (RFC 9101 §4).
const OF_THE_TOKEN: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub"];

/// # Errors
/// `invalid_request` for both at once (§5); `registration` is for self-issued providers.
pub fn given(params: &Params) -> Result<Given<'_>> {
    if ["request", "request_uri", "registration"].into_iter().any(|name| params.is_repeated(name)) {
        return Err(Code::InvalidRequest
            .because("request, request_uri or registration is given twice")
            .under(&rule::REQUEST_OBJECT));
    }
    if params.get("registration").is_some() {
        return Err(Code::RegistrationNotSupported
            .because("registration is not supported")
            .under(&rule::REQUEST_OBJECT));
    }
    match (params.get("request"), params.get("request_uri")) {
        (None, None) => Ok(Given::Nothing),
        (Some(token), None) => Ok(Given::Value(token)),
        (None, Some(uri)) => Ok(Given::Reference(uri)),
        (Some(_), Some(_)) => {
            Err(Code::InvalidRequest.because("request and request_uri exclude each other").under(&rule::REQUEST_OBJECT))
        }
    }
}

/// OpenID Connect Core §6.2: only references that were registered are fetched, whatever follows their `#`.
pub fn is_registered(registered: &[String], uri: &str) -> bool {
    let place = |uri: &str| uri.split_once('#').map_or(uri.to_owned(), |(place, _)| place.to_owned());
    registered.iter().any(|known| known == uri || place(known) == place(uri))
}

/// The parameters of a request whose object was proven to be the client's. Inside wins over outside (§6.1); `alone`: what
/// stands outside does not count at all (RFC 9101 §6.3).
pub fn merged(params: &Params, object: &Map<String, Value>, expect: &Expected<'_>, alone: bool) -> Result<Params> {
    token(object, expect)?;
    let mut inside = Params::default();
    for (name, value) in object.iter().filter(|(name, _)| !OF_THE_TOKEN.contains(&name.as_str())) {
        for text in texts(name, value)? {
            inside = inside.with(name, &text);
        }
    }
    for name in ["client_id", "response_type"] {
        let (outer, inner) = (params.get(name), inside.get(name));
        if outer.is_some() && inner.is_some() && outer != inner {
            return Err(refuse(format!("{name} is another one in the request object")));
        }
    }
    let outside = if alone { params.only(&["client_id"]) } else { params.without(&["request", "request_uri"]) };
    Ok(inside.over(&outside))
}

/// What the members about the token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub client_id: &'a str,
    pub issuer: &'a str,
    pub now: i64,
}

/// Each is optional (§4), but none may be wrong.
fn token(object: &Map<String, Value>, expect: &Expected<'_>) -> Result<()> {
    for name in ["request", "request_uri"] {
        if object.contains_key(name) {
            return Err(refuse(format!("a request object must not hold {name}")));
        }
    }
    // §10.8: what proves the client at the token endpoint is no request, and the other way round.
    if object.get("sub").is_some_and(|sub| sub == expect.client_id) {
        return Err(refuse("sub of a request object must not be the client: it could pass for a client assertion"));
    }
    if object.get("iss").is_some_and(|iss| iss != expect.client_id) {
        return Err(refuse("iss of the request object is not the client"));
    }
    let audience = |aud: &Value| match aud {
        Value::Array(several) => several.iter().any(|one| one == expect.issuer),
        one => one == expect.issuer,
    };
    if object.get("aud").is_some_and(|aud| !audience(aud)) {
        return Err(refuse("aud of the request object is not this server").expected(Shown::uri(expect.issuer)));
    }
    let date = |name: &str| match object.get(name) {
        None => Ok(None),
        Some(value) => numeric_date::read(value)
            .map(Some)
            .ok_or_else(|| refuse(format!("{name} of the request object is no date"))),
    };
    let out_of_time =
        |why: &'static str, at: i64| refuse(why).expected(Shown::number(expect.now)).received(Shown::number(at));
    match (date("exp")?, date("nbf")?, date("iat")?) {
        (Some(exp), _, _) if exp + SKEW <= expect.now => Err(out_of_time("the request object has expired", exp)),
        (_, Some(nbf), _) if nbf > expect.now + SKEW => Err(out_of_time("the request object is not valid yet", nbf)),
        (_, _, Some(iat)) if iat > expect.now + SKEW => Err(out_of_time("the request object is from the future", iat)),
        _ => Ok(()),
    }
}

/// The parameter's value, or several of `resource`.
fn texts(name: &str, value: &Value) -> Result<Vec<String>> {
    match (name, value) {
        (_, Value::String(text)) => Ok(vec![text.clone()]),
        ("max_age", Value::Number(number)) => Ok(vec![number.to_string()]),
        ("claims", Value::Object(_)) => Ok(vec![value.to_string()]),
        ("resource", Value::Array(several)) => {
            let texts = several.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            texts.ok_or_else(|| refuse("resource of the request object is no list of texts"))
        }
        // Unknown members are ignored, as unknown parameters are.
        (name, _) if !super::authorize::is_read(name) => Ok(Vec::new()),
        (name, _) => Err(refuse(format!("{name} of the request object is no text"))),
    }
}

/// The object is not what this request needs.
pub fn refuse(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Code::InvalidRequestObject.because(why).under(&rule::REQUEST_OBJECT)
}

/// The object could not be had.
pub fn refuse_uri(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Code::InvalidRequestUri.because(why).under(&rule::REQUEST_OBJECT)
}
