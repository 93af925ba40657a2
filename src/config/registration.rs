//! `[registration]`: whether apps may register themselves, and as what (RFC 7591).
use super::{
    parse::{Seconds, list, seconds, switch, text, word},
    setting::{Fallback, Fault, Given, Parsed, section, words},
};
use crate::protocol::{client_metadata, scope};

section! {
    /// Clients that register themselves.
    pub struct Registration at "registration." {
        /// `off`; `token`: for those who have a token of `signet registration-tokens create`; or `open`: for everybody.
        /// Default: off.
        mode: RegistrationMode = Fallback::Fixed("off"), word;
        /// The response types that they may have. All but `code` let tokens travel through the browser. Default: code.
        response_types: Vec<String> = Fallback::Fixed("code"), list(response_type);
        /// The scopes that they may have. Default: openid,profile,email,address,phone,offline_access.
        scopes: Vec<String> = Fallback::Fixed("openid,profile,email,address,phone,offline_access"), list(scope);
        /// Whether those with a secret or key must use PKCE too; those without always must. Default: true.
        require_pkce: bool = Fallback::Fixed("true"), switch;
        /// How long they stay without getting a token; then they are removed with everything that was granted to them.
        /// From 1d to 3650d. Default: 90d.
        unused_for: Seconds = Fallback::Fixed("90d"), seconds(Seconds::DAY, 3650 * Seconds::DAY);
    }
}

words! {
    /// Who may register a client.
    pub enum RegistrationMode {
        /// Nobody but the operator.
        Off = "off",
        /// Whoever has an initial access token.
        Token = "token",
        /// Everybody.
        Open = "open",
    }
}

fn response_type(given: &Given<'_>) -> Parsed<String> {
    let text = text(64)(given)?;
    client_metadata::response_type(&text).map(str::to_owned).ok_or_else(|| {
        let known = client_metadata::RESPONSE_TYPES.join("\", \"");
        Fault::new("there is no such response type", format!("use \"{known}\""))
    })
}

/// RFC 6749 §3.3: one word.
fn scope(given: &Given<'_>) -> Parsed<String> {
    let word = text(128)(given)?;
    if word == scope::ADMIN {
        return Err(Fault::new("nobody becomes an administrator by registering", "remove signet:admin"));
    }
    if word == scope::ACCOUNT {
        return Err(Fault::new("no stranger runs people's accounts by registering", "remove signet:account"));
    }
    let is_one = word.parse::<scope::Scope>().is_ok_and(|scope| scope.tokens().eq([word.as_str()]));
    is_one.then_some(word).ok_or_else(|| Fault::new("this is not one scope", "use letters, digits and : . _ -"))
}
