//! RFC 8707: resource indicators. Every access token has exactly one audience (decision D2).

use super::{Code, Params, Result, Scope, rule, trace::Shown};

/// An API that takes our tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The audience of its tokens: an absolute URI.
    pub identifier: String,
    pub scope: Scope,
}

/// The one `resource` of a request (§2). More than one would make a token for several APIs.
pub fn requested(params: &Params) -> Result<Option<String>> {
    let mut named = params.all("resource");
    let Some(first) = named.next() else { return Ok(None) };
    let refuse = |why: &'static str| {
        Code::InvalidTarget.because(why).under(&rule::RESOURCE).received(Shown::parameter("resource", first))
    };
    if named.any(|other| other != first) {
        return Err(refuse("one resource at a time"));
    }
    if url::Url::parse(first).is_err() || first.contains('#') {
        return Err(refuse("resource must be an absolute URI without a fragment"));
    }
    Ok(Some(first.to_owned()))
}

/// Whom the access token is for: the resource asked for, or the one that all scopes belong to, or this server.
pub fn audience<'a>(asked: Option<&str>, scope: &Scope, known: &'a [Resource]) -> Result<Option<&'a Resource>> {
    if let Some(asked) = asked {
        let found = known.iter().find(|resource| resource.identifier == asked);
        return found.map(Some).ok_or_else(|| {
            Code::InvalidTarget
                .because("resource is not one that this server knows")
                .under(&rule::RESOURCE)
                .expected(Shown::list(known.iter().map(|r| r.identifier.as_str())))
                .received(Shown::parameter("resource", asked))
        });
    }
    if scope.contains("openid") || scope.is_empty() {
        return Ok(None);
    }
    Ok(known.iter().find(|resource| resource.scope.covers(scope)))
}

/// The scopes that go into a token for this audience.
pub fn narrowed(scope: &Scope, audience: Option<&Resource>) -> Scope {
    match audience {
        Some(resource) => scope.common(&resource.scope),
        None => scope.clone(),
    }
}
