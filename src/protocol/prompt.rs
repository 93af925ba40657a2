//! OpenID Connect Core §3.1.2.1: `prompt` and `max_age`, what a client asks to be asked again.

use super::{Code, Params, Result, rule, trace::Shown};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
}

/// Every value.
const VALUES: [&str; 4] = ["none", "login", "consent", "select_account"];

/// `prompt`: `none` stands alone.
pub fn prompt(params: &Params) -> Result<Vec<Prompt>> {
    let text = params.get("prompt").unwrap_or_default();
    let refuse = |why: &'static str| {
        Code::InvalidRequest
            .because(why)
            .under(&rule::PROMPT)
            .expected(Shown::list(VALUES))
            .received(Shown::parameter("prompt", text))
    };
    let mut prompts = Vec::new();
    for value in text.split(' ').filter(|value| !value.is_empty()) {
        prompts.push(match value {
            "none" => Prompt::None,
            "login" => Prompt::Login,
            "consent" => Prompt::Consent,
            "select_account" => Prompt::SelectAccount,
            _ => return Err(refuse("prompt has a value that this server does not know")),
        });
    }
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(refuse("prompt=none stands alone"));
    }
    Ok(prompts)
}

/// `max_age` in seconds.
pub fn max_age(params: &Params) -> Result<Option<i64>> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    let digits = text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if digits => Ok(Some(seconds)),
        _ => Err(Code::InvalidRequest
            .because("max_age is not a whole number of seconds")
            .under(&rule::MAX_AGE)
            .received(Shown::parameter("max_age", text))),
    }
}
