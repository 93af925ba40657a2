//! OpenID Connect RP-Initiated Logout §2, §3: whether a logout needs the person's word, and where it ends.

use uuid::Uuid;

use super::{Code, Error, rule, trace::Shown};

/// What is known when a browser comes to the end-session endpoint.
#[derive(Debug, Default)]
pub struct Asked<'a> {
    /// Who is signed in at this browser, and in which session.
    pub signed_in: Option<(Uuid, Uuid)>,
    /// `sub` and `sid` of a genuine ID token hint; it may have expired.
    pub hint: Option<(Uuid, Option<Uuid>)>,
    /// The client that the hint was issued to, or that `client_id` names.
    pub registered: Option<&'a [String]>,
    pub post_logout_redirect_uri: Option<&'a str>,
    pub state: Option<&'a str>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Ask first: nothing proves that the app that this person uses is asking (§2, §6).
    Confirm,
    /// End the session, if there is one, and go on.
    End,
}

/// §3: only to a registered URI, and only when a genuine hint names its client.
/// `client_id` alone proves nothing about who asks, so the person is asked first.
pub fn decide(asked: &Asked<'_>) -> Decision {
    match (asked.signed_in, asked.hint) {
        (None, _) => Decision::End,
        (Some((user, session)), Some((sub, sid))) if user == sub && sid.is_none_or(|sid| sid == session) => {
            Decision::End
        }
        _ => Decision::Confirm,
    }
}

/// The address to return to, with nothing but `state` added.
pub fn destination(asked: &Asked<'_>) -> Result<Option<String>, Error> {
    let Some(uri) = asked.post_logout_redirect_uri else { return Ok(None) };
    let refuse = |why: &'static str| {
        Code::InvalidRequest.because(why).under(&rule::POST_LOGOUT_REDIRECT_URI).received(Shown::foreign_uri(uri))
    };
    let registered = asked
        .registered
        .ok_or_else(|| refuse("post_logout_redirect_uri needs a genuine id_token_hint or a client_id"))?;
    if !registered.iter().any(|known| known == uri) {
        let known = Shown::list(registered.iter().map(String::as_str));
        return Err(refuse("post_logout_redirect_uri is not one that the client registered").expected(known));
    }
    let query = asked.state.map_or(String::new(), |state| {
        url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish()
    });
    Ok(Some(super::reply::and_query(uri, &query)))
}

/// OpenID Connect Front-Channel Logout §2: the registered address, with the issuer and the session's id added.
pub fn front_channel(uri: &str, issuer: &str, sid: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("iss", issuer).append_pair("sid", sid);
    super::reply::and_query(uri, &query.finish())
}
