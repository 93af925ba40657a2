//! OAuth 2.0 Multiple Response Types §2 to §5, OpenID Connect Core §3: what an authorization answers with, and how.

use super::{Code, Params, Result, client_metadata, reply::ResponseMode, rule, trace::Shown};

/// What travels back through the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseType {
    pub code: bool,
    pub id_token: bool,
    pub token: bool,
}

impl ResponseType {
    /// Only the code; whatever it is worth is fetched at the token endpoint.
    pub const CODE: ResponseType = ResponseType { code: true, id_token: false, token: false };

    fn parse(text: &str) -> Option<Self> {
        let has = |word: &str| text.split(' ').any(|given| given == word);
        client_metadata::response_type(text)?;
        Some(ResponseType { code: has("code"), id_token: has("id_token"), token: has("token") })
    }

    /// Tokens in an address stay in its fragment, which browsers do not send on (§3.0, §5).
    pub fn default_mode(self) -> ResponseMode {
        if self == Self::CODE { ResponseMode::Query } else { ResponseMode::Fragment }
    }

    /// An ID token is all that the client gets, so the claims of the scopes go into it (OpenID Connect Core §5.4).
    pub fn is_id_token_alone(self) -> bool {
        self.id_token && !self.code && !self.token
    }
}

/// Where an error goes before the response type is known to be good: as a good one of the client's would.
pub fn presumed_mode(params: &Params, registered: &[String]) -> ResponseMode {
    let given = params.get("response_type").and_then(ResponseType::parse);
    let by_code = registered.is_empty() || registered.iter().any(|known| known == "code");
    given.map_or(if by_code { ResponseMode::Query } else { ResponseMode::Fragment }, ResponseType::default_mode)
}

/// `response_type`: one that the client is registered for, its words in any order.
pub fn requested(params: &Params, registered: &[String]) -> Result<ResponseType> {
    let given = params.require("response_type")?;
    let refuse = |why: &'static str| {
        Code::UnsupportedResponseType
            .because(why)
            .under(&rule::RESPONSE_TYPE)
            .expected(Shown::list(registered.iter().map(String::as_str)))
            .received(Shown::parameter("response_type", given))
    };
    let known =
        client_metadata::response_type(given).ok_or_else(|| refuse("the server does not know this response_type"))?;
    if !registered.iter().any(|registered| registered == known) {
        return Err(refuse("the client is not registered for this response_type"));
    }
    ResponseType::parse(known).ok_or_else(|| refuse("the server does not know this response_type"))
}
