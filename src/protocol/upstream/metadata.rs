//! OpenID Connect Discovery §3, §4.3, RFC 9207 §3: where a provider is asked, as it says itself.

use serde_json::Value;

use crate::protocol::{Code, Error, Result, rule, trace::Shown};

/// Where a provider is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: Option<String>,
    pub userinfo_endpoint: Option<String>,
    /// OpenID Connect RP-Initiated Logout §2.1.
    pub end_session_endpoint: Option<String>,
    /// It names itself in every answer.
    pub names_itself: bool,
}

/// §4.1: where the document is.
pub fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// What the document says, if it is of this very issuer. `is_fit`: whether an address may be gone to.
///
/// # Errors
/// What is wrong with the document (case SEC-142).
pub fn read(document: &Value, issuer: &str, is_fit: impl Fn(&str) -> bool) -> Result<Metadata> {
    let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    let named = text("issuer").unwrap_or_default();
    if named != issuer {
        let error = refuse("the document is of another issuer".to_owned());
        return Err(error.expected(Shown::foreign_uri(issuer)).received(Shown::foreign_uri(&named)));
    }
    let address = |name: &'static str| match text(name) {
        Some(address) if is_fit(&address) => Ok(Some(address)),
        Some(address) => {
            let error = refuse(format!("{name} is no https address"));
            Err(error.received(Shown::foreign_uri(&address)))
        }
        None => Ok(None),
    };
    let needed = |name| address(name)?.ok_or_else(|| refuse(format!("the document lacks {name}")));
    Ok(Metadata {
        issuer: named,
        authorization_endpoint: needed("authorization_endpoint")?,
        token_endpoint: needed("token_endpoint")?,
        jwks_uri: Some(needed("jwks_uri")?),
        userinfo_endpoint: address("userinfo_endpoint")?,
        end_session_endpoint: address("end_session_endpoint")?,
        names_itself: document.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
    })
}

fn refuse(why: String) -> Error {
    Code::AccessDenied.because(why).under(&rule::UPSTREAM_METADATA)
}
