//! RFC 7636: Proof Key for Code Exchange. S256 only; RFC 9700 §2.1.1 retires `plain`.
//! A refused `code_verifier` is decided by [`verify`].

use oxide_auth::code_grant::extensions::Pkce;

use super::{Code, Params, Result, rule, trace::Shown};

/// §4.2: `code_challenge`, kept with the code that it protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(String);

impl Challenge {
    /// What the authorization request says. Never defaults to `plain` (§4.3 would).
    pub fn requested(params: &Params) -> Result<Option<Challenge>> {
        let refuse = |why: &'static str| Code::InvalidRequest.because(why).under(&rule::CODE_CHALLENGE);
        match (params.get("code_challenge"), params.get("code_challenge_method")) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(refuse("code_challenge is missing")),
            (Some(_), None) => Err(refuse("code_challenge_method is missing; it must be S256")),
            (Some(_), Some(method)) if method != "S256" => Err(refuse("code_challenge_method must be S256")
                .expected(Shown::word("S256"))
                .received(Shown::parameter("code_challenge_method", method))),
            (Some(challenge), Some(_)) if !is_digest(challenge) => {
                Err(refuse("code_challenge is not the base64url text of a SHA-256")
                    .expected(Shown::word("43 characters of A-Z a-z 0-9 - _"))
                    .received(Shown::length(challenge)))
            }
            (Some(challenge), Some(_)) => Ok(Some(Challenge(challenge.to_owned()))),
        }
    }

    pub fn stored(value: String) -> Self {
        Challenge(value)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// §4.6, and RFC 9700 §4.8: a verifier nobody asked for is an attack, not a courtesy.
pub fn verify(challenge: Option<&Challenge>, verifier: Option<&str>) -> Result<()> {
    let refuse = |why: &'static str| Code::InvalidGrant.because(why).under(&rule::CODE_VERIFIER);
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(refuse("code_verifier is missing")),
        (None, Some(_)) => Err(refuse("code_verifier was sent, but the request had no code_challenge")),
        (Some(_), Some(v)) if !is_verifier(v) => Err(refuse("code_verifier must be 43 to 128 unreserved characters")
            .expected(Shown::word("43 to 128 characters of A-Z a-z 0-9 - . _ ~"))
            .received(Shown::length(v))),
        (Some(c), Some(v)) if matches(c, v) => Ok(()),
        (Some(_), Some(v)) => Err(refuse("code_verifier does not match the code_challenge of the request")
            .expected(Shown::word("the verifier whose SHA-256 is the code_challenge"))
            .received(Shown::length(v))),
    }
}

/// §4.1.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// §4.2: S256 always gives 43 base64url characters.
fn is_digest(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// oxide-auth hashes and compares in constant time; its syntax and downgrade rules are too lax, so ours stand before.
fn matches(challenge: &Challenge, verifier: &str) -> bool {
    let pkce = Pkce::required();
    match pkce.challenge(Some("S256".into()), Some(challenge.0.as_str().into())) {
        Ok(stored) => pkce.verify(stored, Some(verifier.into())).is_ok(),
        Err(()) => false,
    }
}
