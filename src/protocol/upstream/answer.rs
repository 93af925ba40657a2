//! RFC 6749 §4.1.2, RFC 9207: what a provider sends a browser back with.

use crate::protocol::{Code, Error, Params, Result, rule, trace::Shown};

/// A code of a provider is at most so long.
const LONGEST_CODE: usize = 4096;
/// A state of ours is a secret of 43 characters.
const STATE: usize = 43;

/// The parameters that were sent back, read but not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub state: String,
    pub iss: Option<String>,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Code(String),
    /// The provider's word for why not, and whether the person has said no.
    Refused {
        error: String,
        by_person: bool,
    },
}

/// What a callback has to be given.
pub const READ: [&str; 5] = ["state", "code", "iss", "error", "error_description"];

/// The state alone: whose answer it is comes before what it says.
///
/// # Errors
/// When there is none that could be ours (case SEC-136).
pub fn state(params: &Params) -> Result<&str> {
    let refuse = |why: &'static str| Code::InvalidRequest.because(why).under(&rule::UPSTREAM_STATE);
    let state = params.get("state").ok_or_else(|| refuse("the answer has no state"))?;
    if params.is_repeated("state") || state.len() != STATE {
        return Err(refuse("the state is none of ours").received(Shown::length(state)));
    }
    Ok(state)
}

/// # Errors
/// What makes it no answer.
pub fn read(params: &Params) -> Result<Answer> {
    let state = state(params)?.to_owned();
    params.only(&READ).check().map_err(|error| error.under(&rule::UPSTREAM_ANSWER))?;
    let refuse = |why: &'static str| Code::InvalidRequest.because(why).under(&rule::UPSTREAM_ANSWER);
    let outcome = match (params.get("code"), params.get("error")) {
        (Some(_), Some(_)) => return Err(refuse("the answer has both a code and an error")),
        (Some(code), None) if code.len() > LONGEST_CODE => {
            return Err(refuse("the code is longer than any provider's").received(Shown::length(code)));
        }
        (Some(code), None) => Outcome::Code(code.to_owned()),
        (None, Some(error)) => Outcome::Refused { error: word(error), by_person: by_person(error) },
        (None, None) => return Err(refuse("the answer has neither a code nor an error")),
    };
    Ok(Answer { state, iss: params.get("iss").map(str::to_owned), outcome })
}

/// RFC 9207 §2.4: an answer of another provider than the one that was asked is a mix-up. `promised`: the provider says that
/// it always names itself.
///
/// # Errors
/// When it is not the issuer, or there is none where one is promised.
pub fn check_issuer(iss: Option<&str>, names: &[String], promised: bool) -> Result<()> {
    let refuse = |why: &'static str| {
        Code::AccessDenied
            .because(why)
            .under(&rule::UPSTREAM_ISSUER)
            .expected(Shown::foreign_uri(names.first().map_or("", String::as_str)))
    };
    match iss {
        None if promised => Err(refuse("the provider did not name itself, which it says it always does")),
        Some(iss) if !names.iter().any(|name| name == iss) => {
            Err(refuse("the answer is of another provider than the one that was asked")
                .received(Shown::foreign_uri(iss)))
        }
        _ => Ok(()),
    }
}

/// What the provider refused, for the trace.
pub fn refusal(error: &str, by_person: bool) -> Error {
    let why = if by_person { "the person said no at the provider" } else { "the provider refused" };
    Code::AccessDenied.because(why).under(&rule::UPSTREAM_ANSWER).received(Shown::cause(error))
}

fn by_person(error: &str) -> bool {
    matches!(error, "access_denied" | "user_cancelled_login" | "user_cancelled_authorize")
}

/// RFC 6749 §4.1.2.1: an error is a word. Whatever else came is not repeated.
pub fn word(error: &str) -> String {
    let is_word = !error.is_empty()
        && error.len() <= 60
        && error.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b));
    if is_word { error.to_owned() } else { "an error without a name".to_owned() }
}
